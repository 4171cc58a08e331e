/* A window through a layer, forward and back: hands out to threads the weights to pack, then the lanes. */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "beside.h"
#include "outer.h"
#include "pack.h"
#include "sampler.h"
#include "work.h"

extern const struct road AVX512, AVX2, PLAIN;

const struct road *const ROADS[] = {
#if defined(__x86_64__)
    &AVX512,
    &AVX2,
#endif
    &PLAIN,
};

enum { ROAD_COUNT = sizeof ROADS / sizeof *ROADS };
enum { MOST_THREADS = 256 };

/* The name of a road, the best one first; null past the last. */
PUBLIC const char *charrnn_road_name(int32_t road)
{
    return road < ROAD_COUNT ? ROADS[road]->name : 0;
}

/* Whether a road is worth taking on this processor. */
PUBLIC int32_t charrnn_road_is_passable(int32_t road)
{
    return ROADS[road]->is_passable();
}

/* How many bytes the structures take that Python hands over, one after the other; 0 past the last. A library
 * that was compiled from other sources than its Python is found out by them.
 */
PUBLIC int64_t charrnn_size(int32_t structure)
{
    static const int64_t SIZES[] = {sizeof(struct window),  sizeof(struct layer_weights),
                                    sizeof(struct net),     sizeof(struct states),
                                    sizeof(struct reading), sizeof(struct writing)};
    return structure < (int32_t)(sizeof SIZES / sizeof *SIZES) ? SIZES[structure] : 0;
}

/* What the threads of a window share: panels to pack, then lanes, a few at a time for whichever thread is
 * free, and on the way back rows of the weights' gradients. One that starts late, for another program has its
 * core, then has less to do and keeps nobody waiting.
 */
struct queue {
    const struct window *of;
    const struct road *road;
    int is_back;
    struct packing packings[2]; /* of the product that every cell has, and of the second one, if any */
    struct gradients gradients; /* on the way back */
    int64_t unit_pieces;        /* of all packings; one has the panels of 16 units */
    int64_t pieces;             /* and the blocks of what the weights met */
    int64_t rows;               /* lanes at a time */
    float *rooms;               /* of all threads, in which they add up gradients */
    atomic_int_fast64_t next_piece, packed_pieces, next_lane, passed_lanes, next_room, next_group,
        done_threads;
};

static void pack_piece(struct queue *queue, int64_t piece)
{
    int64_t each = panels_over(queue->of->hidden_size), block = piece - queue->unit_pieces;
    const struct before *befores = queue->gradients.befores;
    int64_t blocks = blocks_of_before(befores);
    if (block >= 0)
        pack_before(&befores[block / blocks], block % blocks);
    else if (queue->is_back)
        pack_columns(&queue->packings[piece / each], piece % each * PANEL);
    else
        pack_rows(&queue->packings[piece / each], piece % each * PANEL);
}

/* Waits for what other threads have begun. */
static void wait_for(atomic_int_fast64_t *done, int64_t all)
{
    while (atomic_load(done) < all)
        sched_yield();
}

static void pack_all(struct queue *queue)
{
    for (int64_t piece; (piece = atomic_fetch_add(&queue->next_piece, 1)) < queue->pieces;) {
        pack_piece(queue, piece);
        atomic_fetch_add(&queue->packed_pieces, 1);
    }
    wait_for(&queue->packed_pieces, queue->pieces);
}

static void pass_lanes(struct queue *queue)
{
    const int64_t lanes = queue->of->lanes;
    const struct packed packed = {queue->packings[0].panels, queue->packings[1].panels};
    void (*run)(const struct work *) = queue->is_back ? queue->road->backward : queue->road->forward;
    _Alignas(64) float sums[MOST_GATES * MOST_LANES * PANEL];
    for (int64_t lane; (lane = atomic_fetch_add(&queue->next_lane, queue->rows)) < lanes;) {
        int64_t rows = lanes - lane < queue->rows ? lanes - lane : queue->rows;
        run(&(struct work){queue->of, &packed, lane, rows, sums});
        atomic_fetch_add(&queue->passed_lanes, rows);
    }
}

/* Adds up the gradients of the weights and of the table, once all lanes have passed. */
static void add_all(struct queue *queue)
{
    const struct window *w = queue->of;
    const struct outer *outers = queue->gradients.outers;
    float *room = queue->rooms + atomic_fetch_add(&queue->next_room, 1) * adding_size(w);
    int64_t first = groups_of_outer(&outers[0]), groups = first + groups_of_outer(&outers[1]);
    wait_for(&queue->passed_lanes, w->lanes);
    for (int64_t group; (group = atomic_fetch_add(&queue->next_group, 1)) < groups;)
        if (group < first)
            queue->road->add_up(w, &outers[0], group * GROUP_ROWS, room);
        else
            queue->road->add_up(w, &outers[1], (group - first) * GROUP_ROWS, room);
}

