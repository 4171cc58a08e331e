"""Rows and their columns, against what Python's own readers say of the same text."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import TextError, UsageError
from charrnn.text.tables import JSON, Columns, choose, fault_of, is_headed_by_commas, parse

CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(str.strip)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6)


@given(ROWS)
def test_what_csv_writes_is_read_back(rows: list[tuple[str, ...]]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    found = parse("x", file.getvalue(), ",")
    body = [list(row) for row in rows]
    assert found.rows == (body if found.headings is None else body[1:])


@given(ROWS)
def test_what_tabs_part_is_read_back_with_the_line_it_stood_in(rows: list[tuple[str, ...]]) -> None:
    text = "\n\n".join("\t".join(row) for row in rows)
    found = parse("x", text, "\t")
    first = 0 if found.headings is None else 1
    assert found.rows == [list(row) for row in rows[first:]]
    assert found.lines == [1 + 2 * number for number in range(first, len(rows))]


@given(ROWS)
def test_objects_are_rows_under_the_headings_of_the_first(rows: list[tuple[str, ...]]) -> None:
    text = "".join(json.dumps(dict(zip("abc", row, strict=True)) | {"list": [1]}) + "\n" for row in rows)
    found = parse("x", text, JSON)
    assert found.headings == ["a", "b", "c"]
    assert found.rows == [list(row) for row in rows]


def test_truth_is_spelled_as_in_json() -> None:
    assert parse("x", '{"text": "a", "label": true}\n{"text": "b", "label": false}\n', JSON).rows == [
        ["a", "true"],
        ["b", "false"],
    ]


def test_the_heading_that_says_label_wins_over_the_column_with_fewer_values() -> None:
    table = parse("x", "label\tsplit\tbody\na\ttrain\tlong text\nb\ttrain\tother text\nc\ttest\tx\n", "\t")
    assert choose("x", table, Columns()) == (0, 2)
    assert choose("x", table, Columns(label="split")) == (1, 2)
    assert choose("x", table, Columns(label="split", text="1")) == (1, 0)


def test_a_column_that_is_named_the_text_is_it_though_its_heading_is_that_of_labels() -> None:
    rows = "".join(f"{'ab'[number % 2]}\tthe text {number}\n" for number in range(8))
    assert choose("x", parse("x", "x\ty\n" + rows, "\t"), Columns(text="y")) == (0, 1)


def test_without_headings_the_longest_of_the_other_columns_is_the_text() -> None:
    table = parse(
        "x", "".join(f"{number}\tthe text {number}\t{'ab'[number % 2]}\n" for number in range(8)), "\t"
    )
    assert choose("x", table, Columns()) == (2, 1)


def test_a_column_of_known_labels_is_the_label_however_few_rows_there_are() -> None:
    table = parse("x", "the text\tgood\ta\nanother text\tgood\tb\n", "\t")
    assert choose("x", table, Columns(), ("bad", "good")) == (1, 0)
    with pytest.raises(TextError, match="no column has few distinct values"):
        choose("x", table, Columns(), ("bad", "fair"))


def test_a_column_of_long_or_ever_new_values_is_no_label() -> None:
    table = parse("x", "".join(f"{number}\t{'y' * 65}{number % 2}\n" for number in range(8)), "\t")
    with pytest.raises(TextError, match="no column has few distinct values"):
        choose("x", table, Columns())


def test_a_column_that_is_not_there_is_named() -> None:
    table = parse("x", "a\tone\nb\ttwo\n", "\t")
    with pytest.raises(UsageError) as raised:
        choose("x", table, Columns(label="9"))
    assert (raised.value.message, raised.value.hint) == (
        "--label-column 9: x has no such column",
        "its columns: 1 to 2",
    )


def test_a_number_is_a_heading_if_there_is_one_and_else_a_place_from_1() -> None:
    table = parse("x", "2\ttext\n" + "".join(f"{'ab'[n % 2]}\ttext {n}\n" for n in range(4)), "\t", ("2",))
    assert table.headings == ["2", "text"]
    assert choose("x", table, Columns(label="2")) == (0, 1)
    for outside in ("0", "3"):
        with pytest.raises(UsageError, match=f"--label-column {outside}: x has no such column"):
            choose("x", table, Columns(label=outside))


def test_of_columns_that_could_be_labels_that_with_the_fewest_values_is() -> None:
    rows = [f"{'abcd'[n % 4]}\t{'xy'[n % 2]}\tthe text {n}\n" for n in range(12)]
    assert choose("x", parse("x", "".join(rows), "\t"), Columns()) == (1, 2)
    turned = ["\t".join(reversed(row.strip().split("\t"))) + "\n" for row in rows]
    assert choose("x", parse("x", "".join(turned), "\t"), Columns()) == (1, 0)


@pytest.mark.parametrize("row", ["a\n", "a\tb\tc\n"])
def test_a_row_of_another_width_is_refused_with_its_line(row: str) -> None:
    with pytest.raises(TextError) as raised:
        parse("x", "good\tone\n\n" + row, "\t")
    columns = row.count("\t") + 1
    assert raised.value.message == f"x: line 3: columns: {columns}, expected 2 as in line 1"


def test_a_heading_is_one_in_capitals_too() -> None:
    table = parse("x", "Stars\tREVIEW\ngood\tfine\n", "\t")
    assert (table.headings, table.rows) == (["Stars", "REVIEW"], [["good", "fine"]])


def test_an_empty_text_is_a_text_and_an_empty_label_is_none() -> None:
    assert choose("x", parse("x", "label\ttext\ngood\t\n", "\t"), Columns()) == (0, 1)
    for label in ("", " "):
        with pytest.raises(TextError, match=r'x: line 2: has no label in "label"'):
            choose("x", parse("x", f"label\ttext\n{label}\tfine\n", "\t"), Columns())


def test_a_beginning_may_end_in_the_middle_of_a_row() -> None:
    assert is_headed_by_commas("label,text\ngood,fine\nba")
    assert not is_headed_by_commas("label,text\nba")


@pytest.mark.parametrize(
    "prose", ["", "\n", "label, text\rand more\n", '"label,text\n', "a\n", "label,text\na\n"]
)
def test_a_look_for_commas_stumbles_over_nothing(prose: str) -> None:
    assert not is_headed_by_commas(prose)


@pytest.mark.parametrize("label", ["très\u00a0bon", "\u0645\u06cc\u200c\u062e", "👩\u200d💻", "a b"])
def test_what_scripts_and_emoji_need_may_stand_in_a_label(label: str) -> None:
    assert fault_of(label) is None


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("", "is empty"),
        ("x" * 65, "is longer than 64 characters"),
        ("a\u202eb", "has a character that cannot be shown: U+202E"),
        ("a\nb", "has a character that cannot be shown: U+000A"),
    ],
)
def test_what_cannot_be_a_label_says_why(label: str, fault: str) -> None:
    assert fault_of(label) == fault
