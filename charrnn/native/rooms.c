#include "rooms.h"

#include <stdlib.h>

float *find_rooms(float **const *places, const int64_t *sizes, int count)
{
    int64_t whole = 0;
    for (int i = 0; i < count; i++)
        whole += sizes[i];
    float *room = aligned_alloc(64, sizeof(float) * whole), *place = room;
    for (int i = 0; room && i < count; place += sizes[i++])
        *places[i] = place;
    return room;
}
