"""Validation documents are read in batches that a long one among them does not blow up."""

import itertools
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from charrnn.config import ClassifierConfig
from charrnn.evaluation import classifier_evaluator
from charrnn.evaluation.classification import figures
from charrnn.evaluation.classifier_evaluator import ClassifierEvaluator
from charrnn.inference import classifier
from charrnn.inference.calibration import calibrate
from charrnn.inference.classifier import TOKENS
from charrnn.models.classifier import Classifier
from charrnn.text.document_batches import LONGEST
from charrnn.text.documents import Documents
from tests.single_precision import DEVICE, SinglePrecision

LENGTHS = np.array([3, 30_000, 700, *[10] * 4000, 600])


class Watching:
    """A net that says how much it was given at once, and knows the label by the first token."""

    config = ClassifierConfig(vocab_size=9, classes=2)

    def __init__(self) -> None:
        self.shapes: list[tuple[int, int]] = []
        self.labels: list[int] = []

    def __call__(self, inputs: Tensor, _lengths: Tensor) -> Tensor:
        self.shapes.append((inputs.shape[0], inputs.shape[1]))
        self.labels += inputs[0].tolist()
        return torch.nn.functional.one_hot(inputs[0], 2).float()


def told_by_their_tokens() -> ClassifierEvaluator:
    """Documents of `LENGTHS`, every token of which is the label."""
    starts = np.concatenate(([0], LENGTHS.cumsum()))
    labels = np.arange(len(LENGTHS)) % 2
    documents = Documents(np.repeat(labels, LENGTHS), starts, labels, ("",) * len(LENGTHS))
    return ClassifierEvaluator(documents, np.zeros((len(LENGTHS), 2)), torch.device("cpu"))


def test_a_batch_has_so_many_tokens_with_its_padding_at_most_or_one_document() -> None:
    evaluator = told_by_their_tokens()
    net = Watching()
    assert evaluator.score(cast(Classifier, cast(Any, net))).net.accuracy == 1.0
    assert sum(documents for _, documents in net.shapes) == len(LENGTHS)
    for longest, documents_at_once in net.shapes:
        assert documents_at_once == 1 or longest * documents_at_once <= TOKENS


def test_between_batches_somebody_may_end_it() -> None:
    evaluator, net = told_by_their_tokens(), Watching()

    def end_at_the_third() -> None:
        if len(net.shapes) == 2:
            raise KeyError

    with pytest.raises(KeyError):
        evaluator.score(cast(Classifier, cast(Any, net)), None, end_at_the_third)
    assert len(net.shapes) == 2


def test_a_part_of_them_is_read_as_training_reads_them() -> None:
    evaluator = told_by_their_tokens()
    net = Watching()
    evaluator.score(cast(Classifier, cast(Any, net)), evaluator.tokens - 1)
    assert max(longest for longest, _ in net.shapes) == LONGEST


def test_a_document_that_is_too_long_for_torch_has_the_scores_that_torch_would_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    net = Classifier(ClassifierConfig(vocab_size=9, classes=2, hidden_size=5, embedding_size=4, members=2))
    lengths = np.array([7, 60, 3])
    ids = np.random.default_rng(0).integers(9, size=lengths.sum())
    documents = Documents(ids, np.concatenate(([0], lengths.cumsum())), np.array([0, 1, 0]), ("",) * 3)
    evaluator = ClassifierEvaluator(documents, np.zeros((3, 2)), torch.device("cpu"))
    whole = evaluator.score(net)
    for module in (classifier, classifier_evaluator):
        monkeypatch.setattr(module, "TOKENS", 16)
    asked: list[int] = []
    again = evaluator.score(net, None, lambda: asked.append(1))
    assert again.net.nats == pytest.approx(whole.net.nats, abs=1e-6)
    assert len(asked) == 2  # also after the long one


def test_a_part_of_texts_that_lie_sorted_has_texts_of_all_labels_and_what_belongs_to_them() -> None:
    labels = np.repeat([0, 1], 50)
    documents = Documents(np.repeat(labels, 10), np.arange(0, 1001, 10), labels, ("",) * 100)
    linear = np.eye(2)[labels]  # always right
    evaluator, net = ClassifierEvaluator(documents, linear, torch.device("cpu")), Watching()
    some = evaluator.score(cast(Classifier, cast(Any, net)), 200)
    assert 190 <= 10 * some.documents <= 210
    assert sum(documents for _, documents in net.shapes) == some.documents
    assert set(net.labels) == {0, 1}
    assert (some.net.accuracy, some.linear.accuracy, some.answer.accuracy) == (1.0, 1.0, 1.0)
    assert evaluator.score(cast(Classifier, cast(Any, net)), 1).documents == 1


@pytest.mark.parametrize("tokens_at_once", [16, 1000])
def test_the_figures_are_those_of_reading_text_by_text(
    monkeypatch: pytest.MonkeyPatch, tokens_at_once: int
) -> None:
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    net = Classifier(ClassifierConfig(vocab_size=9, classes=3, hidden_size=5, embedding_size=4))
    with torch.no_grad():
        for member in net:
            member.embedding.weight.mul_(20)  # so that texts differ
    lengths = np.array([7, 60, 3, 20, 5, 9, 1, 40])
    ids, labels = random.integers(9, size=lengths.sum()), np.array([0, 1, 2, 0, 1, 2, 1, 0])
    starts = np.concatenate(([0], lengths.cumsum()))
    documents, linear = Documents(ids, starts, labels, ("",) * 8), random.normal(size=(8, 3))
    with torch.no_grad():
        each = [
            net(torch.from_numpy(ids[a:b])[:, None], torch.tensor([b - a])).numpy()
            for a, b in itertools.pairwise(starts)
        ]
    scores = np.concatenate(each).astype(np.float64)
    for module in (classifier, classifier_evaluator):
        monkeypatch.setattr(module, "TOKENS", tokens_at_once)
    found = ClassifierEvaluator(documents, linear, torch.device("cpu")).score(net)
    factors = calibrate(scores, linear, labels)
    for own, expected in (
        (found.net, factors.net * scores),
        (found.linear, factors.linear * linear),
        (found.answer, factors.mixed_net * scores + factors.mixed_linear * linear),
    ):
        assert asdict(own) == pytest.approx(asdict(figures(expected, labels)), rel=1e-3)
    assert asdict(found.calibration) == pytest.approx(asdict(factors), rel=1e-2)


def test_a_score_that_is_no_number_is_none() -> None:
    net = Classifier(ClassifierConfig(vocab_size=9, classes=2))
    with torch.no_grad():
        next(iter(net)).output.bias.fill_(torch.nan)
    documents = Documents(np.ones(2, np.int64), np.arange(3), np.array([0, 1]), ("",) * 2)
    with pytest.raises(FloatingPointError):
        ClassifierEvaluator(documents, np.zeros((2, 2)), torch.device("cpu")).score(net)


def test_a_device_without_double_precision_can_score() -> None:
    net = Classifier(ClassifierConfig(vocab_size=9, classes=2)).to(DEVICE)
    labels = np.array([0, 1, 1])
    documents = Documents(np.ones(6, np.int64), np.array([0, 1, 3, 6]), labels, ("",) * 3)
    with SinglePrecision():
        assert ClassifierEvaluator(documents, np.zeros((3, 2)), DEVICE).score(net).documents == 3
