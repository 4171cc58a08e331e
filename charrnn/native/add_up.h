/* Gradients that are sums over all steps and lanes, on one road: a group of rows of weights, by the outer
 * products that outer.h speaks of, and a group of columns of the table of x W + b.
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

static void add_up(const struct outer *o, int64_t first_row, float *room)
{
    const struct before *b = o->before;
    float *gathered = room, *sums = room + GROUP_ROWS * BLOCK_ROWS;
    int64_t H = b->columns, panels = panels_over(H), left = o->rows - first_row;
    int64_t rows = left < GROUP_ROWS ? left : GROUP_ROWS;
    for (int64_t n = 0; n < b->count; n += BLOCK_ROWS) {
        int64_t count = b->count - n < BLOCK_ROWS ? b->count - n : BLOCK_ROWS;
        gather(o->after + n * o->apart + first_row, o->apart, count, rows, gathered);
        product(rows, (int)panels, count, (struct rows){gathered, 1, GROUP_ROWS},
                b->packed + n * panels * PANEL, sums, n > 0);
    }
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < H; column += PANEL)
            memcpy(o->sum + (first_row + row) * H + column, sums + column * rows + row * PANEL,
                   sizeof(float) * (H - column < PANEL ? H - column : PANEL));
}

/* Every row of the table gets the gradients of where it was looked up. */
static void add_rows(const struct window *w, int64_t first_column)
{
    int64_t width = gates_of(w->cell) * w->hidden_size, left = width - first_column;
    int64_t columns = left < GROUP_COLUMNS ? left : GROUP_COLUMNS;
    float *sums = w->d_table + first_column;
    for (int64_t row = 0; row < w->table_rows; row++)
        memset(sums + row * width, 0, sizeof(float) * columns);
    for (int64_t n = 0; n < start_of(w, w->steps); n++) {
        const float *gates = w->gates + n * width + first_column;
        float *sum = sums + w->ids[n] * width;
        for (int64_t c = 0; c < columns; c += LANES)
            store(sum + c, load(sum + c, columns - c) + load(gates + c, columns - c), columns - c);
    }
}
