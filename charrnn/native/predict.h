/* Scores of vectors, what they say of the tokens that came next, and gradients, on one road; included once
 * for each.
 */
#include "predicted.h"

/* Adds the bias to a row of products; returns the largest sum. */
static float add_bias(int64_t V, float *scores, const float *bias)
{
    int64_t v = 0;
    vec most = all(-INFINITY);
    for (; v + LANES <= V; v += LANES) {
        vec score = load(scores + v, LANES) + load(bias + v, LANES);
        store(scores + v, score, LANES);
        most = larger(most, score);
    }
    float best = -INFINITY;
    for (int i = 0; i < LANES; i++)
        best = most[i] > best ? most[i] : best;
    for (; v < V; v++) {
        scores[v] += bias[v];
        best = scores[v] > best ? scores[v] : best;
    }
    return best;
}

/* Turns a row of products into the gradient of the loss by its scores, (softmax - 1 at the target) share;
 * returns -log softmax at the target, and NaN where a score is not a number. */
static float to_gradient(int64_t V, float *scores, const float *bias, int64_t target, float share)
{
    float best = add_bias(V, scores, bias), right = scores[target];
    vec sum = {0};
    for (int64_t v = 0; v < V; v += LANES) {
        struct exponential e = exponential(within(load(scores + v, V - v) - best, 87.0f), 1.0f);
        vec power = e.power * e.rest + e.power;
        store(scores + v, power, V - v);
        sum += V - v < LANES ? load(scores + v, V - v) : power; /* zeros beyond the last */
    }
    float total = total_of(sum);
    for (int64_t v = 0; v < V; v += LANES)
        store(scores + v, load(scores + v, V - v) * (share / total), V - v);
    scores[target] -= share;
    return logf(total) - (right - best);
}

/* Takes PUT_ROWS vectors, or as many as are left: their scores' gradients and their own. */
static void predict(const struct predicted *p, int64_t first)
{
    const struct prediction *of = p->of;
    int64_t V = of->vocab_size, D = of->size, left = of->count - first;
    int64_t rows = left < PUT_ROWS ? left : PUT_ROWS;
    float *scores = p->d_scores + first * V;
    put_product(rows, V, D, of->vectors + first * D, p->by_token.panels, scores);
    for (int64_t row = 0; row < rows; row++) {
        int64_t target = of->targets[first + row];
        if (target < 0)
            memset(scores + row * V, 0, sizeof(float) * V);
        else
            p->nats[first + row] = to_gradient(V, scores + row * V, of->bias, target, 1.0f / p->scored);
    }
    put_product(rows, D, V, scores, p->by_number.panels, of->d_vectors + first * D);
}
