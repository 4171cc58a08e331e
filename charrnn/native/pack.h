/* Weights as files hold them, [rows, columns], into the panels that product.h draws; zeros beyond the last
 * unit. */
#ifndef CHARRNN_PACK_H
#define CHARRNN_PACK_H

#include <stdint.h>

/* How many numbers the panels of a product with so many columns have. */
int64_t packed_size(int64_t columns, int64_t depth);

/* Gates [first, first + gates) of `weight` [., H, depth]: a panel has 16 rows of one gate, and k is a column.
 */
void pack_rows(float *panels, const float *weight, int64_t H, int64_t depth, int first, int gates);

/* `weight` [depth, H]: a panel has 16 columns, and k is a row. */
void pack_columns(float *panels, const float *weight, int64_t H, int64_t depth);

#endif
