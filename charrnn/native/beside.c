#define _GNU_SOURCE
#include "beside.h"

#include <sched.h>

/* Where the other cores are busy for a moment, with threads of OpenMP that wait for more work, say, Linux may
 * put a new thread on the caller's core, and there it waits for milliseconds: half a window. So it is told to
 * begin on any other core, and then that it may move.
 */
int start_beside(pthread_t *thread, void *(*run)(void *), void *given)
{
#ifdef __GLIBC__
    cpu_set_t all, others;
    int here = sched_getcpu();
    if (here >= 0 && !sched_getaffinity(0, sizeof all, &all)) {
        others = all;
        CPU_CLR(here, &others);
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setaffinity_np(&attributes, sizeof others, &others);
        int error = pthread_create(thread, &attributes, run, given); /* fails where there is no other core */
        pthread_attr_destroy(&attributes);
        if (!error) {
            pthread_setaffinity_np(*thread, sizeof all, &all);
            return 0;
        }
    }
#endif
    return pthread_create(thread, 0, run, given);
}