static void *run_queue(void *given)
{
    struct queue *queue = given;
    pack_all(queue);
    pass_lanes(queue);
    if (queue->is_back)
        add_all(queue);
    atomic_fetch_add(&queue->done_threads, 1); /* the last thing, for then the queue may be gone */
    return 0;
}

/* Lanes at a time: two helpings for every thread, unless that would be too few. */
static int64_t helping(int64_t lanes, int64_t threads, int64_t least)
{
    int64_t each = (lanes + threads - 1) / threads, half = (each + 1) / 2;
    int64_t rows = threads > 1 && half >= least ? half : each;
    return rows < MOST_LANES ? rows : MOST_LANES;
}

/* Works through the queue. A thread that cannot be started is no error: the others do its part. Nobody joins
 * them, for to sleep until one has ended takes longer than most wait for it.
 */
static void run_all(struct queue *queue, int64_t count)
{
    pthread_t thread;
    int64_t started = 1;
    for (; started < count && start_beside(&thread, run_queue, queue) == 0; started++)
        pthread_detach(thread);
    run_queue(queue);
    wait_for(&queue->done_threads, started);
}

/* Of a product's weights, to be packed once there is room. */
static struct packing packing(const float *weight, int64_t H, int64_t gates, int is_back)
{
    return is_back ? (struct packing){0, weight, H, gates * H, 1}
                   : (struct packing){0, weight, H, H, (int)gates};
}

/* Lists what is to be packed of the weights of the window's products: of all gates or all but a candidate
 * that is apart, and of the second one. */
static void list_packings(struct queue *queue)
{
    const struct window *w = queue->of;
    int64_t H = w->hidden_size;
    int has_second = w->cell == LSTM_PEEPHOLE || w->cell == GRU || (w->cell == GRU_AFTER && queue->is_back);
    int is_apart = has_second && w->cell != LSTM_PEEPHOLE;
    queue->packings[0] = packing(w->recurrent, H, is_apart ? 2 : gates_of(w->cell), queue->is_back);
    if (has_second)
        queue->packings[1] = packing(is_apart ? w->recurrent + 2 * H * H : w->peephole, H, 1, queue->is_back);
    queue->unit_pieces = (1 + has_second) * panels_over(H);
}

/* Finds room for what is packed and for adding up, in one piece; null if memory ran out. */
static float *find_room(struct queue *queue, int64_t threads)
{
    struct packing *packings = queue->packings;
    struct before *befores = queue->gradients.befores;
    float **places[] = {&packings[0].panels, &packings[1].panels, &befores[0].packed, &befores[1].packed,
                        &queue->rooms};
    int64_t sizes[] = {packed_size(&packings[0]), packed_size(&packings[1]), packed_before_size(&befores[0]),
                       packed_before_size(&befores[1]), queue->is_back * threads * adding_size(queue->of)};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    int64_t whole = 0;
    for (int i = 0; i < COUNT; i++)
        whole += sizes[i];
    float *room = aligned_alloc(64, sizeof(float) * whole), *place = room;
    for (int i = 0; room && i < COUNT; place += sizes[i++])
        *places[i] = place;
    return room;
}

/* Whether the table has a row for every id. */
static int has_rows(const struct window *w)
{
    for (int64_t n = 0; w->ids && n < start_of(w, w->steps); n++)
        if (w->ids[n] < 0 || w->ids[n] >= w->table_rows)
            return 0;
    return 1;
}

/* Takes every lane through; 0, -1 if memory ran out, or -2 if an id has no row. */
static int go_through(const struct window *w, const struct road *road, int is_back)
{
    if (!has_rows(w))
        return -2;
    int64_t most = w->lanes < MOST_THREADS ? w->lanes : MOST_THREADS;
    int64_t threads = w->threads < 1 ? 1 : w->threads < most ? w->threads : most;
    struct queue queue = {
        .of = w, .road = road, .is_back = is_back, .rows = helping(w->lanes, threads, road->least_lanes)};
    list_packings(&queue);
    if (is_back)
        list_gradients(w, &queue.gradients);
    queue.pieces = queue.unit_pieces + blocks_of_before(&queue.gradients.befores[0]) +
                   blocks_of_before(&queue.gradients.befores[1]);
    float *room = find_room(&queue, threads);
    if (!room)
        return -1;
    run_all(&queue, threads);
    free(room);
    return 0;
}

/* Fills gates, hidden, memory and beside for every step; 0, -1 if memory ran out, or -2 if an id has no row.
 */
PUBLIC int32_t charrnn_forward(const struct window *w, int32_t road)
{
    return go_through(w, ROADS[road], 0);
}

/* After `charrnn_forward`: leaves gradients in gates, beside and all that begins with d_; 0, -1 or -2
 * likewise. */
PUBLIC int32_t charrnn_backward(const struct window *w, int32_t road)
{
    return go_through(w, ROADS[road], 1);
}
