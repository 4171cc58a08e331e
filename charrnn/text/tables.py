"""Tables of labelled texts: rows of cells, and which column has the labels. Knows no files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from charrnn.errors import TextError, UsageError
from charrnn.text.visible import is_visible

JSON = "json"  # in place of what parts columns
LONGEST_LABEL = 64
LABEL_HEADINGS = (
    "label",
    "labels",
    "class",
    "category",
    "sentiment",
    "target",
    "intent",
    "topic",
    "tag",
    "y",
)
TEXT_HEADINGS = ("text", "review", "sentence", "content", "message", "comment", "document", "question", "x")
# What JSON can say and no text has: half of a character of two, as left by who cut a text by numbers.
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"
PLAIN = str | int | float | bool | None  # what a cell can be
LONGEST_CELL = 2**31 - 1  # characters; by itself the reader of CSV stops at 131,072
# Fewer texts a label than this, on average, and a column is no column of labels.
TEXTS_A_LABEL = 2


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are meant, by heading or by number from 1; `None` to find out."""

    label: str | None = None
    text: str | None = None

    @property
    def named(self) -> set[str]:
        """What was asked for, whatever it turns out to be."""
        return {name for name in (self.label, self.text) if name is not None}


Cell = str | None  # None where an object lacks what others have


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells each, and what their columns are called, if there is a heading."""

    headings: list[str] | None
    rows: list[list[Cell]]
    lines: list[int]  # where each row begins, from 1

    def column(self, index: int) -> list[Cell]:
        """The cells of a column."""
        return [row[index] for row in self.rows]


def called(table: Table, index: int) -> str:
    """What messages call a column."""
    return f'"{table.headings[index]}"' if table.headings else f"column {index + 1}"


def parse(
    name: str, text: str, delimiter: str, named: Collection[str] = (), known: Collection[str] = ()
) -> Table:
    """The table of a text; empty lines are left out.

    Args:
        name: what errors call it.
        text: all of it.
        delimiter: a tab, a comma, or `JSON` for an object a line.
        named: what columns are called, as far as that was said.
        known: the labels there are, if that is known; a column that has no others is without a heading.

    Raises:
        TextError: if a row has another number of columns than the first, or cannot be read.
    """
    if delimiter == JSON:
        return _json_table(name, text)
    rows, lines = _comma_rows(name, text) if delimiter == "," else _tab_rows(text)
    width = len(rows[0]) if rows else 0
    for row, number in zip(rows, lines, strict=True):
        if len(row) != width:
            raise TextError(
                f"{name}: line {number}: columns: {len(row)}, expected {width} as in line {lines[0]}"
            )
    without_heading = Table(None, rows, lines)
    if _is_headed(rows, named) and _known(without_heading, None, known) is None:
        return Table([str(cell).strip() for cell in rows[0]], rows[1:], lines[1:])
    return without_heading


def is_headed_by_commas(beginning: str) -> bool:
    """Whether the first lines of a text are those of a table that commas part, with a heading."""
    try:
        rows = [row for row in csv.reader(io.StringIO(beginning)) if row]
    except csv.Error:
        return False
    rows = rows[:-1] if len(rows) > 2 else rows  # the last may be cut
    return len({len(row) for row in rows}) == 1 and len(rows[0]) > 1 and _is_headed(rows, ())


def _comma_rows(name: str, text: str) -> tuple[list[list[Cell]], list[int]]:
    csv.field_size_limit(LONGEST_CELL)
    rows: list[list[Cell]] = []
    lines, begin = [], 1
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([*row])
                lines.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise TextError(f"{name}: line {reader.line_num}: not CSV: {error}") from None
    return rows, lines


def _tab_rows(text: str) -> tuple[list[list[Cell]], list[int]]:
    rows: list[list[Cell]] = []
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            rows.append([*line.split("\t")])
            lines.append(number)
    return rows, lines


def _is_headed(rows: Sequence[Sequence[Cell]], named: Collection[str]) -> bool:
    """Whether the first row says what columns are called; a label that is "y" stands in others as well."""
    headings = [str(cell).strip() for cell in rows[0]] if rows else []
    return any(
        (heading in named or heading.casefold() in (*LABEL_HEADINGS, *TEXT_HEADINGS))
        and all(str(row[index]).strip() != heading for row in rows[1:])
        for index, heading in enumerate(headings)
    )


def _json_table(name: str, text: str) -> Table:
    rows: list[dict[str, Any]] = []
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise TextError(f"{name}: line {number}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise TextError(f"{name}: line {number}: not a JSON object")
        rows.append(row)
        lines.append(number)
    headings = dict.fromkeys(heading for row in rows for heading in row)
    plain = [
        heading
        for heading in headings
        if isinstance(next(row[heading] for row in rows if heading in row), PLAIN)
    ]
    return Table(plain, [[_cell(row.get(heading)) for heading in plain] for row in rows], lines)


def _cell(value: Any) -> Cell:
    if value is None or not isinstance(value, PLAIN):
        return None
    return LONE_SURROGATE.sub(REPLACEMENT, json.dumps(value) if isinstance(value, bool) else str(value))


def choose(name: str, table: Table, columns: Columns, known: Collection[str] = ()) -> tuple[int, int]:
    """The columns of the label and of the text.

    Args:
        name: what errors call the table.
        table: its rows.
        columns: which are meant, as far as that was said.
        known: the labels there are, if that is known; a column that has no others has the labels.

    Raises:
        TextError: if no column can be that of the labels, or a row lacks its label or text.
        UsageError: if there is no such column as was named.
    """
    width = len(table.rows[0]) if table.rows else 0
    if width < 2:
        raise TextError(
            f"{name}: has {width} column{'' if width else 's'}, expected a label and a text in every row",
            "with a tab between them, or a comma in a .csv; or a folder for each label, with nothing beside",
        )
    label = _named(name, "--label-column", table, columns.label, LABEL_HEADINGS)
    text = _named(name, "--text-column", table, columns.text, TEXT_HEADINGS)
    if label == text and columns.label is None:  # what was named is the text, whatever its heading
        label = None
    if label is None:
        label = _known(table, text, known)
    if label is None:
        label = _few_valued(name, table, text)
    if text is None or (text == label and columns.text is None):
        others = [index for index in range(width) if index != label]
        text = max(others, key=lambda index: sum(len(cell or "") for cell in table.column(index)))
    if text == label:
        raise UsageError(f"{name}: label and text cannot both be {called(table, label)}")
    for row, line in zip(table.rows, table.lines, strict=True):
        if not (row[label] or "").strip():
            raise TextError(f"{name}: line {line}: has no label in {called(table, label)}")
        if row[text] is None:
            raise TextError(f"{name}: line {line}: has no text in {called(table, text)}")
    return label, text


def _named(name: str, flag: str, table: Table, wanted: str | None, usual: Sequence[str]) -> int | None:
    headings, width = table.headings or [], len(table.rows[0])
    if wanted is None:
        folded = [heading.casefold() for heading in headings]
        return next((folded.index(heading) for heading in usual if heading in folded), None)
    if wanted in headings:
        return headings.index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= width:
        return int(wanted) - 1
    there = ", ".join(headings) if headings else f"1 to {width}"
    raise UsageError(f"{flag} {wanted}: {name} has no such column", f"its columns: {there}")


def fault_of(label: str) -> str | None:
    r"""Why a text can be no label, as the end of a sentence that begins with it.

    Example:
        >>> fault_of("très bon"), fault_of("a\x1b[1m")
        (None, 'has a character that cannot be shown: U+001B')
    """
    if not label:
        return "is empty"
    if len(label) > LONGEST_LABEL:
        return f"is longer than {LONGEST_LABEL} characters"
    for character in label:
        if not is_visible(character, joiners=True):
            return f"has a character that cannot be shown: U+{ord(character):04X}"
    return None


def _known(table: Table, text: int | None, known: Collection[str]) -> int | None:
    """The first column that has known labels alone."""
    for index in range(len(table.rows[0])):
        if index != text and all((cell or "").strip() in known for cell in table.column(index)):
            return index
    return None


def _few_valued(name: str, table: Table, text: int | None) -> int:
    """The column with the fewest distinct values, if they can be labels."""
    candidates = {}
    for index in range(len(table.rows[0])):
        values = set(table.column(index))
        is_short = all(value is not None and len(value) <= LONGEST_LABEL for value in values)
        if index != text and is_short and 2 <= len(values) <= len(table.rows) / TEXTS_A_LABEL:
            candidates[index] = len(values)
    if not candidates:
        raise TextError(
            f"{name}: no column has few distinct values, as labels have",
            "--label-column says which it is, by heading or number",
        )
    return min(candidates, key=lambda index: candidates[index])
