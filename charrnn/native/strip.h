/* A few rows times the strips of a matrix, as matrix.h draws them; included once for each road.
 *
 * Each sum runs over k from 0 on, alone: a row's result depends neither on the rows beside it nor on the
 * strips.
 */
#include "half.h"
#include "matrix.h"

#define TILE_ROWS (MOST_SUMS / (STRIP_AMONG * PARTS)) /* of a tile over STRIP_AMONG panels */

INLINE vec weights_at(const void *weights, int64_t place, const int IS_HALF)
{
    return IS_HALF ? widen((const half *)weights + place) : *(const vec *)((const float *)weights + place);
}

/* Packs `weight` [gates units, depth] as files hold it; zeros beyond the last unit. */
static void pack_strips(const struct matrix *m, const float *weight)
{
    for (int64_t strip = 0; strip < m->strips; strip++) {
        int64_t first = strip_begin(m, strip), panels = (strip_begin(m, strip + 1) - first) * m->gates;
        int64_t place = first * m->gates * m->depth * PANEL;
        for (int64_t panel = 0; panel < panels; panel++, place += PANEL) {
            int64_t unit = (first + panel / m->gates) * PANEL,
                    count = m->units - unit < PANEL ? m->units - unit : PANEL;
            const float *rows = weight + (panel % m->gates * m->units + unit) * m->depth;
            for (int64_t k = 0; k < m->depth; k++) {
                _Alignas(64) float line[PANEL] = {0};
                for (int64_t j = 0; j < count; j++)
                    line[j] = rows[j * m->depth + k];
                for (int part = 0; part < PARTS; part++) {
                    int64_t at = place + k * panels * PANEL + part * LANES;
                    vec x = *(const vec *)(line + part * LANES);
                    if (m->is_half)
                        narrow((half *)m->weights + at, x);
                    else
                        *(vec *)((float *)m->weights + at) = x;
                }
            }
        }
    }
}

/* sums[p][r][0..15] = rows r times panel p of some neighbouring panels of a strip; ROWS and PANELS are
 * constants. */
INLINE void strip_tile(const int ROWS, const int PANELS, const int IS_HALF, int64_t depth, const float *left,
                       const void *weights, int64_t place, int64_t width, float *sums, int64_t pitch)
{
    vec sum[MOST_SUMS] = {{0}};
    for (int64_t k = 0; k < depth; k++, place += width)
        UNROLLED(part, PANELS * PARTS) {
            vec w = weights_at(weights, place + part * LANES, IS_HALF);
            UNROLLED(row, ROWS)
                sum[row * PANELS * PARTS + part] += left[row * depth + k] * w;
        }
    UNROLLED(i, ROWS * PANELS * PARTS) {
        int row = i / (PANELS * PARTS), part = i % (PANELS * PARTS);
        *(vec *)(sums + part / PARTS * pitch + row * PANEL + part % PARTS * LANES) = sum[i];
    }
}

/* `panels` neighbouring panels of a strip, from `place` on, for `rows` rows; both few enough for a tile. */
INLINE void strip_tiles(const int IS_HALF, int64_t rows, int64_t panels, int64_t depth, const float *left,
                        const void *weights, int64_t place, int64_t width, float *sums, int64_t pitch)
{
    switch (rows * (MOST_PANELS + 1) + panels) {
#define TILE(R, P)                                                                                           \
    case R *(MOST_PANELS + 1) + P:                                                                           \
        if ((R == 1 && P <= STRIP_ALONE) || (R <= TILE_ROWS && P <= STRIP_AMONG))                            \
            strip_tile(R, P, IS_HALF, depth, left, weights, place, width, sums, pitch);                      \
        break;
#define ROWS_TILES(R) TILE(R, 1) TILE(R, 2) TILE(R, 3) TILE(R, 4)
        TILE(1, 5) TILE(1, 6) TILE(1, 7) TILE(1, 8) EACH_COUNT(ROWS_TILES)
#undef ROWS_TILES
#undef TILE
    }
}

/* sums[p][r][0..15] = rows r of `left` [rows, depth] times panel p of a strip, for all. */
static void multiply(const struct matrix *m, int64_t strip, int64_t rows, const float *left, float *sums)
{
    int64_t first = strip_begin(m, strip), panels = (strip_begin(m, strip + 1) - first) * m->gates;
    int64_t place = first * m->gates * m->depth * PANEL;
    int64_t most = rows == 1 ? STRIP_ALONE : STRIP_AMONG, pieces = (panels + most - 1) / most;
    for (int64_t piece = 0; piece < pieces; piece++) {
        int64_t panel = panels * piece / pieces, count = panels * (piece + 1) / pieces - panel;
        for (int64_t row = 0, taken; row < rows; row += taken) {
            taken = rows - row < TILE_ROWS ? rows - row : TILE_ROWS;
            if (rows == 1)
                taken = 1;
            const float *from = left + row * m->depth;
            float *to = sums + (panel * rows + row) * PANEL;
            if (m->is_half)
                strip_tiles(1, taken, count, m->depth, from, m->weights, place + panel * PANEL,
                            panels * PANEL, to, rows * PANEL);
            else
                strip_tiles(0, taken, count, m->depth, from, m->weights, place + panel * PANEL,
                            panels * PANEL, to, rows * PANEL);
        }
    }
}
