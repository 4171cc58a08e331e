/* A step of a thread's lanes: how the equations go over them. */

INLINE struct step step_at(const struct work *work, int64_t t)
{
    const struct window *w = work->of;
    int64_t H = w->hidden_size, lanes = work->first * H, place = start_of(w, t) * H + lanes;
    int64_t after = place + w->lanes * H, before = t ? (w->lanes + start_of(w, t - 1)) * H + lanes : lanes;
    return (struct step){
        .gates = w->gates + place * gates_of(w->cell),
        .hidden = w->hidden + after,
        .memory = w->memory ? w->memory + after : 0,
        .beside = w->beside ? w->beside + place : 0,
        .hidden_before = w->hidden + before,
        .memory_before = w->memory ? w->memory + before : 0,
        .ids = w->ids ? w->ids + start_of(w, t) + work->first : 0,
        .d_outputs = w->d_outputs ? w->d_outputs + place : 0,
        .d_hidden = w->d_hidden ? w->d_hidden + lanes : 0,
        .d_memory = w->d_memory ? w->d_memory + lanes : 0,
        .is_last = t + 1 == w->steps,
    };
}

/* Begins a function `name` of the type `units`, compiled twice: where all 16 units are there, a vector is
 * loaded and stored without asking whether it is whole. */
#define UNITS(name)                                                                                          \
    INLINE void name##_of(const int ARE_ALL, const struct work *, struct step, int64_t unit);                \
    static void name(const struct work *work, struct step s, int64_t unit)                                   \
    {                                                                                                        \
        if (work->of->hidden_size - unit >= PANEL)                                                           \
            name##_of(1, work, s, unit);                                                                     \
        else                                                                                                 \
            name##_of(0, work, s, unit);                                                                     \
    }                                                                                                        \
    INLINE void name##_of(const int ARE_ALL, const struct work *work, struct step s, int64_t unit)

/* Inside UNITS: for each of the thread's rows, each vector of the 16 units from `unit` on: u is its first
 * unit, `at` its place in rows of H, and `n` says how many units there are from u on, if fewer than LANES. */
#define EACH_VECTOR(unit)                                                                                    \
    for (int64_t H = work->of->hidden_size, row = 0; row < work->rows; row++)                                \
        for (int64_t u = (unit), n, at;                                                                      \
             n = ARE_ALL ? LANES : H - u, at = row * H + u, n > 0 && u < (unit) + PANEL; u += LANES)

/* x W + b of a row, from unit u on, inside EACH_VECTOR; it may lie where its gates will be. */
#define INPUTS (inputs_of(work->of, s, row) + u)

INLINE const float *inputs_of(const struct window *w, struct step s, int64_t row)
{
    int64_t width = gates_of(w->cell) * w->hidden_size;
    return s.ids ? w->table + s.ids[row] * width : s.gates + row * width;
}

/* A vector of what a product left, inside EACH_VECTOR. */
#define SUM(panel) (*(const vec *)(work->sums + ((panel) * work->rows + row) * PANEL + u - unit))

/* The gradient of h_t, inside EACH_VECTOR: from after the window or past the next step's gates, from the
 * output, and through the next step's gates. */
#define ARRIVING_D_H (load(s.d_hidden + at, n) + load(s.d_outputs + at, n) + (s.is_last ? all(0.0f) : SUM(0)))

/* Through the functions, by their values: d sigmoid = y (1 - y), d tanh = 1 - y^2. */
INLINE vec through_sigmoid(vec d, vec y)
{
    return d * (y - y * y);
}

INLINE vec through_tanh(vec d, vec y)
{
    return d - d * y * y;
}

/* Of cells whose h goes on through the gates alone. What d_hidden holds then comes from after the window: the
 * last step takes it, and for all others it is zero. */
INLINE void leave_no_d_hidden(struct step s, int64_t at, int64_t n)
{
    if (s.is_last)
        store(s.d_hidden + at, all(0.0f), n);
}
