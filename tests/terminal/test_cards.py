"""Two columns of facts, on a terminal and elsewhere."""

import pytest

from charrnn.terminal.cards import print_card
from tests.terminal.drawing import console

HOSTILE = "\x1b]0;title\x07[red]x[/][/] :smile: \u202e"
INERT = "^[]0;title^G[red]x[/][/] :smile: \\u{202e}"


def test_elsewhere_a_fact_is_one_line_however_long_and_however_narrow() -> None:
    screen, file = console(width=20)
    print_card(screen, [("model", "x" * 100), ("", "y y y"), ("started from", "z")])
    assert file.getvalue() == f"model        {'x' * 100}\n             y y y\nstarted from z\n"


def test_on_a_terminal_long_values_wrap_under_themselves() -> None:
    screen, file = console(terminal=True, width=20)
    print_card(screen, [("model", "abc " * 5)])
    lines = [line.replace("\x1b[36m", "").replace("\x1b[0m", "") for line in file.getvalue().splitlines()]
    assert [line.rstrip() for line in lines] == ["model  abc abc abc", "       abc abc"]


def test_on_a_terminal_a_name_is_one_word_of_its_line_however_narrow_it_is() -> None:
    screen, file = console(terminal=True, width=16)
    print_card(screen, [("started from", "a-model")])
    lines = [line.replace("\x1b[36m", "").replace("\x1b[0m", "") for line in file.getvalue().splitlines()]
    assert lines[0].startswith("started from")
    assert "".join(line[14:].strip() for line in lines) == "a-model"


@pytest.mark.parametrize("terminal", [True, False])
def test_foreign_text_in_a_card_is_inert(terminal: bool) -> None:
    screen, file = console(terminal=terminal)
    print_card(screen, [("corpus", HOSTILE)])
    text = file.getvalue().replace("\x1b[36m", "").replace("\x1b[0m", "")
    assert INERT in text
    assert "\x1b" not in text


@pytest.mark.parametrize("name", ["next", "go on", "cache"])
def test_what_is_copied_has_no_line_end_of_ours_in_it(name: str) -> None:
    screen, file = console(terminal=True, width=20)
    print_card(screen, [("model", "m"), (name, "charrnn sample -m a-long-name")])
    lines = [line.replace("\x1b[36m", "").replace("\x1b[0m", "") for line in file.getvalue().splitlines()]
    assert lines[1] == f"{name:<5}  charrnn sample -m a-long-name"
