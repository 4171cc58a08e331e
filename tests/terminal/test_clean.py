"""Foreign text on a terminal: everything can be seen, nothing is obeyed."""

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from charrnn.terminal.clean import clean

ANY = st.text(st.characters(codec=None, exclude_categories=[]))
EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))


def is_live(character: str) -> bool:
    """Whether a terminal obeys or hides it: controls, formats (bidi among them), separators, surrogates."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_no_character_of_unicode_gets_through_that_a_terminal_obeys_or_hides() -> None:
    assert not [character for character in clean(EVERY_CHARACTER) if is_live(character)]


def test_in_running_text_only_line_feeds_tabs_and_joiners_get_through_besides() -> None:
    shown = clean(EVERY_CHARACTER, keep_newlines=True, strict=False)
    assert {character for character in shown if is_live(character)} == {"\n", "\t", "\u200c", "\u200d"}


def test_what_people_write_stays_as_it_is() -> None:
    text = "Ünïcödé ελληνικά עברית 日本語\u3000\u00a0é é 😀 [red] [/] :smile: \\u{1b} ^["
    assert clean(text) == text
    family = "👨\u200d👩\u200d👧"
    assert clean(family, strict=False) == family
    assert clean(family) == "👨\\u{200d}👩\\u{200d}👧"


def test_hostile_text_is_shown_in_the_notation_of_git_and_rust() -> None:
    assert clean("\x1b]52;c;ZXZpbA==\x07") == "^[]52;c;ZXZpbA==^G"
    assert clean("a\x9b31mb\u202ec\u2066\ufeff\u2028\udcff\x7f\0") == (
        "a\\u{9b}31mb\\u{202e}c\\u{2066}\\u{feff}\\u{2028}\\u{dcff}^?^@"
    )
    assert clean("two\r\nlines\there") == "two^M^Jlines^Ihere"
    assert clean("two\nlines\there\r!", keep_newlines=True) == "two\nlines\there^M!"


def test_a_carriage_return_gets_through_where_a_line_feed_follows_and_nowhere_else() -> None:
    assert clean("dos\r\nmac\rend\r", keep_newlines=True) == "dos\r\nmac^Mend^M"
    assert clean("dos\r\n") == "dos^M^J"


@given(ANY, ANY)
def test_a_stream_may_be_cut_anywhere(a: str, b: str) -> None:
    assert clean(a + b) == clean(a) + clean(b)
    if not (a.endswith("\r") and b.startswith("\n")):
        assert clean(a + b, keep_newlines=True, strict=False) == (
            clean(a, keep_newlines=True, strict=False) + clean(b, keep_newlines=True, strict=False)
        )


@given(ANY)
def test_clean_text_is_clean(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_a_limit_counts_characters_of_the_original_and_says_that_it_cut() -> None:
    assert clean("abcdef", limit=6) == "abcdef"
    assert clean("abcdefg", limit=6) == "abcdef…"
    assert clean("\x1b" * 3, limit=2) == "^[^[…"
    assert clean("a" + "\u0301" * 10_000, limit=200) == "a" + "\u0301" * 199 + "…"
