#include "outer.h"
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
    before[0] = (struct before){count, H, w->hidden, 0};
    g->outers[0] = outer_of(before, is_apart ? 2 * H : width, w->gates, width, w->d_recurrent);
    if (w->cell == LSTM_PEEPHOLE) {
        before[1] = (struct before){count, H, w->memory + w->lanes * H, 0};
        g->outers[1] = outer_of(before + 1, H, w->gates + width - H, width, w->d_peephole);
    } else if (w->cell == GRU) {
        before[1] = (struct before){count, H, w->beside, 0};
        g->outers[1] = outer_of(before + 1, H, w->gates + width - H, width, w->d_recurrent + 2 * H * H);
    } else if (w->cell == GRU_AFTER)
        g->outers[1] = outer_of(before, H, w->beside, H, w->d_recurrent + 2 * H * H);
    g->outers[0].table_of = w->d_table ? w : 0;
    if (is_apart) {
        g->outers[1].table_of = g->outers[0].table_of;
        g->outers[1].column = 2 * H;
    }
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
