"""How wide a terminal is, whatever stands in the environment."""

import io
import sys

import pytest

from charrnn.terminal import picture
from charrnn.terminal.console import for_talk


class Terminal(io.StringIO):
    """A terminal that tells no size."""

    def isatty(self) -> bool:
        return True


def size(monkeypatch: pytest.MonkeyPatch, **variables: str) -> tuple[int, int]:
    """Of a terminal, as it is drawn on."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", Terminal())
        for name in ("COLUMNS", "LINES"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        assert picture.canvas(77).width == 77
        return for_talk().size


def test_a_size_in_the_environment_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert size(monkeypatch, COLUMNS="043", LINES="21") == (43, 21)


@pytest.mark.parametrize("variable", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("value", ["", "0", "00", "-5", "4.5", "x", "\u00b2", "\u0663", "9" * 9, "9" * 5000])
def test_what_is_no_size_is_not_heeded(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert size(monkeypatch, **{variable: value}) == size(monkeypatch)
