/* Reads and writes text: the steps of a net one after the other, with a draw before each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "net.h"

/* Multiplications. A step needs so many for every thread, and a call so many for more than one: with less to
 * do, threads cost more by waiting for each other than they bring. */
static const double WORTH_A_STEP = 6e4, WORTH_A_CALL = 4e6;
/* Nanoseconds. */
static const int64_t LEAST_PATIENCE = 20000000, MOST_PATIENCE = 2000000000;

/* A call: what was asked for, and room to work in. */
struct call {
    struct sampler *sampler;
    const struct states *states;
    const struct reading *reading;
    const struct writing *writing;
    struct rows rows;
    int64_t texts[MOST_ROWS]; /* whose text is in a row */
    atomic_int has_stopped;   /* one of them, at this step */
    double *chances;          /* [threads, V] */
    int64_t *order;           /* [threads, V] */
    struct scratch scratch[MOST_MEMBERS];
};

/* Parts of one allocation, each on a line of its own. */
static void *part(uintptr_t *from, int64_t size)
{
    void *found = (void *)*from;
    *from += (size + 63) / 64 * 64;
    return found;
}

/* Lays the buffers of `call` out from an address on and returns where they end; from 0 on, that is how much
 * room they need. */
static uintptr_t lay_out(struct call *call, int64_t most, int64_t threads, uintptr_t from)
{
    const struct net *net = &call->sampler->net;
    int64_t H = most * net->hidden_size * sizeof(float), E = most * net->embedding_size * sizeof(float);
    int64_t V = net->vocab_size;
    struct rows *rows = &call->rows;
    *rows = (struct rows){.most = most, .count = most};
    rows->tokens = part(&from, most * sizeof(int64_t));
    rows->embedded = part(&from, E);
    rows->projected = part(&from, E);
    rows->gates = part(&from, H * gates_of(net->cell));
    rows->beside = part(&from, H);
    for (int i = 0; i < 2; i++) {
        rows->hidden[i] = part(&from, H * net->layer_count);
        if (call->states->memory)
            rows->memory[i] = part(&from, H * net->layer_count);
    }
    rows->scores = part(&from, most * V * sizeof(float));
    call->chances = part(&from, threads * V * sizeof(double));
    call->order = part(&from, threads * V * sizeof(int64_t));
    int64_t wide = net->hidden_size > net->embedding_size ? net->hidden_size : net->embedding_size;
    for (int64_t thread = 0; thread < threads; thread++)
        call->scratch[thread] = (struct scratch){
            part(&from, MOST_PANELS * most * PANEL * sizeof(float)),
            part(&from, most * (wide + 1) * sizeof(int16_t)),
            part(&from, most * sizeof(float)),
        };
    return from;
}

enum direction { IN, OUT };

/* A row's state `at` from the caller's lane, or back to it. */
static void move_state(const struct call *call, enum direction direction, int64_t row, int at, int64_t lane)
{
    int64_t H = call->sampler->net.hidden_size;
    for (int64_t layer = 0; layer < call->sampler->net.layer_count; layer++)
        for (int part = 0; part < (call->states->memory ? 2 : 1); part++) {
            float *theirs = (part ? call->states->memory : call->states->hidden) +
                            (layer * call->states->lanes + lane) * H;
            float *ours =
                (part ? call->rows.memory : call->rows.hidden)[at] + (layer * call->rows.most + row) * H;
            memcpy(direction == IN ? ours : theirs, direction == IN ? theirs : ours, sizeof(float) * H);
        }
}

static int64_t lane_of(const struct call *call, int64_t text)
{
    return call->writing ? call->writing->lanes[text] : call->reading->lane;
}

/* Lets a row read a token at the next step. */
static void give(struct call *call, int64_t row, int64_t token)
{
    const struct net *net = &call->sampler->net;
    int64_t E = net->embedding_size;
    call->rows.tokens[row] = token;
    if (!net->table)
        memcpy(call->rows.embedded + row * E, net->embedding + token * E, sizeof(float) * E);
}

static void read_tokens(struct member *me, void *of)
{
    struct call *call = of;
    const struct reading *reading = call->reading;
    int64_t H = call->sampler->net.hidden_size, last = call->sampler->net.layer_count - 1;
    const struct scratch *scratch = &call->scratch[me->index];
    for (int64_t t = 0; t < reading->steps; t++) {
        if (me->index == 0)
            give(call, 0, reading->tokens[t]);
        if (!meet_to_go_on(me))
            return;
        net_step(me, call->sampler, &call->rows, t & 1, scratch);
        if (me->index == 0 && reading->outputs)
            memcpy(reading->outputs + t * H, call->rows.hidden[!(t & 1)] + last * call->rows.most * H,
                   sizeof(float) * H);
    }
}

/* Whether a row's text ends with what was drawn at step t. */
static int is_last(const struct call *call, int64_t row, int64_t t)
{
    const struct writing *w = call->writing;
    int64_t text = call->texts[row], token = w->tokens[text * w->steps + t];
    return token < 0 || w->turning[text][token] || t + 1 == w->steps;
}

