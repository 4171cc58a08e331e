"""Training in view: a line per evaluation, or a live panel, or nothing."""

import re
import sys

import pytest
from rich.live import Live

from charrnn.evaluation.metrics import Validation
from charrnn.terminal.screen import Heading, Lines, LivePanel, Silence, Speed, opened
from charrnn.training.events import Evaluated, Event, Finished, Saved, Started, Stepped
from charrnn.training.progress import Point
from tests.terminal.drawing import console

HOSTILE = "\x1b]52;c;ZXZpbA==\x07[red][/] :smile:\u202e"
INERT = "^[]52;c;ZXZpbA==^G[red][/] :smile:\\u{202e}"
HEADING = Heading("tale", "lstm 1×16 · 4.12 k parameters", "chars", "char", seconds=300.0)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def stepped(step: int, seconds: float, share: float = 0.25) -> Stepped:
    return Stepped(
        seconds=seconds,
        step=step,
        share=share,
        epoch=0.5,
        tokens=1024,
        loss=2.3456,
        learning_rate=0.005,
        grad_norm=0.789,
    )


def evaluated(step: int, seconds: float, loss: float, *, sample: str = "", is_best: bool = True) -> Evaluated:
    return Evaluated(
        seconds=seconds,
        step=step,
        share=0.25,
        epoch=0.5,
        training_loss=2.25,
        validation=Validation(nats_per_token=loss, bits_per_byte=loss * 1.5, tokens=256),
        candidate="weights",
        is_best=is_best,
        sample=sample,
    )


EVENTS: list[Event] = [
    Started(0.0, 0),
    stepped(1, 10.0),
    stepped(2, 10.5),
    evaluated(2, 75.0, 2.0, sample="the cat"),
    Saved(75.1, 2, "model"),
    stepped(3, 76.0),
    evaluated(3, 76.5, 2.5, is_best=False),
    Finished(80.0, 3, "budget", Validation(2.0, 3.0, 256), 1.5),
]


def test_elsewhere_an_evaluation_is_one_plain_line_however_narrow() -> None:
    screen, file = console(width=20)
    view = Lines(screen, HEADING)
    for event in EVENTS:
        view.show(event)
    assert file.getvalue().splitlines() == [
        "   1:15   25%  step 2  epoch 0.50  training 2.2500  validation 2.0000 nats/char  3.0000 bits/byte"
        "  2.05 k chars/s  best",
        "   1:16   25%  step 3  epoch 0.50  training 2.2500  validation 2.5000 nats/char  3.7500 bits/byte"
        f"  {speed()}",
    ]


def speed() -> str:
    """What the third step, of 1024 characters in 65.5 s, makes of the speed of the second."""
    smoothed = 0.95 * 2048 + 0.05 * 1024 / 65.5
    return f"{smoothed / 1000:.2f} k chars/s"


def test_a_speed_that_is_not_known_yet_is_left_out() -> None:
    screen, file = console()
    view = Lines(screen, HEADING)
    view.show(stepped(1, 10.0))
    view.show(evaluated(1, 10.0, 2.0))
    assert file.getvalue().endswith("3.0000 bits/byte  best\n")


def test_the_speed_is_smoothed_and_never_divides_by_zero() -> None:
    measured = Speed()
    for seconds in (1.0, 2.0, 2.0, 3.0):
        measured.update(stepped(1, seconds))
    assert measured.rate == pytest.approx(1024)


def panel(*events: Event, heading: Heading = HEADING, height: int = 40, width: int = 120) -> str:
    """What the live panel shows in the end."""
    screen, file = console(terminal=True, width=width, height=height)
    with Live(console=screen, auto_refresh=False) as live:
        view = LivePanel(live, screen, heading)
        for event in events:
            view.show(event)
    drawn = ESCAPE.sub("", file.getvalue())
    return drawn[drawn.rindex("╭") :]


def test_the_panel_shows_budget_speed_curves_best_and_a_sample() -> None:
    text = panel(*EVENTS)
    assert " tale · lstm 1×16 · 4.12 k parameters " in text
    assert " 25%  1:16 spent  3:44 left" in text
    assert f"{speed()} · step 3 · epoch 0.50 · rate 5.0e-03 · gradient 0.79 · loss 2.346" in text
    assert "━ training 2.250  ━ validation 2.500 nats/char · best 2.000 = 3.000 bits/byte" in text
    assert "saved at step 2" in text
    assert any(0x2800 < ord(character) <= 0x28FF for character in text)  # the curves' dots
    assert max(map(len, text.splitlines())) <= 100


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
    text = panel(*EVENTS, evaluated(4, 90.0, 1.9, sample=f"{HOSTILE}\n\r!"))
    assert INERT in text
    assert "^M!" in text
    assert not set("\x1b\x07\u202e") & set(text)


def test_quiet_shows_nothing_and_a_pipe_gets_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with opened(HEADING, quiet=True) as view:
        assert isinstance(view, Silence)
        for event in EVENTS:
            view.show(event)
    assert capsys.readouterr().err == ""
    with opened(HEADING, quiet=False) as view:
        assert isinstance(view, Lines)


@pytest.mark.parametrize(
    ("variable", "value", "kind"),
    [("TERM", "xterm", LivePanel), ("NO_COLOR", "1", Lines), ("TERM", "dumb", Lines), ("TERM", "", Lines)],
)
def test_only_a_terminal_that_may_be_drawn_on_gets_the_panel(
    variable: str,
    value: str,
    kind: type,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(variable, value)
    with opened(HEADING, quiet=False) as view:
        assert isinstance(view, kind)
        for event in EVENTS:
            view.show(event)
    assert ("\x1b" in capsys.readouterr().err) == (kind is LivePanel)
