"""What the person asks for, checked against what cannot be changed; answered before torch is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from charrnn.cells import CELLS
from charrnn.checkpoint import model, runs, weights
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import (
    DECODED_LEVELS,
    TIED_LEVELS,
    ClassifierConfig,
    CorpusConfig,
    ModelConfig,
    TrainingConfig,
)
from charrnn.errors import UsageError
from charrnn.text.document import Document, absolute
from charrnn.text.pipes import all_there, is_pipe
from charrnn.text.sources import find
from charrnn.training.run import Recipe

SHAPE_FIELDS = ("cell", "nonlinearity", "zoneout", "num_layers", "hidden_size", "embedding_size")
LANGUAGE_MODEL_FIELDS = (*SHAPE_FIELDS, "backward")
# Which text levels have a use for a field, whatever the task.
OF_LEVELS = {"vocab_size": TIED_LEVELS, "subword": ("subword",)}
# Where a flag is a short form of its field's name.
FLAGS = {
    "num_layers": "--layers",
    "hidden_size": "--hidden",
    "embedding_size": "--embedding",
    "batch_size": "--batch",
    "vocab_size": "--vocab",
    "seq_len": "--seq",
    "learning_rate": "--lr",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person asked for; `None` is for the plan to decide."""

    cell: str = ModelConfig.cell
    nonlinearity: str = ModelConfig.nonlinearity
    zoneout: float = ModelConfig.zoneout
    hidden_size: int | None = None
    num_layers: int = ModelConfig.num_layers
    embedding_size: int | None = None
    backward: bool = ModelConfig.backward
    init: str = TrainingConfig.init
    dropout: float | None = None
    dropout_input: float = TrainingConfig.dropout_input
    weight_drop: float = TrainingConfig.weight_drop
    batch_size: int = TrainingConfig.batch_size
    seq_len: int = TrainingConfig.seq_len
    learning_rate: float | None = None
    clip: float = TrainingConfig.clip
    clip_value: float | None = TrainingConfig.clip_value
    weight_decay: float = TrainingConfig.weight_decay
    seed: int | None = None


class Origin(NamedTuple):
    """The model that a new one starts from."""

    name: str
    checkpoint: Checkpoint


def load_origin(name: str) -> Origin:
    """The model that `--from` names.

    Raises:
        UsageError: if there is no such model.
        CheckpointError: if its file cannot be used.
    """
    found = runs.find(name)
    return Origin(found.name, model.load(found.path))


def settled(
    corpus_flags: Mapping[str, Any], net_flags: Mapping[str, Any], origin: Origin | None
) -> tuple[CorpusConfig, Request]:
    """How to read and what to build, from the flags that were given and the model to start from.

    Raises:
        UsageError: if a flag contradicts that model.
    """
    if origin is not None:
        level, config = origin.checkpoint.tokenizer.level, origin.checkpoint.config
        shape = {field: getattr(config, field) for field in LANGUAGE_MODEL_FIELDS}
        corpus_flags, net_flags = inherited(f"--from {origin.name}", level, shape, corpus_flags, net_flags)
        # A line feed or CR that it does not know is none here either.
        corpus_flags.setdefault("newline", origin.checkpoint.newline)
        if origin.checkpoint.is_of_lines:
            corpus_flags["lines"] = True
    refuse_bidirectional(net_flags)
    net_flags = {name: value for name, value in net_flags.items() if name != "bidirectional"}
    corpus = CorpusConfig(**corpus_flags)
    refuse_idle(corpus.level, corpus_flags, OF_LEVELS | {"encoding": DECODED_LEVELS})
    request = Request(**net_flags)
    check_possible(request.cell, request.nonlinearity, request.init)
    return corpus, request


