/* What a thread of a window works on, and the roads it may take. Internal to the library. */
#ifndef CHARRNN_WORK_H
#define CHARRNN_WORK_H

#include "window.h"

enum { PANEL = 16 }; /* columns of a panel of packed weights, and units taken at a time */
/* Lanes taken through a window at a time: few enough for their sums to stay in the nearest cache. */
enum { MOST_LANES = 64 };
enum { PUT_ROWS = 32 }; /* of a product of its own: what they need stays in the second cache */
enum { MOST_GATES = 4 };
enum { MOST_TOGETHER = 12 }; /* panels whose products come before their equations: whole tiles of 3 or 4 */

/* How many panels lie over so many columns, the last one perhaps in part. */
static inline int64_t panels_over(int64_t columns)
{
    return (columns + PANEL - 1) / PANEL;
}

/* Weights packed as product.h draws them. On the way forward a panel is one gate of 16 units, and the gates
 * of these units lie side by side; on the way back it is 16 units of what went in, and k runs over the gates.
 */
struct packed {
    float *gates;  /* of the product that every cell has, with h_{t-1} */
    float *second; /* V_o of the peephole, or U_n of a GRU where that is a product of its own */
};

struct work {
    const struct window *of;
    const struct packed *packed;
    int64_t first, rows; /* lanes */
    float *sums;         /* [panels, rows, PANEL]: what a product leaves to the equations */
};

/* Where the numbers of a step of a thread's lanes lie; what a cell or a direction lacks is null. */
struct step {
    float *gates, *hidden, *memory, *beside;
    const float *hidden_before, *memory_before, *d_outputs;
    const int64_t *ids;
    float *d_hidden, *d_memory; /* what reaches h and c of this step but through the gates of the next */
    int is_last;                /* of the window */
};

typedef void units(const struct work *, struct step, int64_t unit);

/* What a cell does with sixteen units once a product is there: with that of h_{t-1}, with the second one
 * where it has one, and both on the way back. */
struct equations {
    int panels; /* of the first product */
    units *first, *second, *first_back, *second_back;
};

struct matrix;
struct left;
struct outer;
struct predicted;
struct adamw;
struct stretch;

struct road {
    const char *name;
    int (*is_passable)(void); /* whether it is worth taking on this processor */
    void (*forward)(const struct work *);
    void (*backward)(const struct work *);
    /* At most PUT_ROWS rows of `left` times a matrix of so many columns: row r goes to to[r * columns]. */
    void (*put_product)(int64_t rows, int64_t columns, int64_t depth, const float *left, const float *packed,
                        float *to);
    /* A group of rows of a gradient. */
    void (*add_up)(const struct outer *, int64_t group, float *room);
    /* Some vectors of a prediction, from the first one on. */
    void (*predict)(const struct predicted *, int64_t first);
    /* A stretch of a parameter: the sum of its gradient's squares; a step by a share of the gradient; a step
     * of the average. */
    double (*add_squares)(struct stretch);
    void (*move)(const struct adamw *, struct stretch, float share);
    void (*follow)(const struct adamw *, struct stretch);
    const struct equations *equations; /* by cell */
    int least_lanes;                   /* at a time, to make good use of the weights that are read for them */
    int panels_alone;                  /* of a matrix, over which one row goes at once */
    void (*quantize)(int64_t rows, int64_t depth, const struct left *);
    void (*multiply)(const struct matrix *, int64_t strip, int64_t rows, const struct left *, float *sums);
};

extern const struct road *const ROADS[]; /* the best one first */

#endif
