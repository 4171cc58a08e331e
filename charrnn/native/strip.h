/* A few rows times the strips of a matrix, as matrix.h draws them; included once for each road.
 *
 * Each sum runs over k from 0 on, alone: a row's result depends neither on the rows beside it nor on the
 * strips.
 */
#include "matrix.h"

#include "quantized.h"

#define TILE_ROWS (MOST_SUMS / (STRIP_AMONG * PARTS)) /* of a tile over STRIP_AMONG panels */

/* A few rows times neighbouring panels of a strip. */
struct strip_tile {
    const struct matrix *m;
    const struct left *left;
    int64_t row, panel; /* the first ones; panels are counted from the matrix's first */
    int64_t place;      /* of the first weight */
    int64_t width;      /* numbers from one line of the strip to the next */
    float *sums;        /* [panels, rows of all, PANEL] */
    int64_t pitch;      /* numbers from the sums of one panel to those of the next */
};

/* Stores sums row by row, part by part; ROWS and PANELS are constants. */
INLINE void leave(const int ROWS, const int PANELS, const vec *sum, struct strip_tile t)
{
    UNROLLED(i, ROWS * PANELS * PARTS) {
        int row = i / (PANELS * PARTS), part = i % (PANELS * PARTS);
        *(vec *)(t.sums + part / PARTS * t.pitch + row * PANEL + part % PARTS * LANES) = sum[i];
    }
}

/* sums[p][r][0..15] = rows r times panel p; ROWS and PANELS are constants. */
INLINE void exact_tile(const int ROWS, const int PANELS, struct strip_tile t)
{
    int64_t depth = t.m->depth;
    const float *left = t.left->numbers + t.row * depth, *weights = (const float *)t.m->weights + t.place;
    vec sum[MOST_SUMS] = {{0}};
    for (int64_t k = 0; k < depth; k++, weights += t.width)
        UNROLLED(part, PANELS * PARTS) {
            vec w = *(const vec *)(weights + part * LANES);
            UNROLLED(row, ROWS)
                sum[row * PANELS * PARTS + part] += left[row * depth + k] * w;
        }
    leave(ROWS, PANELS, sum, t);
}

/* The same of whole numbers: those of MOST_PRODUCTS products are summed as such. */
INLINE void quantized_tile(const int ROWS, const int PANELS, struct strip_tile t)
{
    int64_t pairs = lines(t.m);
    const int16_t *left = t.left->quantized + t.row * 2 * pairs,
                  *weights = (const int16_t *)t.m->weights + t.place;
    vec sum[MOST_SUMS] = {{0}};
    for (int64_t k = 0; k < pairs;) {
        ivec whole[MOST_SUMS] = {{0}};
        for (int64_t end = k + MOST_PRODUCTS / 2; k < pairs && k < end; k++, weights += t.width)
            UNROLLED(part, PANELS * PARTS) {
                ivec w = *(const ivec *)(weights + part * 2 * LANES);
                UNROLLED(row, ROWS) {
                    int32_t pair;
                    memcpy(&pair, left + (row * pairs + k) * 2, sizeof pair);
                    whole[row * PANELS * PARTS + part] += multiply_pairs(pair - (ivec){0}, w);
                }
            }
        UNROLLED(i, ROWS * PANELS * PARTS)
            sum[i] += __builtin_convertvector(whole[i], vec);
    }
    UNROLLED(i, ROWS * PANELS * PARTS) {
        int row = i / (PANELS * PARTS), part = i % (PANELS * PARTS);
        sum[i] *= *(const vec *)(t.m->steps + t.panel * PANEL + part * LANES) * t.left->steps[t.row + row];
    }
    leave(ROWS, PANELS, sum, t);
}

/* So many rows and panels, few enough for a tile. */
INLINE void tile_of(const int IS_QUANTIZED, int64_t rows, int64_t panels, struct strip_tile t)
{
    switch (rows * (MOST_PANELS + 1) + panels) {
#define TILE(R, P)                                                                                           \
    case R *(MOST_PANELS + 1) + P:                                                                           \
        if ((R == 1 && P <= STRIP_ALONE) || (R <= TILE_ROWS && P <= STRIP_AMONG))                            \
            IS_QUANTIZED ? quantized_tile(R, P, t) : exact_tile(R, P, t);                                    \
        break;
#define ROWS_TILES(R) TILE(R, 1) TILE(R, 2) TILE(R, 3) TILE(R, 4)
        TILE(1, 5) TILE(1, 6) TILE(1, 7) TILE(1, 8) EACH_COUNT(ROWS_TILES)
#undef ROWS_TILES
#undef TILE
    }
}

/* sums[p][r][0..15] = rows r of `left` times panel p of a strip, for all. */
static void multiply(const struct matrix *m, int64_t strip, int64_t rows, const struct left *left,
                     float *sums)
{
    int64_t first = strip_begin(m, strip) * m->gates, panels = strip_begin(m, strip + 1) * m->gates - first;
    int64_t most = rows == 1 ? STRIP_ALONE : STRIP_AMONG, pieces = (panels + most - 1) / most;
    int64_t line = PANEL * together(m);
    for (int64_t piece = 0; piece < pieces; piece++) {
        int64_t panel = panels * piece / pieces, count = panels * (piece + 1) / pieces - panel;
        for (int64_t row = 0, taken; row < rows; row += taken) {
            taken = rows == 1 ? 1 : rows - row < TILE_ROWS ? rows - row : TILE_ROWS;
            struct strip_tile tile = {.m = m,
                                      .left = left,
                                      .row = row,
                                      .panel = first + panel,
                                      .place = (first * lines(m) + panel) * line,
                                      .width = panels * line,
                                      .sums = sums + (panel * rows + row) * PANEL,
                                      .pitch = rows * PANEL};
            if (m->is_quantized)
                tile_of(1, taken, count, tile);
            else
                tile_of(0, taken, count, tile);
        }
    }
}
