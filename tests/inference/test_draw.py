"""From scores to a token: the filters one after the other, against formulas written out."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.config import SamplingConfig
from charrnn.inference.draw import draw, generator, probabilities

LOGITS = np.log(np.array([0.05, 0.4, 0.3, 0.2, 0.05]))
NONE = np.zeros(5, np.bool_)


def kept(**settings_: float) -> list[int]:
    sampling = SamplingConfig(**({"temperature": 1.0} | settings_))  # type: ignore[arg-type]  # a mixed bag of fields
    return np.flatnonzero(probabilities(LOGITS, NONE, sampling)).tolist()


@pytest.mark.parametrize("seed", [1, -1, 2**63 - 1])
def test_a_seed_may_be_one_of_numpys_numbers(seed: int) -> None:
    assert generator(np.int64(seed)).random() == generator(seed).random()  # type: ignore[arg-type]  # as is typed


def test_at_temperature_one_the_probabilities_are_the_softmax() -> None:
    np.testing.assert_allclose(probabilities(LOGITS, NONE, SamplingConfig(temperature=1.0)), np.exp(LOGITS))


def test_temperature_raises_probabilities_to_its_inverse() -> None:
    expected = np.exp(LOGITS) ** (1 / 0.5)
    expected /= expected.sum()
    np.testing.assert_allclose(probabilities(LOGITS, NONE, SamplingConfig(temperature=0.5)), expected)


@pytest.mark.parametrize("temperature", [0.0, 1e-30, 1e-7])
def test_temperature_to_zero_is_argmax(temperature: float) -> None:
    p = probabilities(LOGITS, NONE, SamplingConfig(temperature=temperature))
    assert p.tolist() == [0, 1, 0, 0, 0]


def test_each_filter_keeps_what_it_says() -> None:
    assert kept(top_k=2) == [1, 2]
    assert kept(top_p=0.69) == [1, 2]
    assert kept(top_p=0.71) == [1, 2, 3]
    assert kept(min_p=0.5) == [1, 2, 3]
    assert kept(top_k=1) == [1]


def test_of_equal_probabilities_the_lower_ids_stay() -> None:
    for filters in ({"top_k": 2}, {"top_p": 0.4}):
        sampling = SamplingConfig(temperature=1.0, **filters)
        assert np.flatnonzero(probabilities(np.zeros(5), NONE, sampling)).tolist() == [0, 1]


def test_top_p_keeps_no_more_than_make_it_up() -> None:
    p = probabilities(np.zeros(4), NONE[:4], SamplingConfig(temperature=1.0, top_p=0.5))
    assert p.tolist() == [0.5, 0.5, 0.0, 0.0]


def test_top_p_is_measured_on_what_top_k_left() -> None:
    # Of .4 and .3 the first makes up 57 %: enough for .5, where of all five it would not be.
    assert kept(top_p=0.5) == [1, 2]
    assert kept(top_k=2, top_p=0.5) == [1]


def test_top_p_of_nearly_one_keeps_nearly_all_whatever_rounding_does() -> None:
    sampling = SamplingConfig(temperature=1.0, top_p=math.nextafter(1.0, 0.0))
    for seed in range(200):
        logits = np.random.default_rng(seed).normal(size=70)
        p = probabilities(logits, np.zeros(70, np.bool_), sampling)
        assert np.count_nonzero(p) >= 69


def test_top_k_of_the_whole_vocabulary_is_no_top_k() -> None:
    plain = probabilities(LOGITS, NONE, SamplingConfig())
    np.testing.assert_array_equal(probabilities(LOGITS, NONE, SamplingConfig(top_k=5)), plain)
    np.testing.assert_array_equal(probabilities(LOGITS, NONE, SamplingConfig(top_k=10**18)), plain)


def test_what_is_forbidden_has_probability_zero_even_if_it_is_the_best() -> None:
    forbidden = np.array([False, True, False, False, False])
    for temperature in (0.0, 1.0):
        p = probabilities(LOGITS, forbidden, SamplingConfig(temperature=temperature))
        assert p[1] == 0.0
        assert p.sum() == pytest.approx(1.0)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=40),
    st.sampled_from([0.0, 1e-30, 1e-5, 0.1, 1.0, 100.0, 1e30]),
    st.integers(1, 50),
    st.floats(1e-9, 1.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0, exclude_max=True),
)
def test_probabilities_are_finite_sum_to_one_and_give_a_possible_token(
    logits: list[float], temperature: float, top_k: int, top_p: float, min_p: float, uniform: float
) -> None:
    sampling = SamplingConfig(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    p = probabilities(np.array(logits, np.float32), np.zeros(len(logits), np.bool_), sampling)
    assert np.isfinite(p).all()
    assert p.sum() == pytest.approx(1.0)
    assert p[draw(p, uniform)] > 0


def test_tokens_come_as_often_as_their_probability_says() -> None:
    p = np.array([0.0, 0.5, 0.25, 0.25, 0.0])
    uniforms = generator(3)
    counts = np.bincount([draw(p, uniforms.random()) for _ in range(20_000)], minlength=5) / 20_000
    np.testing.assert_allclose(counts, p, atol=4 * math.sqrt(0.25 / 20_000))


def test_the_ends_of_the_unit_interval_give_the_first_and_last_possible_token() -> None:
    p = np.array([0.0, 0.1, 0.2, 0.7, 0.0])
    assert draw(p, 0.0) == 1
    assert draw(p, math.nextafter(1.0, 0.0)) == 3


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(1e-300, 1.0), min_size=1, max_size=20))
def test_no_rounding_carries_a_draw_past_the_last_possible_token(p: list[float]) -> None:
    assert draw(np.array([*p, 0.0]), math.nextafter(1.0, 0.0)) < len(p)


def test_equal_seeds_give_equal_numbers_and_neighbours_do_not() -> None:
    one, same, next_ = (generator(seed).random(8) for seed in (2**64 - 1, 2**64 - 1, 0))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, next_)


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
def test_all_bits_of_a_seed_count(seed: int) -> None:
    expected = np.random.Generator(np.random.Philox(key=seed)).random(8)
    np.testing.assert_array_equal(generator(seed).random(8), expected)
