"""All runs below a folder, the best first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charrnn.cells import cell_name
from charrnn.checkpoint import classifier, container, model, runs, weights
from charrnn.checkpoint.classifier import ClassifierCheckpoint
from charrnn.checkpoint.lock import is_locked
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import ClassifierConfig
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
    accuracy: float | None = None  # of a classifier's answers


def rows(models: Sequence[Path], without: Sequence[str] = ()) -> list[RunRow]:
    """A row per run: language models by bits per byte, classifiers by accuracy, then those without either.

    Args:
        models: files.
        without: the names of runs that have no model yet.
    """
    return sorted((*map(_row, models), *map(_unfinished, without)), key=_rank)


def _unfinished(name: str) -> RunRow:
    run = runs.folder(name)
    return RunRow(name, is_training=is_locked(run), error=f"no model yet: {runs.what_next(run)}")


def _rank(row: RunRow) -> tuple[int, float, str]:
    if row.bits_per_byte is not None:
        return 0, row.bits_per_byte, row.name
    if row.accuracy is not None:
        return 1, -row.accuracy, row.name
    return 2, 0.0, row.name


def _row(path: Path) -> RunRow:
    name = path.parent.name
    checkpoint: Checkpoint | ClassifierCheckpoint
    try:
        description = container.read_metadata(path)
        is_classifier = description.get("kind") == classifier.KIND
        checkpoint = (classifier if is_classifier else model).parse(path, description, {})
    except CharrnnError as error:
        return RunRow(name, error=error.message)
    config = checkpoint.config
    cell = cell_name(config.cell, config.nonlinearity)
    if isinstance(config, ClassifierConfig):
        several = f", {config.members} nets" if config.members > 1 else ""
        also = f"{several}, {config.classes} labels"
    else:
        also = " backwards" if config.backward else ""
    return RunRow(
        name=name,
        bits_per_byte=_number(checkpoint.card, "validation", "bits_per_byte"),
        accuracy=_number(checkpoint.card, "validation", "answer", "accuracy"),
        model=f"{checkpoint.tokenizer.level} {cell} {config.num_layers}x{config.hidden_size}{also}",
        parameters=weights.parameters(config),
        seconds=_number(checkpoint.card, "trained", "seconds"),
        created=checkpoint.created,
        is_training=is_locked(path.parent),
    )


def _number(card: Any, *keys: str) -> float | None:
    for key in keys:
        card = card.get(key) if isinstance(card, dict) else None
    return float(card) if isinstance(card, (int, float)) and math.isfinite(card) else None
