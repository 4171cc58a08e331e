/* A window through a layer, forward and back: hands out to threads the weights to pack, then the lanes. */
#include <stdlib.h>

#include "descent.h"
#include "outer.h"
#include "pack.h"
#include "phases.h"
#include "prediction.h"
#include "rooms.h"
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
    static const int64_t SIZES[] = {
        sizeof(struct window),     sizeof(struct layer_weights), sizeof(struct net),
        sizeof(struct states),     sizeof(struct reading),       sizeof(struct writing),
        sizeof(struct prediction), sizeof(struct parameter),     sizeof(struct descent)};
    return structure < (int32_t)(sizeof SIZES / sizeof *SIZES) ? SIZES[structure] : 0;
}

/* What the threads of a window share: panels to pack, then lanes, a few at a time, and on the way back rows
 * of the weights' gradients. */
struct shared {
    const struct window *of;
    const struct road *road;
    int is_back;
    struct packing packings[2]; /* of the product that every cell has, and of the second one, if any */
    struct gradients gradients; /* on the way back */
    int64_t unit_pieces;        /* of all packings; one has the panels of 16 units */
    int64_t rows;               /* lanes at a time */
    float *rooms;               /* of all threads, in which they add up gradients */
};

static void pack_piece(void *of, int64_t piece, int64_t member)
{
    (void)member;
    struct shared *shared = of;
    int64_t each = panels_over(shared->of->hidden_size), block = piece - shared->unit_pieces;
    const struct before *befores = shared->gradients.befores;
    int64_t blocks = blocks_of_before(befores);
    if (block >= 0)
        pack_before(&befores[block / blocks], block % blocks);
    else if (shared->is_back)
        pack_columns(&shared->packings[piece / each], piece % each * PANEL);
    else
        pack_rows(&shared->packings[piece / each], piece % each * PANEL);
}

static void pass_lanes(void *of, int64_t helping, int64_t member)
{
    (void)member;
    struct shared *shared = of;
    int64_t lane = helping * shared->rows, left = shared->of->lanes - lane;
    const struct packed packed = {shared->packings[0].panels, shared->packings[1].panels};
    _Alignas(64) float sums[MOST_GATES * MOST_LANES * PANEL];
    const struct work work = {shared->of, &packed, lane, left < shared->rows ? left : shared->rows, sums};
    (shared->is_back ? shared->road->backward : shared->road->forward)(&work);
}

/* Adds up the gradients of a group of weights, and of the table with them. */
static void add_group(void *of, int64_t group, int64_t member)
{
    struct shared *shared = of;
    const struct outer *outers = shared->gradients.outers;
    float *room = shared->rooms + member * adding_size(shared->of->hidden_size, shared->of->table_rows);
    int64_t first = groups_of_outer(&outers[0]), other = group - first;
    if (other < 0)
        shared->road->add_up(&outers[0], group, room);
    else
        shared->road->add_up(&outers[1], other, room);
}

/* Lanes at a time: two helpings for every thread, unless that would be too few. */
static int64_t helping(int64_t lanes, int64_t threads, int64_t least)
{
    int64_t each = (lanes + threads - 1) / threads, half = (each + 1) / 2;
    int64_t rows = threads > 1 && half >= least ? half : each;
    return rows < MOST_LANES ? rows : MOST_LANES;
}

/* Of a product's weights, to be packed once there is room. */
static struct packing packing(const float *weight, int64_t H, int64_t gates, int is_back)
{
    return is_back ? (struct packing){0, weight, H, gates * H, 1}
                   : (struct packing){0, weight, H, H, (int)gates};
}

/* Lists what is to be packed of the weights of the window's products: of all gates or all but a candidate
 * that is apart, and of the second one. */
static void list_packings(struct shared *shared)
{
    const struct window *w = shared->of;
    int64_t H = w->hidden_size;
    int has_second = w->cell == LSTM_PEEPHOLE || w->cell == GRU || (w->cell == GRU_AFTER && shared->is_back);
    int is_apart = has_second && w->cell != LSTM_PEEPHOLE;
    shared->packings[0] = packing(w->recurrent, H, is_apart ? 2 : gates_of(w->cell), shared->is_back);
    if (has_second)
        shared->packings[1] =
            packing(is_apart ? w->recurrent + 2 * H * H : w->peephole, H, 1, shared->is_back);
    shared->unit_pieces = (1 + has_second) * panels_over(H);
}

/* Finds room for what is packed and for adding up, in one piece; null if memory ran out. */
static float *find_room(struct shared *shared, int64_t threads)
{
    struct packing *packings = shared->packings;
    struct before *befores = shared->gradients.befores;
    float **places[] = {&packings[0].panels, &packings[1].panels, &befores[0].packed, &befores[1].packed,
                        &shared->rooms};
    int64_t sizes[] = {packed_size(&packings[0]), packed_size(&packings[1]), packed_before_size(&befores[0]),
                       packed_before_size(&befores[1]),
                       shared->is_back * threads *
                           adding_size(shared->of->hidden_size, shared->of->table_rows)};
    return find_rooms(places, sizes, sizeof sizes / sizeof *sizes);
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
    int64_t threads = w->threads < 1 ? 1 : w->threads < w->lanes ? w->threads : w->lanes;
    struct shared shared = {
        .of = w, .road = road, .is_back = is_back, .rows = helping(w->lanes, threads, road->least_lanes)};
    list_packings(&shared);
    if (is_back)
        list_gradients(w, &shared.gradients);
    const struct before *befores = shared.gradients.befores;
    const struct outer *outers = shared.gradients.outers;
    float *room = find_room(&shared, threads);
    if (!room)
        return -1;
    const struct phase phases[] = {
        {shared.unit_pieces + blocks_of_before(&befores[0]) + blocks_of_before(&befores[1]), pack_piece},
        {(w->lanes + shared.rows - 1) / shared.rows, pass_lanes},
        {groups_of_outer(&outers[0]) + groups_of_outer(&outers[1]), add_group},
    };
    go_through_phases(threads, phases, is_back ? 3 : 2, &shared);
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
