"""`model.safetensors`: a language model with its tokenizer and its history, self-contained."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import charrnn
from charrnn.cells import CELLS
from charrnn.checkpoint import container, weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import (
    CLASSIFIER,
    DEFAULT_UNKNOWN,
    LANGUAGE_MODEL,
    MAX_HIDDEN,
    MAX_LAYERS,
    MOST_READ,
    NONLINEARITIES,
    ModelConfig,
)
from charrnn.errors import CheckpointError
from charrnn.storage import write_atomically
from charrnn.text.folded import FoldedWordTokenizer
from charrnn.text.lines import ids_of_lines, without_empty
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer, restore

FORMAT = 3
# What every model was before files could say otherwise.
FORMAT_2: dict[str, Any] = {"backward": False}
FORMAT_1 = FORMAT_2 | {"nonlinearity": "tanh", "zoneout": 0.0, "tied": False}
OLDER = {1: FORMAT_1, 2: FORMAT_2}
KIND = LANGUAGE_MODEL
# What to do with a file of another kind.
FITTING = {
    KIND: "charrnn sample writes with it",
    CLASSIFIER: "charrnn classify answers with it",
    "training-state": "it is what --resume needs; the model lies beside it",
    "classifier-training-state": "it is what --resume needs; the model lies beside it",
    "pretraining-state": "it is what --resume needs; there is no model yet",
    "language-model-pair": "it is half-way to a classifier; --resume goes on with it",
}
# Features that a reader must know to read a file rightly, named only by files that have them.
MEMBERS = "members"  # a classifier's net of several
OUTLINES = "outlines"  # a classifier's linear model also weighs n-grams of outlines
NORMALISED = "normalised"  # its texts count by the length of their rows of n-grams
FEATURES = (MEMBERS, OUTLINES, NORMALISED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A language model as it lies on disk."""

    config: ModelConfig
    tokenizer: Tokenizer
    tensors: Tensors
    # Whether the corpus had several documents, so that a boundary means the end of one.
    has_endings: bool
    # What was trained on what, for how long, how well: shown by `inspect`.
    card: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    digest: str = ""

    @property
    def is_of_lines(self) -> bool:
        """Whether every line of the corpus was a document, so that the model knows no line feed."""
        corpus = self.card.get("corpus")
        return self.has_endings and isinstance(corpus, Mapping) and corpus.get("lines") is True

    @property
    def newline(self) -> str:
        """What became of line ends before training, one of `config.NEWLINES`."""
        corpus = self.card.get("corpus")
        return "lf" if isinstance(corpus, Mapping) and corpus.get("newline") == "lf" else "keep"

    def as_read(self, text: str) -> str:
        """A text as it would have been trained on: without line ends or empty lines that never were."""
        if self.newline == "lf":
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return without_empty(text) if self.is_of_lines else text

    def encode(self, text: str, unknown: str = DEFAULT_UNKNOWN) -> Ids:
        """The ids of a text that is `as_read`."""
        encode = partial(self.tokenizer.encode, unknown=unknown)
        return ids_of_lines(encode, text.split("\n")) if self.is_of_lines else encode(text)

    def bytes_of(self, token: int) -> bytes:
        """The bytes that a token stands for in a text: a boundary between lines for a line feed."""
        return b"\n" if token == BOUNDARY and self.is_of_lines else self.tokenizer.token_bytes(token)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint, durably and all at once.

    Raises:
        StorageError: if it cannot be written; what was at `path` stays.
    """
    write_atomically(path, container.pack(metadata(checkpoint), checkpoint.tensors))


def metadata(checkpoint: Checkpoint) -> dict[str, Any]:
    """What stands in the file besides tensors, as plain values for JSON."""
    return header(KIND) | {
        "config": asdict(checkpoint.config),
        "tokenizer": checkpoint.tokenizer.describe(),
        "has_endings": checkpoint.has_endings,
        "card": dict(checkpoint.card),
    }


def header(kind: str, required: Sequence[str] = ()) -> dict[str, Any]:
    """What a file of any kind says first, and which features it has."""
    return {
        "format": FORMAT,
        "required": list(required),
        "written_by": f"charrnn {charrnn.__version__}",
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds"),
        "kind": kind,
    }


def load(path: Path, *, allow_non_finite: bool = False) -> Checkpoint:
    """The model in a file.

    Args:
        path: `model.safetensors`.
        allow_non_finite: give a model whose weights are not all numbers, to look at it.

    Raises:
        CheckpointError: if the file is damaged, foreign, newer, or not what its configuration says.
        StorageError: if it cannot be read.
    """
    description, tensors = container.unpack(path)
    checkpoint = parse(path, description, tensors)
    weights.check(path, tensors, weights.shapes(checkpoint.config))
    if not allow_non_finite:
        refuse_non_finite(path, tensors)
    return checkpoint


def load_forward(path: Path, name: str) -> Checkpoint:
    """The model in a file, to ask it what comes next.

    Args:
        path: `model.safetensors`.
        name: what the person calls the model.

    Raises:
        CheckpointError: if the file cannot be used, or its model cannot say that.
        StorageError: if it cannot be read.
    """
    checkpoint = load(path)
    if checkpoint.config.backward:
        raise CheckpointError(
            f"{name}: reads backwards: it predicts what came before, not what comes next",
            _made_for(name),
        )
    return checkpoint


def _made_for(name: str) -> str:
    """What to do with a model that reads backwards."""
    return f"it is made for charrnn train reviews/ --from FORWARD --from {shlex.quote(name)}"


def parse(path: Path, description: dict[str, Any], tensors: Tensors, kind: str = KIND) -> Checkpoint:
    """A checkpoint from its metadata, which is checked, and its tensors, which are not.

    Raises:
        CheckpointError: if the metadata is not that of a language model this version can read.
    """
    check_version(path, description, kind)
    try:
        config = _config(path, description["config"], description["format"])
        tokenizer = parse_tokenizer(path, description["tokenizer"], config.vocab_size)
        if isinstance(tokenizer, FoldedWordTokenizer):
            raise CheckpointError(f"{path}: metadata: the tokenizer is a classifier's, which cannot write")
        has_endings, card, created = (description[key] for key in ("has_endings", "card", "created"))
    except KeyError as error:
        raise CheckpointError(f"{path}: metadata: lacks {error}") from None
    if not (isinstance(has_endings, bool) and isinstance(card, dict) and isinstance(created, str)):
        raise CheckpointError(f"{path}: metadata: has_endings, card or created is of the wrong kind")
    return Checkpoint(
        config=config,
        tokenizer=tokenizer,
        tensors=tensors,
        has_endings=has_endings,
        card=card,
        created=created,
        digest=str(description.get("digest", "")),
    )


def check_version(path: Path, description: dict[str, Any], kind: str) -> None:
    """Refuses files of a newer format, with unknown features, or of another kind.

    Raises:
        CheckpointError: saying which.
    """
    version, required = description.get("format"), description.get("required")
    if type(version) is not int or not isinstance(required, list):
        raise CheckpointError(f"{path}: metadata: has no format number")
    unknown = [str(name) for name in required if name not in FEATURES]
    if version > FORMAT or unknown:
        needs = f"the features {', '.join(unknown)}" if unknown else f"format {version}"
        raise CheckpointError(
            f"{path}: was written by {description.get('written_by')} and needs {needs}, "
            f"which charrnn {charrnn.__version__} does not know",
            "a newer charrnn reads it",
        )
    if description.get("kind") != kind:
        found = str(description.get("kind"))
        is_backward = found == KIND and reads_backwards(description)
        hint = _made_for(str(path)) if is_backward else FITTING.get(found)
        said = f"is a {found}, not a {kind}".replace("-", " ")
        raise CheckpointError(f"{path}: {said}", hint)


def reads_backwards(description: Mapping[str, Any]) -> bool:
    """Whether a file's metadata, unchecked, is that of a model that predicts what came before."""
    config = description.get("config")
    return isinstance(config, dict) and config.get("backward") is True


