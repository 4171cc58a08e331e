"""The learning rate as a function of how much of the budget is spent."""

from __future__ import annotations

import math
from dataclasses import dataclass

# A run that goes on after its end warms up to this share of its first peak.
PEAK_AFTER_RESUME = 0.5
WARMUP_FROM = 0.1  # of the peak: the very first step should not be for nothing


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of training, from warm-up to the last decay: from `begin` to `end` in `unit`s."""

    unit: str  # "seconds" or "steps"
    begin: float
    end: float
    peak: float = 1.0  # share of the configured learning rate
    # Steps may have a limit of time as well: where the clock stood at `begin`, and where it ends the segment
    # if the steps have not ended it before.
    within: tuple[float, float] | None = None

    def share(self, step: int, seconds: float) -> float:
        """How much of the segment is behind us, from 0; 1 and more is its end."""
        share = _share(self.begin, self.end, seconds if self.unit == "seconds" else step)
        return max(share, _share(*self.within, seconds)) if self.within else share


def _share(begin: float, end: float, here: float) -> float:
    # A clock may show less than at the beginning: that of a run that was stopped before its first step.
    return max(0.0, here - begin) / max(end - begin, 1e-9)


def factor(segment: Segment, share: float, warmup: float) -> float:
    """What to multiply the configured rate with: a linear rise, then half a cosine down to 0.

    (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, one cycle.)

    Example:
        >>> segment = Segment("steps", 0, 100)
        >>> [round(factor(segment, share, 0.1), 3) for share in (0.0, 0.05, 0.1, 0.55, 1.0)]
        [0.1, 0.55, 1.0, 0.5, 0.0]
    """
    if share < warmup:
        return segment.peak * (WARMUP_FROM + (1.0 - WARMUP_FROM) * share / warmup)
    along = min(1.0, (share - warmup) / (1.0 - warmup))
    return segment.peak * 0.5 * (1.0 + math.cos(math.pi * along))
