/* A window through a layer, forward and back: hands out to threads the weights to pack, then the lanes. */
#include <stdlib.h>

#include "outer.h"
#include "pack.h"
#include "phases.h"
#include "rooms.h"
#include "work.h"

/* What the threads of a window share: panels to pack; on the way forward then the table of what is looked up
 * and the lanes, a few at a time; on the way back the lanes, rows of the weights' gradients, and those of
 * what the table is made of. */
struct shared {
    const struct window *of;
    const struct road *road;
    int is_back;
    struct packing packings[PRODUCTS]; /* what there is not is empty */
    struct gradients gradients;        /* on the way back */
    int64_t rows;                      /* lanes at a time */
    float *rooms;                      /* of all threads, in which they add up gradients */
};

/* How many pieces there are to pack; one has the panels of 16 units. */
static int64_t pieces_of(const struct shared *shared)
{
    int64_t pieces = 0;
    for (int i = 0; i < PRODUCTS; i++)
        pieces += panels_over(shared->packings[i].H) + blocks_of_before(&shared->gradients.befores[i]);
    return pieces;
}

static void pack_piece(void *of, int64_t piece, int64_t member)
{
    (void)member;
    struct shared *shared = of;
    for (int i = 0; i < PRODUCTS; i++) {
        const struct packing *packing = &shared->packings[i];
        int64_t pieces = panels_over(packing->H);
        if (piece < pieces) {
            (shared->is_back ? pack_columns : pack_rows)(packing, piece * PANEL);
            return;
        }
        piece -= pieces;
    }
    const struct before *before = shared->gradients.befores;
    for (; piece >= blocks_of_before(before); before++)
        piece -= blocks_of_before(before);
    pack_before(before, piece);
}

/* How many parts the rows of the table are taken in. */
static int64_t table_parts(const struct window *w)
{
    return w->ids ? (w->table_rows + PUT_ROWS - 1) / PUT_ROWS : 0;
}

/* Some rows of `left`, [V, width], times W or its transpose, into those of `to`, [V, columns]. */
static void put_rows(const struct shared *shared, int64_t first, const float *left, int64_t width, float *to,
                     int64_t columns)
{
    int64_t rest = shared->of->table_rows - first;
    shared->road->put_product(rest < PUT_ROWS ? rest : PUT_ROWS, columns, width, left + first * width,
                              shared->packings[OF_INPUTS].panels, to + first * columns);
}

static void fill_table(void *of, int64_t part, int64_t member)
{
    (void)member;
    struct shared *shared = of;
    const struct window *w = shared->of;
    int64_t width = gates_of(w->cell) * w->hidden_size, first = part * PUT_ROWS;
    put_rows(shared, first, w->embedding, w->input_size, w->table, width);
    for (int64_t row = first; row < first + PUT_ROWS && row < w->table_rows; row++)
        for (int64_t column = 0; column < width; column++)
            w->table[row * width + column] += w->bias[column];
}

static void pass_lanes(void *of, int64_t helping, int64_t member)
{
    (void)member;
    struct shared *shared = of;
    int64_t lane = helping * shared->rows, left = shared->of->lanes - lane;
    const struct packed packed = {shared->packings[OF_GATES].panels, shared->packings[OF_SECOND].panels};
    _Alignas(64) float sums[MOST_GATES * MOST_LANES * PANEL];
    const struct work work = {shared->of, &packed, lane, left < shared->rows ? left : shared->rows, sums};
    (shared->is_back ? shared->road->backward : shared->road->forward)(&work);
}

/* Numbers that a thread has room for when it adds up gradients. */
static int64_t room_size(const struct window *w)
{
    return adding_size(w->hidden_size > w->input_size ? w->hidden_size : w->input_size, w->table_rows);
}

