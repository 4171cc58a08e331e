/* A net with its weights packed, and its steps over some rows, shared by a team. Internal to the library. */
#ifndef CHARRNN_NET_H
#define CHARRNN_NET_H

#include <stdatomic.h>

#include "matrix.h"
#include "sampler.h"
#include "team.h"

enum { MOST_ROWS = 64 }; /* as in sampler.py; what a strip leaves for so many stays in the nearest cache */

struct layer {
    struct matrix input;     /* not made where there is a table */
    struct matrix recurrent; /* of the gates that meet h_{t-1} */
    struct matrix second;    /* V_o of the peephole, or U_n of the GRU */
};

struct sampler {
    const struct road *road;
    struct net net;
    struct layer *layers;
    struct matrix projection, output;
    int64_t size; /* numbers in all matrices, which is what a step multiplies */
    /* One thread does it all for a while, because others had no processor. All else stays as it was made, so
     * that several of the caller's threads may write with one net. */
    atomic_int_fast64_t alone_until, patience;
};

/* Rows of text at a step: room for `most`, in use for `count`. States before and after a step change places.
 */
struct rows {
    int64_t most, count;
    int64_t *tokens;              /* [most]: what is read next */
    float *embedded;              /* [most, E]: the same without a table */
    float *gates, *beside;        /* [most, G H], [most, H] */
    float *hidden[2], *memory[2]; /* [L, most, H] */
    float *projected, *scores;    /* [most, E], [most, V] */
};

/* A thread's own room. */
struct scratch {
    float *sums;        /* [MOST_PANELS, most rows, PANEL]: what a strip leaves */
    int16_t *quantized; /* [most rows, the widest of what meets a matrix, and one more] */
    float *steps;       /* [most rows] */
};

/* Reads a token in every row, from the state `before` (0 or 1) to the other one. */
void net_step(struct member *, const struct sampler *, const struct rows *, int before,
              const struct scratch *);

/* The scores of what comes after the state `at`. */
void net_scores(struct member *, const struct sampler *, const struct rows *, int at, const struct scratch *);

#endif
