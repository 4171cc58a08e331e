/* A step downhill: the norms of gradients first, then all numbers, a stretch of them at a time. */
#include "descending.h"

#include <math.h>
#include <stdlib.h>

#include "phases.h"
#include "window.h"
#include "work.h"

enum { STRETCH = 4096 };         /* numbers: what they need stays in the nearest cache */
enum { LEAST_FOR_A_THREAD = 4 }; /* stretches that are worth a thread */

struct descending {
    struct descent *of;
    const struct road *road;
    double *squares; /* of each stretch: their sum */
    float shares[SETS];
    int is_moving;
};

static int64_t stretches_over(const struct parameter *p)
{
    return (p->count + STRETCH - 1) / STRETCH;
}

static struct stretch stretch_at(const struct descent *d, int64_t number)
{
    const struct parameter *p = d->parameters;
    for (; number >= stretches_over(p); p++)
        number -= stretches_over(p);
    int64_t first = number * STRETCH, left = p->count - first;
    return (struct stretch){p, first, first + (left < STRETCH ? left : STRETCH)};
}

static void square_stretch(void *of, int64_t number, int64_t member)
{
    (void)member;
    struct descending *d = of;
    struct stretch stretch = stretch_at(d->of, number);
    d->squares[number] = stretch.of->gradient ? d->road->add_squares(stretch) : 0.0;
}

/* Adds up squares in order, whoever made them: the same with any number of threads. */
static void limit_norms(void *of, int64_t part, int64_t member)
{
    (void)part, (void)member;
    struct descending *d = of;
    double sums[SETS] = {0.0};
    int64_t number = 0;
    for (int64_t i = 0; i < d->of->count; i++)
        for (int64_t end = number + stretches_over(&d->of->parameters[i]); number < end; number++)
            sums[d->of->parameters[i].set] += d->squares[number];
    d->is_moving = d->of->may_move != 0;
    for (int set = 0; set < SETS; set++) {
        double norm = sqrt(sums[set]);
        d->of->norms[set] = norm;
        d->shares[set] = (float)(norm > d->of->limit ? d->of->limit / norm : 1.0);
        d->is_moving &= isfinite(norm) != 0;
    }
}

static void move_stretch(void *of, int64_t number, int64_t member)
{
    (void)member;
    struct descending *d = of;
    if (!d->is_moving)
        return;
    struct stretch stretch = stretch_at(d->of, number);
    if (stretch.of->gradient)
        d->road->descend(d->of, stretch, d->shares[stretch.of->set]);
    d->road->follow(d->of, stretch);
}

/* Moves parameters unless it may not or a norm is not finite, and fills the norms; 0, or -1 if memory ran
 * out. */
PUBLIC int32_t charrnn_descend(struct descent *of, int32_t road)
{
    int64_t stretches = 0;
    for (int64_t i = 0; i < of->count; i++)
        stretches += stretches_over(&of->parameters[i]);
    struct descending d = {of, ROADS[road], malloc(sizeof *d.squares * (stretches + 1)), {0.0f}, 0};
    if (!d.squares)
        return -1;
    const struct phase phases[] = {{stretches, square_stretch}, {1, limit_norms}, {stretches, move_stretch}};
    int64_t most = stretches / LEAST_FOR_A_THREAD;
    go_through_phases(of->threads < most ? of->threads : most, phases, 3, &d);
    free(d.squares);
    return 0;
}
