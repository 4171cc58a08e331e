/* Whole windows of every cell, on one road; included once for each, which sets LANES and what a tile may
 * hold.
 *
 * Each thread takes lanes of its own through all steps, so none waits for another from step to step. The
 * units of a layer are taken a few panels of 16 at a time, with all their gates: the product leaves its sums
 * in `sums`, and the equations go on from there, panel by panel, while they are in the nearest cache.
 */
#include "outer.h"
#include "work.h"

#include "vector.h"

#include "product.h"

#include "step.h"

#include "rnn.h"

#include "lstm.h"

#include "gru.h"

#include "strip.h"

#include "add_up.h"

#include "predict.h"

#include "move.h"

static const struct equations EQUATIONS[] = {
    [RNN_TANH] = {1, rnn_units, 0, rnn_units_back, 0},
    [RNN_LOGISTIC] = {1, rnn_units, 0, rnn_units_back, 0},
    [RNN_RELU] = {1, rnn_units, 0, rnn_units_back, 0},
    [LSTM] = {4, lstm_units, 0, lstm_units_back, 0},
    [LSTM_PEEPHOLE] = {4, lstm_units, lstm_peephole_units, lstm_units_back, lstm_peephole_units_back},
    [GRU] = {2, gru_units, gru_candidates, gru_units_back, gru_resets_back},
    [GRU_AFTER] = {3, gru_after_units, 0, gru_after_units_back, 0},
};

/* Neighbouring panels of units that are taken together. */
struct block {
    int64_t unit; /* the first one */
    int panels;
};

static int64_t panels_of(const struct work *work)
{
    return panels_over(work->of->hidden_size);
}

/* How many blocks the units are divided into where a product makes so many gates of each panel of units: few,
 * so that tiles are as wide as they can be, but enough for the sums of one block to find room. */
static int64_t blocks_of(const struct work *work, int gates)
{
    int64_t room = MOST_GATES * MOST_LANES / work->rows;
    int64_t most = (room < MOST_TOGETHER ? room : MOST_TOGETHER) / gates;
    return (panels_of(work) + most - 1) / most;
}

/* Every other step goes from the last block to the first: what a step read last of the weights is still near.
 */
static struct block block_at(const struct work *work, int64_t t, int64_t number, int64_t blocks)
{
    int64_t panels = panels_of(work), place = t % 2 ? blocks - 1 - number : number;
    int64_t first = panels * place / blocks;
    return (struct block){first * PANEL, (int)(panels * (place + 1) / blocks - first)};
}

/* Prefetches the numbers of a block's units, in rows of so many gates, which are needed after the product.
 * Inlined, for a compiler may leave out calls of a function that does nothing else. */
INLINE void fetch(const struct work *work, const float *rows, int gates, struct block block)
{
    int64_t H = work->of->hidden_size;
    for (int64_t row = 0; rows && row < work->rows; row++)
        for (int64_t gate = 0; gate < gates; gate++)
            for (int panel = 0; panel < block.panels; panel++)
                __builtin_prefetch(rows + (row * gates + gate) * H + block.unit + panel * PANEL, 1, 2);
}

/* Takes the equations over a block, of which a product with so many gates has left the sums. */
static void equate(const struct work *work, struct step s, struct block block, int gates, units *equations)
{
    struct work of_panel = *work;
    for (int panel = 0; panel < block.panels; panel++) {
        equations(&of_panel, s, block.unit + panel * PANEL);
        of_panel.sums += gates * work->rows * PANEL;
    }
}

/* The second product of a step, of rows so far apart, and the equations that wait for it. */
static void take_second(const struct work *work, struct step s, int64_t t, const float *left, int64_t stride,
                        units *equations)
{
    int64_t H = work->of->hidden_size, blocks = blocks_of(work, 1);
    for (int64_t i = 0; i < blocks; i++) {
        struct block block = block_at(work, t, i, blocks);
        product(work->rows, block.panels, H, (struct rows){left, stride, 1},
                work->packed->second + block.unit * H, work->sums, 0);
        equate(work, s, block, 1, equations);
    }
}

