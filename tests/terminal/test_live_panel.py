"""The live panel: what it shows of a training, how large it is, how often it is drawn."""

import re
import time
from dataclasses import replace
from typing import cast

import pytest
from rich.live import Live

from charrnn.terminal import charts
from charrnn.terminal.screen import PANEL_WIDTH, Heading, LivePanel
from charrnn.training.events import Event, Saved
from charrnn.training.progress import Point
from tests.terminal.drawing import console
from tests.terminal.test_screen import ESCAPE, EVENTS, HEADING, HOSTILE, INERT, evaluated, speed, stepped


def coloured_panel(*events: Event, heading: Heading = HEADING, height: int = 40, width: int = 120) -> str:
    """What the live panel shows in the end, with its colours."""
    screen, file = console(terminal=True, width=width, height=height)
    with Live(console=screen, auto_refresh=False) as live:
        view = LivePanel(live, screen, heading)
        for event in events:
            view.show(event)
    return file.getvalue()[file.getvalue().rindex("╭") :]


def panel(*events: Event, heading: Heading = HEADING, height: int = 40, width: int = 120) -> str:
    """The same without colours."""
    return ESCAPE.sub("", coloured_panel(*events, heading=heading, height=height, width=width))


def test_the_panel_shows_budget_speed_curves_best_and_a_sample() -> None:
    text = panel(*EVENTS)
    assert " tale · lstm 1×16 · 4.12 k parameters " in text
    assert " 25%  1:16 spent  3:44 left" in text
    assert f"{speed()} · step 3 · epoch 0.50 · loss 2.346 · rate 5.0e-03 · gradient 0.79" in text
    assert "━ training 2.250  ━ validation 2.500 nats/char · best 2.000 = 3.000 bits/byte" in text
    assert "saved at step 2" in text
    assert any(0x2800 < ord(character) <= 0x28FF for character in text)  # the curves' dots
    assert max(map(len, text.splitlines())) <= 100


def test_where_there_is_little_room_the_figures_are_whole_and_their_unit_is_left_out() -> None:
    text = panel(*EVENTS, width=80)
    assert "━ training 2.250  ━ validation 2.500 · best 2.000 = 3.000 bits/byte" in text
    assert "· loss 2.346 · rate 5.0e-03" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_sample_in_the_panel_is_the_latest() -> None:
    text = panel(*EVENTS[:5], evaluated(3, 90.0, 1.9, sample="a dog\nran"))
    assert "a dog" in text
    assert "the cat" not in text


def test_of_a_long_sample_the_first_lines_are_shown() -> None:
    text = panel(*EVENTS, evaluated(4, 90.0, 1.9, sample="one\ntwo\nthree\nfour\nfive"))
    assert "four" in text
    assert "five" not in text


def test_a_low_terminal_shows_the_numbers_alone() -> None:
    text = panel(*EVENTS, height=20)
    assert len(text.splitlines()) == 5  # bar, numbers and legend between two borders
    assert "best 2.000" in text
    assert not any(0x2800 < ord(character) <= 0x28FF for character in text)


def test_a_narrow_terminal_gets_a_narrow_panel() -> None:
    assert max(map(len, panel(*EVENTS, width=50).splitlines())) <= 50
    assert len(panel(*EVENTS, width=50, height=20).splitlines()) == 5


@pytest.mark.parametrize("width", [50, 100, 120])
def test_the_curves_are_those_of_both_losses_by_time_in_the_colours_of_the_legend(width: int) -> None:
    seconds, losses = [75.0, 76.5], [[2.25, 2.25], [2.0, 2.5]]
    screen, file = console(terminal=True, width=width)
    screen.print(charts.curves(seconds, losses, min(width, PANEL_WIDTH) - 4, 9, in_colour=True))
    drawn = coloured_panel(*EVENTS, width=width)
    for line in file.getvalue().splitlines():
        assert line.rstrip() in drawn
    assert re.search(r"\x1b\[94m━ training 2.250.*\x1b\[92m *━ validation", drawn)
    assert [charts.COLOURS[index] for index in (0, 1)] == [
        "bright_blue",
        "bright_green",
    ]  # which are 94 and 92


def test_before_the_second_evaluation_there_are_no_curves() -> None:
    for events in (EVENTS[:3], EVENTS[:4]):
        assert "curves begin with the second evaluation" in panel(*events)


