#include "draw.h"

#include <math.h>

static const double GREEDY = 1e-6; /* as in inference/draw.py: below it a temperature means the best token */

/* Whether token a stands before b where the likeliest is first: of equal ones the lower id. */
static int is_before(const double *p, int64_t a, int64_t b)
{
    return p[a] > p[b] || (p[a] == p[b] && a < b);
}

/* Moves the token at `place` down a heap whose first token is the likeliest. */
static void sink(const double *p, int64_t *heap, int64_t size, int64_t place)
{
    int64_t token = heap[place];
    for (int64_t child; (child = 2 * place + 1) < size; place = child) {
        child += child + 1 < size && is_before(p, heap[child + 1], heap[child]);
        if (is_before(p, token, heap[child]))
            break;
        heap[place] = heap[child];
    }
    heap[place] = token;
}

/* A heap of all tokens; those that are taken from it lie behind what is left, the first one last. */
static void make_heap(int64_t V, const double *p, int64_t *heap)
{
    for (int64_t token = 0; token < V; token++)
        heap[token] = token;
    for (int64_t place = V / 2 - 1; place >= 0; place--)
        sink(p, heap, V, place);
}

static int64_t take(const double *p, int64_t *heap, int64_t size)
{
    int64_t best = heap[0];
    heap[0] = heap[size - 1];
    sink(p, heap, size - 1, 0);
    heap[size - 1] = best;
    return best;
}

/* Leaves probabilities to the likeliest tokens only: top_k of them, and of these as many as make up top_p. */
static void keep_likeliest(int64_t V, double *p, int64_t *heap, const struct filters *filters)
{
    int64_t most = filters->top_k < V ? filters->top_k : V, last = -1;
    int has_top_k = most < V;
    double total = 0.0, reached = 0.0;
    make_heap(V, p, heap);
    for (int64_t taken = 0; has_top_k && taken < most; taken++)
        total += p[last = take(p, heap, V - taken)];
    if (filters->top_p < 1.0) {
        for (int64_t token = 0; !has_top_k && token < V; token++)
            total += p[token];
        for (int64_t taken = 0; taken < most; taken++) {
            last = has_top_k ? heap[V - 1 - taken] : take(p, heap, V - taken);
            if ((reached += p[last]) >= filters->top_p * total)
                break;
        }
    }
    for (int64_t token = 0; token < V; token++)
        if (is_before(p, last, token))
            p[token] = 0.0;
}

int64_t draw(int64_t V, const float *scores, const uint8_t *forbidden, const struct filters *filters,
             double uniform, double *p, int64_t *order)
{
    int64_t best = -1;
    for (int64_t token = 0; token < V; token++) {
        if (!forbidden[token] && isnan(scores[token]))
            return -1;
        if (!forbidden[token] && (best < 0 || scores[token] > scores[best]))
            best = token;
    }
    if (best < 0 || !isfinite(scores[best]))
        return -1;
    if (filters->temperature < GREEDY)
        return best;
    for (int64_t token = 0; token < V; token++)
        p[token] =
            forbidden[token] ? 0.0 : exp(((double)scores[token] - scores[best]) / filters->temperature);
    if (filters->top_k < V || filters->top_p < 1.0)
        keep_likeliest(V, p, order, filters);
    double total = 0.0, sum = 0.0;
    for (int64_t token = 0; token < V; token++) {
        if (p[token] < filters->min_p) /* the best has 1 */
            p[token] = 0.0;
        total += p[token];
    }
    int64_t last = best;
    for (int64_t token = 0; token < V; token++) {
        sum += p[token];
        if (sum > uniform * total)
            return token;
        if (p[token] > 0.0)
            last = token;
    }
    return last; /* rounding carried the product to the very end */
}

double surprise(int64_t V, const float *scores, int64_t token)
{
    double best = scores[0], total = 0.0;
    for (int64_t other = 1; other < V; other++)
        if (scores[other] > best) /* not fmax, over which GCC 12 breaks down on ARM */
            best = scores[other];
    for (int64_t other = 0; other < V; other++) {
        if (!isfinite(scores[other]))
            return NAN;
        total += exp(scores[other] - best);
    }
    return log(total) - (scores[token] - best);
}
