"""Curves as text."""

import math

import pytest
from rich.color import Color
from rich.style import Style
from rich.text import Text

from charrnn.terminal.charts import COLOURS, curves

FALLING, RISING = [3.0, 2.0, 1.5, 1.2], [1.2, 1.5, 2.0, 3.0]
X = [0.0, 1.0, 2.0, 3.0]


def cells(text: str) -> list[tuple[int, int]]:
    """Row and column of all cells with dots of a curve."""
    return [
        (row, column)
        for row, line in enumerate(text.splitlines())
        for column, cell in enumerate(line)
        if 0x2800 < ord(cell) <= 0x28FF
    ]


def test_a_chart_has_the_size_it_was_given() -> None:
    lines = curves(X, [FALLING, RISING], 60, 9, in_colour=False).plain.splitlines()
    assert len(lines) == 9
    assert max(map(len, lines)) == 60


def test_its_size_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "5")
    lines = curves(X, [FALLING, RISING], 110, 9, in_colour=False).plain.splitlines()
    assert (len(lines), max(map(len, lines))) == (9, 110)


def test_a_falling_curve_falls() -> None:
    found = cells(curves(X, [FALLING], 60, 9, in_colour=False).plain)
    first, last = min(found, key=lambda cell: cell[1]), max(found, key=lambda cell: cell[1])
    assert first[0] == min(row for row, _ in found)
    assert last[0] == max(row for row, _ in found)
    assert first[0] < last[0]


def test_a_line_leads_from_point_to_point() -> None:
    found = cells(curves([0.0, 1.0], [[0.0, 1.0]], 60, 9, in_colour=False).plain)
    columns = {column for _, column in found}
    assert columns == set(range(min(columns), max(columns) + 1))
    assert len(columns) > 40


def test_the_axes_carry_the_range_of_the_numbers() -> None:
    text = curves(X, [FALLING, RISING], 60, 9, in_colour=False).plain
    assert "3.0" in text
    assert "1.2" in text


def test_curves_have_the_colours_of_the_legend_or_none() -> None:
    fans = [[height, height] for height in range(len(COLOURS))]
    coloured = curves(X[:2], fans, 60, 20, in_colour=True)
    colours = {Style.parse(str(span.style)).color for span in coloured.spans}
    assert {Color.parse(name).number for name in COLOURS} <= {colour.number for colour in colours if colour}
    plain = curves(X, [FALLING, RISING], 60, 9, in_colour=False)
    assert "\x1b" not in plain.plain
    assert not plain.spans


def test_a_chart_knows_nothing_of_the_one_before() -> None:
    alone = curves(X, [FALLING], 60, 9, in_colour=False).plain
    curves([0.0, 100.0], [[50.0, 90.0], [1.0, 2.0]], 30, 5, in_colour=True)
    assert curves(X, [FALLING], 60, 9, in_colour=False).plain == alone


def test_two_equal_points_are_a_chart_too() -> None:
    assert len(curves([1.0, 1.0], [[2.0, 2.0]], 60, 9, in_colour=False).plain.splitlines()) == 9


def test_points_that_are_no_numbers_are_gaps() -> None:
    for missing in (math.nan, math.inf, -math.inf):
        with_gap = curves(X, [[3.0, missing, 1.5, 1.2]], 60, 9, in_colour=False).plain
        assert with_gap == curves([0.0, 2.0, 3.0], [[3.0, 1.5, 1.2]], 60, 9, in_colour=False).plain


def test_a_curve_without_a_point_keeps_its_colour_for_itself() -> None:
    def colours(text: Text) -> set[int | None]:
        return {colour.number for span in text.spans if (colour := Style.parse(str(span.style)).color)}

    nothing = [math.nan] * len(X)
    assert len(curves(X, [nothing], 60, 9, in_colour=False).plain.splitlines()) == 9
    assert Color.parse(COLOURS[0]).number not in colours(curves(X, [nothing, FALLING], 60, 9, in_colour=True))


def test_a_curve_may_end_before_the_others() -> None:
    found = cells(curves(X, [FALLING[:2]], 60, 9, in_colour=False).plain)
    assert found
    assert cells(curves(X, [RISING, FALLING[:2]], 60, 9, in_colour=False).plain) != cells(
        curves(X, [RISING], 60, 9, in_colour=False).plain
    )
