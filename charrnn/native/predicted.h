/* What the threads of a prediction share. Internal to the library. */
#ifndef CHARRNN_PREDICTED_H
#define CHARRNN_PREDICTED_H

#include "outer.h"
#include "pack.h"
#include "prediction.h"

struct predicted {
    const struct prediction *of;
    const struct road *road;
    struct packing by_token, by_number; /* the weight, for vectors weight^T and for d_scores weight */
    struct before vectors;
    struct outer d_weight;
    float *d_scores; /* [N, V]: scores first */
    float *nats;     /* [N], of the scored */
    int64_t scored;  /* how many of N */
    float *rooms;    /* of all threads, in which they add up gradients */
};

#endif
