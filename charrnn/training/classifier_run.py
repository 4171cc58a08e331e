"""A classifier's run: the best model, all that resuming needs, and how both describe themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint import classifier, container, model, runs, weights
from charrnn.checkpoint.classifier import Calibration, ClassifierCheckpoint
from charrnn.checkpoint.container import Tensors
from charrnn.config import CLASSIFIER, ClassifierConfig, FineTuningConfig, LabelledConfig
from charrnn.evaluation.classification import Verdict
from charrnn.evaluation.score import Score
from charrnn.inference.linear import Linear
from charrnn.storage import write_atomically
from charrnn.text.documents import LabelledCorpus
from charrnn.training.kinds import check_kinds
from charrnn.training.progress import Progress
from charrnn.training.progress import restore as restore_progress
from charrnn.training.run import complete, exact, history, plain

KIND = "classifier-training-state"
# Before the first evaluation has found better ones.
UNCALIBRATED = Calibration(net=1.0, linear=1.0, mixed_net=0.5, mixed_linear=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Where a classifier's texts come from and how they are read."""

    config: LabelledConfig
    sources: tuple[str, ...]  # absolute paths
    folder: str | None = None  # in which the sources were found, if that is what was named
    valid: tuple[str, ...] = ()  # absolute paths of validation texts, or of a folder, if they were given
    unlabelled: tuple[str, ...] = ()  # absolute paths of texts without labels
    shown: tuple[str, ...] = ()  # the sources as typed


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierRecipe:
    """What a run is made of, fixed when it starts; with the corpus it can be made again."""

    model: ClassifierConfig
    settings: FineTuningConfig
    texts: Texts
    digest: str  # of the corpus
    from_model: str | None = None  # the language models whose weights and tokenizer it started from
    # What the stage before came to, if the net first learnt to foresee words: steps, epochs and nats a token.
    pretraining: dict[str, float] | None = None

    @property
    def labels_settings(self) -> FineTuningConfig:
        """How labels are learnt."""
        return self.settings

    @property
    def is_pretrained(self) -> bool:
        """Whether the net knew words before it saw labels."""
        return self.from_model is not None or self.pretraining is not None


class ClassifierRun:
    """Writes a run's files."""

    def __init__(
        self,
        folder: Path,
        recipe: ClassifierRecipe,
        corpus: LabelledCorpus,
        linear: Linear,
        answering: Linear,
    ) -> None:
        """Takes what a run is made of.

        Args:
            folder: where it is kept.
            recipe: fixed when it started.
            corpus: the one it was made from.
            linear: the model of the training texts, which the validation texts measure.
            answering: the one that goes into the model's file, the same or one of more texts.
        """
        self.folder = folder
        self.recipe = recipe
        self.corpus = corpus
        self.linear = linear
        self.answering = answering
        self.model_file = folder / runs.MODEL
        self.last_file = folder / runs.LAST

    def save_model(
        self,
        tensors: Tensors,
        score: Score,
        progress: Progress,
        epochs: float,
        yardstick: float | None,  # noqa: ARG002 (the linear model is in the score)
    ) -> None:
        """Writes the model that people share; whatever stood there before stays until it is durable."""
        assert isinstance(score, Verdict)
        card = history(self.folder.name, CLASSIFIER, progress, epochs, self.recipe.settings) | {
            "corpus": {
                "sources": list(self.recipe.texts.shown),
                "form": self.corpus.form,
                "digest": self.corpus.digest,
                "documents": len(self.corpus.training),
                "labels": dict(zip(self.corpus.labels, self._counts(), strict=True)),
                **asdict(self.recipe.texts.config),
            },
            "validation": asdict(score) | {"of": len(self.corpus.validation)},
            "from": self.recipe.from_model,
            "pretraining": self.recipe.pretraining,
        }
        classifier.save(self.model_file, self._checkpoint(tensors, self.answering, score.calibration, card))

    def load_model(self) -> Tensors:
        """The weights of the best model's net as they are on disk."""
        tensors = classifier.load(self.model_file).tensors
        return {name: tensors[name] for name in weights.classifier_shapes(self.recipe.model)}

    def save_last(self, tensors: Tensors, progress: Progress) -> None:
        """Writes all that resuming needs."""
        checkpoint = self._checkpoint(tensors, self.linear, UNCALIBRATED, {})
        description = classifier.metadata(checkpoint) | {
            "kind": KIND,
            "recipe": plain(asdict(self.recipe)) | {"model": classifier.described(self.recipe.model)},
            "progress": progress.describe(),
        }
        write_atomically(self.last_file, container.pack(description, checkpoint.tensors))
        (self.folder / runs.PAIR).unlink(missing_ok=True)  # what the first stage found is in here now

    def yardstick(self) -> None:
        """None of its own: every score has that of the linear model."""

    def _counts(self) -> list[int]:
        """How many training documents have each label."""
        counts = np.bincount(self.corpus.training.labels, minlength=len(self.corpus.labels))
        return [int(count) for count in counts]

    def _checkpoint(
        self, tensors: Tensors, linear: Linear, calibration: Calibration, card: Mapping[str, Any]
    ) -> ClassifierCheckpoint:
        return ClassifierCheckpoint(
            config=self.recipe.model,
            tokenizer=self.corpus.tokenizer,
            labels=self.corpus.labels,
            tensors=tensors | linear.tensors(),
            calibration=calibration,
            outlines=linear.outlines,
            normalised=linear.normalised,
            card=card,
        )


