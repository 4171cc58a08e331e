"""Rows of cells on lines as wide as there is: each column says what can be spared of it on a narrow one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

GAP = 2  # between two columns
FLOOR = 5  # what an elastic column has at least, or it would say nothing

Row = Sequence[RenderableType]


@dataclass(frozen=True, slots=True)
class Column:
    """What stands above a column, how its cells look, and what of it can be spared."""

    name: str
    style: str = ""
    is_number: bool = False  # stands at the right
    is_elastic: bool = False  # may be cut, with an ellipsis; any other is whole or not there
    needs: int | None = None  # the width for which others make room; that of its widest cell if not given
    spared: int = 0  # columns with higher numbers are the first to be cut or left out; one with 0 stays


def print_rows(
    console: Console, columns: Sequence[Column], rows: Sequence[Row], width: int | None = None
) -> None:
    """The rows under the names of the columns.

    Args:
        console: where.
        columns: from left to right.
        rows: a cell for each of them.
        width: of a line; that of the console if not given.
    """
    table = Table(box=None, pad_edge=False, padding=(0, GAP // 2))
    widths = _fitted(columns, _natural(console, columns, rows), width or console.width)
    for index, cells in widths.items():
        column = columns[index]
        table.add_column(
            Text(column.name),
            justify="right" if column.is_number else "left",
            style=column.style,
            width=cells,
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in rows:
        table.add_row(*(row[index] for index in widths))
    console.print(table)


def fit(console: Console, columns: Sequence[Column], rows: Sequence[Row], width: int) -> bool:
    """Whether a line of this width has what all columns need."""
    return _together(_needed(columns, _natural(console, columns, rows))) <= width


def _fitted(columns: Sequence[Column], natural: Sequence[int], width: int) -> dict[int, int]:
    """The columns that there is space for, by their index, and the width of each."""
    widths = dict(enumerate(_needed(columns, natural)))
    for index in sorted(widths, key=lambda index: columns[index].spared, reverse=True):
        column, excess = columns[index], _together(widths.values()) - width
        if excess <= 0:
            break
        floor = min(FLOOR, widths[index])
        if column.is_elastic and (widths[index] - excess >= floor or not column.spared):
            widths[index] = max(floor, widths[index] - excess)
        elif column.spared:
            del widths[index]
    for index, cells in widths.items():
        free = max(0, width - _together(widths.values()))
        widths[index] = min(natural[index], cells + free)
    return widths


def _natural(console: Console, columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """The width of the widest cell of every column, its name's included."""
    widths = [cell_len(column.name) for column in columns]
    for row in rows:
        found = (Measurement.get(console, console.options, cell).maximum for cell in row)
        widths = list(map(max, widths, found))
    return widths


def _needed(columns: Sequence[Column], natural: Sequence[int]) -> list[int]:
    return [
        own if column.needs is None else min(own, column.needs)
        for column, own in zip(columns, natural, strict=True)
    ]


def _together(widths: Collection[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)