/* Draws the next token of a row's text; -1 where scores are not numbers. */
static void draw_token(struct member *me, struct call *call, int64_t row, int64_t t)
{
    const struct writing *w = call->writing;
    int64_t V = call->sampler->net.vocab_size, text = call->texts[row], place = text * w->steps + t;
    const float *scores = call->rows.scores + row * V;
    struct filters filters = {w->temperature, w->top_p, w->min_p, w->top_k};
    int64_t token = draw(V, scores, w->forbidden[text], &filters, w->uniforms[place],
                         call->chances + me->index * V, call->order + me->index * V);
    if (token >= 0 && w->nats && isnan(w->nats[place] = surprise(V, scores, token)))
        token = -1;
    w->tokens[place] = token;
    w->drawn[text] = t + 1;
    if (is_last(call, row, t))
        atomic_store_explicit(&call->has_stopped, 1, memory_order_relaxed);
    give(call, row, token < 0 ? 0 : token);
}

/* Gives the states of texts that stop back, and their rows to the last ones. */
static void drop_stopped(struct call *call, int64_t t)
{
    int at = !(t & 1);
    for (int64_t row = call->rows.count - 1; row >= 0; row--) {
        if (!is_last(call, row, t))
            continue;
        int64_t last = --call->rows.count, lane = lane_of(call, call->texts[row]);
        move_state(call, OUT, row, at, lane);
        if (row < last) {
            int64_t other = lane_of(call, call->texts[last]);
            move_state(call, OUT, last, at, other);
            move_state(call, IN, row, at, other);
            call->texts[row] = call->texts[last];
        }
    }
    call->has_stopped = 0;
}

static void write_tokens(struct member *me, void *of)
{
    struct call *call = of;
    const struct scratch *scratch = &call->scratch[me->index];
    for (int64_t t = 0; call->rows.count; t++) {
        net_scores(me, call->sampler, &call->rows, t & 1, scratch);
        int64_t end = share_end(me, call->rows.count);
        for (int64_t row = share_begin(me, call->rows.count); row < end; row++)
            draw_token(me, call, row, t);
        if (!meet_to_go_on(me))
            return;
        net_step(me, call->sampler, &call->rows, t & 1, scratch);
        if (atomic_load_explicit(&call->has_stopped, memory_order_relaxed)) {
            meet(me);
            if (me->index == 0)
                drop_stopped(call, t);
            meet(me);
        }
    }
}

/* How many threads are worthwhile. */
static int team_size(const struct sampler *sampler, int64_t threads, int64_t steps, int64_t rows)
{
    double step = (double)sampler->size * rows;
    if (time_now() < sampler->alone_until || step * steps < WORTH_A_CALL)
        return 1;
    double worth = step / WORTH_A_STEP;
    int most = threads < MOST_MEMBERS ? (int)threads : MOST_MEMBERS;
    return worth < 1.0 ? 1 : worth < most ? (int)worth : most;
}

/* After threads got into each other's way one goes on alone for a while, and for longer each time. */
static void note_success(struct sampler *sampler, int size, int has_stayed)
{
    if (size > 1 && has_stayed)
        sampler->patience = 0;
    else if (size > 1) {
        int64_t patience = sampler->patience ? sampler->patience * 2 : LEAST_PATIENCE;
        sampler->patience = patience < MOST_PATIENCE ? patience : MOST_PATIENCE;
        sampler->alone_until = time_now() + sampler->patience;
    }
}

static int run(struct call *call, int64_t threads, int64_t steps, int64_t rows,
               void (*work)(struct member *, void *))
{
    struct sampler *sampler = call->sampler;
    int size = team_size(sampler, threads, steps, rows);
    char *room = aligned_alloc(64, lay_out(call, rows, size, 0));
    if (!room)
        return -1;
    lay_out(call, rows, size, (uintptr_t)room);
    for (int64_t row = 0; row < rows; row++) {
        call->texts[row] = row;
        move_state(call, IN, row, 0, lane_of(call, row));
    }
    note_success(sampler, size, team_run(size, work, call));
    if (call->reading)
        move_state(call, OUT, 0, (int)(steps & 1), call->reading->lane);
    free(room);
    return 0;
}

/* Reads tokens into a lane's state; 0, or -1 if memory ran out. */
PUBLIC int32_t charrnn_read(struct sampler *sampler, const struct states *states,
                            const struct reading *reading)
{
    struct call call = {.sampler = sampler, .states = states, .reading = reading};
    return run(&call, reading->threads, reading->steps, 1, read_tokens);
}

/* Writes tokens after the states of some lanes, at most 64; 0, or -1 if memory ran out. */
PUBLIC int32_t charrnn_write(struct sampler *sampler, const struct states *states,
                             const struct writing *writing)
{
    struct call call = {.sampler = sampler, .states = states, .writing = writing};
    return run(&call, writing->threads, writing->steps, writing->rows, write_tokens);
}
