"""Ids to windows of parallel streams, for truncated back-propagation with carried state.

The N ids are cut into B lanes that are read side by side, window after window:

    ids  a b c d e f g h i j k l m     B = 3, T = 2
                                       window 0   window 1
    lane 0      a b c d               a b -> b c   c d -> d e
    lane 1      e f g h               e f -> f g   g h -> h i
    lane 2      i j k l               i j -> j k   k l -> l m

Targets are the inputs shifted by one, across windows and lanes, so each id but the first is predicted once
an epoch. Windows are evened out (no runt at the end); a lane that is one shorter is `IGNORED` there.

A lane is a row of streams, so many windows long each, and a stream starts its epoch from a state of zeros;
the lanes take turns with that. A net that met zeros only where a lane begins would hardly know how to start,
and starting is what every sample does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.config import IGNORED, TrainingConfig
from charrnn.errors import TextError
from charrnn.text.tokenizer import BOUNDARY, Ids

# SplitMix64 (Steele, Lea & Flood 2014, OOPSLA, fig. 17): a counter goes in, 64 well-mixed bits come out.
GOLDEN_GAMMA = 0x9E3779B97F4A7C15
MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))
MASK64 = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Batch:
    """One window of all streams."""

    inputs: NDArray[np.int64]  # [T, B]
    targets: NDArray[np.int64]  # [T, B]; `IGNORED` is not scored
    starts: NDArray[np.bool_]  # where a stream starts: the state before is zero, [B]
    tokens: int  # how many targets are scored

    @property
    def scored(self) -> int:
        """The same: each has a loss."""
        return self.tokens


@dataclass(frozen=True, slots=True)
class UnknownRule:
    """Now and then an occurrence of a character is read as `<unk>`, so that `<unk>` means something.

    One that stands c times in the training text is replaced with probability 1 / (1 + c): a character seen
    once every other time, a common one about once an epoch.
    """

    unknown: int
    counts: NDArray[np.int64]  # [V]
    seed: int


class Batches:
    """The windows of an id stream, by step: any of them at any time, the same for the same seed."""

    def __init__(
        self,
        ids: Ids,
        batch_size: int,
        seq_len: int,
        rule: UnknownRule | None = None,
        stream_windows: int = TrainingConfig.stream_windows,
    ) -> None:
        targets = len(ids) - 1
        self.ids = ids
        # Lanes shorter than a window would make every window shorter: fewer lanes then.
        self.batch_size = max(1, min(batch_size, targets // seq_len))
        longest = math.ceil(targets / self.batch_size)
        self.windows = max(1, math.ceil(longest / seq_len))
        self._starts = np.arange(self.batch_size + 1) * targets // self.batch_size
        self._edges = np.arange(self.windows + 1) * longest // self.windows
        self._stream_windows = stream_windows
        self._turns = np.arange(self.batch_size) * stream_windows // self.batch_size
        self._rule = rule
        if rule is not None:
            self._probabilities = 1.0 / (1.0 + rule.counts)
            self._probabilities[[BOUNDARY, rule.unknown]] = 0.0

    @property
    def tokens(self) -> int:
        """How many targets an epoch has."""
        return len(self.ids) - 1

    def at(self, step: int) -> Batch:
        """The batch of a step; steps count on over epochs."""
        epoch, window = divmod(step, self.windows)
        begin, end = self._edges[window], self._edges[window + 1]
        positions = self._starts[:-1, None] + np.arange(begin, end + 1)  # [B, T + 1]
        # The last target of a lane is the first input of the next; beyond it nothing is scored.
        scored = positions[:, 1:] <= self._starts[1:, None]
        positions = np.minimum(positions, len(self.ids) - 1)
        ids = self.ids[positions].astype(np.int64)
        if self._rule is not None:
            drawn = uniform(positions, self._rule.seed, epoch)
            ids[drawn < self._probabilities[ids]] = self._rule.unknown
        targets = np.where(scored, ids[:, 1:], IGNORED)
        return Batch(
            inputs=np.ascontiguousarray(ids[:, :-1].T),
            targets=np.ascontiguousarray(targets.T),
            starts=((window + self._turns) % self._stream_windows == 0) | (window == 0),
            tokens=int(scored.sum()),
        )


def check_length(name: str, unit: str, tokens: int, seq_len: int, val_fraction: float) -> None:
    """Refuses a training part without a single window.

    Args:
        name: what errors call the corpus.
        unit: what a token is, in the singular.
        tokens: of the training part, to be predicted; a text that is all validation has less than none.
        seq_len: of a window.
        val_fraction: the share of the corpus that is not in the training part.

    Raises:
        TextError: naming how long the corpus would have to be.
    """
    if tokens < seq_len + 1:
        found = max(1, round(tokens / (1 - val_fraction)))
        needed = math.ceil((seq_len + 1) / (1 - val_fraction))
        shown = f"{found:,} {unit}{'s' * (found > 1)}"
        raise TextError(
            f"{name}: has about {shown}; --seq {seq_len} needs at least {needed:,}",
            "give more text, or a smaller --seq",
        )


def check_validation(name: str, tokens: int, val_fraction: float) -> None:
    """Refuses a validation part without a token to be predicted: it would call any model perfect.

    Raises:
        TextError: naming the share that was asked for.
    """
    if tokens < 1:
        raise TextError(
            f"{name}: --val-fraction {val_fraction:g} leaves nothing to validate on",
            "give more text, or a larger --val-fraction",
        )


def uniform(positions: NDArray[np.int64], seed: int, epoch: int) -> NDArray[np.float64]:
    """Numbers in [0, 1) that depend on position, seed and epoch alone: nothing to save, nothing to lose."""
    mixed = positions.astype(np.uint64) * np.uint64(GOLDEN_GAMMA)
    mixed += np.uint64((seed * MIX[0][1] + (epoch + 1) * MIX[1][1]) & MASK64)
    for shift, factor in MIX:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