def inherited(
    by: str,
    level: str,
    shape: Mapping[str, Any],
    corpus_flags: Mapping[str, Any],
    net_flags: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The flags with the text level and the shape of what to start from.

    Args:
        by: how the person named that.
        level: its text level.
        shape: its shape.
        corpus_flags: how to read.
        net_flags: what to build.

    Raises:
        UsageError: if a flag contradicts it.
    """
    if "init" in net_flags:
        raise UsageError(f"--init does not go with {by}: it brings its own weights")
    for field in ("vocab_size", "subword"):
        if field in corpus_flags:
            raise UsageError(f"{flag_of(field)} does not go with {by}: it brings its vocabulary")
    refuse_differing(by, {**shape, "level": level}, corpus_flags, net_flags)
    return {**corpus_flags, "level": level}, {**net_flags, **shape}


def refuse_bidirectional(net_flags: Mapping[str, Any]) -> None:
    """Refuses a language model that reads both ways.

    Raises:
        UsageError: saying why.
    """
    if net_flags.get("bidirectional"):
        raise UsageError(
            "--bidirectional: a language model would read the character that it must predict",
            "leave --bidirectional out",
        )


def refuse_idle(
    level: str, given: Mapping[str, Any], of_levels: Mapping[str, tuple[str, ...]] = OF_LEVELS
) -> None:
    """Refuses flags that the text level has no use for.

    Args:
        level: the text level.
        given: the flags.
        of_levels: which levels have a use for a field.

    Raises:
        UsageError: naming the levels that have.
    """
    for field, levels in of_levels.items():
        if field in given and level not in levels:
            flag = flag_of(field)
            raise UsageError(f"{flag} is for --level {' or '.join(levels)}, not for {level}")


def check_possible(cell: str, nonlinearity: str, init: str) -> None:
    """Refuses a net that does not exist.

    Raises:
        UsageError: naming the flag and the cells that it is for.
    """
    is_gated = CELLS[cell].gates > 1
    gated = ", ".join(name for name, cell in CELLS.items() if cell.gates > 1)
    for flag, is_right, cells in (
        (f"--nonlinearity {nonlinearity}", nonlinearity == "tanh" or not is_gated, "rnn"),
        (f"--init {init}", init != "identity" or not is_gated, "rnn"),
        (f"--init {init}", init != "chrono" or is_gated, gated),
    ):
        if not is_right:
            raise UsageError(f"{flag} is for --cell {cells}, not for {cell}")


def check_members(net_flags: Mapping[str, Any]) -> None:
    """Refuses more members of a classifier's net than a file can hold.

    Raises:
        UsageError: saying how many it can.
    """
    shape = {item.name: net_flags[item.name] for item in fields(ClassifierConfig) if item.name in net_flags}
    config = ClassifierConfig(vocab_size=1, classes=2, **shape)
    if config.members > (most := weights.most_members(config)):
        raise UsageError(
            f"--members {config.members}: a file holds {most} nets of {config.num_layers} layers at most"
        )


def refuse_changes(recipe: Recipe, corpus_flags: Mapping[str, Any], net_flags: Mapping[str, Any]) -> None:
    """Refuses flags that say something else than the run they would resume.

    Raises:
        UsageError: naming the flag and both values.
    """
    refuse_bidirectional(net_flags)
    if net_flags.get("batch_size") == recipe.asked_batch_size:  # of which the text had fewer, perhaps
        net_flags = {name: value for name, value in net_flags.items() if name != "batch_size"}
    # The corpus last: its vocabulary is what was asked for, the model's has bytes and marks besides.
    fixed = asdict(recipe.settings) | asdict(recipe.model) | asdict(recipe.corpus)
    refuse_differing("--resume", fixed, corpus_flags, net_flags)


def named_elsewhere(
    run: Path, inputs: Sequence[str], shown: Sequence[str], sources: Sequence[str]
) -> list[Document]:
    """The documents that inputs name, if those are not the files of the run they would resume.

    Args:
        run: its folder.
        inputs: as typed now.
        shown: as typed then.
        sources: the absolute paths of the files that were found.

    Raises:
        UsageError: if one does not exist, or can be read only once.
    """
    is_piped = any(map(is_pipe, inputs))
    if list(inputs) == list(shown) and (is_piped or all_there(run, sources, shown)):
        return []
    if is_piped:
        raise other_texts(inputs, shown, "write it to a file first: the run goes on if that is its text")
    found = find(inputs)
    return [] if absolute(found) == tuple(sources) else found


def other_texts(inputs: Sequence[str], shown: Sequence[str], hint: str | None) -> UsageError:
    """The error that inputs are not what the run they would resume was trained on.

    Args:
        inputs: as typed now.
        shown: as typed then.
        hint: what can be done with them.
    """
    was = " ".join(shown) or "the embedded corpus"
    return UsageError(f"--resume: the run was trained on {was}, not on {' '.join(inputs)}", hint)


def refuse_differing(by: str, fixed: Mapping[str, Any], *flags: Mapping[str, Any]) -> None:
    """Refuses flags that say something else than what is fixed.

    Raises:
        UsageError: naming the flag and both values.
    """
    for field, value in (item for given in flags for item in given.items()):
        if field in fixed and fixed[field] != value:
            flag = flag_of(field)
            wanted, has = (_shown(flag, said) for said in (value, fixed[field]))
            raise UsageError(f"{wanted} contradicts {by}: it has {has}", f"leave {flag} out")


def _shown(flag: str, value: Any) -> str:
    """A flag as it would be typed."""
    if value is None or value is False or value == ():
        return f"no {flag}"
    if isinstance(value, tuple):
        return " ".join((flag, *value))
    return flag if value is True else f"{flag} {value}"


def flag_of(field: str) -> str:
    """The flag that sets a field."""
    return FLAGS.get(field, "--" + field.replace("_", "-"))
