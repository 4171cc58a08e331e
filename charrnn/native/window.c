/* A window through a layer, forward and back: packs the weights and hands out the lanes to threads. */
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

/* The lanes of a window, a few at a time for whichever thread is free: one that starts late, for another
 * program has its core, then has less to do and keeps nobody waiting. */
struct queue {
    const struct window *of;
    const struct packed *packed;
    void (*run)(const struct work *);
    int64_t rows; /* lanes at a time */
    atomic_int_fast64_t next;
};

static void *run_queue(void *given)
{
    struct queue *queue = given;
    const int64_t lanes = queue->of->lanes, rows = queue->rows;
    _Alignas(64) float sums[MOST_GATES * MOST_LANES * PANEL];
    for (int64_t lane; (lane = atomic_fetch_add(&queue->next, rows)) < lanes;)
        queue->run(
            &(struct work){queue->of, queue->packed, lane, lane + rows < lanes ? rows : lanes - lane, sums});
    return 0;
}

/* Lanes at a time: two helpings for every thread, unless that would be too few. */
static int64_t helping(int64_t lanes, int64_t threads, int64_t least)
{
    int64_t each = (lanes + threads - 1) / threads, half = (each + 1) / 2;
    int64_t rows = threads > 1 && half >= least ? half : each;
    return rows < MOST_LANES ? rows : MOST_LANES;
}

/* Runs through all lanes. A thread that cannot be started is no error: the others do its part. */
static void run_all(const struct window *w, const struct packed *packed, const struct road *road, int is_back)
{
    enum { MOST_THREADS = 256 };
    pthread_t threads[MOST_THREADS];
    int64_t most = w->lanes < MOST_THREADS ? w->lanes : MOST_THREADS;
    int64_t count = w->threads < 1 ? 1 : w->threads < most ? w->threads : most;
    struct queue queue = {w, packed, is_back ? road->backward : road->forward,
                          helping(w->lanes, count, road->least_lanes), 0};
    int64_t started = 1;
    while (started < count && start_beside(&threads[started], run_queue, &queue) == 0)
        started++;
    run_queue(&queue);
    for (int64_t i = 1; i < started; i++)
        pthread_join(threads[i], 0);
}

static float *panels(int64_t columns, int64_t depth)
{
    return aligned_alloc(64, sizeof(float) * packed_size(columns, depth));
}

/* Packs the weights of the window's products, of all gates or all but a candidate that is apart and of the
 * second one, and takes every lane through; 0, or -1 if memory ran out. */
static int go_through(const struct window *w, const struct road *road, int is_back)
{
    int64_t H = w->hidden_size, gates = gates_of(w->cell);
    int has_second = w->cell == LSTM_PEEPHOLE || w->cell == GRU || (w->cell == GRU_AFTER && is_back);
    int64_t first_gates = has_second && w->cell != LSTM_PEEPHOLE ? 2 : gates;
    const float *second = w->cell == LSTM_PEEPHOLE ? w->peephole : w->recurrent + 2 * H * H;
    struct packed packed = {panels(H, first_gates * H), has_second ? panels(H, H) : 0};
    int is_packed = packed.gates && (packed.second || !has_second);
    if (is_packed) {
        if (is_back)
            pack_columns(packed.gates, w->recurrent, H, first_gates * H);
        else
            pack_rows(packed.gates, w->recurrent, H, H, 0, (int)first_gates);
        if (has_second && is_back)
            pack_columns(packed.second, second, H, H);
        else if (has_second)
            pack_rows(packed.second, second, H, H, 0, 1);
        run_all(w, &packed, road, is_back);
    }
    free(packed.gates);
    free(packed.second);
    return is_packed ? 0 : -1;
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
