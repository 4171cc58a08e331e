#include "team.h"

#include <sched.h>
#include <time.h>

#include "beside.h"

/* Some microseconds, more than a meeting of threads that run takes; then whoever needs the processor may have
 * it. */
enum { SPINS = 2000 };
/* So much waiting, and so large a part of the time: two threads then are no faster than one. */
static const int64_t MOST_LOST = 2000000;
enum { MOST_OF_TIME_LOST = 3 }; /* a third */

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

int64_t time_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
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
    int64_t began = time_now();
    while (atomic_load_explicit(&team->arrived, memory_order_acquire) < all)
        sched_yield();
    atomic_fetch_add_explicit(&team->lost, time_now() - began, memory_order_relaxed);
}

static int has_waited_too_long(struct team *team)
{
    /* Where one has no processor, all others wait for it. */
    int64_t lost = atomic_load_explicit(&team->lost, memory_order_relaxed) / (team->size - 1);
    return lost > MOST_LOST && lost > (time_now() - team->began) / MOST_OF_TIME_LOST;
}

int meet_to_go_on(struct member *member)
{
    struct team *team = member->team;
    if (member->index == 0 && team->size > 1)
        team->is_over = has_waited_too_long(team);
    meet(member);
    if (!team->is_over)
        return 1;
    if (member->index == 0)
        team->size = 1;
    return member->index == 0;
}

static void *sit_down(void *given)
{
    struct seat *seat = given;
    while (!atomic_load_explicit(seat->is_open, memory_order_acquire)) /* until the size is known */
        sched_yield();
    seat->work(&seat->member, seat->of);
    return 0;
}

int team_run(int size, void (*work)(struct member *, void *), void *of)
{
    struct team team = {.began = time_now()};
    struct seat seats[MOST_MEMBERS];
    pthread_t threads[MOST_MEMBERS];
    atomic_int is_open = 0;
    int most = size < MOST_MEMBERS ? size : MOST_MEMBERS, count = 1;
    for (; count < most; count++) {
        seats[count] = (struct seat){{&team, count, 0}, work, of, &is_open};
        if (start_beside(&threads[count], sit_down, &seats[count]))
            break;
    }
    team.size = count;
    atomic_store_explicit(&is_open, 1, memory_order_release);
    work(&(struct member){&team, 0, 0}, of);
    for (int i = 1; i < count; i++)
        pthread_join(threads[i], 0);
    return !team.is_over;
}
