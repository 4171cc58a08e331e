"""The number of members follows texts and time; what is left out, and what is measured, the epochs."""

import time
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
import torch

from charrnn.config import Budget, ClassifierConfig, LabelledConfig
from charrnn.text.document_batches import LONGEST, DocumentBatches
from charrnn.text.documents import Documents, LabelledCorpus, prepare
from charrnn.text.folded import FoldedWordTokenizer
from charrnn.training import classifier_plan, classifier_start
from charrnn.training.classifier_learner import ClassifierLearner
from charrnn.training.classifier_plan import ClassifierPlan
from charrnn.training.classifier_run import ClassifierRun, Texts
from charrnn.training.classifier_start import ClassifierRequest
from charrnn.training.loop import Training
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


def batches_of(texts: int, length: int = 1) -> DocumentBatches:
    return DocumentBatches(corpus_of(texts, length).training, 16, seed=1)


@pytest.mark.parametrize(
    ("texts", "enough", "most"),
    [(22_500, 3400 / 1407, 3740 / 1407), (200_000, 1.7, 1.87), (6_400, 8.5, 9.35), (4_000, 10.0, 10.0)],
)
def test_a_member_takes_enough_steps_but_reads_neither_too_little_nor_too_often(
    texts: int, enough: float, most: float
) -> None:
    assert classifier_plan.enough(batches_of(texts)) == pytest.approx(enough)
    assert classifier_plan.most(batches_of(texts)) == pytest.approx(most)


REVIEWS = finish(prepare(labelled_reviews(), LabelledConfig()))
TOKENS = len(REVIEWS.training.ids)  # too few steps an epoch for ENOUGH_STEPS: ten readings are enough


def planned(
    monkeypatch: pytest.MonkeyPatch, readings: float, budget: str = "seconds", **flags: Any
) -> tuple[Training, ClassifierRun, ClassifierPlan]:
    """A run with the time in which one net reads the texts so often, at a thousandth of an epoch a second."""
    alone: list[int] = []

    def speed(learner: ClassifierLearner, *_: object) -> float:
        alone.append(learner.model.config.members)
        return TOKENS / 1000

    monkeypatch.setattr(classifier_plan, "speed", speed)
    monkeypatch.setattr(classifier_plan, "FORWARD_COST", 1e-6)  # the closing takes its second only
    request = ClassifierRequest(
        Path(),
        REVIEWS,
        Texts(config=LabelledConfig(), sources=()),
        {"seed": 1, "hidden_size": 4, "embedding_size": 4} | flags,
        Budget(budget, 1000 * readings if budget == "seconds" else readings),
        Sitting(time.monotonic(), torch.device("cpu"), 0),
    )
    made = classifier_start.new(request)
    assert alone == ([1] if budget == "seconds" else [])
    return made


@pytest.mark.parametrize(
    ("readings", "members", "epochs"),
    [(2.0, 1, 2.0), (19.9, 1, 10.0), (20.1, 2, 10.0), (55.0, 5, 10.0), (80.1, 8, 10.0), (900.0, 8, 10.0)],
)
def test_time_is_for_as_many_members_as_learn_enough_in_it(
    readings: float, members: int, epochs: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, run, plan = planned(monkeypatch, readings)
    assert plan.model.members == run.recipe.model.members == members
    assert training._learner.model.config == plan.model
    assert plan.tokens_per_second == pytest.approx(TOKENS / 1000 / members)
    assert plan.epochs == pytest.approx(epochs, rel=0.02)


def test_time_that_is_left_when_all_members_have_read_the_texts_ten_times_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segment = planned(monkeypatch, 900.0)[0].progress.segment
    steps = segment.end - segment.begin
    assert segment.share(int(steps), 1000.0) >= 1.0
    assert segment.share(1, 900_000.0) >= 1.0  # but should the machine become slow, not beyond its time
    segment = planned(monkeypatch, 2.0)[0].progress.segment
    assert segment.share(1, 2000.0) >= 1.0
    assert segment.share(int(steps), 1000.0) >= 1.0  # and should it become fast, no further


def test_a_member_that_needs_fewer_readings_makes_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier_plan, "ENOUGH_STEPS", 1)
    _, _, plan = planned(monkeypatch, 5.5)
    assert plan.model.members == 3
    assert plan.epochs == pytest.approx(5.5 / 3, rel=0.02)


