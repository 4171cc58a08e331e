"""Generated text: where it ends and what it never contains."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import SamplingConfig
from charrnn.inference.generate import Piece, StopText, _Text, bits_per_character, generate, generate_each
from charrnn.inference.writer import Drawn, Place, StepWriter
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CharTokenizer
from charrnn.text.stream import CharacterStream, Spelling
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer
from charrnn.text.word import WordTokenizer

LETTERS = CharTokenizer.from_codepoints([ord(c) for c in "abcde"])


class Mock:
    """A net whose scores depend on the step alone, or are all equal."""

    def __init__(self, vocab_size: int, logits: Callable[[int], dict[int, float]] = lambda _: {}) -> None:
        self.vocab_size = vocab_size
        self.logits = logits
        self.read: list[int] = []

    def start(self) -> Any:
        return 0

    def step(self, token: int, states: Any) -> tuple[Any, Any]:
        self.read.append(token)
        scores = np.zeros(self.vocab_size)
        for other, score in self.logits(states).items():
            scores[other] = score
        return scores, states + 1

    def after(self, tokens: Sequence[int], states: Any) -> Any:
        self.read.extend(tokens)
        return states + len(tokens)


def text(
    tokenizer: Tokenizer,
    sampling: SamplingConfig,
    seed: int = 0,
    mock: Mock | None = None,
    ends: bool = False,
) -> str:
    writer = StepWriter(mock or Mock(tokenizer.vocab_size))
    prompt = tokenizer.encode("")
    return "".join(
        piece.text for piece in generate(writer, tokenizer, prompt, sampling, seed, has_endings=ends)
    )


class Scribe:
    """Writes three texts together, the same tokens in each, many at a time and each of one nat."""

    most_texts = 3

    def __init__(self, tokens: Sequence[int]) -> None:
        self.tokens = tokens
        self.begun: list[list[int]] = []
        self.scored = False

    def begin(
        self, _prompt: Ids, _sampling: SamplingConfig, seeds: Sequence[int], *, scored: bool = False
    ) -> "Scribe":
        self.begun.append(list(seeds))
        self.scored = scored
        return self

    def write(self, places: Sequence[Place], _most: int) -> list[Drawn]:
        return [Drawn(self.tokens, [float(self.scored)] * len(self.tokens)) for _ in places]


def test_a_longer_sample_only_appends() -> None:
    longest = text(LETTERS, SamplingConfig(length=200))
    for length in (1, 2, 50, 199):
        assert text(LETTERS, SamplingConfig(length=length)) == longest[:length]


def test_equal_seeds_give_equal_texts_and_others_do_not() -> None:
    sampling = SamplingConfig(length=50)
    assert text(LETTERS, sampling, 5) == text(LETTERS, sampling, 5) != text(LETTERS, sampling, 6)


def test_the_boundary_is_read_first_and_then_the_prompt() -> None:
    mock = Mock(LETTERS.vocab_size)
    list(
        generate(
            StepWriter(mock), LETTERS, LETTERS.encode("cab"), SamplingConfig(length=1), 0, has_endings=False
        )
    )
    assert mock.read[:4] == [0, *LETTERS.encode("cab").tolist()]


def test_the_boundary_ends_a_text_only_where_there_were_several_documents() -> None:
    def wants_to_end(step: int) -> dict[int, float]:
        return {0 if step == 3 else 4: 1e6}

    sampling = SamplingConfig(length=10)
    assert len(text(LETTERS, sampling, mock=Mock(LETTERS.vocab_size, wants_to_end), ends=True)) == 3
    assert len(text(LETTERS, sampling, mock=Mock(LETTERS.vocab_size, wants_to_end), ends=False)) == 10


def test_a_text_ends_only_where_it_has_begun() -> None:
    def wants_to_end(_: int) -> dict[int, float]:
        return {0: 1e6}

    mock, sampling = Mock(LETTERS.vocab_size, wants_to_end), SamplingConfig(length=10)
    assert len(text(LETTERS, sampling, mock=mock, ends=True)) == 1
    after = generate(StepWriter(mock), LETTERS, LETTERS.encode("ab"), sampling, 0, has_endings=True)
    assert not list(after)


def test_unknown_is_never_drawn() -> None:
    mock = Mock(LETTERS.vocab_size, lambda _: {1: 1e6})
    assert set(text(LETTERS, SamplingConfig(length=300), mock=mock)) <= set("abcde")


@pytest.mark.parametrize("seed", range(5))
def test_bytes_are_drawn_so_that_they_make_whole_characters(seed: int) -> None:
    tokenizer = ByteTokenizer()
    pieces = list(
        generate(
            StepWriter(Mock(257)),
            tokenizer,
            tokenizer.encode(""),
            SamplingConfig(length=300, temperature=1.0),
            seed,
            has_endings=False,
        )
    )
    whole = "".join(piece.text for piece in pieces)
    assert "\ufffd" not in whole
    for piece in pieces:
        piece.text.encode()  # no half characters, no surrogates
    assert max(len(character.encode()) for character in whole) > 1


def test_length_counts_characters_and_not_bytes() -> None:
    euro = list("€".encode())
    mock = Mock(257, lambda step: {euro[step % 3] + 1: 1e6})
    assert text(ByteTokenizer(), SamplingConfig(length=4), mock=mock) == "€€€€"


def test_a_stop_text_is_not_shown_and_ends_the_sample() -> None:
    spelled = "abcdabeabc"
    mock = Mock(LETTERS.vocab_size, lambda step: {int(LETTERS.encode(spelled[step % 10])[0]): 1e6})
    assert text(LETTERS, SamplingConfig(length=100, stop="abe"), mock=mock) == "abcd"
    assert text(LETTERS, SamplingConfig(length=6, stop="abe"), mock=mock) == "abcdab", (
        "held back, and shown at the end"
    )


@given(
    st.text("ab", max_size=30),
    st.text("ab", min_size=1, max_size=4),
    st.lists(st.integers(1, 3), max_size=30),
)
def test_stopping_piece_by_piece_is_stopping_at_the_first_occurrence(
    whole: str, stop: str, sizes: list[int]
) -> None:
    finder, shown, rest = StopText(stop), "", whole
    for size in [*sizes, *[1] * len(whole)]:
        shown += finder.push(rest[:size])
        assert not shown.endswith(stop)
        rest = rest[size:]
        if finder.reached:
            break
    else:
        shown += finder.rest()
    # Pieces of several characters may end past the stop text; what is shown ends before it.
    assert shown == whole.split(stop)[0]


@pytest.mark.parametrize("scored", [False, True])
@pytest.mark.parametrize(
    ("length", "stop", "expected"), [(3, None, "abc"), (9, "cd", "ab"), (2, "abe", "ab"), (5, "ed", "abcde")]
)
def test_what_is_drawn_past_the_end_is_none_of_the_text(
    length: int, stop: str | None, expected: str, scored: bool
) -> None:
    scribe = Scribe([*LETTERS.encode("abcdeabcde").tolist(), BOUNDARY])
    sampling = SamplingConfig(length=length, stop=stop)
    prompt = LETTERS.encode("")
    pieces = list(generate(scribe, LETTERS, prompt, sampling, 0, has_endings=True, scored=scored))
    assert "".join(piece.text for piece in pieces) == expected
    if scored:  # a nat for each that is shown
        assert sum(piece.nats for piece in pieces) == len(expected)


def test_the_nats_of_a_text_are_those_of_the_tokens_that_are_shown_be_some_of_them_sure() -> None:
    text = _Text(
        CharacterStream(Spelling(LETTERS), has_endings=False, has_begun=False),
        SamplingConfig(stop="aab"),
        scored=True,
    )
    text.take(Drawn(LETTERS.encode("aaab").tolist(), [0.0, 1.0, 2.0, 4.0]))
    assert list(text.pieces) == [Piece("a", 0.0)]


def test_a_word_is_cut_where_the_text_is_long_enough() -> None:
    words = WordTokenizer(["several"])
    tokens = words.encode("several").tolist()
    assert len(tokens) == 1
    sampling = SamplingConfig(length=10)
    pieces = generate(Scribe(tokens), words, words.encode(""), sampling, 0, has_endings=False)
    assert "".join(piece.text for piece in pieces) == "severalsev"


@pytest.mark.parametrize(("length", "begun"), [(2, [[5, 6, 7], [8]]), (0, [[5], [6], [7], [8]])])
def test_only_texts_with_an_end_are_written_together(length: int, begun: list[list[int]]) -> None:
    scribe = Scribe([*LETTERS.encode("ab").tolist()])
    each = generate_each(
        scribe, LETTERS, LETTERS.encode(""), SamplingConfig(length=length), [5, 6, 7, 8], has_endings=False
    )
    for pieces in each:
        assert next(pieces).text == "ab"
    assert scribe.begun == begun


def test_the_nats_of_all_pieces_are_those_of_the_text() -> None:
    pieces = list(
        generate(
            StepWriter(Mock(7)),
            LETTERS,
            LETTERS.encode(""),
            SamplingConfig(length=8),
            0,
            has_endings=False,
            scored=True,
        )
    )
    assert sum(piece.nats for piece in pieces) == pytest.approx(8 * np.log(7))
    assert bits_per_character(8 * np.log(7), 8) == pytest.approx(np.log2(7))
    assert bits_per_character(0.0, 0) == 0.0
