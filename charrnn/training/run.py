"""One run's folder: the best model, all that resuming needs, and how both describe themselves."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import charrnn
from charrnn.checkpoint import container, model, runs, weights
from charrnn.checkpoint.container import Tensors
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import LANGUAGE_MODEL, AnyTraining, CorpusConfig, ModelConfig, TrainingConfig
from charrnn.errors import CheckpointError, UsageError
from charrnn.evaluation.score import Score
from charrnn.evaluation.yardstick import MAX_TRAINING_BYTES, MAX_VALIDATION_BYTES, xz_bits_per_byte
from charrnn.storage import write_atomically
from charrnn.text.corpus import Corpus
from charrnn.text.document import EMBEDDED, Document, check_regular
from charrnn.text.pipes import where_now
from charrnn.training.kinds import check_kinds
from charrnn.training.progress import Progress
from charrnn.training.progress import restore as restore_progress

KIND = "training-state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a run is made of, fixed when it starts; with the corpus it can be made again."""

    model: ModelConfig
    settings: TrainingConfig
    corpus: CorpusConfig
    sources: tuple[str, ...]  # absolute paths; none for the embedded corpus
    shown_sources: tuple[str, ...]  # as typed
    digest: str  # of the corpus
    from_model: str | None = None  # whose weights and tokenizer it started from
    asked_batch_size: int | None = None  # a small text has fewer streams; unknown of runs before it was kept


class Run:
    """Writes a run's files."""

    def __init__(self, folder: Path, recipe: Recipe, corpus: Corpus) -> None:
        self.folder = folder
        self.recipe = recipe
        self.corpus = corpus
        self.model_file = folder / runs.MODEL
        self.last_file = folder / runs.LAST

    @property
    def has_endings(self) -> bool:
        """Whether samples may end by themselves."""
        return self.corpus.documents > 1 or self.recipe.corpus.lines

    def save_model(
        self,
        tensors: Tensors,
        score: Score,
        progress: Progress,
        epochs: float,
        yardstick: float | None,
    ) -> None:
        """Writes the model that people share; whatever stood there before stays until it is durable."""
        card = self._card(score, progress, epochs, yardstick)
        model.save(self.model_file, self._checkpoint(tensors, card))

    def load_model(self) -> Tensors:
        """The weights of the best model as they are on disk."""
        return model.load(self.model_file).tensors

    def save_last(self, tensors: Tensors, progress: Progress) -> None:
        """Writes all that resuming needs."""
        description = model.metadata(self._checkpoint(tensors, {})) | {
            "kind": KIND,
            "recipe": plain(asdict(self.recipe)),
            "progress": progress.describe(),
        }
        write_atomically(self.last_file, container.pack(description, tensors))

    def yardstick(self) -> float | None:
        """Bits per byte of `xz` on the same split; `None` if that is too short."""
        decode = self.corpus.bytes_of
        training = decode(np.asarray(self.corpus.training[-MAX_TRAINING_BYTES:]))
        return xz_bits_per_byte(training, decode(np.asarray(self.corpus.validation[:MAX_VALIDATION_BYTES])))

    def _checkpoint(self, tensors: Tensors, card: Mapping[str, Any]) -> Checkpoint:
        return Checkpoint(
            config=self.recipe.model,
            tokenizer=self.corpus.tokenizer,
            tensors=tensors,
            has_endings=self.has_endings,
            card=card,
        )

    def _card(
        self, score: Score, progress: Progress, epochs: float, yardstick: float | None
    ) -> dict[str, Any]:
        return history(self.folder.name, LANGUAGE_MODEL, progress, epochs, self.recipe.settings) | {
            "corpus": {
                "sources": list(self.recipe.shown_sources),
                "digest": self.corpus.digest,
                "documents": self.corpus.documents,
                "characters": self.corpus.characters,
                **asdict(self.recipe.corpus),
            },
            "validation": asdict(score) | {"of": len(self.corpus.validation) - 1},
            "yardstick": None if yardstick is None else {"name": "xz", "bits_per_byte": yardstick},
            "from": self.recipe.from_model,
        }


