"""Tables of measurements, printed row by row: a run that is cut short has shown what it found."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Column(NamedTuple):
    """Numbers below a heading: where a measurement has its number, and how that is written."""

    heading: str
    path: str  # keys, one inside the other, with dots between
    form: str

    def of(self, found: dict[str, Any]) -> float:
        """The number of one measurement.

        Example:
            >>> Column("right", "net.accuracy", ".2f").of({"net": {"accuracy": 0.5}})
            0.5
        """
        value: Any = found
        for key in self.path.split("."):
            value = value[key]
        return float(value)


def means(columns: Sequence[Column], found: Sequence[dict[str, Any]]) -> list[str]:
    """The mean of every column."""
    return [f"{statistics.fmean(map(column.of, found)):{column.form}}" for column in columns]


def spreads(columns: Sequence[Column], found: Sequence[dict[str, Any]]) -> list[str]:
    """The smallest and the largest number of every column."""
    numbers = [[column.of(one) for one in found] for column in columns]
    return [
        f"{min(of):{column.form}} to {max(of):{column.form}}"
        for of, column in zip(numbers, columns, strict=True)
    ]


def print_headings(headings: Sequence[str]) -> None:
    print()
    print_row(headings)
    print(f"|{' --- |' * len(headings)}", flush=True)


def print_row(cells: Iterable[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)
