"""How wide a terminal is, what is drawn in colour, and that what is printed stays what it is."""

import sys

import pytest

from charrnn.terminal import picture
from charrnn.terminal.console import ENDLESS, for_product, for_talk
from charrnn.terminal.streams import Product
from tests.terminal.test_streams import Stream


def size(monkeypatch: pytest.MonkeyPatch, **variables: str) -> tuple[int, int]:
    """Of a terminal, as it is drawn on."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", Stream(is_terminal=True))
        for name in ("COLUMNS", "LINES"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        return for_talk().size


def test_a_size_in_the_environment_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert size(monkeypatch, COLUMNS="043", LINES="21") == (43, 21)


@pytest.mark.parametrize("variable", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("value", ["", "0", "00", "-5", "4.5", "x", "\u00b2", "\u0663", "9" * 9, "9" * 5000])
def test_what_is_no_size_is_not_heeded(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert size(monkeypatch, **{variable: value}) == size(monkeypatch)


def test_a_picture_is_as_wide_as_it_is_to_be_whatever_stands_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in (("COLUMNS", "0"), ("COLUMNS", "\u00b2"), ("TERM", "dumb"), ("TERM", "unknown")):
        monkeypatch.setenv(variable, value)
        assert picture.canvas(77).width == 77


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize(
    "variables", [{"TERM": "xterm"}, {"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}]
)
def test_each_stream_has_the_width_and_the_colours_of_its_own_end(
    is_terminal: bool, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in (variables | {"COLUMNS": "43"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Stream(is_terminal=is_terminal))
    monkeypatch.setattr(sys, "stderr", Stream(is_terminal=not is_terminal))
    may_be_coloured = variables == {"TERM": "xterm"}
    for console, at_terminal in ((for_product(Product()), is_terminal), (for_talk(), not is_terminal)):
        assert console.width == (43 if at_terminal else ENDLESS)
        assert (console.color_system is not None) == (at_terminal and may_be_coloured)
        assert console.is_terminal == (at_terminal and may_be_coloured)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_text_is_printed_letter_by_letter_and_at_once(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = "[red]x[/] :smile: 12 'a' /b True"
    for name in ("stdout", "stderr"):
        stream = Stream(is_terminal=is_terminal)
        monkeypatch.setattr(sys, name, stream)
        console = for_product(Product()) if name == "stdout" else for_talk()
        for count in (1, 2, 3):
            console.print(text)
            assert stream.flushed.decode() == f"{text}\n" * count
