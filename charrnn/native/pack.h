/* Weights as files hold them, [rows, columns], into the panels that product.h draws; zeros beyond the last
 * unit. Each call packs the panels of 16 units from `unit` on, so that threads can share the work.
 */
#ifndef CHARRNN_PACK_H
#define CHARRNN_PACK_H

#include <stdint.h>

/* A matrix, of weights or of what they met, and the room for its panels. */
struct packing {
    float *panels;
    const float *weight;
    int64_t H, depth;
    int gates; /* whose panels of the same units lie side by side */
};

/* How many numbers its panels have. */
int64_t packed_size(const struct packing *);

/* Of `weight` [gates H, depth]: a panel has 16 rows of one gate, and k is a column. */
void pack_rows(const struct packing *, int64_t unit);

/* Of `weight` [depth, H], with one gate: a panel has 16 columns, and k is a row. */
void pack_columns(const struct packing *, int64_t unit);

#endif
