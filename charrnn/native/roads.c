/* The roads that are compiled in, and the structures that every one of them takes from Python. */
#include "adamw.h"
#include "prediction.h"
#include "sampler.h"
#include "work.h"

extern const struct road AVX512, AVX2, PLAIN;

const struct road *const ROADS[] = {
#if defined(__x86_64__)
    &AVX512,
    &AVX2,
#endif
    &PLAIN,
};

enum { ROAD_COUNT = sizeof ROADS / sizeof *ROADS };

/* The name of a road, the best one first; null past the last. */
PUBLIC const char *charrnn_road_name(int32_t road)
{
    return road < ROAD_COUNT ? ROADS[road]->name : 0;
}

/* Whether a road is worth taking on this processor. */
PUBLIC int32_t charrnn_road_is_passable(int32_t road)
{
    return ROADS[road]->is_passable();
}

/* What Python and the library know of each other: to be raised here and in `library.py` whenever a function
 * or a structure means something else than before. Sizes alone do not tell.
 */
PUBLIC int32_t charrnn_interface(void)
{
    return 1;
}

/* How many bytes the structures take that Python hands over, one after the other; 0 past the last. */
PUBLIC int64_t charrnn_size(int32_t structure)
{
    static const int64_t SIZES[] = {
        sizeof(struct window),     sizeof(struct layer_weights), sizeof(struct net),
        sizeof(struct states),     sizeof(struct reading),       sizeof(struct writing),
        sizeof(struct prediction), sizeof(struct moving),        sizeof(struct adamw)};
    return structure < (int32_t)(sizeof SIZES / sizeof *SIZES) ? SIZES[structure] : 0;
}
