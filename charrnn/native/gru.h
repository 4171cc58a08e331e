/* The GRUs; a row of gates is [r | z | n], each H wide. The deck's resets before the product, torch's after
 * it.
 *
 *      r, z = sigmoid(x W + b + h_{t-1} U)
 *      n = tanh(x W_n + b_n + (r h_{t-1}) U_n)                  `beside` keeps r h_{t-1}
 *      n = tanh(x W_n + b_n + r (h_{t-1} U_n + b_inner))        `beside` keeps what is in the brackets
 *      h_t = (1 - z) n + z h_{t-1}
 */

UNITS(gru_units)
{
    EACH_VECTOR(unit) {
        float *gates = s.gates + 3 * row * H + u;
        const float *inputs = INPUTS;
        vec r = sigmoid(load(inputs, n) + SUM(0)), z = sigmoid(load(inputs + H, n) + SUM(1));
        store(gates, r, n);
        store(gates + H, z, n);
        store(s.beside + at, r * load(s.hidden_before + at, n), n);
    }
}

/* The candidate, which needs all that the reset left, and the output. */
UNITS(gru_candidates)
{
    EACH_VECTOR(unit) {
        float *gates = s.gates + 3 * row * H + u;
        vec candidate = tangent(load(INPUTS + 2 * H, n) + SUM(0)), z = load(gates + H, n);
        store(gates + 2 * H, candidate, n);
        store(s.hidden + at, candidate + z * (load(s.hidden_before + at, n) - candidate), n);
    }
}

UNITS(gru_after_units)
{
    EACH_VECTOR(unit) {
        float *gates = s.gates + 3 * row * H + u;
        const float *inputs = INPUTS;
        vec r = sigmoid(load(inputs, n) + SUM(0)), z = sigmoid(load(inputs + H, n) + SUM(1));
        vec inner = SUM(2) + load(work->of->inner_bias + u, n);
        vec candidate = tangent(load(inputs + 2 * H, n) + r * inner);
        store(gates, r, n);
        store(gates + H, z, n);
        store(gates + 2 * H, candidate, n);
        store(s.beside + at, inner, n);
        store(s.hidden + at, candidate + z * (load(s.hidden_before + at, n) - candidate), n);
    }
}

/* The gradient of h_t into z and the candidate, which it returns; past them to h_{t-1}. */
INLINE vec gru_mixture_back(struct step s, float *gates, int64_t H, int64_t at, int64_t n, vec d_h)
{
    vec z = load(gates + H, n), candidate = load(gates + 2 * H, n);
    vec d_candidate = through_tanh(d_h - d_h * z, candidate);
    store(gates + H, through_sigmoid(d_h * (load(s.hidden_before + at, n) - candidate), z), n);
    store(gates + 2 * H, d_candidate, n);
    store(s.d_hidden + at, d_h * z, n);
    return d_candidate;
}

UNITS(gru_units_back)
{
    EACH_VECTOR(unit)
        gru_mixture_back(s, s.gates + 3 * row * H + u, H, at, n, ARRIVING_D_H);
}

/* From the gradient of r h_{t-1} to those of r and h_{t-1}. */
UNITS(gru_resets_back)
{
    EACH_VECTOR(unit) {
        float *gate = s.gates + 3 * row * H + u;
        vec r = load(gate, n), d_reset = SUM(0);
        store(gate, through_sigmoid(d_reset * load(s.hidden_before + at, n), r), n);
        store(s.d_hidden + at, load(s.d_hidden + at, n) + d_reset * r, n);
    }
}

UNITS(gru_after_units_back)
{
    EACH_VECTOR(unit) {
        float *gates = s.gates + 3 * row * H + u;
        vec r = load(gates, n), d_candidate = gru_mixture_back(s, gates, H, at, n, ARRIVING_D_H);
        store(gates, through_sigmoid(d_candidate * load(s.beside + at, n), r), n);
        store(s.beside + at, d_candidate * r, n);
    }
}