def test_the_panel_is_full_on_a_terminal_of_the_usual_height_and_fits_it() -> None:
    sample = "\n".join("abcdefgh")
    for height, is_full in ((24, True), (23, False)):
        text = panel(*EVENTS, evaluated(4, 90.0, 1.9, sample=sample), height=height)
        assert ("abcd" in "".join(re.findall(r"│ (\w) ", text))) == is_full
        assert len(text.splitlines()) <= height


def test_where_there_is_no_sample_there_is_no_space_for_it() -> None:
    rules = [line for line in panel(*EVENTS[4:]).splitlines() if "────" in line]
    assert len(rules) == 3  # two borders, and one above the curves


def test_a_sample_s_lines_are_cut_and_its_joiners_stay() -> None:
    text = panel(*EVENTS, evaluated(4, 90.0, 1.9, sample=f"👨\u200d👩 {'x' * 300}\nyes"))
    assert "👨\u200d👩" in text
    assert "x…" in text
    assert "│ yes" in text


def test_the_bar_is_as_long_as_the_share_that_is_done_and_no_longer() -> None:
    for share, shown in ((0.25, " 25%"), (1.05, "100%")):
        _, line, *_ = coloured_panel(stepped(1, 10.0, share), Saved(10.0, 1, "model")).splitlines()
        bar = re.sub(r"\x1b\[36m([━╸]+)", lambda done: "=" * len(done[1]), line)
        bar = ESCAPE.sub("", bar)
        assert shown in bar
        done, rest = bar.count("="), bar.count("━") + bar.count("╺")
        assert done / (done + rest) == pytest.approx(min(1.0, share), abs=0.03)


def test_the_rest_is_what_comes_first_of_the_time_that_is_left_and_the_pace() -> None:
    steps = (stepped(1, 10.0, share=0.1), stepped(2, 20.0, share=0.5))
    assert "50%  0:20 spent  0:12 left" in panel(*steps, Saved(20.0, 2, "model"))
    late = (stepped(1, 290.0, share=0.1), stepped(2, 295.0, share=0.2))
    assert "20%  4:55 spent  0:05 left" in panel(*late, Saved(295.0, 2, "model"))
    no_seconds = Heading("tale", "lstm", "chars", "char", seconds=None)
    done = (*steps, stepped(3, 30.0, share=1.0), Saved(30.0, 3, "model"))
    assert "100%  0:30 spent  0:00 left" in panel(*done, heading=no_seconds)


def test_steps_are_drawn_a_few_times_a_second_and_all_else_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now, drawn = [100.0], []

    class Recorder:
        def update(self, _: object, *, refresh: bool) -> None:
            drawn.append((now[0], refresh))

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    view = LivePanel(cast(Live, Recorder()), console(terminal=True)[0], HEADING)
    for at, event in (
        (100.0, stepped(1, 1.0)),
        (100.1, stepped(2, 1.1)),
        (100.19, stepped(3, 1.2)),
        (100.21, stepped(4, 1.3)),
        (100.3, evaluated(4, 1.4, 2.0)),
        (100.45, stepped(5, 1.5)),
    ):
        now[0] = at
        view.show(event)
    assert drawn == [(100.0, True), (100.21, True), (100.3, True)]


def test_without_a_budget_of_seconds_the_rest_is_estimated() -> None:
    heading = Heading("tale", "lstm", "chars", "char", seconds=None)
    steps = (stepped(1, 2.0, share=0.05), stepped(5, 10.0))
    assert " 25%  0:10 spent  0:30 left" in panel(*steps, Saved(10.0, 5, "model"), heading=heading)


def test_what_was_spent_before_a_run_went_on_says_nothing_of_the_rest() -> None:
    heading = Heading("tale", "lstm", "chars", "char", seconds=None)
    steps = (stepped(1001, 3600.0, share=0.01), stepped(1011, 3610.0, share=0.11))
    text = panel(*steps, Saved(3610.0, 1011, "model"), heading=heading)
    assert " 11%  1:00:10 spent  1:29 left" in text


def test_a_resumed_run_shows_its_earlier_curves() -> None:
    history = (Point(1, 10.0, 3.0, 3.1), Point(2, 20.0, 2.5, 2.6))
    text = panel(stepped(3, 30.0), heading=Heading("tale", "lstm", "chars", "char", None, history))
    assert "━ training 2.500  ━ validation 2.600 nats/char" in text


def test_foreign_text_in_the_panel_is_inert() -> None:
    heading = replace(HEADING, name=HOSTILE)
    text = panel(*EVENTS, evaluated(4, 90.0, 1.9, sample=f"{HOSTILE}\n\r!"), heading=heading)
    assert text.count(INERT) == 2
    assert "^M!" in text
    assert not set("\x1b\x07\u202e") & set(text)