static void forward_step(const struct work *work, int64_t t)
{
    const struct equations *cell = &EQUATIONS[work->of->cell];
    int64_t H = work->of->hidden_size, blocks = blocks_of(work, cell->panels);
    struct step s = step_at(work, t);
    for (int64_t i = 0; i < blocks; i++) {
        struct block block = block_at(work, t, i, blocks);
        if (work->of->cell > RNN_RELU || !s.ids) /* else inputs come from the table, and no gate is kept */
            fetch(work, s.gates, gates_of(work->of->cell), block);
        fetch(work, s.hidden, 1, block);
        fetch(work, s.memory, 1, block);
        fetch(work, s.beside, 1, block);
        product(work->rows, cell->panels * block.panels, H, (struct rows){s.hidden_before, H, 1},
                work->packed->gates + cell->panels * block.unit * H, work->sums, 0);
        equate(work, s, block, cell->panels, cell->first);
    }
    if (cell->second)
        take_second(work, s, t, work->of->cell == GRU ? s.beside : s.memory, H, cell->second);
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

/* Leaves the gradient of a block's units of h_{t-1} through the gates of step t in `sums`. */
static void through_gates(const struct work *work, struct step s, struct block block)
{
    int64_t H = work->of->hidden_size, width = gates_of(work->of->cell) * H;
    int has_candidate_apart = work->of->cell == GRU || work->of->cell == GRU_AFTER;
    int64_t depth = has_candidate_apart ? 2 * H : width;
    product(work->rows, block.panels, depth, (struct rows){s.gates, width, 1},
            work->packed->gates + block.unit * depth, work->sums, 0);
    if (work->of->cell == GRU_AFTER)
        product(work->rows, block.panels, H, (struct rows){s.beside, H, 1},
                work->packed->second + block.unit * H, work->sums, 1);
}

static void backward_step(const struct work *work, int64_t t)
{
    const struct equations *cell = &EQUATIONS[work->of->cell];
    int64_t H = work->of->hidden_size, width = gates_of(work->of->cell) * H,
            blocks = blocks_of(work, cell->panels);
    struct step s = step_at(work, t);
    for (int64_t i = 0; i < blocks; i++) {
        struct block block = block_at(work, t, i, blocks);
        fetch(work, s.gates, gates_of(work->of->cell), block);
        fetch(work, s.d_outputs, 1, block);
        fetch(work, s.hidden_before, 1, block);
        fetch(work, s.memory_before, 1, block);
        fetch(work, s.beside, 1, block);
        if (!s.is_last)
            through_gates(work, step_at(work, t + 1), block);
        equate(work, s, block, 1, cell->first_back);
    }
    if (cell->second)
        take_second(work, s, t, s.gates + width - H, width, cell->second_back);
}

/* What is left of the gradient of h before the window once step 0 is done. */
UNITS(add_through_gates)
{
    EACH_VECTOR(unit)
        store(s.d_hidden + at, load(s.d_hidden + at, n) + SUM(0), n);
}

static void backward(const struct work *work)
{
    for (int64_t t = work->of->steps - 1; t >= 0; t--)
        backward_step(work, t);
    struct step s = step_at(work, 0);
    int64_t blocks = blocks_of(work, 1);
    for (int64_t i = 0; i < blocks; i++) {
        struct block block = block_at(work, 1, i, blocks);
        through_gates(work, s, block);
        equate(work, s, block, 1, add_through_gates);
    }
}

/* A road of this name, once there is `is_passable`. */
#define ROAD(name)                                                                                           \
    {                                                                                                        \
        name, is_passable, forward,   backward,    put_product, add_up,   predict,  add_squares,             \
        move, follow,      EQUATIONS, LEAST_LANES, STRIP_ALONE, quantize, multiply,                          \
    }
