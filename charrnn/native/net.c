#include "net.h"

/* What a member of the team goes through: its strips of a product, for all rows. */
struct pass {
    struct member *member;
    const struct sampler *sampler;
    const struct rows *rows;
    const struct scratch *scratch;
    int64_t layer;
    int is_back;      /* whether strips are taken from the last to the first */
    struct window of; /* the layer, as its equations know it */
    struct step step;
};

/* What is done with the sums of a block of columns, the first of which is `unit`. */
typedef void use(const struct pass *, const struct work *, int64_t unit);

/* Rows of `numbers` times the member's strips. Every other step goes back the way the last one came: of
 * weights that are a little too many for the cache, those it needs first are still there.
 */
static void product(const struct pass *pass, const struct matrix *m, const float *numbers, use *use)
{
    int64_t rows = pass->rows->count;
    struct left left = {numbers, pass->scratch->quantized, pass->scratch->steps};
    if (m->is_quantized)
        pass->sampler->road->quantize(rows, m->depth, &left);
    int64_t begin = share_begin(pass->member, m->strips), end = share_end(pass->member, m->strips);
    for (int64_t i = begin; i < end; i++) {
        int64_t strip = pass->is_back ? begin + end - 1 - i : i;
        pass->sampler->road->multiply(m, strip, rows, &left, pass->scratch->sums);
        struct work work = {&pass->of, 0, 0, rows, pass->scratch->sums};
        for (int64_t block = strip_begin(m, strip); block < strip_begin(m, strip + 1); block++) {
            use(pass, &work, block * PANEL);
            work.sums += m->gates * rows * PANEL;
        }
    }
}

/* to[row][unit..] = a panel's sums and a bias, which may be null. */
static void put(const struct work *work, int64_t panel, float *to, int64_t width, int64_t count,
                const float *bias)
{
    for (int64_t row = 0; row < work->rows; row++)
        for (int64_t j = 0; j < count; j++)
            to[row * width + j] =
                work->sums[(panel * work->rows + row) * PANEL + j] + (bias ? bias[j] : 0.0f);
}

static int64_t units_from(int64_t unit, int64_t all)
{
    return all - unit < PANEL ? all - unit : PANEL;
}

/* x W + b into the gates. */
static void use_input(const struct pass *pass, const struct work *work, int64_t unit)
{
    int64_t H = pass->of.hidden_size, gates = gates_of(pass->of.cell);
    const float *bias = pass->sampler->net.layers[pass->layer].bias + unit;
    for (int64_t gate = 0; gate < gates; gate++)
        put(work, gate, pass->step.gates + gate * H + unit, gates * H, units_from(unit, H), bias + gate * H);
}

/* new + share (old - new) */
static void zone_out(const struct pass *pass, float *made, const float *before, int64_t unit)
{
    int64_t H = pass->of.hidden_size, count = units_from(unit, H);
    float share = pass->sampler->net.zoneout;
    for (int64_t row = 0; share > 0.0f && row < pass->rows->count; row++)
        for (int64_t at = row * H + unit; at < row * H + unit + count; at++)
            made[at] += share * (before[at] - made[at]);
}

static void use_recurrent(const struct pass *pass, const struct work *work, int64_t unit)
{
    const struct equations *cell = &pass->sampler->road->equations[pass->of.cell];
    cell->first(work, pass->step, unit);
    if (!cell->second)
        zone_out(pass, pass->step.hidden, pass->step.hidden_before, unit);
}

static void use_second(const struct pass *pass, const struct work *work, int64_t unit)
{
    pass->sampler->road->equations[pass->of.cell].second(work, pass->step, unit);
    zone_out(pass, pass->step.hidden, pass->step.hidden_before, unit);
}

/* Once no one reads c any more, by the member that reads it next. */
static void zone_out_memory(const struct pass *pass, const struct matrix *m)
{
    int64_t end = strip_begin(m, share_end(pass->member, m->strips));
    for (int64_t block = strip_begin(m, share_begin(pass->member, m->strips)); block < end; block++)
        zone_out(pass, pass->step.memory, pass->step.memory_before, block * PANEL);
}

static struct pass pass_at(struct member *member, const struct sampler *sampler, const struct rows *rows,
                           int64_t layer, int before, const struct scratch *scratch)
{
    const struct net *net = &sampler->net;
    int64_t place = layer * rows->most * net->hidden_size;
    int has_memory = rows->memory[0] != 0, looks_up = layer == 0 && net->table;
    return (struct pass){
        .member = member,
        .sampler = sampler,
        .rows = rows,
        .scratch = scratch,
        .layer = layer,
        .is_back = before,
        .of = {.cell = net->cell,
               .hidden_size = net->hidden_size,
               .inner_bias = net->layers[layer].inner_bias,
               .table = (float *)net->table}, /* in which no equation writes */
        .step = {.gates = rows->gates,
                 .ids = looks_up ? rows->tokens : 0,
                 .beside = rows->beside,
                 .hidden = rows->hidden[!before] + place,
                 .hidden_before = rows->hidden[before] + place,
                 .memory = has_memory ? rows->memory[!before] + place : 0,
                 .memory_before = has_memory ? rows->memory[before] + place : 0},
    };
}

static void layer_step(const struct pass *pass, const float *inputs)
{
    const struct layer *layer = &pass->sampler->layers[pass->layer];
    if (layer->input.weights) {
        product(pass, &layer->input, inputs, use_input);
        meet(pass->member);
    }
    product(pass, &layer->recurrent, pass->step.hidden_before, use_recurrent);
    if (layer->second.weights) {
        meet(pass->member);
        product(pass, &layer->second, pass->of.cell == GRU ? pass->step.beside : pass->step.memory,
                use_second);
    }
    meet(pass->member);
    if (pass->step.memory)
        zone_out_memory(pass, &layer->recurrent);
}

void net_step(struct member *member, const struct sampler *sampler, const struct rows *rows, int before,
              const struct scratch *scratch)
{
    const float *inputs = rows->embedded;
    for (int64_t layer = 0; layer < sampler->net.layer_count; layer++) {
        struct pass pass = pass_at(member, sampler, rows, layer, before, scratch);
        layer_step(&pass, inputs);
        inputs = pass.step.hidden;
    }
}

static void use_projection(const struct pass *pass, const struct work *work, int64_t unit)
{
    int64_t E = pass->sampler->net.embedding_size;
    put(work, 0, pass->rows->projected + unit, E, units_from(unit, E), 0);
}

static void use_scores(const struct pass *pass, const struct work *work, int64_t unit)
{
    const struct net *net = &pass->sampler->net;
    int64_t V = net->vocab_size;
    put(work, 0, pass->rows->scores + unit, V, units_from(unit, V), net->output_bias + unit);
}

void net_scores(struct member *member, const struct sampler *sampler, const struct rows *rows, int at,
                const struct scratch *scratch)
{
    struct pass pass = {
        .member = member, .sampler = sampler, .rows = rows, .scratch = scratch, .is_back = at};
    const struct net *net = &sampler->net;
    const float *hidden = rows->hidden[at] + (net->layer_count - 1) * rows->most * net->hidden_size;
    if (net->projection) {
        product(&pass, &sampler->projection, hidden, use_projection);
        meet(member);
        hidden = rows->projected;
    }
    product(&pass, &sampler->output, hidden, use_scores);
    meet(member);
}
