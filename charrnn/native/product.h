/* Rows times packed weights, the product inside every step; included once for each road.
 *
 * Weights are packed into panels of 16 columns, depth first, so that a product reads them from end to end:
 *
 *      panel 0           panel 1
 *      w[0][0..15]       w[0][16..31]        each line 64 bytes, one for each k
 *      w[1][0..15]       w[1][16..31]
 *      ...               ...
 *
 * A tile of rows x panels keeps all its sums in registers. Each sum runs over k from 0 on, alone, so a row's
 * result depends neither on the rows beside it nor on the tile it is in.
 */
#define PARTS (PANEL / LANES) /* vectors in a line */

/* What is multiplied with the panels: number k of row r is from[r * apart + k * step]. */
struct rows {
    const float *from;
    int64_t apart, step;
};

/* Where vector i of a tile lies whose first one is number FIRST of its panel; panels are so far apart. */
#define AT(i, panel, line) ((FIRST + (i)) / PARTS * (panel) + (line) + (FIRST + (i)) % PARTS * LANES)

/* sums[p][r][0..15] = rows r times panel p, or that added to what is there; ROWS, VECTORS and FIRST are
 * constants. */
INLINE void tile(const int ROWS, const int VECTORS, const int FIRST, int64_t depth, struct rows left,
                 const float *panels, float *sums, int64_t pitch, int adding)
{
    vec sum[MOST_SUMS];
    UNROLLED(i, ROWS * VECTORS)
        sum[i] = adding ? *(const vec *)(sums + AT(i % VECTORS, pitch, i / VECTORS * PANEL)) : all(0.0f);
    for (int64_t k = 0; k < depth; k++) {
        vec w[MOST_SUMS];
        UNROLLED(i, VECTORS)
            w[i] = *(const vec *)(panels + AT(i, depth * PANEL, k * PANEL));
        if (AHEAD)
            UNROLLED(panel, VECTORS / PARTS)
                __builtin_prefetch(panels + (panel * depth + k + AHEAD) * PANEL);
        UNROLLED(i, ROWS * VECTORS)
            sum[i] += left.from[i / VECTORS * left.apart + k * left.step] * w[i % VECTORS];
    }
    UNROLLED(i, ROWS * VECTORS)
        *(vec *)(sums + AT(i % VECTORS, pitch, i / VECTORS * PANEL)) = sum[i];
}

/* Rows of `left` times so many neighbouring vectors, for all rows, with the largest tiles that fit. */
INLINE void across(const int VECTORS, const int FIRST, int most_rows, int64_t rows, int64_t depth,
                   struct rows left, const float *panels, float *sums, int adding)
{
    int64_t tiles = (rows + most_rows - 1) / most_rows;
    for (int64_t row = 0, count; row < rows; row += count, tiles--) {
        count = (rows - row + tiles - 1) / tiles; /* 4 and 4 rather than 6 and 2 */
        struct rows from = {left.from + row * left.apart, left.apart, left.step};
        float *to = sums + row * PANEL;
        switch (count) {
#define ROWS_CASE(n)                                                                                         \
    case n:                                                                                                  \
        if (n * VECTORS <= MOST_SUMS)                                                                        \
            tile(n, VECTORS, FIRST, depth, from, panels, to, rows *PANEL, adding);                           \
        break;
            EACH_COUNT(ROWS_CASE)
#undef ROWS_CASE
        }
    }
}

/* Whether rows make tiles of four, which have no room over two panels, and over one not enough sums. */
static int are_fours(int64_t rows)
{
    return ROWS_OVER_HALVES == 4 && (rows == 4 || rows == 7 || rows == 8);
}

/* How many of the panels that are left a tile goes over. Few rows go over several, or there would be too few
 * sums to hide how long each addition takes; many go over TILE_PANELS. Four are two and two, not three and
 * one. */
INLINE int panels_at_once(int64_t rows, int panels)
{
    if (panels >= 3 && are_fours(rows))
        return 3;
    if (panels >= 4 && rows <= ROWS_OVER_4)
        return 4;
    if (panels >= 3 && panels != 4 && (rows <= ROWS_OVER_3 || TILE_PANELS >= 3))
        return 3;
    return panels >= 2 && (rows <= ROWS_OVER_2 || TILE_PANELS >= 2) ? 2 : 1;
}

/* sums[p][r][0..15] = row r of `left` times panel p, for all; or that added to what is there. */
static void product(int64_t rows, int panels, int64_t depth, struct rows left, const float *packed,
                    float *sums, int adding)
{
    for (int p = 0, taken; p < panels; p += taken) {
        const float *from = packed + p * depth * PANEL;
        float *to = sums + p * rows * PANEL;
        taken = panels_at_once(rows, panels - p);
        if (are_fours(rows) && taken == 3) { /* two tiles over one and a half each */
            enum { HALF = 3 * PARTS / 2 };
            across(HALF, 0, 4, rows, depth, left, from, to, adding);
            across(HALF, HALF % PARTS, 4, rows, depth, left, from + depth * PANEL, to + rows * PANEL, adding);
            continue;
        }
        switch (taken) {
#define PANELS_CASE(n)                                                                                       \
    case n:                                                                                                  \
        across(PARTS *n, 0, ROWS_OVER_##n, rows, depth, left, from, to, adding);                             \
        break;
            PANELS_CASE(1) PANELS_CASE(2) PANELS_CASE(3) PANELS_CASE(4)
#undef PANELS_CASE
        }
    }
}

/* Rows of `left` times a matrix of so many columns: row r's go to to[r * columns]. */
static void put_product(int64_t rows, int64_t columns, int64_t depth, const float *left, const float *packed,
                        float *to)
{
    _Alignas(64) float sums[MOST_TOGETHER * PUT_ROWS * PANEL];
    int64_t panels = panels_over(columns), blocks = (panels + MOST_TOGETHER - 1) / MOST_TOGETHER;
    for (int64_t block = 0; block < blocks; block++) {
        int64_t first = panels * block / blocks, end = panels * (block + 1) / blocks;
        product(rows, (int)(end - first), depth, (struct rows){left, depth, 1},
                packed + first * depth * PANEL, sums, 0);
        for (int64_t row = 0; row < rows; row++)
            for (int64_t panel = first; panel < end; panel++) {
                int64_t unit = panel * PANEL, n = columns - unit < PANEL ? columns - unit : PANEL;
                memcpy(to + row * columns + unit, sums + ((panel - first) * rows + row) * PANEL,
                       sizeof(float) * n);
            }
    }
}
