"""The card at the end of a training."""

import pytest

from charrnn.evaluation.metrics import Validation
from charrnn.terminal.closing import part_that_flatters


def score(bits_per_byte: float) -> Validation:
    return Validation(nats_per_token=bits_per_byte, bits_per_byte=bits_per_byte, tokens=2048)


def test_a_score_far_worse_than_the_one_by_which_the_model_was_chosen_is_told() -> None:
    for final in (2.76, 3.19):
        assert part_that_flatters(score(2.393), score(final)) == [
            ("", "the part of it that evaluations read: 2.393; more --time, or another --seed, may help")
        ]


@pytest.mark.parametrize(("best", "final"), [(2.0, 2.3), (2.0, 1.0), (None, 3.0)])
def test_a_score_like_the_one_by_which_the_model_was_chosen_is_not(best: float | None, final: float) -> None:
    assert part_that_flatters(None if best is None else score(best), score(final)) == []
