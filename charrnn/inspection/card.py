"""The model card: what was trained on what, when, for how long, how well."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from charrnn.checkpoint import weights
from charrnn.checkpoint.classifier import ClassifierCheckpoint
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import CLASSIFIER, LANGUAGE_MODEL


def classifier_card(path: Path, name: str, checkpoint: ClassifierCheckpoint) -> dict[str, Any]:
    """The card of a classifier, as values for JSON."""
    return {
        "task": CLASSIFIER,
        **checkpoint.card,
        "name": name,
        "path": str(path),
        "created": checkpoint.created,
        "level": checkpoint.tokenizer.level,
        **asdict(checkpoint.config),
        "labels": list(checkpoint.labels),
        "calibration": asdict(checkpoint.calibration),
        "parameters": weights.parameters(checkpoint.config),
        "ngrams": int(checkpoint.tensors[weights.NGRAM_KEYS].size),
        "digest": checkpoint.digest,
        "non_finite": weights.non_finite(checkpoint.tensors),
    }


def card(path: Path, name: str, checkpoint: Checkpoint) -> dict[str, Any]:
    """The card of a model, as values for JSON.

    What the file says of its history (`trained`, `validation`, …) is passed on as it stands there.
    """
    config = checkpoint.config
    return {
        "task": LANGUAGE_MODEL,
        **checkpoint.card,
        "name": name,
        "path": str(path),
        "created": checkpoint.created,
        "level": checkpoint.tokenizer.level,
        "cell": config.cell,
        "nonlinearity": config.nonlinearity,
        "zoneout": config.zoneout,
        "tied": config.tied,
        "backward": config.backward,
        "num_layers": config.num_layers,
        "hidden_size": config.hidden_size,
        "embedding_size": config.embedding_size,
        "parameters": weights.parameters(config),
        "vocab_size": config.vocab_size,
        "digest": checkpoint.digest,
        "non_finite": weights.non_finite(checkpoint.tensors),
    }