/* Adds up the gradients of a group of weights, and of the table with them. */
static void add_group(void *of, int64_t group, int64_t member)
{
    struct shared *shared = of;
    const struct outer *outers = shared->gradients.outers;
    float *room = shared->rooms + member * room_size(shared->of);
    int64_t first = groups_of_outer(&outers[OF_GATES]), other = group - first;
    if (other < 0)
        shared->road->add_up(&outers[OF_GATES], group, room);
    else
        shared->road->add_up(&outers[OF_SECOND], other, room);
}

/* Adds up the gradients of a group of W and of its bias, or takes the table's back to the embedding. */
static void leave_table(void *of, int64_t part, int64_t member)
{
    struct shared *shared = of;
    const struct window *w = shared->of;
    const struct outer *outer = &shared->gradients.outers[OF_INPUTS];
    int64_t groups = groups_of_outer(outer), first = part * outer->group, left = outer->rows - first;
    if (part >= groups) {
        put_rows(shared, (part - groups) * PUT_ROWS, w->table, outer->rows, w->d_embedding, w->input_size);
        return;
    }
    shared->road->add_up(outer, part, shared->rooms + member * room_size(w));
    add_rows(w->table_rows, left < outer->group ? left : outer->group, w->table + first, outer->apart,
             w->d_bias + first);
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
 * that is apart, of the second one, and of the inputs'. */
static void list_packings(struct shared *shared)
{
    const struct window *w = shared->of;
    int64_t H = w->hidden_size;
    int has_second = w->cell == LSTM_PEEPHOLE || w->cell == GRU || (w->cell == GRU_AFTER && shared->is_back);
    int is_apart = has_second && w->cell != LSTM_PEEPHOLE;
    int64_t width = gates_of(w->cell) * H, E = w->input_size;
    shared->packings[OF_GATES] = packing(w->recurrent, H, is_apart ? 2 : gates_of(w->cell), shared->is_back);
    if (has_second)
        shared->packings[OF_SECOND] =
            packing(is_apart ? w->recurrent + 2 * H * H : w->peephole, H, 1, shared->is_back);
    if (w->ids)
        shared->packings[OF_INPUTS] = shared->is_back ? (struct packing){0, w->input, E, width, 1}
                                                      : (struct packing){0, w->input, width, E, 1};
}

/* Finds room for what is packed and for adding up, in one piece; null if memory ran out. */
static float *find_room(struct shared *shared, int64_t threads)
{
    float **places[PRODUCTS + PRODUCTS + 1];
    int64_t sizes[PRODUCTS + PRODUCTS + 1];
    int count = 0;
    for (int i = 0; i < PRODUCTS; i++) {
        places[count] = &shared->packings[i].panels;
        sizes[count++] = packed_size(&shared->packings[i]);
        places[count] = &shared->gradients.befores[i].packed;
        sizes[count++] = packed_before_size(&shared->gradients.befores[i]);
    }
    places[count] = &shared->rooms;
    sizes[count++] = shared->is_back * threads * room_size(shared->of);
    return find_rooms(places, sizes, count);
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
    float *room = find_room(&shared, threads);
    if (!room)
        return -1;
    const struct outer *outers = shared.gradients.outers;
    const struct phase pack = {pieces_of(&shared), pack_piece},
                       pass = {(w->lanes + shared.rows - 1) / shared.rows, pass_lanes};
    const struct phase forward[] = {pack, {table_parts(w), fill_table}, pass};
    const struct phase back[] = {
        pack,
        pass,
        {groups_of_outer(&outers[OF_GATES]) + groups_of_outer(&outers[OF_SECOND]), add_group},
        {groups_of_outer(&outers[OF_INPUTS]) + table_parts(w), leave_table},
    };
    go_through_phases(threads, is_back ? back : forward, is_back ? 4 : 3, &shared);
    free(room);
    return 0;
}

/* Fills gates where the cell keeps them, hidden, memory and beside for every step; 0, -1 if memory ran out,
 * or -2 if an id has no row.
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
