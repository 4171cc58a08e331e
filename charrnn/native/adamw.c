/* A step of AdamW: the norms of gradients first, then all numbers, a stretch of them at a time. */
#include "adamw.h"

#include <math.h>
#include <stdlib.h>

#include "phases.h"
#include "stretch.h"
#include "work.h"

enum { STRETCH = 4096 };         /* numbers: what goes with them stays in the second cache */
enum { LEAST_FOR_A_THREAD = 4 }; /* stretches that are worth a thread */

/* What the threads of a step share. */
struct shared {
    struct adamw *of;
    const struct road *road;
    double *squares; /* of each stretch: their sum */
    float shares[SETS];
    int is_moving;
};

static int64_t stretches_over(const struct moving *p)
{
    return (p->count + STRETCH - 1) / STRETCH;
}

static struct stretch stretch_at(const struct adamw *a, int64_t number)
{
    const struct moving *p = a->moving;
    for (; number >= stretches_over(p); p++)
        number -= stretches_over(p);
    int64_t first = number * STRETCH, left = p->count - first;
    return (struct stretch){p, first, first + (left < STRETCH ? left : STRETCH)};
}

static void square_stretch(void *of, int64_t number, int64_t member)
{
    (void)member;
    struct shared *shared = of;
    struct stretch stretch = stretch_at(shared->of, number);
    shared->squares[number] = stretch.of->gradient ? shared->road->add_squares(stretch) : 0.0;
}

/* Adds up squares in order, whoever made them: the same with any number of threads. */
static void limit_norms(void *of, int64_t part, int64_t member)
{
    (void)part, (void)member;
    struct shared *shared = of;
    struct adamw *a = shared->of;
    double sums[SETS] = {0.0};
    int64_t number = 0;
    for (int64_t i = 0; i < a->count; i++)
        for (int64_t end = number + stretches_over(&a->moving[i]); number < end; number++)
            sums[a->moving[i].set] += shared->squares[number];
    shared->is_moving = a->may_move != 0;
    for (int set = 0; set < SETS; set++) {
        double norm = sqrt(sums[set]);
        a->norms[set] = norm;
        shared->shares[set] = (float)(norm > a->limit ? a->limit / norm : 1.0);
        shared->is_moving &= isfinite(norm) != 0;
    }
}

static void move_stretch(void *of, int64_t number, int64_t member)
{
    (void)member;
    struct shared *shared = of;
    if (!shared->is_moving)
        return;
    struct stretch stretch = stretch_at(shared->of, number);
    if (stretch.of->gradient)
        shared->road->move(shared->of, stretch, shared->shares[stretch.of->set]);
    shared->road->follow(shared->of, stretch);
}

/* Fills the norms, and moves parameters and averages if it may and all norms are finite; 0, or -1 if memory
 * ran out. */
PUBLIC int32_t charrnn_adamw(struct adamw *of, int32_t road)
{
    int64_t stretches = 0;
    for (int64_t i = 0; i < of->count; i++)
        stretches += stretches_over(&of->moving[i]);
    struct shared shared = {of, ROADS[road], malloc(sizeof(double) * (stretches + 1)), {0.0f}, 0};
    if (!shared.squares)
        return -1;
    const struct phase phases[] = {{stretches, square_stretch}, {1, limit_norms}, {stretches, move_stretch}};
    int64_t most = stretches / LEAST_FOR_A_THREAD;
    go_through_phases(of->threads < most ? of->threads : most, phases, 3, &shared);
    free(shared.squares);
    return 0;
}
