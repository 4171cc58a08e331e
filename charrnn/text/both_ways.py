"""Ids to windows of parallel streams in both directions: what two language models learn from side by side."""

from __future__ import annotations

from dataclasses import dataclass

from charrnn.text.batches import Batch, Batches
from charrnn.text.tokenizer import Ids


@dataclass(frozen=True, slots=True)
class BatchPair:
    """A window of all streams for every direction."""

    windows: tuple[Batch, ...]

    @property
    def tokens(self) -> int:
        """How many targets are scored."""
        return sum(window.tokens for window in self.windows)

    @property
    def scored(self) -> int:
        """The same: each has a loss."""
        return self.tokens


class BatchesBothWays:
    """The windows of an id stream and of the same stream from its end, by step."""

    def __init__(self, ids: Ids, batch_size: int, seq_len: int, *, both: bool) -> None:
        self._ways = [Batches(way, batch_size, seq_len) for way in ((ids, ids[::-1]) if both else (ids,))]

    @property
    def batch_size(self) -> int:
        """How many streams there are in each direction."""
        return self._ways[0].batch_size

    @property
    def windows(self) -> int:
        """How many steps an epoch has."""
        return self._ways[0].windows

    @property
    def tokens(self) -> int:
        """How many targets an epoch has."""
        return sum(way.tokens for way in self._ways)

    def at(self, step: int) -> BatchPair:
        """The windows of a step; steps count on over epochs."""
        return BatchPair(tuple(way.at(step) for way in self._ways))
