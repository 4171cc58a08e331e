/* Makes a sampler of a net: packs its weights. */
#include <stdlib.h>

#include "net.h"

static const int THREADS_TO_SERVE = 2; /* strips are a multiple of it, so that so many have equal shares */

/* Packs gates [first, first + gates) of `weight` [., units, depth]; -1 if memory ran out. */
static int pack(struct sampler *sampler, struct matrix *m, const float *weight, int64_t units, int64_t depth,
                int first, int gates)
{
    int64_t blocks = panels_over(units), alone = sampler->road->panels_alone / gates,
            most = alone > 1 ? alone : 1;
    int64_t strips =
        ((blocks + most - 1) / most + THREADS_TO_SERVE - 1) / THREADS_TO_SERVE * THREADS_TO_SERVE;
    *m = (struct matrix){
        depth, units, blocks, strips < blocks ? strips : blocks, gates, sampler->net.is_quantized, 0, 0};
    sampler->size += blocks * PANEL * gates * depth;
    return matrix_pack(m, weight + first * units * depth);
}

static int pack_layer(struct sampler *sampler, int64_t index)
{
    const struct net *net = &sampler->net;
    const struct layer_weights *of = &net->layers[index];
    struct layer *layer = &sampler->layers[index];
    int64_t H = net->hidden_size, width = index ? H : net->embedding_size;
    int gates = gates_of(net->cell), first = net->cell == GRU ? 2 : gates, failed = 0;
    if (index || !net->table)
        failed |= pack(sampler, &layer->input, of->input, H, width, 0, gates);
    failed |= pack(sampler, &layer->recurrent, of->recurrent, H, H, 0, first);
    if (net->cell == GRU)
        failed |= pack(sampler, &layer->second, of->recurrent, H, H, 2, 1);
    if (net->cell == LSTM_PEEPHOLE)
        failed |= pack(sampler, &layer->second, of->peephole, H, H, 0, 1);
    return failed;
}

PUBLIC void charrnn_sampler_free(struct sampler *sampler)
{
    for (int64_t index = 0; index < sampler->net.layer_count; index++) {
        matrix_free(&sampler->layers[index].input);
        matrix_free(&sampler->layers[index].recurrent);
        matrix_free(&sampler->layers[index].second);
    }
    matrix_free(&sampler->projection);
    matrix_free(&sampler->output);
    free(sampler->layers);
    free(sampler);
}

/* A sampler, to be freed, or null if memory ran out. What `net` points to must stay; but matrices are packed.
 */
PUBLIC struct sampler *charrnn_sampler(const struct net *net, int32_t road)
{
    struct sampler *sampler = calloc(1, sizeof *sampler);
    if (!sampler)
        return 0;
    *sampler = (struct sampler){.road = ROADS[road], .net = *net};
    sampler->layers = calloc(net->layer_count, sizeof *sampler->layers);
    int failed = !sampler->layers;
    if (failed)
        sampler->net.layer_count = 0;
    for (int64_t index = 0; index < sampler->net.layer_count && !failed; index++)
        failed = pack_layer(sampler, index);
    int64_t V = net->vocab_size, E = net->embedding_size, H = net->hidden_size;
    if (net->projection && !failed)
        failed = pack(sampler, &sampler->projection, net->projection, E, H, 0, 1);
    if (!failed)
        failed = pack(sampler, &sampler->output, net->output, V, net->projection ? E : H, 0, 1);
    if (!failed)
        return sampler;
    charrnn_sampler_free(sampler);
    return 0;
}
