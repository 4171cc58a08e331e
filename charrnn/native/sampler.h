/* What Python hands to the library to read and write text. Mirrored by `sampler.py`.
 *
 * V tokens, E numbers in an embedding, L layers, H hidden units, G gates; everything is row-major and dense,
 * in single precision, and weights lie as files hold them.
 */
#ifndef CHARRNN_SAMPLER_H
#define CHARRNN_SAMPLER_H

#include <stdint.h>

struct layer_weights {
    const float *input; /* [G H, E], above the first layer [G H, H]; of a first one with a table not read */
    const float *bias;  /* [G H] */
    const float *recurrent;  /* [G H, H] */
    const float *peephole;   /* [H, H], of LSTM_PEEPHOLE */
    const float *inner_bias; /* [H], of GRU_AFTER */
};

struct net {
    int32_t cell, is_quantized; /* is_quantized: products are of whole numbers of 16 bits (matrix.h) */
    int64_t vocab_size, embedding_size, layer_count, hidden_size; /* V, E, L, H */
    float zoneout;                      /* the share of a state that stays as it was */
    const float *table;                 /* [V, G H]: x W + b of the first layer; null if there is none */
    const float *embedding;             /* [V, E], read without a table */
    const float *projection;            /* [E, H], or null: H numbers, not E, meet the output */
    const float *output;                /* [V, E or H] */
    const float *output_bias;           /* [V] */
    const struct layer_weights *layers; /* [L] */
};

/* The states of texts: those of all layers, each [L, lanes, H]. */
struct states {
    int64_t lanes;
    float *hidden, *memory; /* memory: of the LSTMs */
};

/* A text's next tokens, which are known. */
struct reading {
    int64_t threads, steps, lane;
    const int64_t *tokens; /* [steps] */
    float *outputs;        /* [steps, H]: h of the last layer, or null */
};

/* The next tokens of some texts, which are drawn. A text goes on until a token comes that is turning for it.
 */
struct writing {
    int64_t threads, steps, rows;
    const int64_t *lanes;            /* [rows]: whose state is whose */
    const uint8_t *const *forbidden; /* [rows] of [V]: 1 for tokens that must not come */
    const uint8_t *const *turning;   /* [rows] of [V]: 1 for tokens after which others are forbidden */
    const double *uniforms;          /* [rows, steps], from [0, 1) */
    double temperature, top_p, min_p;
    int64_t top_k;
    int64_t *tokens; /* [rows, steps], filled */
    double *nats;    /* [rows, steps], filled: how surprising each one is; or null */
    int64_t *drawn;  /* [rows], filled: how many; none where scores are not numbers */
};

#endif
