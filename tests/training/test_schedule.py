"""The learning rate against its drawing: up in a line, down in half a cosine."""

import math

import pytest

from charrnn.training.schedule import Segment, factor

SEGMENT = Segment("steps", 100, 200)


def test_a_share_is_of_the_segment_in_its_own_unit() -> None:
    assert SEGMENT.share(150, 9999.0) == 0.5
    assert Segment("seconds", 10.0, 20.0).share(9999, 15.0) == 0.5


def test_the_rate_rises_in_a_line_from_a_tenth_and_falls_in_half_a_cosine() -> None:
    assert [factor(SEGMENT, share, 0.2) for share in (0.0, 0.1, 0.2)] == pytest.approx([0.1, 0.55, 1.0])
    for share in (0.3, 0.6, 0.9):
        expected = math.cos((share - 0.2) / 0.8 * math.pi / 2) ** 2
        assert factor(SEGMENT, share, 0.2) == pytest.approx(expected)
    assert factor(SEGMENT, 1.0, 0.2) == factor(SEGMENT, 1.5, 0.2) == 0.0


def test_the_peak_scales_everything() -> None:
    half = Segment("steps", 100, 200, peak=0.5)
    for share in (0.0, 0.1, 0.5):
        assert factor(half, share, 0.2) == pytest.approx(factor(SEGMENT, share, 0.2) / 2)


def test_a_clock_before_the_beginning_is_at_the_beginning() -> None:
    assert Segment("seconds", 10.0, 20.0).share(0, 2.5) == 0.0


def test_steps_that_take_too_long_end_with_their_time() -> None:
    segment = Segment("steps", 100, 200, within=(10.0, 60.0))
    assert segment.share(150, 20.0) == 0.5
    assert segment.share(150, 50.0) == 0.8
    assert segment.share(150, 60.0) == 1.0
