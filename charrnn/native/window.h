/* What Python hands to the library: a window of a recurrent layer. Mirrored by `window.py`.
 *
 * T steps, B lanes, H hidden units, G gates; everything is row-major and dense, in single precision. Inputs
 * may be ids of V embeddings of E numbers; then W is the library's matter, too:
 *
 *      table = embedding W + b         d_W = embedding^T d_table,  d_b = sum of the rows of d_table,
 *      x_t W + b = table[ids[t]]       d_embedding = d_table W^T
 */
#ifndef CHARRNN_WINDOW_H
#define CHARRNN_WINDOW_H

#include <stdint.h>

#define PUBLIC __attribute__((visibility("default")))

enum cell { RNN_TANH, RNN_LOGISTIC, RNN_RELU, LSTM, LSTM_PEEPHOLE, GRU, GRU_AFTER };

struct window {
    int32_t cell;
    int32_t threads;
    int64_t steps, lanes, hidden_size; /* T, B, H */
    float *gates;            /* [T, B, G H]: x W + b, unless there are ids, then the gates of cells that need
                                them again; after the way back their gradients, which are those of x W + b */
    float *hidden;           /* [T + 1, B, H]: h before the window, then after each step */
    float *memory;           /* [T + 1, B, H]: c likewise, of the LSTMs */
    float *beside;           /* [T, B, H]: of the GRUs, what U_n meets (GRU: r h_{t-1}) or makes of it
                                (GRU_AFTER: h_{t-1} U_n + b_inner, on the way back its gradient) */
    const float *recurrent;  /* [G H, H]: U, transposed as files hold it */
    const float *peephole;   /* [H, H]: V_o likewise, of LSTM_PEEPHOLE */
    const float *inner_bias; /* [H], of GRU_AFTER */
    const float *d_outputs;  /* [T, B, H]: gradients of h after each step */
    float *d_hidden;         /* [B, H]: of h after the window; in its place, of h before it */
    float *d_memory;         /* [B, H]: likewise of c */
    float *d_recurrent;      /* [G H, H]: of U */
    float *d_peephole;       /* [H, H]: of V_o */
    const int64_t *ids;      /* [T, B], or null, and so is all that follows but `starts` */
    const float *embedding;  /* [V, E] */
    const float *input;      /* [G H, E]: W, transposed as files hold it */
    const float *bias;       /* [G H] */
    float *table;            /* [V, G H], filled; on the way back with its gradients */
    float *d_embedding;      /* [V, E], filled on the way back */
    float *d_input;          /* [G H, E], likewise */
    float *d_bias;           /* [G H], likewise */
    int64_t table_rows, input_size; /* V, E */
    const int64_t *starts; /* [T + 1], or null. On the way forward lanes may end one after the other, the
                              last one first. Then a step has fewer rows than the step before, which they
                              follow without a gap, and this is where the rows of each step begin. B is the
                              number of rows of the first step; instead of T B rows there are starts[T], and
                              instead of (T + 1) B there are starts[T] + B */
};

/* Where the rows of a step begin. */
static inline int64_t start_of(const struct window *w, int64_t t)
{
    return w->starts ? w->starts[t] : t * w->lanes;
}

/* How many rows there are at a step. */
static inline int64_t rows_at(const struct window *w, int64_t t)
{
    return start_of(w, t + 1) - start_of(w, t);
}

static inline int gates_of(int32_t cell)
{
    return cell <= RNN_RELU ? 1 : cell <= LSTM_PEEPHOLE ? 4 : 3;
}

#endif
