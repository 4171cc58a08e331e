/* A vector of LANES floats and the functions of the equations on it; included once for each road.
 *
 * Everything is written with the vectors of GCC and Clang: what instructions they become is the road's
 * matter.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__) && LANES > 4
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))

/* A loop of a constant number of rounds, written out, so that an array it goes over can lie in registers. */
#if defined(__clang__)
#define UNROLLED(i, count) _Pragma("clang loop unroll(full)") for (int i = 0; i < (count); i++)
#else
#define UNROLLED(i, count) _Pragma("GCC unroll 32") for (int i = 0; i < (count); i++)
#endif

/* aligned(4): a vector may be read from wherever a float may. */
typedef float vec __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint32_t uvec __attribute__((vector_size(4 * LANES), aligned(4)));

INLINE vec all(float value)
{
    return value - (vec){0};
}

/* The first `count` of LANES numbers, zeros beyond. */
INLINE vec load(const float *from, int64_t count)
{
    vec x = {0};
    if (count >= LANES)
        return *(const vec *)from;
    memcpy(&x, from, sizeof(float) * count);
    return x;
}

INLINE void store(float *to, vec x, int64_t count)
{
    if (count >= LANES)
        *(vec *)to = x;
    else
        memcpy(to, &x, sizeof(float) * count);
}

INLINE vec either(ivec condition, vec yes, vec no)
{
    return (vec)((condition & (ivec)yes) | (~condition & (ivec)no));
}

INLINE float total_of(vec x)
{
    float total = 0.0f;
    for (int i = 0; i < LANES; i++)
        total += x[i];
    return total;
}

/* The smaller and the larger of both, lane by lane; where x is not a number, neither is what comes out. And
 * square roots. */
#if LANES == 16
INLINE vec smaller(vec bound, vec x)
{
    return (vec)_mm512_min_ps((__m512)bound, (__m512)x);
}

INLINE vec larger(vec bound, vec x)
{
    return (vec)_mm512_max_ps((__m512)bound, (__m512)x);
}

INLINE vec root(vec x)
{
    return (vec)_mm512_sqrt_ps((__m512)x);
}
#elif LANES == 8
INLINE vec smaller(vec bound, vec x)
{
    return (vec)_mm256_min_ps((__m256)bound, (__m256)x);
}

INLINE vec larger(vec bound, vec x)
{
    return (vec)_mm256_max_ps((__m256)bound, (__m256)x);
}

INLINE vec root(vec x)
{
    return (vec)_mm256_sqrt_ps((__m256)x);
}
#elif defined(__aarch64__)
INLINE vec smaller(vec bound, vec x)
{
    return (vec)vminq_f32((float32x4_t)bound, (float32x4_t)x);
}

INLINE vec larger(vec bound, vec x)
{
    return (vec)vmaxq_f32((float32x4_t)bound, (float32x4_t)x);
}

INLINE vec root(vec x)
{
    return (vec)vsqrtq_f32((float32x4_t)x);
}
#else
INLINE vec smaller(vec bound, vec x)
{
    return either(bound < x, bound, x);
}

INLINE vec larger(vec bound, vec x)
{
    return either(bound > x, bound, x);
}

INLINE vec root(vec x)
{
    for (int i = 0; i < LANES; i++)
        x[i] = sqrtf(x[i]);
    return x;
}
#endif

/* e^x = power (1 + rest), by x = n ln 2 + r with a whole n: power is 2^n, and rest is e^r - 1. */
struct exponential {
    vec power, rest;
};

/* That of `factor` x, for |factor x| < 88. Of (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2 the nearest polynomial,
 * to 3e-9 of e^r. */
INLINE struct exponential exponential(vec x, float factor)
{
    const vec shift = all(0x1.8p23f); /* adding it leaves the nearest whole number in the lowest bits */
    vec shifted = x * all(factor * 0x1.715476p0f) + shift;
    vec n = shifted - shift;
    vec r = x * factor - n * all(0x1.62e4p-1f) - n * all(0x1.7f7d1cp-20f);
    vec series = all(0.00138144696f);
    series = series * r + all(0.00836878084f);
    series = series * r + all(0.0416683927f);
    series = series * r + all(0.166665196f);
    series = series * r + all(0.49999994f);
    vec power = (vec)(((uvec)shifted << 23) + ((uvec){0} + 0x3f800000u)); /* n into the exponent's bits */
    return (struct exponential){power, series * (r * r) + r};
}

INLINE vec within(vec x, float most)
{
    return larger(all(-most), smaller(all(most), x));
}

/* 1 / (1 + e^-x), and beyond 87 as there. */
INLINE vec sigmoid(vec x)
{
    struct exponential e = exponential(within(x, 87.0f), -1.0f);
    return 1.0f / (e.power * e.rest + (e.power + 1.0f));
}

/* (e^2x - 1) / (e^2x + 1), where e^2x - 1 is made without cancelling near 0; beyond 10 as there, where it
 * is 1.
 */
INLINE vec tangent(vec x)
{
    struct exponential e = exponential(within(x, 10.0f), 2.0f);
    vec above_one = e.power * e.rest + (e.power - 1.0f);
    return above_one / (above_one + 2.0f);
}
