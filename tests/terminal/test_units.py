"""Numbers as people read them."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.terminal.units import duration, exact, short

SIZES = {"": 1.0, " k": 1e3, " M": 1e6, " G": 1e9}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.4, "0"),
        (42, "42"),
        (999, "999"),
        (999.6, "1.00 k"),
        (1000, "1.00 k"),
        (9_996, "10.0 k"),
        (31_204, "31.2 k"),
        (99_960, "100 k"),
        (999_499, "999 k"),
        (999_999, "1.00 M"),
        (1_234_567, "1.23 M"),
        (2.5e9, "2.50 G"),
        (1e12, "1000 G"),
        (-31_204, "-31.2 k"),
    ],
)
def test_a_number_has_three_digits_and_a_unit(number: float, text: str) -> None:
    assert short(number) == text


@given(st.floats(min_value=1, max_value=9.99e11))
def test_a_short_number_is_within_half_a_percent_of_the_long_one(number: float) -> None:
    match = re.fullmatch(r"([0-9.]+)( [kMG])?", short(number))
    assert match is not None
    assert len(match[1].replace(".", "")) <= 3
    tolerance = 0.5 if number < 1000 else 0.0051 * number
    assert math.isclose(float(match[1]) * SIZES[match[2] or ""], number, rel_tol=0, abs_tol=tolerance)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (-3, "0:00"),
        (0.4, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (75.4, "1:15"),
        (3599.7, "1:00:00"),
        (3 * 3600 + 61, "3:01:01"),
        (100 * 3600, "100:00:00"),
    ],
)
def test_a_duration_reads_like_a_clock(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_said_exactly_is_the_same_when_it_is_read(number: float) -> None:
    assert float(exact(number)) == number
