"""Figures of answers against scikit-learn and worked examples."""

import json
from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest

from charrnn.checkpoint.classifier import Calibration
from charrnn.evaluation import score
from charrnn.evaluation.classification import (
    Figures,
    Verdict,
    calibration_error,
    confused,
    confusion,
    figures,
    macro_f1,
    precision_and_recall,
)

RANDOM = np.random.default_rng(0)
ANSWERS, LABELS = RANDOM.integers(4, size=(2, 300))


def test_the_tables_are_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    table = confusion(ANSWERS, LABELS, 4)
    np.testing.assert_array_equal(table, metrics.confusion_matrix(LABELS, ANSWERS))
    precision, recall = precision_and_recall(ANSWERS, LABELS, 4)
    np.testing.assert_allclose(precision, metrics.precision_score(LABELS, ANSWERS, average=None))
    np.testing.assert_allclose(recall, metrics.recall_score(LABELS, ANSWERS, average=None))
    assert macro_f1(ANSWERS, LABELS, 4) == pytest.approx(metrics.f1_score(LABELS, ANSWERS, average="macro"))


def test_confusions_are_counted_and_the_commonest_come_first() -> None:
    pairs = zip(LABELS.tolist(), ANSWERS.tolist(), strict=True)
    counts = Counter((label, answer) for label, answer in pairs if label != answer)
    found = confused(ANSWERS, LABELS, 4)
    assert found == [(*pair, counts[pair]) for pair in sorted(counts, key=lambda pair: (-counts[pair], pair))]
    assert confused(LABELS, LABELS, 4) == []


def test_a_label_that_nobody_has_or_answers_does_not_count() -> None:
    assert macro_f1(np.array([0, 1]), np.array([0, 1]), 3) == 1.0


def test_a_label_that_only_texts_have_or_only_answers_counts_as_never_right() -> None:
    # Label 0 was answered twice and rightly once: F1 2/3. Label 1 was never right, nor was 2; 3 is nowhere.
    assert macro_f1(np.array([0, 0, 1]), np.array([0, 2, 2]), 4) == pytest.approx(2 / 3 / 3)


def test_probabilities_that_come_true_have_no_calibration_error() -> None:
    p = RANDOM.random(200_000)
    assert calibration_error(p, RANDOM.random(200_000) < p) < 0.005
    assert calibration_error(np.full(100, 0.95), np.arange(100) < 70) == pytest.approx(0.25)


def test_too_sure_in_one_bin_does_not_make_up_for_too_unsure_in_another() -> None:
    p = np.repeat([0.1, 0.9], 10)
    is_right = np.tile(np.arange(10) < 5, 2)
    assert calibration_error(p, is_right) == pytest.approx(0.4)


def test_certainty_lies_in_the_last_bin() -> None:
    # Ten of 0.95 that all come true and one of 1.0 that does not: 10/11 of them are right.
    p, is_right = np.array([*[0.95] * 10, 1.0]), np.arange(11) < 10
    assert calibration_error(p, is_right) == pytest.approx(p.mean() - 10 / 11)


def test_uniform_scores_have_the_nats_of_guessing() -> None:
    found = figures(np.zeros((40, 4)), np.arange(40) % 4)
    assert found.nats == pytest.approx(np.log(4))
    assert found.accuracy == 0.25
    assert found.calibration_error == pytest.approx(0.0)


def test_calibration_is_that_of_the_likeliest_label() -> None:
    logits = np.log(np.tile([0.2, 0.7, 0.1], (10, 1)))  # as sure as 0.7, and right half the time
    assert figures(logits, np.repeat([1, 0], 5)).calibration_error == pytest.approx(0.2)


def test_the_best_net_is_the_one_that_is_best_without_the_linear_model() -> None:
    net, linear, answer = (
        Figures(nats=nats, accuracy=0.9, macro_f1=0.9, calibration_error=0.0) for nats in (0.3, 0.4, 0.2)
    )
    calibration = Calibration(net=1.0, linear=1.0, mixed_net=0.5, mixed_linear=0.5)
    assert Verdict(net, linear, answer, calibration, documents=9).loss == net.nats


def test_a_score_survives_the_way_through_json() -> None:
    one = Figures(nats=0.3, accuracy=0.9, macro_f1=0.89, calibration_error=0.01)
    verdict = Verdict(one, one, one, Calibration(net=1.0, linear=0.5, mixed_net=0.6, mixed_linear=0.2), 25)
    assert score.restore(json.loads(json.dumps(asdict(verdict)))) == verdict
