/* The road for x86-64 processors with AVX-512: sixteen floats a vector, thirty-two registers. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))),         \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
#endif

#define LANES 16
#define MOST_SUMS 24
#define TILE_PANELS 3
/* Rows of gates often lie a multiple of 4096 bytes apart, where the nearest cache has room for eight. */
#define ROWS_OVER_1 8
#define ROWS_OVER_2 8
#define ROWS_OVER_3 8
#define ROWS_OVER_4 4
#define ROWS_OVER_HALVES 0
/* How many lines ahead weights are asked for: those of a whole step are often more than the second cache
 * holds. */
#define AHEAD 16
#define EACH_COUNT(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#define STRIP_ALONE 8
#define STRIP_AMONG 4
#define LEAST_LANES 16
#include "road.h"

static int is_passable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("fma");
}

const struct road AVX512 = ROAD("AVX-512");

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
