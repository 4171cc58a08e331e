/* The road for x86-64 processors with AVX2 and FMA: eight floats a vector, sixteen registers. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define LANES 8
#define MOST_SUMS 12
#define TILE_PANELS 1
#define ROWS_OVER_1 6
#define ROWS_OVER_2 3
#define ROWS_OVER_3 2
#define ROWS_OVER_4 1
/* Over one and a half panels. */
#define ROWS_OVER_HALVES 4
/* What the processor asks for by itself is enough. */
#define AHEAD 0
#define EACH_COUNT(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#define STRIP_ALONE 4
#define STRIP_AMONG 2
#define LEAST_LANES 12
#include "road.h"

static int is_passable(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const struct road AVX2 = ROAD("AVX2");

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
