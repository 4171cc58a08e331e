/* The road without special instructions: four floats a vector, which is NEON on ARM. Elsewhere it is there to
 * be tested: torch and NumPy know better what to do with an old processor. */
#define LANES 4
#define TILE_PANELS 1
#define ROWS_OVER_HALVES 0
#define AHEAD 16
#if defined(__aarch64__) /* thirty-two registers */
#define MOST_SUMS 24
#define ROWS_OVER_1 6
#define ROWS_OVER_2 3
#define ROWS_OVER_3 2
#define ROWS_OVER_4 1
#define EACH_COUNT(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#define STRIP_ALONE 4
#define STRIP_AMONG 2
#else
#define MOST_SUMS 8
#define ROWS_OVER_1 2
#define ROWS_OVER_2 1
#define ROWS_OVER_3 0
#define ROWS_OVER_4 0
#define EACH_COUNT(CASE) CASE(1) CASE(2)
#define STRIP_ALONE 2
#define STRIP_AMONG 1
#endif
#define LEAST_LANES 8
#include "road.h"

#if defined(__aarch64__)
static int is_passable(void)
{
    return 1;
}

const struct road PLAIN = ROAD("NEON");
#else
static int is_passable(void)
{
    return 0;
}

const struct road PLAIN = ROAD("portable");
#endif
