#include "matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

static const size_t LINE = 64, LARGE_PAGE = 2 << 20;
static const float MOST_OF_A_WEIGHT = 32767.0f;

/* Room for numbers, if there is any. Many lie in large pages where the system has them: small ones, wherever
 * they happen to be, take each other's places in a cache that would be large enough.
 */
static void *room(size_t size)
{
    size_t page = size < LARGE_PAGE / 4 ? LINE : LARGE_PAGE, whole = (size + page - 1) / page * page;
    void *found = aligned_alloc(page, whole);
#ifdef __linux__
    if (found && page == LARGE_PAGE)
        madvise(found, whole, MADV_HUGEPAGE); /* or not: it is only faster */
#endif
    return found;
}

/* The columns of a panel: up to 16 rows of what files hold, and their place in a matrix. */
struct panel {
    const float *columns; /* [count, depth] */
    int64_t count, place; /* place: of the first weight */
    int64_t width;        /* numbers from one line of the strip to the next */
    float *steps;         /* [PANEL] */
};

static void pack_exact(const struct matrix *m, const struct panel *p)
{
    float *to = (float *)m->weights + p->place;
    for (int64_t k = 0; k < m->depth; k++, to += p->width)
        for (int64_t j = 0; j < PANEL; j++)
            to[j] = j < p->count ? p->columns[j * m->depth + k] : 0.0f;
}

/* The smallest step by which all weights of a column are numbers of 16 bits, and the sum of any MOST_PRODUCTS
 * neighbours' products with numbers of a row has room in 32. */
static float step_of(const float *column, int64_t depth)
{
    /* Rounding may add a half to each number, and the sums were rounded. */
    const float most_of_a_sum = INT32_MAX / MOST_IN_A_ROW - MOST_PRODUCTS / 2 - 1;
    float largest = 0.0f, largest_sum = 0.0f, sizes[MOST_PRODUCTS] = {0.0f};
    for (int64_t begin = 0; begin < depth; begin += MOST_PRODUCTS) {
        float sums[MOST_PRODUCTS] = {0.0f};
        int64_t left = depth - begin, count = left < MOST_PRODUCTS ? left : MOST_PRODUCTS;
        for (int64_t k = 0; k < count; k++)
            sums[k] = fabsf(column[begin + k]);
        for (int k = 0; k < MOST_PRODUCTS; k++)
            sizes[k] = sums[k] > sizes[k] ? sums[k] : sizes[k];
        for (int half = MOST_PRODUCTS / 2; half; half /= 2)
            for (int k = 0; k < half; k++)
                sums[k] += sums[k + half];
        largest_sum = sums[0] > largest_sum ? sums[0] : largest_sum;
    }
    for (int k = 0; k < MOST_PRODUCTS; k++)
        largest = sizes[k] > largest ? sizes[k] : largest;
    return fmaxf(largest / MOST_OF_A_WEIGHT, largest_sum / most_of_a_sum);
}

static int16_t nearest(float x)
{
    int32_t bits;
    memcpy(&bits, &(float){x + TO_WHOLE}, sizeof bits);
    return (int16_t)bits;
}

static void pack_quantized(const struct matrix *m, const struct panel *p)
{
    int16_t *to = (int16_t *)m->weights + p->place;
    for (int64_t j = 0; j < PANEL; j++)
        p->steps[j] = j < p->count ? step_of(p->columns + j * m->depth, m->depth) : 0.0f;
    for (int64_t begin = 0; begin < m->depth; begin += MOST_PRODUCTS) {
        int16_t whole[PANEL][MOST_PRODUCTS] = {{0}};
        int64_t left = m->depth - begin, count = left < MOST_PRODUCTS ? left : MOST_PRODUCTS;
        for (int64_t j = 0; j < p->count; j++) {
            float inverse = 1.0f / p->steps[j];
            for (int64_t k = 0; k < count; k++)
                whole[j][k] = nearest(p->columns[j * m->depth + begin + k] * inverse);
        }
        for (int64_t k = 0; k < count; k += 2, to += p->width)
            for (int64_t j = 0; j < PANEL; j++)
                memcpy(to + 2 * j, &whole[j][k], 2 * sizeof(int16_t));
    }
}

int matrix_pack(struct matrix *m, const float *weight)
{
    int64_t columns = m->blocks * m->gates * PANEL, numbers = columns * lines(m) * together(m);
    m->weights = room(numbers * (m->is_quantized ? sizeof(int16_t) : sizeof(float)));
    m->steps = m->is_quantized ? room(columns * sizeof(float)) : 0;
    if (!m->weights || (m->is_quantized && !m->steps))
        return -1;
    for (int64_t strip = 0; strip < m->strips; strip++) {
        int64_t block = strip_begin(m, strip), first = block * m->gates,
                panels = strip_begin(m, strip + 1) * m->gates - first, line = PANEL * together(m);
        for (int64_t i = 0; i < panels; i++) {
            int64_t unit = (block + i / m->gates) * PANEL, left = m->units - unit;
            struct panel panel = {weight + (i % m->gates * m->units + unit) * m->depth,
                                  left < PANEL ? left : PANEL, (first * lines(m) + i) * line, panels * line,
                                  m->steps ? m->steps + (first + i) * PANEL : 0};
            (m->is_quantized ? pack_quantized : pack_exact)(m, &panel);
        }
    }
    return 0;
}

void matrix_free(struct matrix *m)
{
    free(m->weights);
    free(m->steps);
}
