/* A matrix that one row or a few meet at every step: packed in strips, so that each is read from end to end.
 *
 *      strip: a few blocks          block: 16 units with all their gates, a panel of 16 columns each
 *
 *      w[0]: | i 0..15 | f 0..15 | g 0..15 | o 0..15 | i 16..31 | ... |     all of a strip for one k,
 *      w[1]: | i 0..15 | ...                                                then for the next
 *
 * A strip has as many blocks as a single row can go over at once, or one block if that is already more. The
 * number of strips is even, so that two threads have equal shares, unless there are too few blocks; all
 * strips are of the same size or nearly.
 *
 * Quantized, weights are whole numbers of 16 bits, which take half the time to read: multiples of a step that
 * every column has of its own. Two of a column lie together, for processors multiply and add pairs at once:
 *
 *      w[0], w[1]: | i 0: w[0] w[1] | i 1: w[0] w[1] | ... |     and a zero beside the last of an odd number
 *
 * Internal to the library.
 */
#ifndef CHARRNN_MATRIX_H
#define CHARRNN_MATRIX_H

#include "work.h"

enum { MOST_PANELS = 8 }; /* of a strip, on any road */

struct matrix {
    int64_t depth, units, blocks, strips;
    int gates;
    int is_quantized;
    void *weights; /* floats, or int16_t */
    float *steps;  /* [blocks gates PANEL], if quantized: what 1 stands for in each column */
};

/* Whole numbers of at most so much in a row, and sums that have room in 32 bits for so many products: with
 * larger numbers, or more products, weights would have to be smaller ones, and less exact. */
enum { MOST_IN_A_ROW = 16383, MOST_PRODUCTS = 32 };

/* Rows as they meet a matrix. */
struct left {
    const float *numbers; /* [rows, depth] */
    int16_t *quantized;   /* [rows, depth or one more, so that it is even]: multiples of a step of each row */
    float *steps;         /* [rows] */
};

static inline int64_t strip_begin(const struct matrix *m, int64_t strip)
{
    return m->blocks * strip / m->strips;
}

/* The numbers of a column that lie together, and how often a strip is gone over from side to side. */
static inline int64_t together(const struct matrix *m)
{
    return m->is_quantized ? 2 : 1;
}

static inline int64_t lines(const struct matrix *m)
{
    return m->is_quantized ? (m->depth + 1) / 2 : m->depth;
}

/* The whole number nearest to x, |x| < 2^15: once this is added, it is in the lowest 16 bits, which are
 * 0 where x is infinite or NaN because a step was 0. */
#define TO_WHOLE 0x1.8p23f

/* Packs `weight` [gates, units, depth], all of it finite, into a matrix that has all but its numbers; -1 if
 * memory ran out. */
int matrix_pack(struct matrix *m, const float *weight);

void matrix_free(struct matrix *m);

#endif
