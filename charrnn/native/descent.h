/* What Python hands to the library: parameters on their way downhill. Mirrored by `descent.py`.
 *
 * Adam with weight decay of its own (Loshchilov & Hutter 2019, algorithm 2) by gradients of a limited norm,
 * g = gradient min(1, limit / norm), and a moving average of what it moves:
 *
 *      m <- beta1 m + (1 - beta1) g          value <- kept value - rate m / (sqrt(v) / scale + epsilon)
 *      v <- beta2 v + (1 - beta2) g^2        average <- old average + (1 - old) value
 */
#ifndef CHARRNN_DESCENT_H
#define CHARRNN_DESCENT_H

#include <stdint.h>

/* Gradients of one set have a norm together. */
enum { SETS = 2 };

struct parameter {
    int64_t count, set;
    float *value, *mean, *mean_square, *average; /* [count]: value, m, v, average */
    const float *gradient;                       /* [count], or null: then only the average moves */
    double kept, rate;
};

struct descent {
    int64_t threads, count, may_move; /* count: of the parameters */
    struct parameter *parameters;
    double beta1, beta2, scale, epsilon, old, limit;
    double norms[SETS]; /* filled; unless all are finite nothing moves */
};

#endif
