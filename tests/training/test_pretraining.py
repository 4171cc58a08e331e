"""A classifier's first stage keeps the laws of the loop, and hands on what it learnt."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from charrnn.checkpoint import container, weights
from charrnn.config import Budget, LabelledConfig
from charrnn.errors import CheckpointError, DivergedError
from charrnn.evaluation.metrics import Foresight
from charrnn.models.places import tensors_of
from charrnn.text.document_batches import DocumentBatches
from charrnn.text.documents import LabelledCorpus, prepare
from charrnn.training import classifier_plan, classifier_start, pretraining
from charrnn.training.classifier_run import Texts
from charrnn.training.classifier_start import ClassifierRequest
from charrnn.training.descent import Step
from charrnn.training.events import Evaluated, Finished, Stepped
from charrnn.training.loop import Training
from charrnn.training.pair_learner import PairLearner
from charrnn.training.pretraining_run import PretrainingRun, load_last, load_recipe
from charrnn.training.progress import Progress
from charrnn.training.schedule import PEAK_AFTER_RESUME, Segment
from charrnn.training.start import NOTHING, Sitting
from tests.text.reading import finish
from tests.text.reviews import labelled_reviews
from tests.training.fitting import assert_equal_files, fit, refusals

STEPS = 24
SITTING = Sitting(0.0, torch.device("cpu"), 0)


def corpus(unlabelled: tuple[str, ...] = ()) -> LabelledCorpus:
    return finish(prepare(labelled_reviews(), LabelledConfig(), unlabelled=unlabelled))


def request(folder: str, budget: Budget, **flags: Any) -> ClassifierRequest:
    Path(folder).mkdir(parents=True)
    net_flags = {"seed": 7, "hidden_size": 8, "embedding_size": 6} | flags
    texts = Texts(config=LabelledConfig(), sources=("reviews.tsv",))
    return ClassifierRequest(Path(folder), corpus(), texts, net_flags, budget, SITTING)


def new(folder: str, share: float = 0.5, **flags: Any) -> tuple[ClassifierRequest, Training, PretrainingRun]:
    asked = request(folder, Budget("steps", STEPS), **flags)
    stage = pretraining.new(asked, share)
    assert stage is not None
    return asked, *stage


def resumed(folder: str, budget: Budget | None = None) -> tuple[ClassifierRequest, Training, PretrainingRun]:
    return pretraining.resume(Path(folder), load_last(Path(folder)), corpus(), budget, SITTING)


@pytest.mark.parametrize(("cell", "members"), [("lstm", 1), ("gru", 2)])
def test_a_stage_stopped_anywhere_and_resumed_equals_one_that_never_stopped(cell: str, members: int) -> None:
    fit(new("whole", cell=cell, members=members)[1])
    fit(new("parts", cell=cell, members=members)[1], 5)
    for stop in (6, None):
        fit(resumed("parts")[1], stop)
    assert_equal_files("whole", "parts", "words.safetensors", "last.safetensors")


def test_it_foresees_words_ever_better() -> None:
    _, training, _ = new("run", share=0.9)
    finished = fit(training)[-1]
    assert isinstance(finished, Finished)
    assert isinstance(finished.validation, Foresight)
    losses = [point.validation_loss for point in training.progress.history]
    assert losses == sorted(losses, reverse=True)
    assert finished.validation.loss == losses[-1] < np.log(corpus().tokenizer.vocab_size)


def test_what_it_learnt_is_what_the_second_stage_begins_with() -> None:
    asked, training, run = new("run")
    fit(training)
    left, beginning = pretraining.handed_on(asked, training.progress, run)
    second, classifier_run, _ = classifier_start.new(left, beginning)
    net, words = tensors_of(second._learner.model), run.load_model()
    known = [name for name in words if name in net and name != weights.OUTPUT_BIAS]
    assert len(known) == 1 + 2 * 3  # the embedding, and the parts of two layers
    for name in known:
        np.testing.assert_array_equal(net[name], words[name], err_msg=name)
    assert left.budget == Budget("steps", STEPS / 2)
    assert classifier_run.recipe.pretraining is not None
    assert classifier_run.recipe.pretraining["steps"] == STEPS / 2
    assert run.model_file.exists()
    fit(second)
    assert not run.model_file.exists()


def test_the_second_stage_is_told_how_often_words_were_read_and_how_well_they_were_foreseen() -> None:
    asked, training, run = new("run", share=0.9)
    events = fit(training)
    tokens = sum(event.tokens for event in events if isinstance(event, Stepped))
    _, beginning = pretraining.handed_on(asked, training.progress, run)
    losses = [event.validation.loss for event in events if isinstance(event, Evaluated)]
    assert beginning.pretraining == {
        "steps": float(round(0.9 * STEPS)),
        "epochs": pytest.approx(tokens / 2 / (len(run.corpus.training.ids) - 1)),  # in both directions
        "nats_per_token": min(losses),
    }


@pytest.mark.parametrize("sentence", ["", "the zyzzyva was warm " * 40])
def test_a_share_of_epochs_reads_all_texts_so_often(sentence: str) -> None:
    asked = replace(request("run", Budget("epochs", 6.0)), corpus=corpus((sentence,) if sentence else ()))
    stage = pretraining.new(asked, 0.5)
    assert stage is not None
    training, run = stage
    windows = [training._batches.at(step) for step in range(int(training.progress.segment.end))]
    read = len(run.corpus.training.ids) + len(run.corpus.unlabelled) - 1
    assert sum(batch.tokens for batch in windows) == 3 * 2 * read  # in both directions


def test_more_steps_for_a_stopped_stage_are_shared_as_those_before() -> None:
    fit(new("run", share=0.25)[1], 3)
    left = load_last(Path("run"))
    left = left._replace(progress=replace(left.progress, since_best=4))
    asked, training, run = pretraining.resume(Path("run"), left, corpus(), Budget("steps", 40), SITTING)
    segment = Segment("steps", 3, 3 + 10, peak=PEAK_AFTER_RESUME)
    anew = replace(left.progress, segment=segment, evaluations=0, since_best=0, finished=False)
    assert training.progress == anew != left.progress
    assert asked.budget == run.recipe.budget == Budget("steps", 40)
    _, training, run = pretraining.resume(Path("run"), left, corpus(), None, SITTING)
    assert training.progress == left.progress
    assert run.recipe == left.recipe


def test_every_member_of_the_second_stage_begins_with_the_words_that_one_net_learnt() -> None:
    asked, training, run = new("run", members=2)
    fit(training)
    second, _, plan = classifier_start.new(*pretraining.handed_on(asked, training.progress, run))
    assert plan.model.members == 2
    words = run.load_model()
    assert not any(name.startswith(weights.MEMBER) for name in words)
    for member in second._learner.model:
        np.testing.assert_array_equal(tensors_of(member)[weights.EMBEDDING], words[weights.EMBEDDING])


def test_without_being_asked_it_is_there_for_texts_without_labels_alone() -> None:
    asked = request("run", Budget("epochs", 100.0))
    assert pretraining.new(asked, None) is None
    with_more = replace(asked, corpus=corpus(("the sea was warm",)))
    assert pretraining.new(with_more, None) is not None
    assert pretraining.new(with_more, 0.0) is None


def test_a_net_of_one_direction_learns_words_in_that_direction() -> None:
    _, training, run = new("run", bidirectional=False)
    fit(training, 2)
    assert not any(weights.BACKWARDS in name for name in run.load_model())
    assert load_last(Path("run")).recipe.model.bidirectional is False


def test_texts_without_labels_are_read_and_their_words_known() -> None:
    more = corpus(("zyzzyva likes zyzzyva",))
    word = more.tokenizer.encode("zyzzyva")
    assert word != more.tokenizer.unknown
    assert pretraining.counts(more)[word] == 2
    assert more.digest != corpus().digest
    assert len(more.training) == len(corpus().training)


def test_a_state_that_lacks_something_is_refused() -> None:
    fit(new("run")[1], 1)
    path = Path("run/last.safetensors")
    description, tensors = container.unpack(path)
    description.pop("digest")
    tensors.pop(weights.projection(weights.BACKWARDS))
    path.write_bytes(container.pack(description, tensors))
    with pytest.raises(CheckpointError, match=r"projection\.backwards: expected \[6, 8\], found none"):
        load_last(Path("run"))


def test_labels_get_what_words_left_of_the_time_and_not_a_share_of_all_of_it() -> None:
    asked, training, run = new("run")
    fit(training)
    progress = replace(training.progress, seconds=540.0)
    second, _ = pretraining.handed_on(replace(asked, budget=Budget("seconds", 600.0)), progress, run)
    before = Progress(segment=NOTHING, seconds=second.spent)
    batches = DocumentBatches(second.corpus.training, 16, seed=1)
    for now, end in ((550.0, 599.0), (590.0, 605.0)):  # a second is for closing; a quarter of 60 at least
        labels = classifier_plan.segment(second.budget, batches, before, now, None, second.corpus)
        assert labels.within == pytest.approx((now, end))
    late = replace(progress, seconds=700.0, segment=Segment("seconds", 600.0, 700.0))
    second, _ = pretraining.handed_on(replace(asked, budget=Budget("seconds", 600.0)), late, run)
    assert second.budget == Budget("seconds", 25.0)  # a quarter of what words had, for the shares are equal


def test_a_first_stage_whose_time_is_gone_before_it_begins_makes_words_all_the_same() -> None:
    sitting = replace(SITTING, started=time.monotonic() - 100.0)
    asked = replace(request("run", Budget("seconds", 1.0)), sitting=sitting)
    stage = pretraining.new(asked, 0.5)
    assert stage is not None
    training, run = stage
    assert isinstance(fit(training)[-1], Finished)
    assert training.progress.step >= 1
    assert run.load_model()


def test_more_time_for_a_stopped_stage_counts_from_where_it_stopped() -> None:
    asked, training, _ = new("run")
    fit(training, 3)
    left = load_last(Path("run"))
    left = left._replace(progress=replace(left.progress, seconds=40.0))
    sitting = replace(SITTING, started=time.monotonic())
    asked, training, _ = pretraining.resume(Path("run"), left, corpus(), Budget("seconds", 20.0), sitting)
    assert asked.budget == Budget("seconds", 60.0)
    segment = training.progress.segment
    assert 40.0 <= segment.begin < segment.end
    assert segment.end - segment.begin == pytest.approx(0.5 * (60.0 - segment.begin))
    assert asked.sitting.clock()() > 40.0  # the second stage's clock


def test_a_little_more_time_after_hours_is_a_little() -> None:
    fit(new("run")[1], 3)
    left = load_last(Path("run"))
    left = left._replace(progress=replace(left.progress, seconds=3600.0))
    sitting = replace(SITTING, started=time.monotonic())
    _, training, _ = pretraining.resume(Path("run"), left, corpus(), Budget("seconds", 60.0), sitting)
    segment = training.progress.segment
    assert segment.end - segment.begin < 60.0


def test_words_that_diverge_name_a_way_out_that_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _, training, _ = new("run")
    monkeypatch.setattr(PairLearner, "learn", lambda *_: Step(loss=float("nan"), grad_norm=1.0))
    with pytest.raises(DivergedError) as caught:
        fit(training)
    assert caught.value.hint == "begin anew without --pretrain and --unlabelled"


def test_no_odd_value_in_what_a_stage_left_is_worse_than_refused() -> None:
    fit(new("run")[1], 5)
    assert refusals(Path("run"), load_recipe) > 200
