/* What Python hands to the library: vectors, and the token that came next after each. Mirrored by
 * `prediction.py`.
 *
 * N vectors of D numbers, V tokens; everything is row-major and dense, in single precision.
 *
 *      scores = vectors weight^T + bias,  loss = mean of -log softmax(scores)[target] over the scored
 */
#ifndef CHARRNN_PREDICTION_H
#define CHARRNN_PREDICTION_H

#include <stdint.h>

enum { NOT_SCORED = -100 }; /* `config.IGNORED` */

struct prediction {
    int64_t threads, count, size, vocab_size; /* N, D, V */
    const float *vectors;                     /* [N, D] */
    const float *weight;                      /* [V, D] */
    const float *bias;                        /* [V] */
    const int64_t *targets;                   /* [N]; or NOT_SCORED */
    float *d_vectors;                         /* [N, D], filled: the gradients of the loss */
    float *d_weight;                          /* [V, D], filled */
    float *d_bias;                            /* [V], filled */
    double loss;                              /* filled, in nats; NaN if none is scored */
};

#endif
