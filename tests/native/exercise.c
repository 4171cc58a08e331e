/* Runs windows of every cell and awkward sizes through every road, for the sanitizers to watch: buffers end
 * where the numbers end, and there are more threads than cores. Says "done" and returns 0. */
#include <stdio.h>
#include <stdlib.h>

#include "../../charrnn/native/window.h"

const char *charrnn_road_name(int32_t road);
int32_t charrnn_road_is_passable(int32_t road);
int32_t charrnn_forward(const struct window *w, int32_t road);
int32_t charrnn_backward(const struct window *w, int32_t road);

static float *drawn(int64_t count)
{
    float *numbers = malloc(sizeof *numbers * count);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (float)rand() / RAND_MAX - 0.5f;
    return numbers;
}

static void exercise(int32_t road, int32_t cell, int64_t T, int64_t B, int64_t H)
{
    int64_t G = gates_of(cell);
    struct window w = {
        .cell = cell,
        .threads = 3,
        .steps = T,
        .lanes = B,
        .hidden_size = H,
        .gates = drawn(T * B * G * H),
        .hidden = drawn((T + 1) * B * H),
        .memory = G == 4 ? drawn((T + 1) * B * H) : 0,
        .beside = G == 3 ? drawn(T * B * H) : 0,
        .recurrent = drawn(G * H * H),
        .peephole = cell == LSTM_PEEPHOLE ? drawn(H * H) : 0,
        .inner_bias = cell == GRU_AFTER ? drawn(H) : 0,
        .d_outputs = drawn(T * B * H),
        .d_hidden = drawn(B * H),
        .d_memory = G == 4 ? drawn(B * H) : 0,
    };
    if (charrnn_forward(&w, road) || charrnn_backward(&w, road))
        abort();
    float *all[] = {w.gates,
                    w.hidden,
                    w.memory,
                    w.beside,
                    (float *)w.recurrent,
                    (float *)w.peephole,
                    (float *)w.inner_bias,
                    (float *)w.d_outputs,
                    w.d_hidden,
                    w.d_memory};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

int main(void)
{
    for (int32_t road = 0; charrnn_road_name(road); road++) {
        int is_last = !charrnn_road_name(road + 1); /* the portable one runs everywhere */
        if (!is_last && !charrnn_road_is_passable(road))
            continue;
        for (int32_t cell = RNN_TANH; cell <= GRU_AFTER; cell++) {
            exercise(road, cell, 1, 1, 1);
            exercise(road, cell, 3, 2, 15);
            exercise(road, cell, 4, 7, 17);
            exercise(road, cell, 2, 70, 33);
        }
    }
    puts("done");
    return 0;
}