def history(name: str, task: str, progress: Progress, epochs: float, settings: AnyTraining) -> dict[str, Any]:
    """What every card has, whatever the task."""
    return {
        "name": name,
        "task": task,
        "trained": {
            "seconds": progress.seconds,
            "steps": progress.step,
            "tokens": progress.tokens,
            "epochs": epochs,
            "finished": progress.finished,
        },
        "settings": plain(asdict(settings)),
        "versions": {
            "charrnn": charrnn.__version__,
            "python": platform.python_version(),
            "torch": importlib.metadata.version("torch"),
            "numpy": np.__version__,
        },
    }


@contextmanager
def complete(path: Path) -> Iterator[None]:
    """Says of a file in one line that what it says of a run is not what charrnn writes.

    Raises:
        CheckpointError: in place of what reading it raised.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"recipe or progress is not one that charrnn writes: {error}"
        raise CheckpointError(f"{path}: metadata: {reason}") from None


def exact(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from JSON, their seed a number again; what `plain` did is undone."""
    return {**settings, "seed": int(settings["seed"])}


class Left(NamedTuple):
    """What a run left behind when it stopped."""

    recipe: Recipe
    progress: Progress
    checkpoint: Checkpoint


@runs.read_to_resume
def load_recipe(folder: Path) -> Recipe:
    """What a run was made of, from the header of its file alone.

    Raises:
        CheckpointError: if the file cannot be used.
    """
    path = folder / runs.LAST
    return _parsed(path, container.read_metadata(path), {}).recipe


@runs.read_to_resume
def load_last(folder: Path) -> Left:
    """What a run was made of, how far it is, and its tensors.

    Raises:
        CheckpointError: if the file cannot be used.
    """
    path = folder / runs.LAST
    description, tensors = container.unpack(path)
    left = _parsed(path, description, tensors)
    recipe, step = left.recipe, left.progress.step
    weights.check(path, tensors, weights.training_shapes(recipe.model, recipe.settings.batch_size, step))
    model.refuse_non_finite(path, tensors)
    return left


def _parsed(path: Path, description: dict[str, Any], tensors: Tensors) -> Left:
    checkpoint = model.parse(path, description, tensors, KIND)
    with complete(path):
        values = description["recipe"]
        recipe = Recipe(
            **{
                **values,
                "model": checkpoint.config,
                "settings": TrainingConfig(**exact(values["settings"])),
                "corpus": CorpusConfig(**values["corpus"]),
                "sources": tuple(values["sources"]),
                "shown_sources": tuple(values["shown_sources"]),
            }
        )
        progress = restore_progress(description["progress"])
        check_kinds(recipe)
        check_kinds(progress)
        return Left(recipe, progress, checkpoint)


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Seeds as text: JSON numbers are exact only to 2**53."""
    if "settings" in values:
        return values | {"settings": plain(values["settings"])}
    return values | {"seed": str(values["seed"])}


def documents(folder: Path, recipe: Recipe) -> list[Document]:
    """Where the run's corpus was read.

    Raises:
        CheckpointError: if a file of it is gone, or is none.
    """
    found = where_now(folder, recipe.sources, recipe.shown_sources)
    try:
        for document in found:
            check_regular(document)
    except UsageError as error:
        raise CheckpointError(
            f"{folder.name}: its corpus cannot be read again: {error.message}",
            f"if it was moved, name its new place: charrnn train PATH --resume {shlex.quote(folder.name)}",
        ) from None
    return found or [EMBEDDED]


def check_corpus(folder: Path, recipe: Recipe, corpus: Corpus) -> None:
    """Refuses a corpus that is no longer what the run was trained on.

    Raises:
        CheckpointError: with both digests.
    """
    if corpus.digest != recipe.digest:
        raise CheckpointError(
            f"{folder.name}: its corpus has changed: "
            f"trained on {recipe.digest[:12]}, found {corpus.digest[:12]}",
            f"train a new model from this one: charrnn train --from {shlex.quote(folder.name)} ...",
        )
