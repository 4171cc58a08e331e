#include <string.h>

#include "pack.h"

#include "work.h"

int64_t packed_size(int64_t columns, int64_t depth)
{
    return (columns + PANEL - 1) / PANEL * PANEL * depth;
}

/* Fills with zeros a panel that has fewer columns than 16; returns how many it has. */
static int64_t begin_panel(float *panel, int64_t H, int64_t unit, int64_t depth)
{
    if (H - unit >= PANEL)
        return PANEL;
    memset(panel, 0, sizeof(float) * depth * PANEL);
    return H - unit;
}

void pack_rows(float *panels, const float *weight, int64_t H, int64_t depth, int first, int gates)
{
    for (int64_t unit = 0; unit < H; unit += PANEL)
        for (int gate = first; gate < first + gates; gate++, panels += depth * PANEL) {
            const float *rows = weight + (gate * H + unit) * depth;
            int64_t count = begin_panel(panels, H, unit, depth);
            for (int64_t k = 0; k < depth; k++)
                if (count == PANEL) /* a constant, in nearly every panel, is twice as fast */
                    for (int64_t j = 0; j < PANEL; j++)
                        panels[k * PANEL + j] = rows[j * depth + k];
                else
                    for (int64_t j = 0; j < count; j++)
                        panels[k * PANEL + j] = rows[j * depth + k];
        }
}

void pack_columns(float *panels, const float *weight, int64_t H, int64_t depth)
{
    for (int64_t unit = 0; unit < H; unit += PANEL, panels += depth * PANEL) {
        int64_t count = begin_panel(panels, H, unit, depth);
        for (int64_t k = 0; k < depth; k++)
            if (count == PANEL)
                memcpy(panels + k * PANEL, weight + k * H + unit, sizeof(float) * PANEL);
            else
                memcpy(panels + k * PANEL, weight + k * H + unit, sizeof(float) * count);
    }
}
