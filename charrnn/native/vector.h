/* A vector of LANES floats and the functions of the equations on it; included once for each road.
 *
 * Everything is written with the vectors of GCC and Clang: what instructions they become is the road's
 * matter.
 */
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* A loop of a constant number of rounds, written out, so that an array it goes over can lie in registers. */
#define UNROLLED(i, count) _Pragma("GCC unroll 32") for (int i = 0; i < (count); i++)

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

/* e^x to the last bit or two: x = n ln 2 + r, and the series of e^r on |r| <= ln 2 / 2. NaN stays NaN. */
INLINE vec exponential(vec x)
{
    const vec shift = all(0x1.8p23f); /* adding it leaves the nearest whole number in the lowest bits */
    x = either(x < all(-87.0f), all(-87.0f), x);
    x = either(x > all(88.0f), all(88.0f), x);
    vec shifted = x * all(0x1.715476p0f) + shift;
    vec n = shifted - shift;
    vec r = x - n * all(0x1.62e4p-1f) - n * all(0x1.7f7d1cp-20f);
    vec series = all(1.0f / 720.0f);
    series = series * r + all(1.0f / 120.0f);
    series = series * r + all(1.0f / 24.0f);
    series = series * r + all(1.0f / 6.0f);
    series = series * r + all(0.5f);
    series = series * r + all(1.0f);
    series = series * r + all(1.0f);
    uvec power = ((uvec)shifted << 23) + ((uvec){0} + 0x3f800000u); /* 2^n */
    return series * (vec)power;
}

INLINE vec sigmoid(vec x)
{
    return 1.0f / (1.0f + exponential(-x));
}

/* By the exponential; near 0, where that would cancel, by an odd polynomial. */
INLINE vec tangent(vec x)
{
    ivec sign = (ivec)x & ((ivec){0} + INT32_MIN);
    vec size = (vec)((ivec)x ^ sign);
    vec far = 1.0f - 2.0f / (1.0f + exponential(size + size));
    vec square = x * x;
    /* The polynomial in x^2 nearest to (tanh x / x - 1) / x^2 on |x| < 0.625, to 4e-9 of tanh x. */
    vec near = all(-0.00571703f);
    near = near * square + all(0.02065057f);
    near = near * square + all(-0.05374349f);
    near = near * square + all(0.13331491f);
    near = near * square + all(-0.33333284f);
    near = near * square * x + x;
    return either(size < all(0.625f), near, (vec)((ivec)far | sign));
}
