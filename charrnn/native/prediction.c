/* How wrong predictions are, and the gradients of that: scores are made and used up a few rows at a time. */
#include <stdlib.h>

#include "phases.h"
#include "predicted.h"
#include "rooms.h"
#include "window.h"
#include "work.h"

static void pack_piece(void *of, int64_t piece, int64_t member)
{
    (void)member;
    struct predicted *p = of;
    int64_t tokens = panels_over(p->of->vocab_size), numbers = panels_over(p->of->size);
    if (piece < tokens)
        pack_rows(&p->by_token, piece * PANEL);
    else if (piece < tokens + numbers)
        pack_columns(&p->by_number, (piece - tokens) * PANEL);
    else
        pack_before(&p->vectors, piece - tokens - numbers);
}

static void predict_rows(void *of, int64_t part, int64_t member)
{
    (void)member;
    struct predicted *p = of;
    p->road->predict(p, part * PUT_ROWS);
}

static void add_group(void *of, int64_t group, int64_t member)
{
    struct predicted *p = of;
    int64_t V = p->of->vocab_size, first = group * p->d_weight.group;
    int64_t end = V - first < p->d_weight.group ? V : first + p->d_weight.group;
    p->road->add_up(&p->d_weight, group, p->rooms + member * adding_size(p->of->size, 0));
    add_rows(p->of->count, end - first, p->d_scores + first, V, p->of->d_bias + first);
}

/* Finds room for all that is only needed meanwhile, in one piece; null if memory ran out. */
static float *find_room(struct predicted *p, int64_t threads)
{
    int64_t N = p->of->count, V = p->of->vocab_size, scores = panels_over(N * V) * PANEL;
    float **places[] = {&p->by_token.panels, &p->by_number.panels, &p->vectors.packed,
                        &p->rooms,           &p->d_scores,         &p->nats};
    int64_t sizes[] = {packed_size(&p->by_token),
                       packed_size(&p->by_number),
                       packed_before_size(&p->vectors),
                       threads * adding_size(p->of->size, 0),
                       scores,
                       panels_over(N) * PANEL};
    return find_rooms(places, sizes, sizeof sizes / sizeof *sizes);
}

/* How many targets are to be scored; -2 if one of them is no token. */
static int64_t count_scored(const struct prediction *of)
{
    int64_t scored = 0;
    for (int64_t n = 0; n < of->count; n++) {
        if (of->targets[n] == NOT_SCORED)
            continue;
        if (of->targets[n] < 0 || of->targets[n] >= of->vocab_size)
            return -2;
        scored++;
    }
    return scored;
}

/* How many tokens' gradients are added up at a time: few enough for every thread to have some. */
static int64_t group_of(int64_t V, int64_t threads)
{
    int64_t each = (V + threads - 1) / threads;
    return each < GROUP_ROWS ? each : GROUP_ROWS;
}

/* Fills loss and gradients; 0, -1 if memory ran out, or -2 if a target is no token. */
PUBLIC int32_t charrnn_predict(struct prediction *of, int32_t road)
{
    int64_t N = of->count, V = of->vocab_size, D = of->size, parts = (N + PUT_ROWS - 1) / PUT_ROWS;
    int64_t threads = of->threads < 1 ? 1 : of->threads < parts ? of->threads : parts;
    struct predicted p = {.of = of,
                          .road = ROADS[road],
                          .by_token = {0, of->weight, V, D, 1},
                          .by_number = {0, of->weight, D, V, 1},
                          .vectors = {N, D, of->vectors, 0},
                          .scored = count_scored(of)};
    if (p.scored < 0)
        return -2;
    float *room = find_room(&p, threads);
    if (!room)
        return -1;
    p.d_weight = (struct outer){.before = &p.vectors,
                                .rows = V,
                                .group = group_of(V, threads),
                                .after = p.d_scores,
                                .apart = V,
                                .sum = of->d_weight};
    const struct phase phases[] = {
        {panels_over(V) + panels_over(D) + blocks_of_before(&p.vectors), pack_piece},
        {parts, predict_rows},
        {groups_of_outer(&p.d_weight), add_group},
    };
    go_through_phases(threads, phases, 3, &p);
    double nats = 0.0;
    for (int64_t n = 0; n < N; n++)
        nats += of->targets[n] < 0 ? 0.0 : p.nats[n];
    of->loss = nats / p.scored; /* in order, whoever made them: the same with any number of threads */
    free(room);
    return 0;
}
