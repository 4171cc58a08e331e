"""Findings as tables: what stands in the cells, and that nothing foreign escapes from them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.inference.language_model import NextToken
from charrnn.inspection.run_table import RunRow
from charrnn.inspection.surprise import Line, Surprise
from charrnn.terminal.tables import bar, glyph, print_next, print_runs, print_surprise, run_cells
from charrnn.terminal.units import duration
from tests.terminal.drawing import console

RESERVED = {0: "<boundary>", 1: "<unk>"}
HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[5m[red]x[/] [/] :smile:\x9b5m\u202e"
WIDTHS = (20, 40, 60, 80, 120)
INERT = "^[]52;c;ZXZpbA==^G^[[5m[red]x[/] [/] :smile:\\u{9b}5m\\u{202e}"


@given(st.floats(0, 1), st.integers(1, 60))
def test_a_bar_fills_its_share_to_an_eighth_of_a_cell(share: float, width: int) -> None:
    drawn = bar(share, width)
    eighths = sum(8 - (ord(cell) - ord("█")) for cell in drawn)  # the blocks stand in order of size
    assert abs(eighths / 8 - share * width) <= 1 / 16 + 1e-9
    assert len(drawn) <= width


@pytest.mark.parametrize(("share", "drawn"), [(-1.0, ""), (-0.1, ""), (0.0, ""), (1.0, "███"), (7.0, "███")])
def test_a_bar_never_leaves_its_cell(share: float, drawn: str) -> None:
    assert bar(share, 3) == drawn


@pytest.mark.parametrize(
    ("text", "token", "shown"),
    [
        ("a", 5, ("a", "U+0061")),
        (" ", 5, ("space", "U+0020")),
        ("\n", 5, ("newline", "U+000A")),
        ("\t", 5, ("tab", "U+0009")),
        ("\x1b", 5, ("^[", "U+001B")),
        ("\u202e", 5, ("\\u{202e}", "U+202E")),
        ("😀", 5, ("😀", "U+1F600")),
        ("[", 5, ("[", "U+005B")),
        (" the", 300, ('" the"', "")),
        ("th", 300, ("th", "")),
        ("\x1bx", 300, ("^[x", "")),
        ("", 0, ("<boundary>", "")),
        ("", 1, ("<unk>", "")),
        ("\ufffd", 0xE9 + 1, ("\ufffd", "U+FFFD")),
    ],
)
def test_a_token_is_named_so_that_it_can_be_told_apart(text: str, token: int, shown: tuple[str, str]) -> None:
    assert glyph(NextToken(text, token, 0.5), RESERVED, has_bytes=False) == shown


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (0xE9 + 1, ("byte", "0xE9")),
        (0xFF + 1, ("byte", "0xFF")),
        (0xFF + 2, ("\ufffd", "U+FFFD")),  # a word, or a piece of one
    ],
)
def test_where_bytes_are_tokens_one_that_is_no_character_is_named(token: int, shown: tuple[str, str]) -> None:
    assert glyph(NextToken("\ufffd", token, 0.5), {0: "<boundary>"}, has_bytes=True) == shown


def test_the_next_tokens_stand_in_a_table_under_the_text() -> None:
    screen, file = console()
    print_next(screen, "hell", [NextToken("o", 6, 0.75), NextToken("", 1, 0.25)], RESERVED, has_bytes=False)
    title, header, *rows = file.getvalue().splitlines()
    assert title == 'after "hell"'
    assert header.split() == ["next", "probability", "bits", "code", "point"]
    assert rows[0].split() == ["o", "█" * 22 + "▌", "75.00%", "0.42", "U+006F"]
    assert rows[1].split() == ["<unk>", "███████▌", "25.00%", "2.00"]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_next_tokens_and_how_likely_they_are_can_be_read_at_any_width(width: int) -> None:
    screen, file = console(width=width)
    print_next(screen, "hell", [NextToken("o", 6, 0.75), NextToken("", 1, 0.25)], RESERVED, has_bytes=False)
    _, _, *rows = file.getvalue().splitlines()
    assert [row.split()[0] for row in rows] == ["o", "<unk>"]
    assert ["75.00%" in rows[0].split(), "25.00%" in rows[1].split()] == [True, True]
    assert max(map(len, rows)) <= width
    assert "…" not in file.getvalue()
    # The bar is what goes first, and then whole columns.
    assert ("█" in rows[0]) == (width >= 60)
    assert ("U+006F" in rows[0]) == ("0.42" in rows[0]) == (width >= 40)


def test_where_there_is_no_end_of_a_line_a_bar_is_as_wide_as_it_ever_is() -> None:
    lines = []
    for width in (100, 100_000):
        screen, file = console(width=width)
        print_next(
            screen, "hell", [NextToken("o", 6, 0.75), NextToken("", 1, 0.25)], RESERVED, has_bytes=False
        )
        lines.append(file.getvalue().splitlines())
    assert lines[0] == lines[1]


def test_of_a_text_that_fits_everything_is_shown() -> None:
    screen, file = console()
    print_next(screen, "y" * 40, [NextToken("y", 5, 1.0)], RESERVED, has_bytes=False)
    assert file.getvalue().splitlines()[0] == f'after "{"y" * 40}"'


def test_of_a_long_text_the_end_is_shown() -> None:
    screen, file = console()
    print_next(screen, "x" * 50 + "y" * 40, [NextToken("y", 5, 1.0)], RESERVED, has_bytes=False)
    assert file.getvalue().splitlines()[0] == f'after "…{"y" * 40}"'
    screen, file = console()
    print_next(screen, "", [NextToken("y", 5, 1.0)], RESERVED, has_bytes=False)
    assert file.getvalue().splitlines()[0] == "after nothing"


def lines(*bits_per_byte: float) -> tuple[Line, ...]:
    return tuple(Line(f"line {index}\n", 7 * bits, 7) for index, bits in enumerate(bits_per_byte))


def test_surprise_is_told_by_line_and_in_all_and_by_colour() -> None:
    screen, file = console(terminal=True)
    print_surprise(screen, "file", Surprise(lines(0.5, 1.5, 2.5, 9.0), 2.3, 28))
    shown = file.getvalue()
    for colour, text in (("32", "line 0"), ("36", "line 1"), ("33", "line 2"), ("31", "line 3")):
        assert f"\x1b[{colour}m{text}" in shown
    for colour, bits in (("32", "0.500"), ("36", "1.500"), ("33", "2.500"), ("31", "9.000")):
        assert f"\x1b[{colour}m    {bits}" in shown
    assert shown.splitlines()[-1] == "file: 3.375 bits/byte, 2.3000 nats/token"


@pytest.mark.parametrize("width", WIDTHS)
def test_how_surprising_a_line_is_can_be_read_at_any_width(width: int) -> None:
    screen, file = console(width=width)
    long = Line("a line of some length, longer than any terminal\n" * 5, 7 * 1.5, 7)
    print_surprise(screen, "file", Surprise((long, *lines(0.5)), 2.3, 14))
    header, first, second, *_ = (line.rstrip() for line in file.getvalue().splitlines())
    assert "bits/byte  text" in header
    assert "1.500  a line" in first
    assert "0.500  line 0" in second
    if "line" in header.removesuffix("text"):
        assert [line.split()[0] for line in (first, second)] == ["1", "2"]
        assert second.endswith("line 0")  # and not its line feed
    assert max(map(len, (header, first, second))) <= width


def test_a_long_line_is_cut_and_an_infinite_surprise_has_a_colour_too() -> None:
    screen, file = console(width=400)
    endless = Line("x" * 300 + "\n", math.inf, 301)
    print_surprise(screen, "file", Surprise((endless,), math.inf, 301))
    assert f" {'x' * 200}…" in file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_foreign_escapes_from_a_table(terminal: bool) -> None:
    screen, file = console(terminal=terminal, width=200)
    print_next(screen, HOSTILE, [NextToken("\x1b", 5, 0.5)], RESERVED, has_bytes=False)
    print_surprise(screen, HOSTILE, Surprise((Line(HOSTILE + "\n", 5.0, 5),), 1.0, 5))
    print_runs(screen, [RunRow(HOSTILE, 1.0, model=HOSTILE, created=HOSTILE), RunRow(HOSTILE, error=HOSTILE)])
    shown = file.getvalue()
    assert shown.count(INERT[-30:]) >= 5
    assert "\x1b[5m" not in shown
    assert "\x1b]" not in shown
    assert not set("\x07\x9b\u202e") & set(shown)


def test_a_run_says_how_good_it_is_or_why_nobody_knows() -> None:
    row = RunRow("x", 2.34567, "char lstm 1x8", 31_204, 75.0, "2026-01-02T03:04:05+00:00")
    assert run_cells(row)[:5] == ("2.3457 bits/byte", "x", "char lstm 1x8", "31.2 k", duration(75))
    assert len(run_cells(row)[5]) == len("2026-01-02 03:04")
    training = RunRow("x", None, "char lstm 1x8", 31_204, 75.0, "nonsense", is_training=True)
    assert run_cells(training) == ("", "x", "char lstm 1x8", "31.2 k", "training…", "")
    beyond = RunRow("x", created="9999-12-31T23:59:59-01:00")
    assert run_cells(beyond)[5] == ""
    assert run_cells(RunRow("x", accuracy=0.9271))[0] == "92.71% right"
    assert run_cells(RunRow("x", accuracy=0.0))[0] == "0.00% right"
    assert run_cells(RunRow("x", 0.0))[0] == "0.0000 bits/byte"
    assert run_cells(RunRow("x", error="gone")) == ("", "x", "gone", "", "", "")


def test_the_table_of_runs_keeps_its_order() -> None:
    screen, file = console()
    print_runs(screen, [RunRow("b", 1.0), RunRow("a", 2.0), RunRow("c", error="gone")])
    header, *rows = file.getvalue().splitlines()
    assert header.split() == ["score", "run", "model", "parameters", "trained", "created"]
    assert [row.split() for row in rows] == [
        ["1.0000", "bits/byte", "b"],
        ["2.0000", "bits/byte", "a"],
        ["c", "gone"],
    ]


RUNS = (
    RunRow("shakespeare", 2.217, "word lstm 1x8, 2 labels", 5_170, 75.0, "2026-01-02T03:04:05+00:00"),
    RunRow("b", error="checkpoints/b/model.safetensors: 0 bytes are too short for a charrnn checkpoint"),
)


@pytest.mark.parametrize("width", WIDTHS[1:])
def test_the_score_of_a_run_and_its_name_are_whole_at_any_width(width: int) -> None:
    screen, file = console(width=width)
    print_runs(screen, RUNS)
    header, first, second = file.getvalue().splitlines()
    assert first.startswith("2.2170 bits/byte  shakespeare")
    # The reason of an error stands whole in a line of its own, however long that is.
    assert second == f"b  {RUNS[1].error}"
    assert max(map(len, (header, first))) <= width
    shown = [name for name in ("model", "parameters", "trained", "created") if name in header]
    assert shown == ["model", "parameters", "trained", "created"][: {40: 1, 60: 1, 80: 3}.get(width)]
    assert ("word lstm 1x8, 2 labels" in first) == (width > 40)


def test_a_long_name_is_cut_and_not_what_is_said_of_it() -> None:
    screen, file = console(width=40)
    print_next(screen, "hell", [NextToken("w" * 60, 300, 0.75)], RESERVED, has_bytes=False)
    print_runs(screen, [RunRow("n" * 60, 2.217)])
    rows = [line for line in file.getvalue().splitlines() if "…" in line]
    assert [max(map(len, rows)) <= 40, "75.00%" in rows[0], "2.2170 bits/byte" in rows[1]] == [True] * 3


def test_on_the_narrowest_terminal_there_is_something_of_score_and_name() -> None:
    screen, file = console(width=20)
    print_runs(screen, RUNS)
    assert all(cell in file.getvalue() for cell in ("2.2170", "sha"))
