"""A run whose loss is lost ends, and nothing that is no number reaches its weights or the disk."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch

from charrnn.checkpoint.container import Tensors
from charrnn.config import Budget
from charrnn.errors import DivergedError
from charrnn.evaluation.evaluator import Evaluator
from charrnn.evaluation.metrics import Validation
from charrnn.models.places import tensors_of
from charrnn.training.descent import Step
from charrnn.training.events import Evaluated, Stepped
from charrnn.training.interrupt import Interrupt
from charrnn.training.loop import Training
from tests.training.fitting import fit
from tests.training.small_run import STEPS, assert_equal, best, last, new


def test_a_loss_that_is_no_number_ends_the_run_before_it_touches_the_weights() -> None:
    training, _ = new("run", Budget("steps", 1000))
    learner = training._learner
    clean: Tensors = {}

    def poison(event: Stepped) -> None:
        if event.step == 50:
            clean.update(tensors_of(learner.model))
            with torch.no_grad():
                learner.model.output_bias[0] = torch.nan

    with pytest.raises(DivergedError) as caught:
        fit(training, at=poison)
    assert caught.value.message.startswith("training diverged at step 50 (loss nan); ")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("begin anew at a lower rate: --lr ")
    for name, tensor in tensors_of(learner.model).items():
        if name != "model.output.bias":
            np.testing.assert_array_equal(tensor, clean[name])
    assert np.isfinite(best("run")["model.output.bias"]).all()


def pretend(
    patch: pytest.MonkeyPatch, training: Training, losses: Iterable[float], grad_norm: float | None = None
) -> None:
    """Has the learner say that its next losses were these, and its gradients of that length."""
    learn, said = training._learner.learn, iter(losses)

    def pretended(*given: Any) -> Step:
        step = learn(*given)
        return Step(next(said, step.loss), step.grad_norm if grad_norm is None else grad_norm)

    patch.setattr(training._learner, "learn", pretended)


@pytest.mark.parametrize(("losses", "grad_norm"), [([], math.inf), ([math.inf], 1.0)])
def test_a_gradient_or_a_loss_without_end_is_enough_to_end_the_run(
    losses: list[float], grad_norm: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, _ = new("run", Budget("steps", STEPS))
    pretend(monkeypatch, training, losses, grad_norm)
    with pytest.raises(DivergedError, match=r"^training diverged at step 1 \(loss .*\); no model was saved$"):
        fit(training)


def test_a_loss_three_times_that_of_guessing_is_borne_for_less_than_twenty_steps_in_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training, run = new("run", Budget("steps", 100))
    limit = 3 * math.log(run.recipe.model.vocab_size)
    bad, good = [limit + 0.1], [limit - 0.1]
    pretend(monkeypatch, training, [*bad * 19, *good, *bad * 19, *good * 5, *bad * 30])
    with pytest.raises(DivergedError) as caught:
        fit(training)
    kept = f"the best model so far is {run.model_file}"
    assert caught.value.message == f"training diverged at step 64 (loss {bad[0]:.3g}); {kept}"


@pytest.mark.parametrize("stop_after", [None, 1])
def test_validation_that_is_no_number_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, stop_after: int | None
) -> None:
    training, run = new("run", Budget("steps", 40), sample_length=20)
    evaluator = training._evaluator
    assert isinstance(evaluator, Evaluator)

    def overflows(*_: object) -> Validation:
        raise FloatingPointError

    monkeypatch.setattr(evaluator, "score", overflows)  # finite weights that overflow on other text
    with pytest.raises(DivergedError) as caught:
        fit(training, stop_after)
    assert "(validation loss nan); no model was saved" in caught.value.message
    assert not run.model_file.exists()


def test_one_candidate_that_overflows_leaves_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    training, _ = new("run", Budget("steps", 40))
    evaluator, average = training._evaluator, training._learner.average
    assert isinstance(evaluator, Evaluator)
    score = evaluator.score

    def overflows(model: Any, *rest: Any) -> Validation:
        if model is average:
            raise FloatingPointError
        return score(model, *rest)

    monkeypatch.setattr(evaluator, "score", overflows)
    evaluated = [event for event in fit(training) if isinstance(event, Evaluated)]
    assert {event.candidate for event in evaluated} == {"weights"}


def test_a_state_with_a_value_that_is_no_number_leaves_the_one_before_it_on_disk() -> None:
    training, _ = new("run", Budget("steps", STEPS))
    kept: Tensors = {}

    def poison(event: Stepped) -> None:
        if event.step == 20:
            kept.update(last("run"))
            with torch.no_grad():
                training._learner.average.output_bias[0] = torch.nan

    with pytest.raises(DivergedError, match=r"\(non-finite values in train\.average\.model\.output\.bias\)"):
        fit(training, at=poison)
    assert_equal(last("run"), kept)


def test_a_run_that_is_stopped_before_it_has_a_model_keeps_none_that_is_no_number() -> None:
    training, run = new("run", Budget("steps", 1000))
    training.watch(stopped := Interrupt())
    stopped.signal_number = 15
    with torch.no_grad():  # no text here has what this is the embedding of, so it is never scored
        training._learner.model.embedding.weight[run.corpus.tokenizer.unknown] = torch.inf
    with pytest.raises(DivergedError, match=r"\(non-finite values in model\.embedding\)"):
        list(training.fit())
    assert not run.model_file.exists()