def test_an_hour_makes_no_more_of_what_is_learnt_in_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier_plan, "ENOUGH_STEPS", 1)
    _, _, plan = planned(monkeypatch, 900.0)
    assert plan.model.members == 8
    assert 1.1 * 1.7 <= plan.epochs <= 2.0  # whole steps, of which a reading has few here


@pytest.mark.parametrize(("budget", "readings"), [("seconds", 2.0), ("epochs", 2.0), ("steps", 20.0)])
def test_as_many_members_as_were_asked_for_are_made(
    budget: str, readings: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run, _ = planned(monkeypatch, readings, budget, members=3)
    assert run.recipe.model.members == 3
    _, run, _ = planned(monkeypatch, readings, budget)
    assert run.recipe.model.members == 1


def test_no_more_members_are_chosen_than_a_file_can_hold() -> None:
    shape: dict[str, Any] = {"vocab_size": 9, "classes": 2, "cell": "gru-after"}
    assert list(classifier_plan.choices(ClassifierConfig(**shape))) == [8, 7, 6, 5, 4, 3, 2, 1]
    assert list(classifier_plan.choices(ClassifierConfig(num_layers=64, **shape))) == [1]


@pytest.mark.parametrize(
    ("length", "epochs", "is_more"),
    [(300, 3.5, True), (300, 3.0, False), (300, 1.5, False), (30, 9.0, False)],
)
def test_more_words_are_left_out_of_long_texts_that_are_read_several_times(
    length: int, epochs: float, is_more: bool
) -> None:
    settings = classifier_plan.recipe({"seed": 1})
    left_out = classifier_plan.suited(settings, batches_of(9, length), {}, epochs).dropout_words
    assert (left_out > settings.dropout_words) == is_more


def test_the_longer_is_trained_the_more_an_evaluation_reads() -> None:
    batches = batches_of(25_000, 300)
    settings = classifier_plan.recipe({"seed": 1})
    once, often = (classifier_plan.suited(settings, batches, {}, epochs) for epochs in (1.0, 4.0))
    assert often.evaluation_tokens == 4 * once.evaluation_tokens


def test_an_evaluation_reads_a_share_of_what_training_reads_of_long_documents() -> None:
    settings = classifier_plan.recipe({"seed": 1})
    read = [
        classifier_plan.suited(settings, batches_of(400, length), {}, 8.0).evaluation_tokens
        for length in (LONGEST, 10 * LONGEST)
    ]
    assert read[0] == read[1] > classifier_plan.SMALLEST_SLICE


def test_the_speed_is_that_of_all_steps_of_a_small_share_of_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine on which a text of t tokens takes t milliseconds, and every fourth one half a second more."""
    now, steps = 0.0, 0

    class Batch(NamedTuple):
        tokens: int

    class Batches:
        tokens = 10_000

        def at(self, step: int) -> Batch:
            return Batch(100 * (1 + step % 3))

    class Learner:
        def learn(self, batch: Batch, learning_rate: float) -> None:
            nonlocal now, steps
            assert learning_rate == 0.0
            now += batch.tokens / 1000 + (0.5 if steps % 4 == 3 else 0.0)
            steps += 1

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    measured = classifier_plan.speed(cast(Any, Learner()), cast(Any, Batches()), 150.0)
    assert steps == 1 + 5  # 1.5 seconds: 0.2 + 0.3 + (0.1 + 0.5) + 0.2 + 0.3
    assert measured == pytest.approx(0.9 * 1100 / 1.6)
