"""A classifier's run depends on what was asked, and not on where it was stopped and gone on with."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoint import container
from charrnn.config import Budget
from charrnn.training import classifier_start, linear
from tests.training.fitting import fit
from tests.training.small_classifier import STEPS, new, resumed


@pytest.mark.parametrize(("stops", "flags"), [((20,), {}), ((1, 13, 39), {}), ((13,), {"members": 2})])
def test_a_run_stopped_anywhere_and_resumed_equals_one_that_never_stopped(
    stops: tuple[int, ...], flags: dict[str, Any]
) -> None:
    fit(new("whole", Budget("steps", STEPS), **flags)[0])
    fit(new("parts", Budget("steps", STEPS), **flags)[0], stops[0])
    for stop in (*stops[1:], None):
        fit(resumed("parts")[0], stop)
    for name in ("model.safetensors", "last.safetensors"):
        whole, parts = (container.unpack(Path(folder, name))[1] for folder in ("whole", "parts"))
        assert whole.keys() == parts.keys()
        for tensor in whole:
            np.testing.assert_array_equal(whole[tensor], parts[tensor], err_msg=tensor)


def test_of_few_texts_the_linear_model_that_answers_learnt_from_all_and_the_measured_one_did_not() -> None:
    _, run = new("run", Budget("steps", 1))
    training, validation = run.corpus.training, run.corpus.validation
    even = np.ones(len(run.corpus.labels), np.float32)
    measured = linear.train(training.texts, training.labels, even, outlines=True)
    labels = np.concatenate((training.labels, validation.labels))
    answering = linear.train((*training.texts, *validation.texts), labels, even, outlines=True)
    for ours, theirs in ((run.linear, measured), (run.answering, answering)):
        np.testing.assert_array_equal(ours.logits(validation.texts), theirs.logits(validation.texts))


def test_texts_that_were_named_to_be_measured_on_are_never_learnt_from() -> None:
    _, run = new("run", Budget("steps", 1), valid=("named.tsv",))
    assert run.answering is run.linear


def test_of_many_texts_the_linear_model_is_trained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier_start, "FEW_TEXTS", 10)
    _, run = new("run", Budget("steps", 1))
    assert run.answering is run.linear
