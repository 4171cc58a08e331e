"""All runs below a folder, the best first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charrnn.cells import cell_name
from charrnn.checkpoint import container, model, runs, weights
from charrnn.errors import CharrnnError


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in the table; what cannot be read says so in `error`."""

    name: str
    bits_per_byte: float | None = None
    model: str = ""
    parameters: int | None = None
    seconds: float | None = None
    created: str = ""
    is_training: bool = False
    error: str | None = None


def rows(models: Sequence[Path]) -> list[RunRow]:
    """A row per model file, sorted by bits per byte; those without come last."""
    found = [_row(path) for path in models]
    return sorted(found, key=lambda row: (row.bits_per_byte is None, row.bits_per_byte, row.name))


def _row(path: Path) -> RunRow:
    name = path.parent.name
    try:
        checkpoint = model.parse(path, container.read_metadata(path), {})
    except CharrnnError as error:
        return RunRow(name, error=error.message)
    config = checkpoint.config
    cell = cell_name(config.cell, config.nonlinearity)
    return RunRow(
        name=name,
        bits_per_byte=_number(checkpoint.card, "validation", "bits_per_byte"),
        model=f"{checkpoint.tokenizer.level} {cell} {config.num_layers}x{config.hidden_size}",
        parameters=weights.parameters(config),
        seconds=_number(checkpoint.card, "trained", "seconds"),
        created=checkpoint.created,
        is_training=runs.is_locked(path.parent),
    )


def _number(card: Any, *keys: str) -> float | None:
    for key in keys:
        card = card.get(key) if isinstance(card, dict) else None
    return float(card) if isinstance(card, (int, float)) and math.isfinite(card) else None