def refuse_non_finite(path: Path, tensors: Tensors) -> None:
    """Refuses weights that are not all numbers.

    Raises:
        CheckpointError: naming a tensor and how many.
    """
    if counts := weights.non_finite(tensors):
        name, count = next(iter(counts.items()))
        raise CheckpointError(f"{path}: contains {count} non-finite values in {name}")


def check_net(path: Path, values: Any, names: set[str]) -> None:
    """Refuses a description of a net that none of ours has.

    Args:
        path: where it stood.
        values: the description, as it came from JSON.
        names: exactly the keys it must have.

    Raises:
        CheckpointError: naming what is wrong.
    """
    limits = {
        "vocab_size": MOST_READ,
        "hidden_size": MAX_HIDDEN,
        "embedding_size": MAX_HIDDEN,
        "num_layers": MAX_LAYERS,
    }
    if not isinstance(values, dict) or set(values) != names:
        raise CheckpointError(f"{path}: metadata: config has not exactly the keys {sorted(names)}")
    for name, limit in limits.items():
        if type(values[name]) is not int or not 1 <= values[name] <= limit:
            raise CheckpointError(f"{path}: metadata: {name} is not a whole number from 1 to {limit:,}")
    if values["cell"] not in tuple(CELLS):  # by equality: what stands there may have no hash
        raise CheckpointError(f"{path}: metadata: unknown cell; this version knows {', '.join(CELLS)}")
    if values["nonlinearity"] not in (NONLINEARITIES if values["cell"] == "rnn" else ("tanh",)):
        raise CheckpointError(f"{path}: metadata: the cell {values['cell']} has no such nonlinearity")
    if type(values["zoneout"]) is not float or not 0.0 <= values["zoneout"] < 1.0:
        raise CheckpointError(f"{path}: metadata: zoneout is not a number from 0 to below 1")


def _config(path: Path, values: Any, version: int) -> ModelConfig:
    if isinstance(values, dict):
        values = OLDER.get(version, {}) | values
    check_net(path, values, {item.name for item in fields(ModelConfig)})
    for name in ("tied", "backward"):
        if type(values[name]) is not bool:
            raise CheckpointError(f"{path}: metadata: {name} is neither true nor false")
    return ModelConfig(**values)


def parse_tokenizer(path: Path, description: Any, vocab_size: int) -> Tokenizer:
    """The tokenizer of a file.

    Args:
        path: the file.
        description: what stands there, as it came from JSON.
        vocab_size: of the model beside it.

    Raises:
        CheckpointError: if that is no description of one, or of one with another number of ids.
    """
    if not isinstance(description, dict):
        raise CheckpointError(f"{path}: metadata: tokenizer is no description of one")
    try:
        tokenizer = restore(description)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error.message}") from None
    if tokenizer.vocab_size != vocab_size:
        raise CheckpointError(f"{path}: the tokenizer has {tokenizer.vocab_size} ids, the model {vocab_size}")
    return tokenizer
