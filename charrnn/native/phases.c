#include "phases.h"

#include <sched.h>
#include <stdatomic.h>

#include "helpers.h"

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

/* A thread that cannot be had is no error: the others do its part. */
void go_through_phases(int64_t threads, const struct phase *phases, int count, void *of)
{
    struct crew crew = {.phases = phases, .count = count, .of = of};
    int64_t helpers = 0;
    while (helpers < threads - 1 && help_with(take_part, &crew, &crew.departed))
        helpers++;
    take_part(&crew);
    wait_for(&crew.departed, helpers);
}
