#include "phases.h"

#include <sched.h>
#include <stdatomic.h>

#include "helpers.h"

enum { MOST_HELPERS = 255 };

struct crew {
    const struct phase *phases;
    int count;
    void *of;
    struct {
        atomic_int_fast64_t taken, done;
    } parts[MOST_PHASES];
    atomic_int_fast64_t members, departed;
};

static void wait_for(atomic_int_fast64_t *done, int64_t all)
{
    while (atomic_load(done) < all)
        sched_yield();
}

static void take_part(void *given)
{
    struct crew *crew = given;
    int64_t member = atomic_fetch_add(&crew->members, 1);
    for (int i = 0; i < crew->count; i++) {
        if (i)
            wait_for(&crew->parts[i - 1].done, crew->phases[i - 1].parts);
        for (int64_t part; (part = atomic_fetch_add(&crew->parts[i].taken, 1)) < crew->phases[i].parts;) {
            crew->phases[i].take(crew->of, part, member);
            atomic_fetch_add(&crew->parts[i].done, 1);
        }
    }
}

/* A thread that cannot be had is no error: the others do its part. One that has not begun when all is done,
 * for another program has its core, is not waited for.
 */
void go_through_phases(int64_t threads, const struct phase *phases, int count, void *of)
{
    struct crew crew = {.phases = phases, .count = count, .of = of};
    struct helper *helpers[MOST_HELPERS];
    int64_t called = 0, taken_back = 0;
    while (called < threads - 1 && called < MOST_HELPERS &&
           (helpers[called] = help_with(take_part, &crew, &crew.departed)))
        called++;
    take_part(&crew);
    for (int64_t i = 0; i < called; i++)
        taken_back += take_back(helpers[i], &crew.departed);
    wait_for(&crew.departed, called - taken_back);
}
