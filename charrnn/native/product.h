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
/* How many lines ahead weights are asked for: those of a whole step are often more than the second cache
 * holds. */
enum { AHEAD = 16 };

/* sums[p][r][0..15] = rows r times panel p, or that added to what is there; ROWS and PANELS are constants. */
INLINE void tile(const int ROWS, const int PANELS, int64_t depth, const float *left, int64_t stride,
                 const float *panels, float *sums, int64_t pitch, int adding)
{
    vec sum[MOST_SUMS];
    UNROLLED(i, ROWS * PANELS * PARTS) {
        int row = i / (PANELS * PARTS), part = i % (PANELS * PARTS);
        const float *at = sums + part / PARTS * pitch + row * PANEL + part % PARTS * LANES;
        sum[i] = adding ? *(const vec *)at : all(0.0f);
    }
    for (int64_t k = 0; k < depth; k++) {
        vec w[MOST_SUMS];
        UNROLLED(part, PANELS * PARTS)
            w[part] = *(const vec *)(panels + (part / PARTS * depth + k) * PANEL + part % PARTS * LANES);
        UNROLLED(panel, PANELS)
            __builtin_prefetch(panels + (panel * depth + k + AHEAD) * PANEL);
        UNROLLED(i, ROWS * PANELS * PARTS)
            sum[i] += left[i / (PANELS * PARTS) * stride + k] * w[i % (PANELS * PARTS)];
    }
    UNROLLED(i, ROWS * PANELS * PARTS) {
        int row = i / (PANELS * PARTS), part = i % (PANELS * PARTS);
        *(vec *)(sums + part / PARTS * pitch + row * PANEL + part % PARTS * LANES) = sum[i];
    }
}

/* Rows of `left` times so many neighbouring panels, for all rows, with the largest tiles that fit. */
INLINE void across(const int PANELS, int most_rows, int64_t rows, int64_t depth, const float *left,
                   int64_t stride, const float *panels, float *sums, int adding)
{
    int64_t tiles = (rows + most_rows - 1) / most_rows;
    for (int64_t row = 0, count; row < rows; row += count, tiles--) {
        count = (rows - row + tiles - 1) / tiles; /* 4 and 4 rather than 6 and 2 */
        const float *from = left + row * stride;
        float *to = sums + row * PANEL;
        switch (count) {
#define ROWS_CASE(n)                                                                                         \
    case n:                                                                                                  \
        if (n * PANELS * PARTS <= MOST_SUMS)                                                                 \
            tile(n, PANELS, depth, from, stride, panels, to, rows *PANEL, adding);                           \
        break;
            EACH_COUNT(ROWS_CASE)
#undef ROWS_CASE
        }
    }
}

/* How many of the panels that are left a tile goes over. Few rows go over several, or there would be too few
 * sums to hide how long each addition takes; many go over TILE_PANELS. Four are two and two, not three and
 * one. */
INLINE int panels_at_once(int64_t rows, int panels)
{
    if (panels >= 4 && rows <= ROWS_OVER_4)
        return 4;
    if (panels >= 3 && panels != 4 && (rows <= ROWS_OVER_3 || TILE_PANELS >= 3))
        return 3;
    return panels >= 2 && (rows <= ROWS_OVER_2 || TILE_PANELS >= 2) ? 2 : 1;
}

/* sums[p][r][0..15] = rows r of `left` times panel p, for all; or that added to what is there. */
static void product(int64_t rows, int panels, int64_t depth, const float *left, int64_t stride,
                    const float *packed, float *sums, int adding)
{
    for (int p = 0, taken; p < panels; p += taken) {
        const float *from = packed + p * depth * PANEL;
        float *to = sums + p * rows * PANEL;
        taken = panels_at_once(rows, panels - p);
        switch (taken) {
#define PANELS_CASE(n)                                                                                       \
    case n:                                                                                                  \
        across(n, ROWS_OVER_##n, rows, depth, left, stride, from, to, adding);                               \
        break;
            PANELS_CASE(1) PANELS_CASE(2) PANELS_CASE(3) PANELS_CASE(4)
#undef PANELS_CASE
        }
    }
}
