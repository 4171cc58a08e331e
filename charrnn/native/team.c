#include "team.h"

#include <pthread.h>
#include <sched.h>

enum { MOST_MEMBERS = 64 };
/* Some microseconds, more than a meeting of threads that run takes; then whoever needs the processor may have it. */
enum { SPINS = 2000 };

struct seat {
    struct member member;
    void (*work)(struct member *, void *);
    void *of;
    const atomic_int *is_open;
};

static void pause_a_moment(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void meet(struct member *member)
{
    struct team *team = member->team;
    if (team->size == 1)
        return;
    long all = ++member->meetings * team->size;
    if (atomic_fetch_add(&team->arrived, 1) + 1 == all)
        return;
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&team->arrived, memory_order_acquire) >= all)
            return;
        pause_a_moment();
    }
    atomic_fetch_add_explicit(&team->stalls, 1, memory_order_relaxed);
    while (atomic_load_explicit(&team->arrived, memory_order_acquire) < all)
        sched_yield();
}

static void *sit_down(void *given)
{
    struct seat *seat = given;
    while (!atomic_load_explicit(seat->is_open, memory_order_acquire)) /* until the size is known */
        sched_yield();
    seat->work(&seat->member, seat->of);
    return 0;
}

int64_t team_run(int size, void (*work)(struct member *, void *), void *of)
{
    struct team team = {.size = 1};
    struct seat seats[MOST_MEMBERS];
    pthread_t threads[MOST_MEMBERS];
    atomic_int is_open = 0;
    int most = size < MOST_MEMBERS ? size : MOST_MEMBERS;
    for (int i = 1; i < most; i++, team.size++) {
        seats[i] = (struct seat){{&team, i, 0}, work, of, &is_open};
        if (pthread_create(&threads[i], 0, sit_down, &seats[i]))
            break;
    }
    atomic_store_explicit(&is_open, 1, memory_order_release);
    work(&(struct member){&team, 0, 0}, of);
    for (int i = 1; i < team.size; i++)
        pthread_join(threads[i], 0);
    return atomic_load(&team.stalls);
}
