"""What a model of a text is tried with: a prompt from that text, safe to show and to paste."""

import shlex

import pytest
from hypothesis import given

from charrnn.terminal.clean import clean
from charrnn.text.beginning import beginning
from tests.text.awkward import awkward


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat saw the dog and the dog saw the man.", "the "),
        ("hello" * 2000, "hell"),
        ("hello world\n", "hello "),
        ("emma\nolivia\nava\n", "emma"),
        ("שלום לך שלום לי", "שלום "),
        ("यह दिन वह दिन है", "दिन "),
        ("床前明月光。疑是地上霜。", "床前明月"),
        ("1,2\n3,4\n", "1,2"),
        ("--help --help -- 5", "help"),
        ("\ufffd\ufffda\ufffd \ufffd\ufffd x\x1b y", "y"),
        ("a\x1b\x1b\x1b \x1b\x1b ", ""),
        ("🎉 🎉 🎉", ""),
        ("", ""),
    ],
)
def test_it_is_a_common_word_else_the_first_characters(text: str, expected: str) -> None:
    assert beginning(text) == expected


@given(awkward)
def test_it_stands_in_the_text_and_can_be_shown_and_pasted(text: str) -> None:
    found = beginning(text)
    assert found in text
    assert clean(found) == found
    assert shlex.split(shlex.quote(found)) == [found]
    assert not found.startswith("-")
