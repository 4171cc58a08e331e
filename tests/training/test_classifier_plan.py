"""A net's size follows texts and time; what is left out of texts, and what is measured, the epochs."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from charrnn.config import Budget, LabelledConfig
from charrnn.text.documents import Documents, LabelledCorpus, prepare
from charrnn.text.folded import FoldedWordTokenizer
from charrnn.training import classifier_plan, classifier_start
from charrnn.training.classifier_run import Texts
from charrnn.training.classifier_start import ClassifierRequest
from charrnn.training.start import Sitting
from tests.text.reading import finish
from tests.text.reviews import labelled_reviews


def corpus_of(texts: int, length: int) -> LabelledCorpus:
    """So many texts of so many tokens."""
    starts = np.arange(texts + 1) * length
    documents = Documents(np.zeros(starts[-1], np.int64), starts, np.zeros(texts, np.int64), ("",) * texts)
    return LabelledCorpus(
        training=documents,
        validation=documents,
        unlabelled=np.zeros(0, np.int64),
        tokenizer=FoldedWordTokenizer(["sea"]),
        labels=("bad", "good"),
        digest="",
        form="",
        notes=(),
    )


def sizes(corpus: LabelledCorpus, **net_flags: Any) -> list[tuple[int, int]]:
    shapes = classifier_plan.ladder(corpus, net_flags)
    return [(shape.hidden_size, shape.embedding_size) for shape in shapes]


def test_few_texts_cannot_teach_a_large_net() -> None:
    assert sizes(corpus_of(10, 20)) == [(64, 64)]
    assert sizes(corpus_of(10_000, 300)) == [(64, 64), (128, 128)]
    assert sizes(corpus_of(25_000, 300)) == [(64, 64), (128, 128), (256, 128)]


def test_a_size_that_was_asked_for_is_the_only_one() -> None:
    corpus = corpus_of(25_000, 300)
    assert sizes(corpus, hidden_size=512) == [(512, 64)]
    assert sizes(corpus, embedding_size=32) == [(64, 32), (128, 32), (256, 32)]


@pytest.mark.parametrize(("speeds", "chosen"), [((900, 300, 40), 128), ((900, 20, 10), 64), ((9, 9, 9), 64)])
def test_the_largest_net_that_reads_the_texts_often_enough_is_chosen(
    speeds: tuple[int, ...], chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = finish(prepare(labelled_reviews(), LabelledConfig()))
    by_size = dict(zip((64, 128, 256), speeds, strict=True))
    monkeypatch.setattr(classifier_plan, "TOKENS_PER_PARAMETER", 0.0)
    monkeypatch.setattr(
        classifier_plan, "speed", lambda learner, _: float(by_size[learner.model.config.hidden_size])
    )
    sitting = Sitting(time.monotonic(), torch.device("cpu"), 0)
    # About 1,200 tokens: 20 seconds are 5 epochs at 300 tokens/s, and less than one at 40.
    request = ClassifierRequest(
        Path(),
        corpus,
        Texts(config=LabelledConfig(), sources=()),
        {"seed": 1},
        Budget("seconds", 20),
        sitting,
    )
    training, run, plan = classifier_start.new(request)
    assert plan.model.hidden_size == run.recipe.model.hidden_size == chosen
    assert training._learner.model.config == plan.model
    assert plan.tokens_per_second == by_size[chosen]


@pytest.mark.parametrize(
    ("length", "epochs", "is_more"), [(300, 3.0, True), (300, 1.5, False), (30, 9.0, False)]
)
def test_more_words_are_left_out_of_long_texts_that_are_read_several_times(
    length: int, epochs: float, is_more: bool
) -> None:
    corpus = corpus_of(9, length)
    settings = classifier_plan.recipe({"seed": 1})
    left_out = classifier_plan.suited(settings, corpus, {}, epochs).dropout_words
    assert (left_out > settings.dropout_words) == is_more


def test_the_longer_is_trained_the_more_an_evaluation_reads() -> None:
    corpus = corpus_of(25_000, 300)
    settings = classifier_plan.recipe({"seed": 1})
    once, often = (classifier_plan.suited(settings, corpus, {}, epochs) for epochs in (1.0, 4.0))
    assert often.evaluation_tokens == 4 * once.evaluation_tokens
