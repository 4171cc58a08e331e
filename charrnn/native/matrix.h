/* A matrix that one row or a few meet at every step: packed in strips, so that each is read from end to end.
 *
 *      strip: a few blocks          block: 16 units with all their gates, a panel of 16 columns each
 *
 *      w[0]: | i 0..15 | f 0..15 | g 0..15 | o 0..15 | i 16..31 | ... |     all of a strip for one k,
 *      w[1]: | i 0..15 | ...                                                then for the next
 *
 * A strip has as many blocks as a single row can go over at once, or one block if that is already more. The
 * number of strips is even, so that two threads have equal shares, unless there are too few blocks; all
 * strips are of the same size or nearly. Internal to the library.
 */
#ifndef CHARRNN_MATRIX_H
#define CHARRNN_MATRIX_H

#include "work.h"

enum { MOST_PANELS = 8 }; /* of a strip, on any road */

struct matrix {
    int64_t depth, units, blocks, strips;
    int gates;
    int is_half;
    void *weights; /* floats, or their halves */
};

static inline int64_t strip_begin(const struct matrix *m, int64_t strip)
{
    return m->blocks * strip / m->strips;
}

#endif
