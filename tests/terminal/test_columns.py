"""Columns where there is space and where there is not."""

from collections.abc import Sequence

import pytest
from rich.text import Text

from charrnn.terminal.columns import FLOOR, Column, Row, fit, print_rows
from tests.terminal.drawing import console

COLUMNS = (
    Column("name", is_elastic=True),
    Column("share", is_number=True),
    Column("date", spared=2),
    Column("place", is_elastic=True, needs=5, spared=1),
)
ROWS = (
    tuple(map(Text, ("a name of some length", "99.99%", "2026-01-02", "somewhere else"))),
    tuple(map(Text, ("short", "0.01%", "", ""))),
)


def drawn(width: int, columns: Sequence[Column] = COLUMNS, rows: Sequence[Row] = ROWS) -> list[str]:
    screen, file = console(width=width)
    print_rows(screen, columns, rows)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_where_there_is_space_all_is_there_two_cells_apart() -> None:
    assert drawn(100) == [
        "name                    share  date        place",
        "a name of some length  99.99%  2026-01-02  somewhere else",
        "short                   0.01%",
    ]


def test_what_can_be_spared_most_goes_first_and_what_is_left_has_its_space() -> None:
    assert drawn(51)[1] == "a name of some length  99.99%  2026-01-02  somewhe…"
    assert drawn(40)[1] == "a name of some length  99.99%  somewher…"
    assert drawn(30)[1] == "a name of some length  99.99%"
    assert drawn(20)[1] == "a name of s…  99.99%"


@pytest.mark.parametrize("width", range(13, 70))
def test_no_line_is_too_long_and_no_number_is_cut(width: int) -> None:
    lines = drawn(width)
    assert max(map(len, lines)) <= width
    assert "99.99%" in lines[1]
    assert lines[1].startswith("a na")


def test_nothing_goes_where_all_fits_exactly() -> None:
    assert drawn(21 + 2 + 6 + 2 + 10 + 2 + 5)[1] == "a name of some length  99.99%  2026-01-02  some…"


def test_a_column_that_can_be_cut_and_spared_is_cut_as_far_as_says_anything_and_then_left_out() -> None:
    columns = (Column("run"), Column("model", is_elastic=True, spared=1))
    rows = [(Text("one"), Text("m" * 20))]
    shown = [drawn(width, columns, rows)[1] for width in range(5, 26)]
    cut = [line for line in shown if "m" in line]
    assert set(shown) - set(cut) == {"one"}
    assert cut == shown[-len(cut) :]
    assert {len(line) for line in cut} == set(range(3 + 2 + FLOOR, 26))


def test_a_cell_is_as_wide_as_a_terminal_shows_it() -> None:
    columns, rows = COLUMNS[:2], [(Text("漢字漢字漢字"), Text("0.01%"))]
    assert drawn(16, columns, rows)[1] == "漢字漢字…  0.01%"
    assert fit(console()[0], columns, rows, 12 + 2 + 5)
    assert not fit(console()[0], columns, rows, 12 + 2 + 4)


def test_without_rows_there_are_the_names() -> None:
    assert drawn(40, rows=()) == ["name  share  date  place"]
