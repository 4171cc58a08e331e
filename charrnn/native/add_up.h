/* The gradients of a group of rows of weights, and of as many columns of the table, on one road: sums over
 * all steps and lanes, as outer.h tells.
 */

/* Gathers what belongs to so many rows of weights: that of step and lane k from k * GROUP_ROWS on. */
static void gather(const float *after, int64_t apart, int64_t count, int64_t rows, float *gathered)
{
    for (int64_t k = 0; k < count; k++)
        if (rows == GROUP_ROWS) /* a constant is faster */
            memcpy(gathered + k * GROUP_ROWS, after + k * apart, sizeof(float) * GROUP_ROWS);
        else
            memcpy(gathered + k * GROUP_ROWS, after + k * apart, sizeof(float) * rows);
}

/* Adds the gradients of x W + b in so many columns to those of the ids that were looked up, `count` of them
 * from number n on; those of an id lie from id * GROUP_ROWS on. */
static void add_to_ids(const struct window *w, int64_t column, int64_t columns, int64_t n, int64_t count,
                       float *sums)
{
    int64_t width = gates_of(w->cell) * w->hidden_size;
    const float *gates = w->gates + n * width + column;
    for (int64_t k = 0; k < count; k++, gates += width) {
        float *sum = sums + w->ids[n + k] * GROUP_ROWS;
        for (int64_t c = 0; c < columns; c += LANES)
            store(sum + c, load(sum + c, columns - c) + load(gates + c, columns - c), columns - c);
    }
}

static void add_up(const struct outer *o, int64_t group, float *room)
{
    const struct before *b = o->before;
    const struct window *w = o->table_of;
    int64_t H = b->columns, panels = panels_over(H), first_row = group * o->group;
    int64_t left = o->rows - first_row, rows = left < o->group ? left : o->group,
            column = o->column + first_row;
    int64_t ids = w ? w->table_rows : 0;
    float *gathered = room, *sums = gathered + GROUP_ROWS * BLOCK_ROWS;
    float *of_ids = sums + GROUP_ROWS * panels * PANEL;
    memset(of_ids, 0, sizeof(float) * GROUP_ROWS * ids);
    for (int64_t n = 0; n < b->count; n += BLOCK_ROWS) {
        int64_t count = b->count - n < BLOCK_ROWS ? b->count - n : BLOCK_ROWS;
        gather(o->after + n * o->apart + first_row, o->apart, count, rows, gathered);
        if (ids)
            add_to_ids(w, column, rows, n, count, of_ids);
        product(rows, (int)panels, count, (struct rows){gathered, 1, GROUP_ROWS},
                b->packed + n * panels * PANEL, sums, n > 0);
    }
    for (int64_t id = 0; id < ids; id++)
        memcpy(w->table + id * gates_of(w->cell) * H + column, of_ids + id * GROUP_ROWS,
               sizeof(float) * rows);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t unit = 0; unit < H; unit += PANEL)
            memcpy(o->sum + (first_row + row) * H + unit, sums + unit * rows + row * PANEL,
                   sizeof(float) * (H - unit < PANEL ? H - unit : PANEL));
}
