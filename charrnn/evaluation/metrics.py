"""Losses as people compare them: nats per token and bits per byte."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Validation:
    """A model's loss on text it was not trained on."""

    nats_per_token: float
    bits_per_byte: float
    tokens: int  # how many were scored

    @property
    def loss(self) -> float:
        """What is to become small."""
        return self.nats_per_token


@dataclass(frozen=True, slots=True)
class Foresight:
    """How well a classifier's net foresees words, before it learns labels."""

    nats_per_token: float  # the mean over both directions
    tokens: int  # how many were scored

    @property
    def loss(self) -> float:
        """What is to become small."""
        return self.nats_per_token

    @property
    def perplexity(self) -> float:
        """Among how many equally likely tokens the next one might as well have been drawn."""
        return math.exp(self.nats_per_token)


def validation(
    nats: float, counts: NDArray[np.int64], byte_lengths: NDArray[np.float64], unknown: int | None
) -> Validation:
    """The losses of scored targets.

    What an `<unk>` stands for is spelled out at 8 bits a byte in bits per byte, so that leaving characters
    out of the vocabulary makes no model look better; nats per token take `<unk>` as one token like others.

    Args:
        nats: summed over all targets.
        counts: how often each id was scored, [V].
        byte_lengths: UTF-8 bytes of each id, [V].
        unknown: the id of `<unk>`, if there is one.

    Example:
        >>> validation(2 * math.log(2), np.array([1, 1]), np.array([1.0, 1.0]), None)
        Validation(nats_per_token=0.6931471805599453, bits_per_byte=1.0, tokens=2)
    """
    tokens = int(counts.sum())
    total_bytes = float(counts @ byte_lengths)
    spelled = 0.0 if unknown is None else 8.0 * float(counts[unknown] * byte_lengths[unknown])
    bits = nats / math.log(2) + spelled
    return Validation(
        nats_per_token=nats / max(1, tokens),
        bits_per_byte=bits / total_bytes if total_bytes else 0.0,
        tokens=tokens,
    )
