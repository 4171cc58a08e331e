#include <string.h>

#include "pack.h"

#include "work.h"

int64_t packed_size(const struct packing *p)
{
    return panels_over(p->H) * PANEL * p->gates * p->depth;
}

/* Fills with zeros a panel that has fewer columns than 16; returns how many it has. */
static int64_t begin_panel(float *panel, int64_t H, int64_t unit, int64_t depth)
{
    if (H - unit >= PANEL)
        return PANEL;
    memset(panel, 0, sizeof(float) * depth * PANEL);
    return H - unit;
}

void pack_rows(const struct packing *p, int64_t unit)
{
    int64_t depth = p->depth;
    float *panel = p->panels + unit * p->gates * depth;
    for (int gate = 0; gate < p->gates; gate++, panel += depth * PANEL) {
        const float *rows = p->weight + (gate * p->H + unit) * depth;
        int64_t count = begin_panel(panel, p->H, unit, depth);
        for (int64_t k = 0; k < depth; k++)
            if (count == PANEL) /* a constant, in nearly every panel, is twice as fast */
                for (int64_t j = 0; j < PANEL; j++)
                    panel[k * PANEL + j] = rows[j * depth + k];
            else
                for (int64_t j = 0; j < count; j++)
                    panel[k * PANEL + j] = rows[j * depth + k];
    }
}

void pack_columns(const struct packing *p, int64_t unit)
{
    const float *columns = p->weight + unit;
    float *panel = p->panels + unit * p->depth;
    int64_t count = begin_panel(panel, p->H, unit, p->depth);
    for (int64_t k = 0; k < p->depth; k++)
        if (count == PANEL)
            memcpy(panel + k * PANEL, columns + k * p->H, sizeof(float) * PANEL);
        else
            memcpy(panel + k * PANEL, columns + k * p->H, sizeof(float) * count);
}
