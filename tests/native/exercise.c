/* Runs windows, documents, samplers, predictions and steps of AdamW of every cell and awkward sizes through
 * every road, for the sanitizers to watch: buffers end where the numbers end, and there are more threads than
 * cores. Says "done" and returns 0. */
#include <stdio.h>
#include <stdlib.h>

#include "../../charrnn/native/adamw.h"
#include "../../charrnn/native/prediction.h"
#include "../../charrnn/native/sampler.h"
#include "../../charrnn/native/window.h"

struct sampler;

const char *charrnn_road_name(int32_t road);
int32_t charrnn_road_is_passable(int32_t road);
int32_t charrnn_forward(const struct window *w, int32_t road);
int32_t charrnn_backward(const struct window *w, int32_t road);
struct sampler *charrnn_sampler(const struct net *net, int32_t road);
void charrnn_sampler_free(struct sampler *sampler);
int32_t charrnn_predict(struct prediction *of, int32_t road);
int32_t charrnn_adamw(struct adamw *of, int32_t road);
int32_t charrnn_read(struct sampler *sampler, const struct states *states, const struct reading *reading);
int32_t charrnn_write(struct sampler *sampler, const struct states *states, const struct writing *writing);

static float *drawn(int64_t count)
{
    float *numbers = malloc(sizeof *numbers * count);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (float)rand() / RAND_MAX - 0.5f;
    return numbers;
}

enum { TABLE_ROWS = 530, INPUT_SIZE = 20 };

