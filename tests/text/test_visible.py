"""What can be seen, against the categories of Unicode."""

import unicodedata

from charrnn.terminal.clean import clean
from charrnn.text.tables import fault_of
from charrnn.text.visible import JOINERS, is_visible

CHARACTERS = [chr(code) for code in range(0x11000)]  # those of two bytes, and some above


def test_what_is_visible_is_no_control_no_format_no_separator_and_no_surrogate() -> None:
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    for character in CHARACTERS:
        is_hidden = unicodedata.category(character) in hidden
        assert is_visible(character, joiners=False) != is_hidden
        assert is_visible(character, joiners=True) != (is_hidden and character not in JOINERS)


def test_a_label_has_what_running_text_shows_as_it_is() -> None:
    assert [c for c in CHARACTERS if (fault_of(c) is None) != (clean(c, strict=False) == c)] == []
