/* A window through a layer, forward and back: hands out to threads the weights to pack, then the lanes. */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "beside.h"
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
 * free. One that starts late, for another program has its core, then has less to do and keeps nobody waiting.
 */
struct queue {
    const struct window *of;
    const struct road *road;
    int is_back;
    struct packing packings[2]; /* of the product that every cell has, and of the second one, if any */
    int64_t pieces;             /* of all packings; one has the panels of 16 units */
    int64_t rows;               /* lanes at a time */
    atomic_int_fast64_t next_piece, packed_pieces, next_lane;
};

/* Packs whatever nobody packs yet, and waits for what others have begun. */
static void pack_all(struct queue *queue)
{
    void (*pack)(const struct packing *, int64_t unit) = queue->is_back ? pack_columns : pack_rows;
    int64_t each = panels_over(queue->of->hidden_size);
    for (int64_t piece; (piece = atomic_fetch_add(&queue->next_piece, 1)) < queue->pieces;) {
        pack(&queue->packings[piece / each], piece % each * PANEL);
        atomic_fetch_add(&queue->packed_pieces, 1);
    }
    while (atomic_load(&queue->packed_pieces) < queue->pieces)
        sched_yield();
}

static void *run_queue(void *given)
{
    struct queue *queue = given;
    pack_all(queue);
    const int64_t lanes = queue->of->lanes, rows = queue->rows;
    const struct packed packed = {queue->packings[0].panels, queue->packings[1].panels};
    void (*run)(const struct work *) = queue->is_back ? queue->road->backward : queue->road->forward;
    _Alignas(64) float sums[MOST_GATES * MOST_LANES * PANEL];
    for (int64_t lane; (lane = atomic_fetch_add(&queue->next_lane, rows)) < lanes;)
        run(&(struct work){queue->of, &packed, lane, lane + rows < lanes ? rows : lanes - lane, sums});
    return 0;
}

/* Lanes at a time: two helpings for every thread, unless that would be too few. */
static int64_t helping(int64_t lanes, int64_t threads, int64_t least)
{
    int64_t each = (lanes + threads - 1) / threads, half = (each + 1) / 2;
    int64_t rows = threads > 1 && half >= least ? half : each;
    return rows < MOST_LANES ? rows : MOST_LANES;
}

/* Works through the queue. A thread that cannot be started is no error: the others do its part. */
static void run_all(struct queue *queue, int64_t count)
{
    pthread_t threads[MOST_THREADS];
    int64_t started = 1;
    while (started < count && start_beside(&threads[started], run_queue, queue) == 0)
        started++;
    run_queue(queue);
    for (int64_t i = 1; i < started; i++)
        pthread_join(threads[i], 0);
}

/* Of a product's weights, to be packed; its panels are null if memory ran out. */
static struct packing packing(const float *weight, int64_t H, int64_t gates, int is_back)
{
    float *panels = aligned_alloc(64, sizeof(float) * packed_size(H, gates * H));
    return is_back ? (struct packing){panels, weight, H, gates * H, 1}
                   : (struct packing){panels, weight, H, H, (int)gates};
}

/* Takes every lane through, by the weights of the window's products: of all gates or all but a candidate that
 * is apart, and of the second one; 0, or -1 if memory ran out. */
static int go_through(const struct window *w, const struct road *road, int is_back)
{
    int64_t H = w->hidden_size, most = w->lanes < MOST_THREADS ? w->lanes : MOST_THREADS;
    int64_t threads = w->threads < 1 ? 1 : w->threads < most ? w->threads : most;
    int has_second = w->cell == LSTM_PEEPHOLE || w->cell == GRU || (w->cell == GRU_AFTER && is_back);
    int is_apart = has_second && w->cell != LSTM_PEEPHOLE;
    struct queue queue = {.of = w,
                          .road = road,
                          .is_back = is_back,
                          .packings = {packing(w->recurrent, H, is_apart ? 2 : gates_of(w->cell), is_back)},
                          .pieces = (1 + has_second) * panels_over(H),
                          .rows = helping(w->lanes, threads, road->least_lanes)};
    if (has_second)
        queue.packings[1] = packing(is_apart ? w->recurrent + 2 * H * H : w->peephole, H, 1, is_back);
    int has_room = queue.packings[0].panels && (queue.packings[1].panels || !has_second);
    if (has_room)
        run_all(&queue, threads);
    free(queue.packings[0].panels);
    free(queue.packings[1].panels);
    return has_room ? 0 : -1;
}

/* Fills gates, hidden, memory and beside for every step; 0, or -1 if memory ran out. */
PUBLIC int32_t charrnn_forward(const struct window *w, int32_t road)
{
    return go_through(w, ROADS[road], 0);
}

/* After `charrnn_forward`: leaves gradients in gates, beside, d_hidden and d_memory; 0, or -1 likewise. */
PUBLIC int32_t charrnn_backward(const struct window *w, int32_t road)
{
    return go_through(w, ROADS[road], 1);
}
