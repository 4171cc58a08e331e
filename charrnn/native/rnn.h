/* The plain recurrent network: h_t = sigma(x_t W + b + h_{t-1} U). */

INLINE vec rnn_sigma(int32_t cell, vec x)
{
    if (cell == RNN_TANH)
        return tangent(x);
    if (cell == RNN_LOGISTIC)
        return sigmoid(x);
    return larger(all(0.0f), x);
}

INLINE vec through_rnn_sigma(int32_t cell, vec d, vec y)
{
    if (cell == RNN_TANH)
        return through_tanh(d, y);
    if (cell == RNN_LOGISTIC)
        return through_sigmoid(d, y);
    return either(y > all(0.0f), d, all(0.0f));
}

UNITS(rnn_units)
{
    EACH_VECTOR(unit)
        store(s.hidden + at, rnn_sigma(work->of->cell, load(INPUTS, n) + SUM(0)), n);
}

UNITS(rnn_units_back)
{
    EACH_VECTOR(unit) {
        store(s.gates + at, through_rnn_sigma(work->of->cell, ARRIVING_D_H, load(s.hidden + at, n)), n);
        leave_no_d_hidden(s, at, n);
    }
}
