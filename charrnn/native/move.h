/* What AdamW does with a stretch of numbers, on one road; included once for each. */
#include "stretch.h"

static double add_squares(struct stretch s)
{
    vec sum = {0};
    for (int64_t i = s.first; i < s.end; i += LANES) {
        vec gradient = load(s.of->gradient + i, s.end - i);
        sum += gradient * gradient;
    }
    return total_of(sum);
}

/* Moves numbers by `share` of their gradient. */
static void move(const struct adamw *a, struct stretch s, float share)
{
    const struct moving *p = s.of;
    const float kept = p->kept, rate = p->rate, beta1 = a->beta1, new1 = 1.0 - a->beta1, beta2 = a->beta2,
                new2 = 1.0 - a->beta2, scale = a->scale, epsilon = a->epsilon;
    for (int64_t i = s.first; i < s.end; i += LANES) {
        int64_t n = s.end - i;
        vec g = load(p->gradient + i, n) * share;
        vec m = load(p->mean + i, n) * beta1 + g * new1;
        vec v = load(p->mean_square + i, n) * beta2 + g * g * new2;
        vec value = load(p->value + i, n) * kept - m * rate / (root(v) * scale + epsilon);
        store(p->mean + i, m, n);
        store(p->mean_square + i, v, n);
        store(p->value + i, value, n);
    }
}

/* Moves the average towards numbers. */
static void follow(const struct adamw *a, struct stretch s)
{
    const float old = a->old, new = 1.0 - a->old;
    for (int64_t i = s.first; i < s.end; i += LANES) {
        int64_t n = s.end - i;
        store(s.of->average + i, load(s.of->average + i, n) * old + load(s.of->value + i, n) * new, n);
    }
}
