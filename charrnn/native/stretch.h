/* Neighbouring numbers of a parameter, as many as a thread takes at a time. Internal to the library. */
#ifndef CHARRNN_STRETCH_H
#define CHARRNN_STRETCH_H

#include "adamw.h"

struct stretch {
    const struct moving *of;
    int64_t first, end;
};

#endif
