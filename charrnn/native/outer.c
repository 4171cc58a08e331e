#include "outer.h"

#include <string.h>

#include "pack.h"
#include "work.h"

static struct outer outer_of(const struct before *before, int64_t rows, const float *after, int64_t apart,
                             float *sum)
{
    return (struct outer){
        .before = before, .rows = rows, .group = GROUP_ROWS, .after = after, .apart = apart, .sum = sum};
}

void list_gradients(const struct window *w, struct gradients *g)
{
    int64_t H = w->hidden_size, width = gates_of(w->cell) * H, count = start_of(w, w->steps);
    int is_apart = w->cell == GRU || w->cell == GRU_AFTER; /* the candidate */
    struct before *before = g->befores;
    before[OF_GATES] = (struct before){count, H, w->hidden, 0};
    g->outers[OF_GATES] = outer_of(before, is_apart ? 2 * H : width, w->gates, width, w->d_recurrent);
    if (w->cell == LSTM_PEEPHOLE) {
        before[OF_SECOND] = (struct before){count, H, w->memory + w->lanes * H, 0};
        g->outers[OF_SECOND] = outer_of(before + OF_SECOND, H, w->gates + width - H, width, w->d_peephole);
    } else if (w->cell == GRU) {
        before[OF_SECOND] = (struct before){count, H, w->beside, 0};
        g->outers[OF_SECOND] =
            outer_of(before + OF_SECOND, H, w->gates + width - H, width, w->d_recurrent + 2 * H * H);
    } else if (w->cell == GRU_AFTER)
        g->outers[OF_SECOND] = outer_of(before, H, w->beside, H, w->d_recurrent + 2 * H * H);
    if (!w->ids)
        return;
    g->outers[OF_GATES].table_of = w;
    if (is_apart) {
        g->outers[OF_SECOND].table_of = w;
        g->outers[OF_SECOND].column = 2 * H;
    }
    before[OF_INPUTS] = (struct before){w->table_rows, w->input_size, w->embedding, 0};
    g->outers[OF_INPUTS] = outer_of(before + OF_INPUTS, width, w->table, width, w->d_input);
}

int64_t blocks_of_before(const struct before *b)
{
    return (b->count + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

int64_t groups_of_outer(const struct outer *o)
{
    return o->rows ? (o->rows + o->group - 1) / o->group : 0;
}

int64_t packed_before_size(const struct before *b)
{
    return b->count * panels_over(b->columns) * PANEL;
}

int64_t adding_size(int64_t columns, int64_t table_rows)
{
    return GROUP_ROWS * (BLOCK_ROWS + panels_over(columns) * PANEL + table_rows);
}

void pack_before(const struct before *b, int64_t block)
{
    int64_t H = b->columns, first = block * BLOCK_ROWS, left = b->count - first;
    int64_t count = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    struct packing rows = {b->packed + first * panels_over(H) * PANEL, b->numbers + first * H, H, count, 1};
    for (int64_t unit = 0; unit < H; unit += PANEL)
        pack_columns(&rows, unit);
}

void add_rows(int64_t count, int64_t columns, const float *rows, int64_t apart, float *sums)
{
    memset(sums, 0, sizeof(float) * columns);
    for (int64_t n = 0; n < count; n++, rows += apart)
        for (int64_t column = 0; column < columns; column++)
            sums[column] += rows[column];
}
