"""Bits per byte stay honest."""

import math

import numpy as np
import pytest

from charrnn.evaluation.metrics import Foresight, validation


def test_an_unknown_character_costs_its_bytes_at_eight_bits_each() -> None:
    # One boundary, one <unk> (of 3 bytes on average), two "a"; one nat for each of them.
    lengths = np.array([0.0, 3.0, 1.0])
    score = validation(4.0, np.array([1, 1, 2]), lengths, unknown=1)
    assert score.nats_per_token == 1.0
    assert score.bits_per_byte == pytest.approx((4.0 / math.log(2) + 8 * 3) / (3 + 1 + 1))


def test_leaving_characters_out_of_the_vocabulary_makes_no_model_look_better() -> None:
    guessing = validation(10 * math.log(256), np.array([0, 0, 10]), np.ones(3), None)
    hiding = validation(0.0, np.array([0, 10, 0]), np.ones(3), unknown=1)
    assert hiding.bits_per_byte >= guessing.bits_per_byte == pytest.approx(8.0)


def test_a_boundary_costs_bits_and_has_no_bytes() -> None:
    lengths = np.array([0.0, 1.0])
    with_end, without = (
        validation(3.0, np.array([1, 2]), lengths, None),
        validation(2.0, np.array([0, 2]), lengths, None),
    )
    assert with_end.bits_per_byte == pytest.approx(1.5 * without.bits_per_byte)


def test_to_guess_among_so_many_equally_likely_tokens_is_a_perplexity_of_so_many() -> None:
    assert Foresight(nats_per_token=math.log(50), tokens=9).perplexity == pytest.approx(50)
