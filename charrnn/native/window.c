/* A window through a layer, forward and back: packs the weights and gives each thread lanes of its own. */
#include <pthread.h>
#include <stdlib.h>

#include "pack.h"
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

/* One thread's share of the lanes. */
struct share {
    const struct window *of;
    const struct packed *packed;
    void (*run)(const struct work *);
    int64_t first, end;
};

static void *run_share(void *given)
{
    const struct share *share = given;
    _Alignas(64) float sums[MOST_GATES * MOST_LANES * PANEL];
    for (int64_t lane = share->first, rows; lane < share->end; lane += rows) {
        rows = share->end - lane < MOST_LANES ? share->end - lane : MOST_LANES;
        share->run(&(struct work){share->of, share->packed, lane, rows, sums});
    }
    return 0;
}

/* The lane where the i-th of so many shares begins, which have about as many rows each. */
static int64_t share_begin(const struct window *w, int64_t i, int64_t count)
{
    if (!w->starts)
        return w->lanes * i / count;
    int64_t lane = 0, before = 0, steps = w->steps;
    for (; lane < w->lanes && before < w->starts[w->steps] * i / count; lane++, before += steps)
        while (rows_at(w, steps - 1) <= lane)
            steps--;
    return lane;
}

/* Runs through all lanes. A thread that cannot be started is no error: its share is done here. */
static void run_all(const struct window *w, const struct packed *packed, void (*run)(const struct work *))
{
    enum { MOST_THREADS = 256 };
    struct share shares[MOST_THREADS];
    pthread_t threads[MOST_THREADS];
    int is_started[MOST_THREADS] = {0};
    int most = w->lanes < MOST_THREADS ? (int)w->lanes : MOST_THREADS;
    int count = w->threads < 1 ? 1 : w->threads < most ? w->threads : most;
    for (int i = 0; i < count; i++)
        shares[i] = (struct share){w, packed, run, share_begin(w, i, count), share_begin(w, i + 1, count)};
    for (int i = 1; i < count; i++)
        is_started[i] = pthread_create(&threads[i], 0, run_share, &shares[i]) == 0;
    run_share(&shares[0]);
    for (int i = 1; i < count; i++) {
        if (is_started[i])
            pthread_join(threads[i], 0);
        else
            run_share(&shares[i]);
    }
}

static float *panels(int64_t columns, int64_t depth)
{
    return aligned_alloc(64, sizeof(float) * packed_size(columns, depth));
}

/* The products of the window: of all gates or all but a candidate that is apart, and the second one. */
static int run(const struct window *w, int is_back, void (*run)(const struct work *))
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
        run_all(w, &packed, run);
    }
    free(packed.gates);
    free(packed.second);
    return is_packed ? 0 : -1;
}

/* Fills gates, hidden, memory and beside for every step; 0, or -1 if memory ran out. */
PUBLIC int32_t charrnn_forward(const struct window *w, int32_t road)
{
    return run(w, 0, ROADS[road]->forward);
}

/* After `charrnn_forward`: leaves gradients in gates, beside, d_hidden and d_memory; 0, or -1 likewise. */
PUBLIC int32_t charrnn_backward(const struct window *w, int32_t road)
{
    return run(w, 1, ROADS[road]->backward);
}
