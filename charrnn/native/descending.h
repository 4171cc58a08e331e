/* What the threads of a descent share. Internal to the library. */
#ifndef CHARRNN_DESCENDING_H
#define CHARRNN_DESCENDING_H

#include "descent.h"

/* Neighbouring numbers of a parameter, as many as a thread takes at a time. */
struct stretch {
    const struct parameter *of;
    int64_t first, end;
};

#endif