class ClassifierLeft(NamedTuple):
    """What a run left behind when it stopped."""

    recipe: ClassifierRecipe
    progress: Progress
    checkpoint: ClassifierCheckpoint


@runs.read_to_resume
def load_recipe(folder: Path) -> ClassifierRecipe:
    """What a run was made of, from the header of its file alone.

    Raises:
        CheckpointError: if the file cannot be used.
    """
    path = folder / runs.LAST
    return _parsed(path, container.read_metadata(path), {}).recipe


@runs.read_to_resume
def load_last(folder: Path) -> ClassifierLeft:
    """What a run was made of, how far it is, and its tensors.

    Raises:
        CheckpointError: if the file cannot be used.
    """
    path = folder / runs.LAST
    description, tensors = container.unpack(path)
    left = _parsed(path, description, tensors)
    net = weights.classifier_shapes(left.recipe.model)
    weights.check(path, tensors, classifier.shapes(left.checkpoint) | weights.descent_shapes(net))
    classifier.check_keys(path, tensors)
    model.refuse_non_finite(path, tensors)
    return left


def _parsed(path: Path, description: dict[str, Any], tensors: Tensors) -> ClassifierLeft:
    checkpoint = classifier.parse(path, description, tensors, KIND)
    with complete(path):
        values = description["recipe"]
        recipe = ClassifierRecipe(
            **{
                **values,
                "model": checkpoint.config,
                "settings": FineTuningConfig(**exact(values["settings"])),
                "texts": restored_texts(values["texts"]),
            }
        )
        progress = restore_progress(description["progress"])
        check_kinds(recipe)
        check_kinds(progress)
        return ClassifierLeft(recipe, progress, checkpoint)


def restored_texts(values: dict[str, Any]) -> Texts:
    """The texts that `asdict` made plain.

    Raises:
        TypeError, KeyError: if the values are not such a description.
    """
    lists = {name: tuple(values[name]) for name in ("sources", "unlabelled", "shown")}
    valid = values["valid"]
    if valid is None or isinstance(valid, str):  # a file, folder or pattern in runs of old
        valid = [valid] if valid else []
    return Texts(**{**values, **lists, "valid": tuple(valid), "config": LabelledConfig(**values["config"])})


def class_weights(kind: str, labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """How much a document of each label counts: all the same, or each label as much as any other.

    Example:
        >>> class_weights("balanced", np.array([0, 0, 0, 1]), 2).tolist()
        [0.6666666865348816, 2.0]
    """
    if kind == "none":
        return np.ones(classes, np.float32)
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (classes * np.maximum(1, counts))).astype(np.float32)
