#include "pack.h"

#include "work.h"

int64_t packed_size(int64_t columns, int64_t depth)
{
    return (columns + PANEL - 1) / PANEL * PANEL * depth;
}

void pack_rows(float *panels, const float *weight, int64_t H, int64_t depth, int first, int gates)
{
    for (int64_t unit = 0; unit < H; unit += PANEL)
        for (int gate = first; gate < first + gates; gate++, panels += depth * PANEL)
            for (int64_t j = 0; j < PANEL; j++) {
                const float *row = weight + (gate * H + unit + j) * depth;
                for (int64_t k = 0; k < depth; k++)
                    panels[k * PANEL + j] = unit + j < H ? row[k] : 0.0f;
            }
}

void pack_columns(float *panels, const float *weight, int64_t H, int64_t depth)
{
    for (int64_t unit = 0; unit < H; unit += PANEL, panels += depth * PANEL)
        for (int64_t k = 0; k < depth; k++)
            for (int64_t j = 0; j < PANEL; j++)
                panels[k * PANEL + j] = unit + j < H ? weight[k * H + unit + j] : 0.0f;
}
