"""The files of a classifier's first stage, in which its net learns to foresee words in both directions."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from charrnn.checkpoint import classifier, container, model, runs, weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import Budget, ClassifierConfig, FineTuningConfig, PretrainingConfig
from charrnn.evaluation.score import Score
from charrnn.storage import write_atomically
from charrnn.text.documents import LabelledCorpus
from charrnn.text.tokenizer import Tokenizer
from charrnn.training.classifier_run import Texts, restored_texts
from charrnn.training.kinds import check_kinds
from charrnn.training.progress import Progress
from charrnn.training.progress import restore as restore_progress
from charrnn.training.run import complete, exact, plain

KIND = "pretraining-state"
PAIR_KIND = "language-model-pair"


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingRecipe:
    """What a first stage is made of, and what is to be done after it."""

    model: ClassifierConfig
    settings: PretrainingConfig
    texts: Texts
    digest: str  # of the corpus
    net_flags: dict[str, Any]  # what was asked of the net and its recipe
    budget: Budget  # of both stages, from the beginning of the run
    share: float  # of it for this one

    @property
    def labels_settings(self) -> FineTuningConfig:
        """How labels are to be learnt after this, as far as that was asked for."""
        known = {item.name for item in fields(FineTuningConfig)}
        asked = {name: value for name, value in self.net_flags.items() if name in known}
        return FineTuningConfig(evaluation_tokens=0, **asked)


class PretrainingRun:
    """Writes a first stage's files."""

    def __init__(self, folder: Path, recipe: PretrainingRecipe, corpus: LabelledCorpus) -> None:
        self.folder = folder
        self.recipe = recipe
        self.corpus = corpus
        self.model_file = folder / runs.PAIR
        self.last_file = folder / runs.LAST

    def save_model(
        self,
        tensors: Tensors,
        score: Score,  # noqa: ARG002 (the file is for this run alone, whose progress has all four)
        progress: Progress,  # noqa: ARG002 (as above)
        epochs: float,  # noqa: ARG002 (as above)
        yardstick: float | None,  # noqa: ARG002 (as above)
    ) -> None:
        """Writes the best language models so far."""
        write_atomically(self.model_file, container.pack(model.header(PAIR_KIND), tensors))

    def load_model(self) -> Tensors:
        """The best language models as they are on disk.

        Raises:
            CheckpointError: if the file cannot be used.
        """
        description, tensors = container.unpack(self.model_file)
        model.check_version(self.model_file, description, PAIR_KIND)
        weights.check(self.model_file, tensors, weights.pair_shapes(self.recipe.model))
        model.refuse_non_finite(self.model_file, tensors)
        return tensors

    def save_last(self, tensors: Tensors, progress: Progress) -> None:
        """Writes all that resuming needs."""
        recipe = plain(asdict(self.recipe))
        recipe |= {
            "model": classifier.described(self.recipe.model),
            "net_flags": plain(self.recipe.net_flags),
        }
        description = model.header(KIND, classifier.required(self.recipe.model)) | {
            "labels": list(self.corpus.labels),
            "tokenizer": self.corpus.tokenizer.describe(),
            "recipe": recipe,
            "progress": progress.describe(),
        }
        write_atomically(self.last_file, container.pack(description, tensors))

    def yardstick(self) -> None:
        """None: these are not the models that anybody wants."""


class PretrainingLeft(NamedTuple):
    """What a first stage left behind when it stopped."""

    recipe: PretrainingRecipe
    progress: Progress
    tokenizer: Tokenizer
    tensors: Tensors


@runs.read_to_resume
def load_recipe(folder: Path) -> PretrainingRecipe:
    """What a first stage was made of, from the header of its file alone.

    Raises:
        CheckpointError: if the file cannot be used.
    """
    path = folder / runs.LAST
    return _parsed(path, container.read_metadata(path), {}).recipe


@runs.read_to_resume
def load_last(folder: Path) -> PretrainingLeft:
    """What a first stage was made of, how far it is, and its tensors.

    Raises:
        CheckpointError: if the file cannot be used.
    """
    path = folder / runs.LAST
    description, tensors = container.unpack(path)
    left = _parsed(path, description, tensors)
    recipe, step = left.recipe, left.progress.step
    weights.check(path, tensors, weights.pair_training_shapes(recipe.model, recipe.settings.batch_size, step))
    model.refuse_non_finite(path, tensors)
    return left


def _parsed(path: Path, description: dict[str, Any], tensors: Tensors) -> PretrainingLeft:
    model.check_version(path, description, KIND)
    with complete(path):
        values = description["recipe"]
        config = classifier.parse_config(path, values["model"])
        recipe = PretrainingRecipe(
            **{
                **values,
                "model": config,
                "settings": PretrainingConfig(**exact(values["settings"])),
                "texts": restored_texts(values["texts"]),
                "net_flags": exact(values["net_flags"]),
                "budget": Budget(**values["budget"]),
            }
        )
        progress = restore_progress(description["progress"])
        check_kinds(recipe)
        check_kinds(recipe.labels_settings)
        check_kinds(progress)
        tokenizer = model.parse_tokenizer(path, description["tokenizer"], config.vocab_size)
    return PretrainingLeft(recipe, progress, tokenizer, tensors)
