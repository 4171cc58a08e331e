"""The progress of reading a large corpus: nothing at first, then a bar or a line now and then."""

import io
import sys
import time
from collections.abc import Generator

import pytest

from charrnn.errors import TextError
from charrnn.terminal import reading
from charrnn.terminal.reading import counted, with_bar
from charrnn.text.encoding import Reading


class Terminal(io.StringIO):
    """stderr where a person looks."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the work below moves, one second a reading."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def work(clock: list[float], readings: list[Reading]) -> Generator[Reading, None, str]:
    for item in readings:
        clock[0] += 1.0
        yield item
    return "done"


def plain(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return stream


def test_what_is_read_at_once_is_not_talked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (plain(monkeypatch), terminal(monkeypatch)):
        assert with_bar(work([0.0], [Reading(n, 9) for n in range(9)]), quiet=False) == "done"
        assert stream.getvalue() == ""


def test_elsewhere_a_line_every_ten_seconds_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    stream = plain(monkeypatch)
    assert (
        with_bar(work(clock, [Reading(n * 1_000_000, 25_000_000) for n in range(25)]), quiet=False) == "done"
    )
    assert stream.getvalue() == (
        "charrnn: reading: 0 of 25.0 MB\n"
        "charrnn: reading: 10.0 M of 25.0 MB\n"
        "charrnn: reading: 20.0 M of 25.0 MB\n"
    )


def test_where_the_size_is_unknown_only_the_progress_is_said(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    stream = plain(monkeypatch)
    with_bar(work(clock, [Reading(5_000, 0)]), quiet=False)
    assert stream.getvalue() == "charrnn: reading: 5.00 kB\n"


def test_quiet_says_nothing(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    for stream in (plain(monkeypatch), terminal(monkeypatch)):
        assert with_bar(work(clock, [Reading(n, 9) for n in range(9)]), quiet=True) == "done"
        assert stream.getvalue() == ""


def test_on_a_terminal_a_bar_is_drawn_and_taken_away(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    stream = terminal(monkeypatch)

    def slow() -> Generator[Reading, None, str]:
        # Two passes over the same text: the second begins at its beginning.
        for item in work(clock, [Reading(n * 1_000_000, 4_000_000) for n in (1, 4, 1, 3)]):
            time.sleep(0.15)  # longer than tqdm waits between two drawings
            yield item
        return "done"

    assert with_bar(slow(), quiet=False) == "done"
    drawn = stream.getvalue()
    assert "reading: 100%" in drawn
    assert "4.00M/4.00M" in drawn
    assert "reading:  75%" in drawn
    assert not drawn.rpartition("\r")[2].strip()
    assert "\n" not in drawn


def test_a_malformed_variable_of_tqdms_costs_the_bar_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    stream = terminal(monkeypatch)

    def trip(*_: str) -> None:
        raise ValueError("could not convert string to float: 'abc'")  # what tqdm's import does then

    monkeypatch.setattr(reading, "_Bar", trip)
    assert with_bar(work(clock, [Reading(1_000, 2_000)]), quiet=False) == "done"
    assert stream.getvalue() == "charrnn: reading: 1.00 k of 2.00 kB\n"


def test_what_is_counted_is_added_up_and_said_now_and_then(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    for quiet in (False, True):
        stream = plain(monkeypatch)
        with counted("explaining", 60, quiet=quiet) as advance:
            for _ in range(12):
                clock[0] += 1.0
                advance(5)
        said = "charrnn: explaining: 5 of 60\ncharrnn: explaining: 55 of 60\n"
        assert stream.getvalue() == ("" if quiet else said)


def test_what_is_counted_at_once_is_not_talked_about(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    stream = plain(monkeypatch)
    with counted("explaining", 60, quiet=False) as advance:
        clock[0] += 0.9 * reading.SHOWN_AFTER
        advance(60)
    assert stream.getvalue() == ""


def test_on_a_terminal_the_bar_of_what_is_counted_is_taken_away_too(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    stream = terminal(monkeypatch)

    def interrupted() -> None:
        with counted("explaining", 60, quiet=False) as advance:
            clock[0] += 1.0
            advance(15)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "explaining: " in stream.getvalue()
    assert not stream.getvalue().rpartition("\r")[2].strip()


def test_a_terminal_that_is_lost_costs_the_bar_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    def write(_: str) -> int:
        raise OSError

    monkeypatch.setattr(terminal(monkeypatch), "write", write)
    assert with_bar(work(clock, [Reading(1, 9), Reading(2, 9)]), quiet=False) == "done"


@pytest.mark.parametrize("plainly", ["dumb", ""])
def test_a_terminal_that_is_not_to_be_drawn_on_gets_lines(
    plainly: str, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    stream = terminal(monkeypatch)
    monkeypatch.setenv("TERM", plainly)
    with_bar(work(clock, [Reading(1_000, 2_000)]), quiet=False)
    assert stream.getvalue() == "charrnn: reading: 1.00 k of 2.00 kB\n"


def test_an_error_in_the_text_comes_through_and_ends_the_bar(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    stream = terminal(monkeypatch)

    def broken() -> Generator[Reading, None, None]:
        yield from work(clock, [Reading(1, 9), Reading(2, 9)])
        raise TextError("x: not UTF-8")

    with pytest.raises(TextError, match=r"^x: not UTF-8$"):
        with_bar(broken(), quiet=False)
    assert not stream.getvalue().rpartition("\r")[2].strip()
