"""A text in pieces becomes parts that say the same, whole tokens each."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text import word
from charrnn.text.cutting import Cutter, Part
from tests.text.awkward import awkward


def parts(documents: list[list[str]], training: int, *, lines: bool = False) -> list[Part]:
    """What a cutter makes of documents that come in pieces."""
    cutter = Cutter(word.safe_end, training, lines=lines)
    found = [
        part
        for pieces in documents
        for index, piece in enumerate(pieces)
        for part in cutter.push(index == 0, np.frombuffer(piece.encode("utf-32-le"), np.uint32))
    ]
    return found + list(cutter.finish())


def joined(found: list[Part]) -> list[tuple[str, bool]]:
    """Stretches between boundaries, and whether they are validation."""
    stretches: list[tuple[str, bool]] = []
    for part in found:
        if part.begins:
            stretches.append((part.text, part.is_validation))
        else:
            text, is_validation = stretches[-1]
            assert is_validation == part.is_validation
            stretches[-1] = (text + part.text, is_validation)
    return stretches


@given(st.lists(awkward, min_size=1, max_size=6), st.integers(1, 40))
def test_nothing_is_lost_and_validation_begins_after_so_many_characters(
    pieces: list[str], training: int
) -> None:
    found = parts([pieces], training)
    text = "".join(pieces)
    assert "".join(part.text for part in found) == text
    assert "".join(part.text for part in found if not part.is_validation) == text[:training]
    assert sum(part.begins for part in found) == (len(text) > 0) + (len(text) > training)


@given(st.lists(awkward, min_size=1, max_size=6), st.integers(1, 40))
def test_tokens_are_those_of_the_whole_text_however_it_is_cut(pieces: list[str], training: int) -> None:
    text = "".join(pieces)
    found = [token for part in parts([pieces], training) for token in word.TOKEN.findall(part.text)]
    assert found == word.TOKEN.findall(text[:training]) + word.TOKEN.findall(text[training:])


def test_documents_and_lines_are_kept_apart() -> None:
    assert joined(parts([["one ", "two"], ["three"]], 100)) == [("one two", False), ("three", False)]
    lines = joined(parts([["one\ntw", "o\n\nthree"]], 8, lines=True))
    assert [text for text, _ in lines] == ["one", "two", "th", "ree"]
    assert [is_validation for _, is_validation in lines] == [False, False, False, True]
