/* From scores to one drawn token, as inference/draw.py defines it. Internal to the library. */
#ifndef CHARRNN_DRAW_H
#define CHARRNN_DRAW_H

#include <stdint.h>

struct filters {
    double temperature, top_p, min_p;
    int64_t top_k; /* as many as there are tokens: no filter */
};

/* The token, or -1 if the scores are not numbers.
 *
 *      scores     [V], of the model
 *      forbidden  [V]: 1 where a token must not come
 *      uniform    a number from [0, 1)
 *      p          [V], and order, [V]: room to work in
 */
int64_t draw(int64_t V, const float *scores, const uint8_t *forbidden, const struct filters *, double uniform,
             double *p, int64_t *order);

/* How surprising a token is to the model itself, in nats: with no filter, and at temperature 1. NaN if the
 * scores are not numbers. */
double surprise(int64_t V, const float *scores, int64_t token);

#endif
