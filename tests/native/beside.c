/* Starts threads one after the other and waits for each. Prints how many of a thousand began on another core
 * than the one that started them. */
#define _GNU_SOURCE
#include "../../charrnn/native/beside.h"

#include <sched.h>
#include <stdio.h>

static void *note_core(void *core)
{
    *(int *)core = sched_getcpu();
    return 0;
}

int main(void)
{
    int beside = 0;
    for (int i = 0; i < 1000; i++) {
        int here = sched_getcpu(), core;
        pthread_t thread;
        if (start_beside(&thread, note_core, &core))
            return 1;
        pthread_join(thread, 0);
        beside += core != here;
    }
    printf("%d\n", beside);
    return 0;
}
