/* Threads that go through steps together and wait for each other inside them. Internal to the library. */
#ifndef CHARRNN_TEAM_H
#define CHARRNN_TEAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { MOST_MEMBERS = 64 }; /* of a team */

struct team {
    int size;
    atomic_long arrived; /* how often a member came to a meeting, since the beginning */
    atomic_long lost;    /* nanoseconds waited for members who had no processor */
    int64_t began;
    int is_over; /* but for the first member, who goes on alone */
};

struct member {
    struct team *team;
    int index;
    long meetings;
};

/* Nanoseconds since some moment. */
int64_t time_now(void);

/* Runs `work` on so many threads, or as many as can be started; the caller is the first. Returns whether none
 * of them was sent away (see `meet_to_go_on`). */
int team_run(int size, void (*work)(struct member *, void *), void *of);

/* Waits until all members have come here; what they wrote before is seen after. */
void meet(struct member *);

/* As `meet`; to be called once a step, with at least one `meet` before the next time. Where members have
 * waited so long that other programs must want the processors, it returns false to all but the first: they
 * are to leave, and the first goes on alone. */
int meet_to_go_on(struct member *);

/* Where the member's share of so many parts begins, and where the next one's does. */
static inline int64_t share_begin(const struct member *member, int64_t parts)
{
    return parts * member->index / member->team->size;
}

static inline int64_t share_end(const struct member *member, int64_t parts)
{
    return parts * (member->index + 1) / member->team->size;
}

#endif
