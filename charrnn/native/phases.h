/* Work in phases, each of so many parts, which threads take one by one as they get free: one that starts
 * late, for another program has its core, has less to do and keeps nobody waiting. Internal to the library.
 */
#ifndef CHARRNN_PHASES_H
#define CHARRNN_PHASES_H

#include <stdint.h>

struct phase {
    int64_t parts;
    void (*take)(void *of, int64_t part, int64_t member); /* members are counted from 0 on */
};

enum { MOST_PHASES = 4 };

/* Takes every part of every phase, with the caller and so many threads less one, as many of them as can be
 * started, 255 at most; none begins with a phase before the one before it is done. */
void go_through_phases(int64_t threads, const struct phase *phases, int count, void *of);

#endif
