"""The laws of a corpus, against a naive encoding of the whole text at once."""

import contextlib
import gzip
import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charrnn.errors import TextError
from charrnn.text.char import CharTokenizer
from charrnn.text.document import EMBEDDED, Document
from charrnn.text.tokenizer import BOUNDARY
from tests.text.reading import VERSE, document, documents, few, prepared

UNKNOWN = 1
TEXTS = st.lists(st.text("ab\n\ré€😀", min_size=1, max_size=40), min_size=1, max_size=4)


@contextlib.contextmanager
def elsewhere() -> Iterator[pytest.MonkeyPatch]:
    """A folder and a cache of its own, for one of many examples."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("XDG_CACHE_HOME", f"{folder}/cache")
        yield patch


def naive(texts: list[str], *, lines: bool) -> tuple[str, str]:
    """Training and validation part as strings, every document headed by a NUL."""
    stream = "".join("\0" + (text.replace("\n", "\0") if lines else text) for text in texts)
    stream = re.sub("\0+", "\0", stream)
    scored = [place for place, character in enumerate(stream) if character != "\0"]
    last = int(len(scored) * 0.9) - 1
    cut = scored[last] + 1 if last >= 0 else 0
    training, validation = stream[:cut], stream[cut:]
    return training, validation if validation.startswith("\0") else "\0" + validation


def unified(text: str, newline: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if newline == "lf" else text


@few
@given(TEXTS, st.integers(1, 30), st.booleans(), st.sampled_from(["keep", "lf"]))
def test_characters_get_the_ids_of_a_naive_encoding_however_they_are_read(
    texts: list[str], size: int, lines: bool, newline: str
) -> None:
    training, validation = naive([unified(text, newline) for text in texts], lines=lines)
    vocabulary = sorted(set(training) - {"\0"})
    assume(len(vocabulary) >= 2)
    with elsewhere() as patch:
        patch.setattr("charrnn.text.document.CHUNK_BYTES", size)
        read = prepared(documents(*(text.encode() for text in texts)), lines=lines, newline=newline)
        ids = {"\0": BOUNDARY} | {character: token for token, character in enumerate(vocabulary, 2)}
        assert read.training.tolist() == [ids[character] for character in training]
        assert read.validation.tolist() == [ids.get(character, UNKNOWN) for character in validation]
        occurrences = Counter(training)
        assert read.counts.tolist() == [occurrences["\0"], 0, *(occurrences[c] for c in vocabulary)]
        assert read.characters == len((training + validation).replace("\0", ""))
        assert read.documents == len(texts)


@few
@given(TEXTS, st.integers(1, 30), st.booleans(), st.sampled_from(["keep", "lf"]))
def test_bytes_get_the_ids_of_a_naive_encoding_however_they_are_read(
    texts: list[str], size: int, lines: bool, newline: str
) -> None:
    bytewise = [unified(text, newline).encode().decode("latin-1") for text in texts]
    training, validation = naive(bytewise, lines=lines)
    assume(training + validation != "\0")
    with elsewhere() as patch:
        patch.setattr("charrnn.text.document.CHUNK_BYTES", size)
        texts_on_disk = documents(*(text.encode() for text in texts))
        read = prepared(texts_on_disk, level="byte", lines=lines, newline=newline)
        for part, ids in ((training, read.training), (validation, read.validation)):
            assert ids.tolist() == [BOUNDARY if byte == "\0" else ord(byte) + 1 for byte in part]
        assert read.counts.sum() == len(training)
        assert read.counts[BOUNDARY] == training.count("\0")


@few
@given(TEXTS, st.booleans())
def test_byte_lengths_of_the_validation_ids_add_up_to_its_bytes(texts: list[str], lines: bool) -> None:
    training, validation = naive(texts, lines=lines)
    assume(len(set(training) - {"\0"}) >= 2)
    with elsewhere():
        read = prepared(documents(*(text.encode() for text in texts)), lines=lines)
        text = validation.replace("\0", "\n" if lines else "").encode()
        assert float(read.byte_lengths[read.validation].sum()) == pytest.approx(len(text))
        if read.tokenizer.unknown not in read.validation:
            assert read.bytes_of(read.validation) == text


def test_byte_lengths_are_those_of_utf8_and_of_unk_the_mean_over_validation() -> None:
    # 36 characters of training; then three outside the vocabulary, of 2, 3 and 4 bytes, and an a.
    read = prepared(documents(("aé€" * 12 + "ß안😀a").encode()))
    assert read.validation.tolist() == [BOUNDARY, UNKNOWN, UNKNOWN, UNKNOWN, 2]
    assert read.byte_lengths.tolist() == [0.0, (2 + 3 + 4) / 3, 1.0, 2.0, 3.0]


def test_without_an_unknown_character_unk_has_no_bytes() -> None:
    assert prepared(documents(b"ab" * 20)).byte_lengths.tolist() == [0.0, 0.0, 1.0, 1.0]
    assert prepared(documents(b"ab" * 20), level="byte").byte_lengths.tolist() == [0.0] + [1.0] * 256


def test_a_character_of_the_validation_part_alone_is_not_in_the_vocabulary() -> None:
    read = prepared(documents(("ab" * 9 + "ü" + "a").encode()))
    assert read.tokenizer.describe() == {"level": "char", "codepoints": [ord("a"), ord("b")]}
    assert read.validation.tolist() == [BOUNDARY, UNKNOWN, 2]


def test_a_boundary_heads_every_document_and_the_validation_part() -> None:
    read = prepared(documents(b"ab", b"ba", b"ababab"))
    assert read.training.tolist() == [0, 2, 3, 0, 3, 2, 0, 2, 3, 2, 3, 2]
    assert read.validation.tolist() == [0, 3]


def test_a_validation_part_that_begins_with_a_document_has_one_boundary_there() -> None:
    read = prepared(documents(b"abababababababababa"[:18], b"ba"))
    assert read.training.tolist() == [0, *[2, 3] * 9]
    assert read.validation.tolist() == [0, 3, 2]


def test_every_line_is_a_document_and_none_is_empty() -> None:
    read = prepared(documents(b"\n\nab\n\n\nb\n", b"\n", b"a\nbabab\na"), lines=True)
    assert read.training.tolist() == [0, 2, 3, 0, 3, 0, 2, 0, 3, 2, 3, 2, 3]
    assert read.validation.tolist() == [0, 2]
    assert read.documents == 3


def test_line_feeds_alone_are_nothing_wherever_the_text_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charrnn.text.document.CHUNK_BYTES", 4)
    read = prepared(documents(b"abc\n" + b"\n" * 12 + b"abcabca"), lines=True)
    assert read.training.tolist() == [0, 2, 3, 4, 0, 2, 3, 4, 2, 3, 4]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 27, 28, 30])
def test_the_line_end_between_the_parts_begins_the_second_wherever_the_text_is_cut(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charrnn.text.document.CHUNK_BYTES", size)
    read = prepared(documents(b"ab\n" * 10), lines=True)
    assert read.training.tolist() == [0, 2, 3] * 9
    assert read.counts.tolist() == [9, 0, 9, 9]
    assert read.validation.tolist() == [0, 2, 3, 0]


def test_an_empty_document_among_others_leaves_no_trace() -> None:
    texts = documents(b"", b"abababababab", b"", b"ba" * 4, b"")
    for newline in ("keep", "lf"):
        read = prepared(texts, newline=newline)
        assert read.training.tolist() == [0, *[2, 3] * 6, 0, *[3, 2] * 3]
        assert read.validation.tolist() == [0, 3, 2]


def test_an_empty_document_of_bytes_leaves_no_trace() -> None:
    texts = documents(b"", b"abababababab", b"", b"ba" * 4, b"")
    a, b = ord("a") + 1, ord("b") + 1
    for newline in ("keep", "lf"):
        read = prepared(texts, level="byte", newline=newline)
        assert read.training.tolist() == [0, *[a, b] * 6, 0, *[b, a] * 3]
        assert read.validation.tolist() == [0, b, a]


def test_a_corpus_without_validation_text_trains_on_all_of_it() -> None:
    read = prepared(documents(b"abcab"), val_fraction=0.0)
    assert read.training.tolist() == [0, 2, 3, 4, 2, 3]
    assert read.validation.tolist() == []


def test_a_tokenizer_that_is_given_is_used_as_it_is() -> None:
    tokenizer = CharTokenizer.from_codepoints([ord("b"), ord("c")])
    read = prepared(documents(b"abcd" * 5), tokenizer)
    assert read.training.tolist() == [0, *[1, 2, 3, 1] * 4, 1, 2]
    assert read.validation.tolist() == [0, 3, 1]
    assert read.counts.tolist() == [1, 9, 5, 4]
    assert read.tokenizer.describe() == tokenizer.describe()
    assert prepared(documents(b"abcd" * 5)).files != read.files


def test_tiny_shakespeare_is_cut_where_the_literature_cuts_it(real_data: Path) -> None:
    path = real_data / "tinyshakespeare.txt"
    text = path.read_bytes()
    read = prepared([Document("tinyshakespeare.txt", path)])
    assert len(text) == read.characters == 1_115_394
    assert read.tokenizer.vocab_size == 65 + 2
    assert len(read.training) == 1 + 1_003_854
    assert len(read.validation) == 1 + 111_540
    assert read.training[0] == read.validation[0] == BOUNDARY
    assert read.tokenizer.bytes_of(read.training) == text[:1_003_854]
    assert read.tokenizer.bytes_of(read.validation) == text[1_003_854:]
    assert read.counts[2:].tolist() == [count for _, count in sorted(Counter(text[:1_003_854]).items())]
    assert read.digest == hashlib.sha256(text).hexdigest()


def test_the_embedded_text_is_a_corpus() -> None:
    read = prepared([EMBEDDED])
    text = b"".join(EMBEDDED.chunks()).decode()
    assert read.characters == len(text)
    assert read.tokenizer.bytes_of(read.training) == text[: int(len(text) * 0.9)].encode()


def test_ids_of_many_characters_are_wide_enough() -> None:
    text = "".join(chr(c) for c in range(0x1000, 0x1000 + 80_000) if not 0xD800 <= c < 0xE000)
    read = prepared(documents(text.encode()))
    size = int(len(text) * 0.9)
    assert size > 2**16
    assert read.training.tolist() == [0, *range(2, 2 + size)]


def test_ids_are_mapped_and_not_held_in_memory() -> None:
    read = prepared(documents(VERSE.encode() * 9))
    assert isinstance(read.training, np.memmap)
    assert isinstance(read.validation, np.memmap)


def test_the_digest_of_one_file_is_its_sha256() -> None:
    data = VERSE.encode() * 9
    assert prepared(documents(data)).digest == hashlib.sha256(data).hexdigest()
    assert prepared([document("a.gz", gzip.compress(data))]).digest == hashlib.sha256(data).hexdigest()


def test_the_digest_of_several_files_is_that_of_their_digests() -> None:
    texts = [VERSE.encode() * 9, b"another text"]
    digests = "".join(hashlib.sha256(text).hexdigest() for text in texts)
    assert prepared(documents(*texts)).digest == hashlib.sha256(digests.encode()).hexdigest()


def test_a_packed_file_that_is_cut_off_is_refused_and_nothing_is_kept() -> None:
    packed = gzip.compress(os.urandom(5000).hex().encode())
    with pytest.raises(TextError) as caught:
        prepared([document("a.txt.gz", packed[:-100])])
    assert caught.value.message == (
        "a.txt.gz: the gzip data is damaged: "
        "Compressed file ended before the end-of-stream marker was reached"
    )
    assert list(Path("cache", "charrnn").iterdir()) == []


def test_a_byte_order_mark_is_noted_and_no_text() -> None:
    marked, plain = document("marked.txt", b"\xef\xbb\xbf" + b"ab" * 20), document("plain.txt", b"ab" * 20)
    assert prepared([marked]).notes == ("marked.txt: UTF-8 by its byte order mark, which is left out",)
    assert prepared([marked]).training.tolist() == prepared([plain]).training.tolist()
    assert prepared([plain]).notes == ()


def test_byte_order_marks_of_a_kind_are_noted_in_one_line() -> None:
    marked = [document(f"{number}.txt", b"\xef\xbb\xbf" + b"ab" * 20) for number in range(1_200)]
    texts = [document("plain.txt", b"ab" * 20), *marked, document("wide.txt", ("ab" * 20).encode("utf-16"))]
    assert prepared(texts).notes == (
        "1,200 files: UTF-8 by their byte order marks, which are left out",
        "wide.txt: UTF-16-LE by its byte order mark, which is left out",
    )
