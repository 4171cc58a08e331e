/* Whole windows of every cell, on one road; included once for each, which sets LANES and what a tile may
 * hold.
 *
 * Each thread takes lanes of its own through all steps, so no thread ever waits for another. The units of a
 * layer are taken a panel of 16 at a time, with all their gates: the product leaves its sums in `sums`, and
 * the equations go on from there while they are in the nearest cache.
 */
#include "work.h"

#include "vector.h"

#include "product.h"

#include "step.h"

#include "rnn.h"

#include "lstm.h"

#include "gru.h"

#include "strip.h"

static const struct equations EQUATIONS[] = {
    [RNN_TANH] = {1, rnn_units, 0, rnn_units_back, 0},
    [RNN_LOGISTIC] = {1, rnn_units, 0, rnn_units_back, 0},
    [RNN_RELU] = {1, rnn_units, 0, rnn_units_back, 0},
    [LSTM] = {4, lstm_units, 0, lstm_units_back, 0},
    [LSTM_PEEPHOLE] = {4, lstm_units, lstm_peephole_units, lstm_units_back, lstm_peephole_units_back},
    [GRU] = {2, gru_units, gru_candidates, gru_units_back, gru_resets_back},
    [GRU_AFTER] = {3, gru_after_units, 0, gru_after_units_back, 0},
};

static void forward_step(const struct work *work, int64_t t)
{
    const struct equations *cell = &EQUATIONS[work->of->cell];
    int64_t H = work->of->hidden_size;
    struct step s = step_at(work, t);
    for (int64_t unit = 0; unit < H; unit += PANEL) {
        product(work->rows, cell->panels, H, s.hidden_before, H,
                work->packed->gates + cell->panels * unit * H, work->sums, 0);
        cell->first(work, s, unit);
    }
    for (int64_t unit = 0; cell->second && unit < H; unit += PANEL) {
        const float *left = work->of->cell == GRU ? s.beside : s.memory;
        product(work->rows, 1, H, left, H, work->packed->second + unit * H, work->sums, 0);
        cell->second(work, s, unit);
    }
}

static void forward(const struct work *work)
{
    struct work left = *work; /* of the lanes: those that go on */
    for (int64_t t = 0; t < work->of->steps && left.rows > 0; t++) {
        int64_t rows = rows_at(work->of, t) - work->first;
        left.rows = rows < work->rows ? rows : work->rows;
        if (left.rows > 0)
            forward_step(&left, t);
    }
}

/* Leaves the gradient of sixteen units of h_{t-1} through the gates of step t in `sums`. */
static void through_gates(const struct work *work, struct step s, int64_t unit)
{
    int64_t H = work->of->hidden_size, width = gates_of(work->of->cell) * H;
    int has_candidate_apart = work->of->cell == GRU || work->of->cell == GRU_AFTER;
    int64_t depth = has_candidate_apart ? 2 * H : width;
    product(work->rows, 1, depth, s.gates, width, work->packed->gates + unit * depth, work->sums, 0);
    if (work->of->cell == GRU_AFTER)
        product(work->rows, 1, H, s.beside, H, work->packed->second + unit * H, work->sums, 1);
}

static void backward(const struct work *work)
{
    const struct equations *cell = &EQUATIONS[work->of->cell];
    int64_t H = work->of->hidden_size, width = gates_of(work->of->cell) * H;
    for (int64_t t = work->of->steps - 1; t >= 0; t--) {
        struct step s = step_at(work, t);
        for (int64_t unit = 0; unit < H; unit += PANEL) {
            if (!s.is_last)
                through_gates(work, step_at(work, t + 1), unit);
            cell->first_back(work, s, unit);
        }
        for (int64_t unit = 0; cell->second && unit < H; unit += PANEL) {
            product(work->rows, 1, H, s.gates + width - H, width, work->packed->second + unit * H, work->sums,
                    0);
            cell->second_back(work, s, unit);
        }
    }
    struct step s = step_at(work, 0);
    for (int64_t unit = 0; unit < H; unit += PANEL) {
        through_gates(work, s, unit);
        EACH_VECTOR(work, unit)
            store(s.d_hidden + at, load(s.d_hidden + at, n) + SUM(0), n);
    }
}
