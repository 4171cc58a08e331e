"""Training in view: a line per evaluation, or a live panel, or nothing."""

import os
import re
import sys
import threading

import pytest

from charrnn.evaluation.metrics import Validation
from charrnn.terminal.screen import Heading, Lines, LivePanel, Silence, Speed, give_back, opened
from charrnn.training.events import Evaluated, Event, Finished, Saved, Started, Stepped
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


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_cursor_is_given_back_to_terminals_alone(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[int, bytes]] = []

    def write(descriptor: int, data: bytes) -> int:
        written.append((descriptor, data))
        raise OSError  # it may be gone

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        give_back()
    assert written == ([(2, b"\x1b[?25h\n")] if is_terminal else [])


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
    stdout, threads = sys.stdout, threading.active_count()
    with opened(HEADING, quiet=False) as view:
        assert isinstance(view, kind)
        for event in EVENTS:
            view.show(event)
        assert sys.stdout is stdout  # which is the product
        assert threading.active_count() == threads
    assert ("\x1b" in capsys.readouterr().err) == (kind is LivePanel)
