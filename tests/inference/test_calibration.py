"""Factors against a search of the whole grid."""

from collections.abc import Callable

import numpy as np
import pytest

from charrnn.inference.calibration import (
    EXPECTED,
    LARGEST,
    PRIOR_OF_SHARES,
    PRIOR_TEXTS,
    _factors,
    calibrate,
)
from charrnn.inference.softmax import log_softmax

RANDOM = np.random.default_rng(0)


def drawn(count: int, classes: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels that come as often as the scores times `sharpness` say."""
    scores = RANDOM.normal(size=(count, classes))
    p = np.exp(log_softmax(sharpness * scores))
    return scores, (p.cumsum(1) > RANDOM.random((count, 1))).argmax(1)


def nats(scores: np.ndarray, labels: np.ndarray) -> float:
    return -float(log_softmax(scores)[np.arange(len(labels)), labels].sum())


@pytest.mark.parametrize("sharpness", [0.2, 1.0, 3.0])
def test_a_net_alone_gets_the_factor_of_the_smallest_loss(sharpness: float) -> None:
    scores, labels = drawn(4000, 3, sharpness)
    found = calibrate(scores, np.zeros_like(scores), labels)
    grid = np.linspace(0.0, 5.0, 1001)
    losses = [nats(factor * scores, labels) + PRIOR_TEXTS / 2 * (factor - 1) ** 2 for factor in grid]
    assert found.net == pytest.approx(grid[int(np.argmin(losses))], abs=0.006)
    assert found.net == pytest.approx(sharpness, rel=0.1)


def test_two_that_each_know_a_part_are_mixed() -> None:
    truth, labels = drawn(4000, 2, 2.0)
    noise = RANDOM.normal(size=truth.shape)
    one, other = truth + noise, truth - noise
    found = calibrate(one, other, labels)
    mixed = found.answer(one, other)
    assert found.mixed_net == pytest.approx(found.mixed_linear, rel=0.1)
    assert nats(mixed, labels) < nats(found.net * one, labels)
    assert nats(mixed, labels) < nats(found.linear * other, labels)


def test_few_texts_move_the_shares_little() -> None:
    net, labels = drawn(10, 3, 1.0)
    linear = RANDOM.normal(size=net.shape)
    found = calibrate(net, linear, labels)
    shares = (found.mixed_net / found.net, found.mixed_linear / found.linear)
    assert shares == pytest.approx(EXPECTED, abs=0.1)


def test_what_says_the_contrary_is_left_out() -> None:
    scores, labels = drawn(2000, 2, 1.0)
    found = calibrate(scores, -scores, labels)
    assert found.mixed_linear == 0.0
    assert found.linear == 0.0


def test_no_text_and_no_difference_move_nothing() -> None:
    empty = np.zeros((0, 2))
    found = calibrate(empty, empty, np.zeros(0, np.int64))
    assert (found.net, found.linear) == (1.0, 1.0)


def erring_alike(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of one, of another that makes the same errors and larger ones, and labels."""
    random = np.random.default_rng(seed)
    truth, error = random.normal(size=(2, 2000, 3))
    labels = (truth + random.gumbel(size=truth.shape)).argmax(1)
    return truth + error, truth + random.uniform(1.5, 4.0) * error, labels


@pytest.mark.parametrize("seed", range(10))
def test_where_one_is_left_out_the_other_has_the_share_of_the_smallest_loss(seed: int) -> None:
    linear, net, labels = erring_alike(seed)
    found = calibrate(net, linear, labels)
    shares = np.array([found.mixed_net / found.net, found.mixed_linear / found.linear])
    assert shares[0] == 0.0

    def loss(shares: np.ndarray) -> float:
        scores = shares[0] * found.net * net + shares[1] * found.linear * linear
        return nats(scores, labels) + PRIOR_OF_SHARES / 2 * float(((shares - EXPECTED) ** 2).sum())

    assert_smallest(loss, shares)


def test_one_who_is_quite_sure_of_the_wrong_label_throws_no_step_too_far() -> None:
    scores, label = np.array([[79.0, 0.0], [-9.0, 0.0]]), np.array([1])
    found = np.array(_factors([scores[:1], scores[1:]], label, EXPECTED, PRIOR_OF_SHARES))

    def loss(factors: np.ndarray) -> float:
        prior = PRIOR_OF_SHARES / 2 * float(((factors - EXPECTED) ** 2).sum())
        return nats(factors[None] @ scores, label) + prior

    assert_smallest(loss, found)


def assert_smallest(loss: Callable[[np.ndarray], float], found: np.ndarray) -> None:
    """What is smallest for each of two numbers is smallest for both, if it is convex and smooth."""
    for place in (0, 1):
        for value in (*np.linspace(0.0, LARGEST, 101), *found[place] * np.linspace(0.9, 1.1, 41)):
            assert loss(np.where(np.arange(2) == place, value, found)) > loss(found) - 1e-9
