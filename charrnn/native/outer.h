/* Gradients of a window's weights: outer products, added up over all steps and lanes, or, where W meets the
 * embeddings, over these. Internal to the library.
 *
 *      d_U = sum over n of after[n]^T before[n]
 *
 * `before` is packed for it in blocks of rows, each in panels as product.h draws them, where k is a row:
 *
 *      block 0, panel 0     panel 1              ...     block 1, panel 0     ...
 *      before[0][0..15]     before[0][16..31]            before[512][0..15]
 *      before[1][0..15]     before[1][16..31]            before[513][0..15]
 *      ...                  ...                          ...
 */
#ifndef CHARRNN_OUTER_H
#define CHARRNN_OUTER_H

#include "window.h"

enum { BLOCK_ROWS = 512 }; /* three panels of so many, and a group's gradients, stay in the second cache */
enum { GROUP_ROWS = 64 };  /* of a matrix of weights: at most so many gradients are added up at a time */

/* What weights met at every step of every lane, or every embedding. */
struct before {
    int64_t count, columns; /* N, and H or E */
    const float *numbers;   /* [N, columns] */
    float *packed;
};

/* The gradient of a matrix of weights, [rows, columns], and of as many columns of the table of x W + b, which
 * are read from the same places. */
struct outer {
    const struct before *before;
    int64_t rows, group; /* all, and at a time */
    const float *after;  /* [N, rows]: gradients of what the weights made, */
    int64_t apart;       /* and how far apart the rows of that buffer are */
    float *sum;
    const struct window *table_of; /* null where no table is concerned, or another gradient sees to it */
    int64_t column;                /* the first one of that table */
};

/* The products with weights of a layer: that with h_{t-1} which every cell has, a second one, and, where
 * inputs are looked up, that of the table. */
enum { OF_GATES, OF_SECOND, OF_INPUTS, PRODUCTS };

/* All that a window needs on its way back; what there is not is empty. */
struct gradients {
    struct before befores[PRODUCTS];
    struct outer outers[PRODUCTS]; /* that of the table once the others have left its gradients */
};

void list_gradients(const struct window *, struct gradients *);

int64_t blocks_of_before(const struct before *);
int64_t groups_of_outer(const struct outer *);

/* How many numbers there is to be room for: packed, and for each thread that adds up a gradient of so many
 * columns and of a table with so many rows. */
int64_t packed_before_size(const struct before *);
int64_t adding_size(int64_t columns, int64_t table_rows);

void pack_before(const struct before *, int64_t block);

/* The sums of so many columns over so many rows. */
void add_rows(int64_t count, int64_t columns, const float *rows, int64_t apart, float *sums);

#endif
