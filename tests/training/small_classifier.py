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
from charrnn.training.classifier_run import ClassifierRun, Texts, load_last
from charrnn.training.classifier_start import ClassifierRequest
from charrnn.training.loop import Training
from charrnn.training.start import Sitting
from tests.text.reading import finish
from tests.text.reviews import reviews, tsv

STEPS = 40
SITTING = Sitting(0.0, torch.device("cpu"), 0)


def corpus() -> tuple[LabelledCorpus, list[Document]]:
    Path("reviews.tsv").write_text(tsv(reviews()))
    documents = find(["reviews.tsv"])
    found = labelled.read(documents, None, "utf-8")
    return finish(prepare(found, LabelledConfig())), documents


def new(
    folder: str, budget: Budget, valid: tuple[str, ...] = (), **flags: Any
) -> tuple[Training, ClassifierRun]:
    found, documents = corpus()
    Path(folder).mkdir(parents=True)
    net_flags = {"seed": 7, "hidden_size": 8, "embedding_size": 6, "batch_size": 8} | flags
    training, run, _ = classifier_start.new(request(folder, found, documents, net_flags, budget, valid))
    return training, run


def request(
    folder: str,
    corpus: LabelledCorpus,
    documents: list[Document],
    net_flags: dict[str, Any],
    budget: Budget,
    valid: tuple[str, ...] = (),
) -> ClassifierRequest:
    sources = tuple(str(document.path) for document in documents)
    texts = Texts(config=LabelledConfig(), sources=sources, shown=("reviews.tsv",), valid=valid)
    return ClassifierRequest(Path(folder), corpus, texts, net_flags, budget, SITTING)


def resumed(folder: str, budget: Budget | None = None) -> tuple[Training, ClassifierRun]:
    found, _ = corpus()
    return classifier_start.resume(Path(folder), load_last(Path(folder)), found, budget, SITTING)
