/* The LSTM, and the deck's with its peephole; a row of gates is [i | f | g | o], each H wide.
 *
 *      i, f, o = sigmoid(x W + b + h_{t-1} U),  g = tanh(...);  with the peephole  o = sigmoid(... + c_t V_o)
 *      c_t = f c_{t-1} + i g,  h_t = o tanh(c_t)
 */

UNITS(lstm_units)
{
    EACH_VECTOR(unit) {
        float *gates = s.gates + 4 * row * H + u;
        const float *inputs = INPUTS;
        vec i = sigmoid(load(inputs, n) + SUM(0));
        vec f = sigmoid(load(inputs + H, n) + SUM(1));
        vec g = tangent(load(inputs + 2 * H, n) + SUM(2));
        vec o = load(inputs + 3 * H, n) + SUM(3);
        vec c = f * load(s.memory_before + at, n) + i * g;
        if (work->of->cell == LSTM) {
            o = sigmoid(o);
            store(s.hidden + at, o * tangent(c), n);
        }
        store(gates, i, n);
        store(gates + H, f, n);
        store(gates + 2 * H, g, n);
        store(gates + 3 * H, o, n);
        store(s.memory + at, c, n);
    }
}

/* The output gate with c_t V_o, which needs all of c_t; then the output. */
UNITS(lstm_peephole_units)
{
    EACH_VECTOR(unit) {
        float *gate = s.gates + (4 * row + 3) * H + u;
        vec o = sigmoid(load(gate, n) + SUM(0));
        store(gate, o, n);
        store(s.hidden + at, o * tangent(load(s.memory + at, n)), n);
    }
}

/* From the gradient of c_t to those of i, f, g and c_{t-1}. */
INLINE void lstm_memory_back(float *gates, int64_t H, int64_t n, vec d_c, const float *c_before,
                             float *d_memory)
{
    vec i = load(gates, n), f = load(gates + H, n), g = load(gates + 2 * H, n);
    store(gates, through_sigmoid(d_c * g, i), n);
    store(gates + H, through_sigmoid(d_c * load(c_before, n), f), n);
    store(gates + 2 * H, through_tanh(d_c * i, g), n);
    store(d_memory, d_c * f, n);
}

/* The gradient of h_t into the output gate and the memory cell; with a peephole d_memory has to wait for
 * more. */
UNITS(lstm_units_back)
{
    EACH_VECTOR(unit) {
        float *gates = s.gates + 4 * row * H + u;
        vec d_h = ARRIVING_D_H, o = load(gates + 3 * H, n), squashed = tangent(load(s.memory + at, n));
        vec d_c = load(s.d_memory + at, n) + through_tanh(d_h * o, squashed);
        store(gates + 3 * H, through_sigmoid(d_h * squashed, o), n);
        leave_no_d_hidden(s, at, n);
        if (work->of->cell == LSTM)
            lstm_memory_back(gates, H, n, d_c, s.memory_before + at, s.d_memory + at);
        else
            store(s.d_memory + at, d_c, n);
    }
}

UNITS(lstm_peephole_units_back)
{
    EACH_VECTOR(unit) {
        vec d_c = load(s.d_memory + at, n) + SUM(0);
        lstm_memory_back(s.gates + 4 * row * H + u, H, n, d_c, s.memory_before + at, s.d_memory + at);
    }
}
