"""The models that `--from` names: one for a language model, one for each direction for a classifier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from charrnn.checkpoint.container import Tensors
from charrnn.errors import UsageError
from charrnn.text.tokenizer import Tokenizer
from charrnn.training.request import SHAPE_FIELDS, Origin, flag_of, inherited, load_origin

MOST = 2  # one for each direction


class Origins(NamedTuple):
    """The language models that a classifier starts from, at least one."""

    forward: Origin | None
    backward: Origin | None

    @property
    def given(self) -> tuple[Origin, ...]:
        """Those that there are, the forward one first."""
        return tuple(origin for origin in self if origin is not None)

    @property
    def name(self) -> str:
        """What they are called."""
        return " and ".join(origin.name for origin in self.given)

    @property
    def tokenizer(self) -> Tokenizer:
        """Of all of them."""
        return self.given[0].checkpoint.tokenizer

    @property
    def tensors(self) -> tuple[Tensors | None, Tensors | None]:
        """The weights for the forward and for the backward direction."""
        forward, backward = (origin and origin.checkpoint.tensors for origin in self)
        return forward, backward


def load_origins(names: Sequence[str]) -> tuple[Origin, ...]:
    """The models that `--from` names.

    Raises:
        UsageError: if there are more than two, or one does not exist.
        CheckpointError: if a file cannot be used.
    """
    if len(names) > MOST:
        raise UsageError(
            f"{_flags(names)}: {len(names)} models",
            "a classifier starts from two at most, one for each direction, and a language model from one",
        )
    return tuple(load_origin(name) for name in names)


def single(origins: Sequence[Origin]) -> Origin | None:
    """The model that a language model starts from, if there is one.

    Raises:
        UsageError: if there are two.
    """
    if len(origins) > 1:
        raise UsageError(
            f"{_flags(origin.name for origin in origins)}: a language model starts from one model",
            "leave one out; a classifier starts from two",
        )
    return origins[0] if origins else None


def paired(origins: Sequence[Origin]) -> Origins | None:
    """The models that a classifier starts from, in whichever order they came; `None` if there are none.

    Raises:
        UsageError: if two read in the same direction, or do not fit together.
    """
    if not origins:
        return None
    by_way = {origin.checkpoint.config.backward: origin for origin in origins}
    both = _flags(origin.name for origin in origins)
    if len(by_way) < len(origins):
        way = "backwards" if True in by_way else "forwards"
        raise UsageError(
            f"{both}: both read {way}", "train one of them with --backward and the other without"
        )
    if len(origins) == MOST and (reason := _misfit(*origins)):
        raise UsageError(
            f"{both}: do not fit together: {reason}",
            "train both on the same text with the same flags; only --embedding may differ",
        )
    return Origins(by_way.get(False), by_way.get(True))


def inherited_by_classifier(
    origins: Origins, corpus_flags: Mapping[str, Any], net_flags: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The flags with the text level and the shape of the models to start from, their embeddings side by side.

    Raises:
        UsageError: if a flag contradicts those models.
    """
    by = _flags(origin.name for origin in origins.given)
    if origins.backward and net_flags.get("bidirectional") is False:
        raise UsageError(
            f"--no-bidirectional contradicts {by}: {origins.backward.name} reads backwards",
            "leave --no-bidirectional out",
        )
    configs = [origin.checkpoint.config for origin in origins.given]
    shape = {field: getattr(configs[0], field) for field in SHAPE_FIELDS}
    shape["embedding_size"] = sum(config.embedding_size for config in configs)
    return inherited(by, origins.tokenizer.level, shape, corpus_flags, net_flags)


def _misfit(one: Origin, other: Origin) -> str | None:
    """What keeps two models from being the directions of one net."""
    if one.checkpoint.tokenizer.describe() != other.checkpoint.tokenizer.describe():
        return "their vocabularies differ"
    for field in SHAPE_FIELDS:
        ours, theirs = (getattr(origin.checkpoint.config, field) for origin in (one, other))
        if ours != theirs and field != "embedding_size":
            return f"{flag_of(field)} is {ours} and {theirs}"
    return None


def _flags(names: Iterable[str]) -> str:
    """The names as they were typed."""
    return " ".join(f"--from {name}" for name in names)
