/* Threads that are kept: to start one for every window, and to wake the core it begins on, took a twentieth
 * of the window of a small net. Internal to the library.
 */
#ifndef CHARRNN_HELPERS_H
#define CHARRNN_HELPERS_H

#include <stdatomic.h>

struct helper;

/* Lets another thread do `work`, one that has nothing to do or else a new one, and add 1 to `done` as the
 * last thing that it does with what the caller owns. Null if there is no such thread. */
struct helper *help_with(void (*work)(void *), void *given, atomic_int_fast64_t *done);

/* Whether a helper that was called with this `done` had not begun; then it never will. */
int take_back(struct helper *helper, const atomic_int_fast64_t *done);

#endif