/* A window of so many rows in all; back too, unless later steps have fewer of them. */
static void exercise_rows(int32_t road, int32_t cell, int64_t T, int64_t B, int64_t H, int64_t rows,
                          const int64_t *starts, int has_table)
{
    int64_t G = gates_of(cell), *ids = has_table ? malloc(sizeof *ids * rows) : 0;
    for (int64_t i = 0; has_table && i < rows; i++)
        ids[i] = i % TABLE_ROWS;
    struct window w = {
        .cell = cell,
        .threads = 3,
        .steps = T,
        .lanes = B,
        .hidden_size = H,
        .gates = drawn(rows * G * H),
        .hidden = drawn((rows + B) * H),
        .memory = G == 4 ? drawn((rows + B) * H) : 0,
        .beside = G == 3 ? drawn(rows * H) : 0,
        .recurrent = drawn(G * H * H),
        .peephole = cell == LSTM_PEEPHOLE ? drawn(H * H) : 0,
        .inner_bias = cell == GRU_AFTER ? drawn(H) : 0,
        .d_outputs = starts ? 0 : drawn(rows * H),
        .d_hidden = starts ? 0 : drawn(B * H),
        .d_memory = !starts && G == 4 ? drawn(B * H) : 0,
        .d_recurrent = starts ? 0 : drawn(G * H * H),
        .d_peephole = !starts && cell == LSTM_PEEPHOLE ? drawn(H * H) : 0,
        .ids = ids,
        .embedding = has_table ? drawn(TABLE_ROWS * INPUT_SIZE) : 0,
        .input = has_table ? drawn(G * H * INPUT_SIZE) : 0,
        .bias = has_table ? drawn(G * H) : 0,
        .table = has_table ? drawn(TABLE_ROWS * G * H) : 0,
        .d_embedding = has_table ? drawn(TABLE_ROWS * INPUT_SIZE) : 0,
        .d_input = has_table ? drawn(G * H * INPUT_SIZE) : 0,
        .d_bias = has_table ? drawn(G * H) : 0,
        .table_rows = has_table ? TABLE_ROWS : 0,
        .input_size = has_table ? INPUT_SIZE : 0,
        .starts = starts,
    };
    if (charrnn_forward(&w, road) || (!starts && charrnn_backward(&w, road)))
        abort();
    const float *all[] = {w.gates,       w.hidden,      w.memory,    w.beside,   w.recurrent,
                          w.peephole,    w.inner_bias,  w.d_outputs, w.d_hidden, w.d_memory,
                          w.d_recurrent, w.d_peephole,  w.embedding, w.input,    w.bias,
                          w.table,       w.d_embedding, w.d_input,   w.d_bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free((float *)all[i]);
    free(ids);
}

static void exercise(int32_t road, int32_t cell, int64_t T, int64_t B, int64_t H)
{
    for (int has_table = 0; has_table < 2; has_table++)
        exercise_rows(road, cell, T, B, H, T * B, 0, has_table);
}

/* As many rows at a step as documents have one: here lane b has T - b steps. */
static void exercise_documents(int32_t road, int32_t cell, int64_t T, int64_t H)
{
    int64_t starts[T + 1];
    starts[0] = 0;
    for (int64_t t = 0; t < T; t++)
        starts[t + 1] = starts[t] + T - t;
    exercise_rows(road, cell, T, T, H, starts[T], starts, 0);
}

enum { V = 40, E = 13, LANES = 5, ROWS = 3, STEPS = 30 };

/* Reads into one lane and writes after others, with as many threads as a net of this size is worth. */
static void read_and_write(struct sampler *sampler, struct states *states)
{
    int64_t tokens[STEPS], lanes[ROWS] = {4, 0, 2}, written[ROWS * STEPS], counts[ROWS];
    uint8_t forbidden[V] = {1}, turning[V] = {0, 1};
    const uint8_t *masks[ROWS] = {forbidden, forbidden, forbidden},
                  *turns[ROWS] = {turning, turning, turning};
    double uniforms[ROWS * STEPS], nats[ROWS * STEPS];
    for (int i = 0; i < STEPS; i++)
        tokens[i] = i % V;
    for (int i = 0; i < ROWS * STEPS; i++)
        uniforms[i] = (double)rand() / RAND_MAX * 0.999;
    struct reading reading = {.threads = 3, .steps = STEPS, .lane = 4, .tokens = tokens};
    struct writing writing = {.threads = 3,
                              .steps = STEPS,
                              .rows = ROWS,
                              .lanes = lanes,
                              .forbidden = masks,
                              .turning = turns,
                              .uniforms = uniforms,
                              .temperature = 0.9,
                              .top_p = 0.95,
                              .min_p = 0.01,
                              .top_k = 20,
                              .tokens = written,
                              .nats = nats,
                              .drawn = counts};
    if (charrnn_read(sampler, states, &reading) || charrnn_write(sampler, states, &writing))
        abort();
}

static void exercise_sampler(int32_t road, int32_t cell, int64_t H, int32_t is_quantized, int is_tied,
                             int has_table)
{
    int64_t G = gates_of(cell);
    struct layer_weights layers[2];
    for (int i = 0; i < 2; i++)
        layers[i] = (struct layer_weights){drawn(G * H * (i ? H : E)), drawn(G * H), drawn(G * H * H),
                                           drawn(H * H), drawn(H)};
    struct net net = {cell,
                      is_quantized,
                      V,
                      E,
                      2,
                      H,
                      0.1f,
                      has_table ? drawn(V * G * H) : 0,
                      drawn(V * E),
                      is_tied ? drawn(E * H) : 0,
                      drawn(V * (is_tied ? E : H)),
                      drawn(V),
                      layers};
    struct states states = {LANES, drawn(2 * LANES * H), G == 4 ? drawn(2 * LANES * H) : 0};
    struct sampler *sampler = charrnn_sampler(&net, road);
    if (!sampler)
        abort();
    read_and_write(sampler, &states);
    charrnn_sampler_free(sampler);
    const float *all[] = {net.table,       net.embedding, net.projection, net.output,
                          net.output_bias, states.hidden, states.memory};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free((float *)all[i]);
    for (int i = 0; i < 2; i++) {
        const float *parts[] = {layers[i].input, layers[i].bias, layers[i].recurrent, layers[i].peephole,
                                layers[i].inner_bias};
        for (size_t part = 0; part < sizeof parts / sizeof *parts; part++)
            free((float *)parts[part]);
    }
}

/* N vectors of D numbers, each after another of so many tokens; some are not scored. */
static void exercise_prediction(int32_t road, int64_t N, int64_t D, int64_t tokens)
{
    int64_t *targets = malloc(sizeof *targets * N);
    for (int64_t n = 0; n < N; n++)
        targets[n] = n % 5 == 3 ? NOT_SCORED : n % tokens;
    struct prediction p = {.threads = 3,
                           .count = N,
                           .size = D,
                           .vocab_size = tokens,
                           .vectors = drawn(N * D),
                           .weight = drawn(tokens * D),
                           .bias = drawn(tokens),
                           .targets = targets,
                           .d_vectors = drawn(N * D),
                           .d_weight = drawn(tokens * D),
                           .d_bias = drawn(tokens)};
    if (charrnn_predict(&p, road) || !(p.loss >= 0.0))
        abort();
    const float *all[] = {p.vectors, p.weight, p.bias, p.d_vectors, p.d_weight, p.d_bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free((float *)all[i]);
    free(targets);
}

/* A step of parameters of so many numbers, one of which has no gradient; or its norms alone. */
static void exercise_adamw(int32_t road, const int64_t *counts, int64_t count, int may_move)
{
    struct moving moving[count];
    for (int64_t i = 0; i < count; i++) {
        int64_t n = counts[i];
        float *squares = drawn(n);
        for (int64_t k = 0; k < n; k++)
            squares[k] *= squares[k];
        moving[i] = (struct moving){
            n, i % SETS, drawn(n), drawn(n), squares, drawn(n), i == 1 ? 0 : drawn(n), 0.9, 0.1};
    }
    struct adamw a = {3, count, may_move, moving, 0.9, 0.99, 10.0, 1e-8, 0.9, 0.1, {0.0}};
    if (charrnn_adamw(&a, road) || !(a.norms[0] > 0.0 && a.norms[1] > 0.0))
        abort();
    for (int64_t i = 0; i < count; i++) {
        const float *all[] = {moving[i].value, moving[i].mean, moving[i].mean_square, moving[i].average,
                              moving[i].gradient};
        for (size_t part = 0; part < sizeof all / sizeof *all; part++)
            free((float *)all[part]);
    }
}

int main(void)
{
    for (int32_t road = 0; charrnn_road_name(road); road++) {
        int is_last = !charrnn_road_name(road + 1); /* the portable one runs everywhere */
        if (!is_last && !charrnn_road_is_passable(road))
            continue;
        for (int may_move = 0; may_move < 2; may_move++) {
            exercise_adamw(road, (int64_t[]){1, 3, 17, 2}, 4, may_move);
            exercise_adamw(road, (int64_t[]){70000, 5, 0, 4096, 4097, 30000}, 6, may_move);
        }
        exercise_prediction(road, 1, 1, 1);
        exercise_prediction(road, 33, 17, 7);
        exercise_prediction(road, 525, 33, 67);
        exercise_prediction(road, 40, 211, 300);
        for (int32_t cell = RNN_TANH; cell <= GRU_AFTER; cell++) {
            exercise(road, cell, 1, 1, 1);
            exercise(road, cell, 3, 2, 15);
            exercise(road, cell, 4, 7, 17);
            exercise(road, cell, 2, 70, 33);
            exercise(road, cell, 35, 15, 33);
            exercise_documents(road, cell, 9, 17);
            exercise_sampler(road, cell, 17, 0, 0, 1);
            exercise_sampler(road, cell, 130, 1, 1, 0); /* large enough for a team */
            exercise_sampler(road, cell, 130, 0, 1, 1);
        }
    }
    puts("done");
    return 0;
}
