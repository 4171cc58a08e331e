/* Room for several arrays in one piece of memory. Internal to the library. */
#ifndef CHARRNN_ROOMS_H
#define CHARRNN_ROOMS_H

#include <stdint.h>

/* Finds room for so many arrays, each of a multiple of 16 numbers, and sets their places; returns what is to
 * be freed, or null if memory ran out. */
float *find_rooms(float **const *places, const int64_t *sizes, int count);

#endif
