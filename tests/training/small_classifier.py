"""A small run of a classifier: at its beginning, and where it was left."""

from pathlib import Path
from typing import Any

import torch

from charrnn.config import Budget, LabelledConfig
from charrnn.text import labelled
from charrnn.text.document import Document
from charrnn.text.documents import LabelledCorpus, prepare
from charrnn.text.sources import find
from charrnn.training import classifier_start
from charrnn.training.classifier_run import ClassifierLeft, ClassifierRun, Texts, load_last
from charrnn.training.classifier_start import Beginning, ClassifierRequest
from charrnn.training.loop import Training
from charrnn.training.start import Sitting
from tests.text.reading import finish
from tests.text.reviews import reviews, tsv

STEPS = 40
SITTING = Sitting(0.0, torch.device("cpu"), 0)


def corpus(rows: list[tuple[str, str]], config: LabelledConfig) -> tuple[LabelledCorpus, list[Document]]:
    Path("reviews.tsv").write_text(tsv(rows))
    documents = find(["reviews.tsv"])
    return finish(prepare(labelled.read(documents, None, "utf-8"), config)), documents


def new(
    folder: str,
    budget: Budget,
    valid: tuple[str, ...] = (),
    *,
    rows: list[tuple[str, str]] | None = None,
    config: LabelledConfig = LabelledConfig(),  # noqa: B008 (it is frozen)
    beginning: Beginning | None = None,
    spent: float = 0.0,
    **flags: Any,
) -> tuple[Training, ClassifierRun]:
    found, documents = corpus(rows or reviews(), config)
    Path(folder).mkdir(parents=True)
    net_flags = {"seed": 7, "hidden_size": 8, "embedding_size": 6, "batch_size": 8} | flags
    sources = tuple(str(document.path) for document in documents)
    texts = Texts(config=config, sources=sources, shown=("reviews.tsv",), valid=valid)
    request = ClassifierRequest(Path(folder), found, texts, net_flags, budget, SITTING, spent)
    training, run, _ = classifier_start.new(request, beginning)
    return training, run


def resumed(
    folder: str, budget: Budget | None = None, left: ClassifierLeft | None = None
) -> tuple[Training, ClassifierRun]:
    """A run where it was left, or where `left` says it was."""
    left = left or load_last(Path(folder))
    found, _ = corpus(reviews(), left.recipe.texts.config)
    return classifier_start.resume(Path(folder), left, found, budget, SITTING)
