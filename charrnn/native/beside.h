/* Threads that begin at once. Internal to the library. */
#ifndef CHARRNN_BESIDE_H
#define CHARRNN_BESIDE_H

#include <pthread.h>

/* As pthread_create, but on another core than the caller's, if it may have another: 0, or an error's number.
 */
int start_beside(pthread_t *thread, void *(*run)(void *), void *given);

#endif
