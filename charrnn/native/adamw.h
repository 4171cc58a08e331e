/* What Python hands to the library: parameters, and how far a step moves them. Mirrored by `adamw.py`.
 *
 * AdamW (Loshchilov & Hutter 2019, algorithm 2) by gradients of a limited norm, g = gradient min(1, limit /
 * norm), and a moving average of what it moves. In step t, from 1 on:
 *
 *      m <- beta1 m + (1 - beta1) g        value <- kept value - rate m / (scale sqrt(v) + epsilon)
 *      v <- beta2 v + (1 - beta2) g^2      average <- old average + (1 - old) value
 *
 *      kept = 1 - learning rate * weight decay,  rate = learning rate / (1 - beta1^t),
 *      scale = 1 / sqrt(1 - beta2^t)
 */
#ifndef CHARRNN_ADAMW_H
#define CHARRNN_ADAMW_H

#include <stdint.h>

/* Gradients of one set have a norm together. */
enum { SETS = 2 };

/* A parameter, and all that goes with it: [count] each. */
struct moving {
    int64_t count, set;
    float *value, *mean, *mean_square, *average; /* value, m, v, average */
    const float *gradient;                       /* or null: then only the average moves */
    double kept, rate;
};

struct adamw {
    int64_t threads, count, may_move; /* count: of what moves; where it may not, only norms are filled */
    const struct moving *moving;
    double beta1, beta2, scale, epsilon, old, limit;
    double norms[SETS]; /* filled; unless all are finite nothing moves */
};

#endif
