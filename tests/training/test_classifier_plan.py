"""The number of members follows texts and time; what is left out, and what is measured, the epochs."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
import torch

from charrnn.config import Budget, ClassifierConfig, FineTuningConfig, LabelledConfig
from charrnn.text.document_batches import LONGEST, DocumentBatches
from charrnn.text.documents import Documents, LabelledCorpus, prepare
from charrnn.text.folded import FoldedWordTokenizer
from charrnn.training import classifier_plan, classifier_start
from charrnn.training.classifier_learner import ClassifierLearner
from charrnn.training.classifier_plan import ClassifierPlan
from charrnn.training.classifier_run import ClassifierRun, Texts
from charrnn.training.classifier_start import ClassifierRequest
from charrnn.training.loop import Training
from charrnn.training.plan import FORWARD_COST
from charrnn.training.progress import Point, Progress
from charrnn.training.schedule import Segment
from charrnn.training.start import NOTHING, Sitting
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
    monkeypatch: pytest.MonkeyPatch,
    readings: float,
    budget: str = "seconds",
    *,
    together: float = 1.0,
    **flags: Any,
) -> tuple[Training, ClassifierRun, ClassifierPlan]:
    """A run with the time in which one net reads the texts so often, at a thousandth of an epoch a second."""

    def speed(learner: ClassifierLearner, *_: object) -> float:
        members = learner.model.config.members
        return TOKENS / 1000 / members * (1.0 if members == 1 else together)

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
    return classifier_start.new(request)


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


@pytest.mark.parametrize(
    ("readings", "together", "members"), [(55.0, 0.8, 4), (900.0, 0.8, 8), (21.0, 0.9, 1), (21.0, 1.2, 2)]
)
def test_members_that_are_slower_together_are_fewer(
    readings: float, together: float, members: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, plan = planned(monkeypatch, readings, together=together)
    assert plan.model.members == members
    assert plan.tokens_per_second == pytest.approx(TOKENS / 1000 / members * together)


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
    assert classifier_plan.most_members(ClassifierConfig(**shape)) == 8
    assert classifier_plan.most_members(ClassifierConfig(num_layers=64, **shape)) == 1


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
    assert left_out >= settings.dropout_words > 0.0


@pytest.mark.parametrize(
    ("flags", "epochs", "dropout"),
    [({}, 4.0, 0.5), ({}, 3.9, None), ({"dropout": 0.1}, 9.0, 0.1), ({"dropout": 0.0}, 1.0, 0.0)],
)
def test_half_is_dropped_where_texts_are_read_many_times_unless_something_else_was_asked_for(
    flags: dict[str, float], epochs: float, dropout: float | None
) -> None:
    settings = classifier_plan.recipe({"seed": 1} | flags)
    found = classifier_plan.suited(settings, batches_of(9), flags, epochs).dropout
    assert found == (FineTuningConfig.dropout if dropout is None else dropout)
    assert settings.dropout != 0.5


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        (Budget("steps", 7), 7),
        (Budget("epochs", 2.5), 25),
        (Budget("epochs", 0.26), 3),
        (Budget("epochs", 0.01), 1),
    ],
)
def test_a_budget_of_steps_or_epochs_begins_where_the_run_stands(budget: Budget, steps: int) -> None:
    corpus, batches = corpus_of(160, 3), batches_of(160, 3)  # ten batches of 16
    before = Progress(segment=NOTHING, step=40, seconds=9.0)
    stretch = classifier_plan.segment(budget, batches, before, 12.0, 100.0, corpus)
    assert stretch == Segment("steps", 40, 40 + steps)
    assert classifier_plan.epochs(stretch, batches, None) == steps / 10


def test_a_budget_of_time_ends_early_enough_to_score_everything() -> None:
    corpus, batches = corpus_of(160, 3), batches_of(160, 3)
    before = Progress(segment=NOTHING, step=40, seconds=9.0)
    stretch = classifier_plan.segment(Budget("seconds", 60.0), batches, before, 12.0, 100.0, corpus)
    closing = classifier_plan.CLOSING_SECONDS + 480 * FORWARD_COST / 100.0  # of 480 tokens of validation
    assert stretch.within is not None
    begin, end = stretch.within
    assert (begin, end) == pytest.approx((12.0, 9.0 + 60.0 - closing))
    assert (stretch.begin, stretch.end) == (40, 40 + 100)  # no more than ten readings
    # 480 tokens an epoch.
    by_time = (end - begin) * 100.0 / 480
    assert classifier_plan.epochs(stretch, batches, 100.0) == pytest.approx(min(10.0, by_time))
    assert classifier_plan.epochs(stretch, batches, 10.0) == pytest.approx(by_time / 10)
    assert classifier_plan.epochs(stretch, batches, 1e9) == 10.0
    # However long everything else took, a quarter is for training.
    late = classifier_plan.segment(Budget("seconds", 60.0), batches, before, 200.0, 100.0, corpus)
    assert late.within == (200.0, 215.0)
    unmeasured = classifier_plan.segment(Budget("seconds", 60.0), batches, before, 12.0, None, corpus)
    assert unmeasured.within == (12.0, 9.0 + 60.0 - classifier_plan.CLOSING_SECONDS)


def test_the_speed_so_far_is_that_between_the_first_evaluation_and_the_last() -> None:
    first, middle, last = (
        Point(step, seconds, 0.5, 0.5) for step, seconds in ((10, 60.0), (20, 65.0), (40, 75.0))
    )
    progress = Progress(segment=NOTHING, step=50, tokens=5000, seconds=90.0, history=(first, middle, last))
    assert classifier_plan.speed_so_far(progress) == pytest.approx(100 * 30 / 15)
    assert classifier_plan.speed_so_far(replace(progress, history=(first,))) is None
    assert classifier_plan.speed_so_far(replace(progress, history=())) is None


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


@pytest.mark.parametrize(
    ("budget", "measured_steps", "tokens", "seconds"),
    [
        (150.0, 5, 1100, 1.6),  # 1.5 seconds: 0.2 + 0.3 + (0.1 + 0.5) + 0.2 + 0.3
        (1.0, 4, 800, 1.3),  # however little time there is
    ],
)
def test_the_speed_is_that_of_all_steps_of_a_small_share_of_the_budget(
    monkeypatch: pytest.MonkeyPatch, budget: float, measured_steps: int, tokens: int, seconds: float
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
    measured = classifier_plan.speed(cast(Any, Learner()), cast(Any, Batches()), budget)
    assert steps == 1 + measured_steps
    assert measured == pytest.approx(0.9 * tokens / seconds)
