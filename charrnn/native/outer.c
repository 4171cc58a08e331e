#include "outer.h"
#include "pack.h"
#include "work.h"

void list_gradients(const struct window *w, struct gradients *g)
{
    int64_t H = w->hidden_size, width = gates_of(w->cell) * H, count = start_of(w, w->steps);
    int is_apart = w->cell == GRU || w->cell == GRU_AFTER; /* the candidate */
    struct before *before = g->befores;
    before[0] = (struct before){count, H, w->hidden, 0};
    g->outers[0] = (struct outer){before, is_apart ? 2 * H : width, w->gates, width, w->d_recurrent, 0};
    if (w->cell == LSTM_PEEPHOLE) {
        before[1] = (struct before){count, H, w->memory + w->lanes * H, 0};
        g->outers[1] = (struct outer){before + 1, H, w->gates + width - H, width, w->d_peephole, -1};
    } else if (w->cell == GRU) {
        before[1] = (struct before){count, H, w->beside, 0};
        g->outers[1] =
            (struct outer){before + 1, H, w->gates + width - H, width, w->d_recurrent + 2 * H * H, 2 * H};
    } else if (w->cell == GRU_AFTER)
        g->outers[1] = (struct outer){before, H, w->beside, H, w->d_recurrent + 2 * H * H, 2 * H};
}

int64_t blocks_of_before(const struct before *b)
{
    return (b->count + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

int64_t groups_of_outer(const struct outer *o)
{
    return (o->rows + GROUP_ROWS - 1) / GROUP_ROWS;
}

int64_t packed_before_size(const struct before *b)
{
    return b->count * panels_over(b->columns) * PANEL;
}

int64_t adding_size(const struct window *w)
{
    return GROUP_ROWS * (BLOCK_ROWS + panels_over(w->hidden_size) * PANEL + w->table_rows);
}

void pack_before(const struct before *b, int64_t block)
{
    int64_t H = b->columns, first = block * BLOCK_ROWS, left = b->count - first;
    int64_t count = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    struct packing rows = {b->packed + first * panels_over(H) * PANEL, b->numbers + first * H, H, count, 1};
    for (int64_t unit = 0; unit < H; unit += PANEL)
        pack_columns(&rows, unit);
}
