"""`model.safetensors` of a classifier: net, linear model, labels, and how scores become probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint import container, weights
from charrnn.checkpoint.container import Tensors
from charrnn.checkpoint.model import (
    MEMBERS,
    NORMALISED,
    OUTLINES,
    check_net,
    check_version,
    header,
    parse_tokenizer,
    refuse_non_finite,
)
from charrnn.config import CLASSIFIER, MAX_MEMBERS, ClassifierConfig
from charrnn.errors import CheckpointError
from charrnn.storage import write_atomically
from charrnn.text.labelled import MAX_LABELS
from charrnn.text.tables import fault_of
from charrnn.text.tokenizer import Tokenizer

KIND = CLASSIFIER


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What scores are multiplied by to become those of honest probabilities."""

    net: float  # by itself
    linear: float  # by itself
    mixed_net: float  # in the answer
    mixed_linear: float  # in the answer; 0 if it says the contrary of what is right

    def answer(self, net: NDArray[np.float64], linear: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores of the answer from those of both models, [N, C]."""
        return self.mixed_net * net + self.mixed_linear * linear


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierCheckpoint:
    """A classifier as it lies on disk."""

    config: ClassifierConfig
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    tensors: Tensors  # of the net and of the linear model
    calibration: Calibration
    outlines: bool = False  # whether the linear model looks at those too, as no model did at first
    normalised: bool = False  # whether its rows are of length 1, as no model's were at first
    # What was trained on what, for how long, how well: shown by `inspect`, meaningless to the model.
    card: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    digest: str = ""


def save(path: Path, checkpoint: ClassifierCheckpoint) -> None:
    """Writes a checkpoint, durably and all at once.

    Raises:
        StorageError: if it cannot be written; what was at `path` stays.
    """
    write_atomically(path, container.pack(metadata(checkpoint), checkpoint.tensors))


def metadata(checkpoint: ClassifierCheckpoint) -> dict[str, Any]:
    """What stands in the file besides tensors, as plain values for JSON."""
    features = required(checkpoint.config, outlines=checkpoint.outlines, normalised=checkpoint.normalised)
    return header(KIND, features) | {
        "config": described(checkpoint.config),
        "tokenizer": checkpoint.tokenizer.describe(),
        "labels": list(checkpoint.labels),
        "calibration": asdict(checkpoint.calibration),
        "card": dict(checkpoint.card),
    }


def load(path: Path, *, allow_non_finite: bool = False) -> ClassifierCheckpoint:
    """The classifier in a file.

    Args:
        path: `model.safetensors`.
        allow_non_finite: give a model whose weights are not all numbers, to look at it.

    Raises:
        CheckpointError: if the file is damaged, foreign, newer, or not what its configuration says.
        StorageError: if it cannot be read.
    """
    description, tensors = container.unpack(path)
    checkpoint = parse(path, description, tensors)
    weights.check(path, tensors, shapes(checkpoint))
    check_keys(path, tensors)
    if not allow_non_finite:
        refuse_non_finite(path, tensors)
    return checkpoint


def shapes(checkpoint: ClassifierCheckpoint) -> dict[str, tuple[int, ...]]:
    """Name to shape of all tensors; how many n-grams there are, only they can tell."""
    keys = checkpoint.tensors.get(weights.NGRAM_KEYS)
    ngrams = 0 if keys is None else keys.size
    return weights.classifier_shapes(checkpoint.config) | weights.ngram_shapes(
        ngrams, checkpoint.config.classes
    )


def check_keys(path: Path, tensors: Tensors) -> None:
    """Refuses keys of n-grams that could not be found by search.

    Raises:
        CheckpointError: if they do not ascend.
    """
    keys = tensors[weights.NGRAM_KEYS]
    if not (keys[1:] > keys[:-1]).all():
        raise CheckpointError(f"{path}: the keys of the n-grams do not ascend")


def parse(
    path: Path, description: dict[str, Any], tensors: Tensors, kind: str = KIND
) -> ClassifierCheckpoint:
    """A checkpoint from its metadata, which is checked, and its tensors, which are not.

    Raises:
        CheckpointError: if the metadata is not that of a classifier this version can read.
    """
    check_version(path, description, kind)
    try:
        config = parse_config(path, description["config"])
        tokenizer = parse_tokenizer(path, description["tokenizer"], config.vocab_size)
        labels = _labels(path, description["labels"])
        calibration = _calibration(path, description["calibration"])
        card, created = description["card"], description["created"]
    except KeyError as error:
        raise CheckpointError(f"{path}: metadata: lacks {error}") from None
    if not (isinstance(card, dict) and isinstance(created, str)):
        raise CheckpointError(f"{path}: metadata: card or created is of the wrong kind")
    if len(labels) != config.classes:
        raise CheckpointError(f"{path}: has {len(labels)} labels, the model {config.classes}")
    return ClassifierCheckpoint(
        config=config,
        tokenizer=tokenizer,
        labels=labels,
        tensors=tensors,
        calibration=calibration,
        outlines=OUTLINES in description["required"],
        normalised=NORMALISED in description["required"],
        card=card,
        created=created,
        digest=str(description.get("digest", "")),
    )


def required(
    config: ClassifierConfig, *, outlines: bool = False, normalised: bool = False
) -> tuple[str, ...]:
    """The features that a reader of such a net and such a linear model must know."""
    features = {MEMBERS: config.members > 1, OUTLINES: outlines, NORMALISED: normalised}
    return tuple(name for name, is_there in features.items() if is_there)


def described(config: ClassifierConfig) -> dict[str, Any]:
    """The shape of a net as a file says it: of one that is alone, as before there were others."""
    values = asdict(config)
    if config.members == 1:
        del values["members"]
    return values


def parse_config(path: Path, values: Any) -> ClassifierConfig:
    """The shape of a net from what a file says of it.

    Raises:
        CheckpointError: if there is no such net.
    """
    names = {item.name for item in fields(ClassifierConfig)}
    if isinstance(values, dict):
        values = {"members": 1} | values
    check_net(path, values, names)
    if type(values["classes"]) is not int or not 2 <= values["classes"] <= MAX_LABELS:
        raise CheckpointError(f"{path}: metadata: classes is not a whole number from 2 to {MAX_LABELS:,}")
    if type(values["bidirectional"]) is not bool:
        raise CheckpointError(f"{path}: metadata: bidirectional is neither true nor false")
    if type(values["members"]) is not int or not 1 <= values["members"] <= MAX_MEMBERS:
        raise CheckpointError(f"{path}: metadata: members is not a whole number from 1 to {MAX_MEMBERS}")
    return ClassifierConfig(**values)


def _labels(path: Path, values: Any) -> tuple[str, ...]:
    valid = (
        isinstance(values, list)
        and all(isinstance(label, str) and fault_of(label) is None for label in values)
        and values == sorted(set(values))
    )
    if not valid:
        raise CheckpointError(f"{path}: metadata: the labels are not distinct, sorted and printable")
    return tuple(values)


def _calibration(path: Path, values: Any) -> Calibration:
    names = {item.name for item in fields(Calibration)}
    valid = isinstance(values, dict) and set(values) == names
    if not valid or not all(type(value) is float and value >= 0 for value in values.values()):
        raise CheckpointError(f"{path}: metadata: calibration has not exactly the factors {sorted(names)}")
    return Calibration(**values)
