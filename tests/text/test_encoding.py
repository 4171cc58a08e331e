"""The laws of the three passes: what is counted, what is learned, what is written."""

import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import CorpusConfig
from charrnn.errors import StorageError, TextError
from charrnn.text import encoding
from charrnn.text.byte import ByteTokenizer
from charrnn.text.document import EMBEDDED, Document
from charrnn.text.encoding import Encoded, Reading, Survey, training_units
from charrnn.text.layout import utf8_lengths
from charrnn.text.tokenizer import Tokenizer
from tests.text.reading import document, documents, finish, moderate


def surveyed(texts: Sequence[Document], config: CorpusConfig | None = None) -> Survey:
    return finish(encoding.survey(texts, config or CorpusConfig()))


def built(texts: Sequence[Document], config: CorpusConfig | None = None) -> Tokenizer:
    config = config or CorpusConfig()
    return finish(encoding.build_tokenizer(texts, config, surveyed(texts, config)))


def written(texts: Sequence[Document], survey: Survey, file: str = "ids") -> Encoded:
    config = CorpusConfig(level="byte")
    return finish(encoding.write_ids(Path(file), texts, config, survey, ByteTokenizer()))


def characters_of(tokenizer: Tokenizer) -> list[str]:
    return [tokenizer.token_bytes(token).decode() for token in range(2, tokenizer.vocab_size)]


@moderate
@given(st.text())
def test_utf8_lengths_are_those_of_pythons_encoder(text: str) -> None:
    lengths = utf8_lengths(np.array([ord(character) for character in text], np.uint32))
    assert lengths.tolist() == [len(character.encode()) for character in text]


@pytest.mark.parametrize("codepoint", [0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF])
def test_utf8_lengths_change_where_unicode_says(codepoint: int) -> None:
    assert utf8_lengths(np.array([codepoint], np.uint32)).tolist() == [len(chr(codepoint).encode())]


@pytest.mark.parametrize(
    ("units", "val_fraction", "training"),
    [(1_115_394, 0.1, 1_003_854), (10, 0.1, 9), (11, 0.1, 9), (1, 0.1, 0), (7, 0.0, 7), (8, 0.25, 6)],
)
def test_the_training_part_is_rounded_down(units: int, val_fraction: float, training: int) -> None:
    assert training_units(Survey((), units, ()), CorpusConfig(val_fraction=val_fraction)) == training


def test_a_survey_counts_characters_and_takes_digests_of_bytes() -> None:
    texts = [b"n\xc3\xa9e\n", "😀\r\n".encode("utf-16")]
    survey = surveyed(documents(*texts))
    assert survey.units == len("née\n😀\r\n")
    assert survey.digests == tuple(hashlib.sha256(text).hexdigest() for text in texts)


@pytest.mark.parametrize(
    ("config", "units"),
    [
        (CorpusConfig(), 9),
        (CorpusConfig(newline="lf"), 8),
        (CorpusConfig(lines=True), 6),
        (CorpusConfig(lines=True, newline="lf"), 5),
        (CorpusConfig(level="byte"), 12),
        (CorpusConfig(level="byte", newline="lf"), 11),
        (CorpusConfig(level="byte", lines=True), 9),
    ],
)
def test_a_survey_counts_what_will_be_scored(config: CorpusConfig, units: int) -> None:
    assert surveyed(documents("né\r\n\na".encode(), "€\nb".encode()), config).units == units


def test_byte_order_marks_are_counted_from_the_first_document_that_has_one_of_a_kind() -> None:
    marked, wide = b"\xef\xbb\xbfmarked", "wide".encode("utf-16-be")
    texts = documents(b"plain", marked, b"\xfe\xff" + wide, b"", marked, marked)
    assert surveyed(texts).marks == (("utf-8", 1, 3), ("utf-16-be", 2, 1))
    assert surveyed(texts[1:2]).units == len("marked")
    assert surveyed(texts, CorpusConfig(level="byte")).marks == ()


def test_only_a_mark_at_the_beginning_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charrnn.text.document.CHUNK_BYTES", 4)
    survey = surveyed(documents("\ufeffa\ufeffb".encode(), "abcd\ufeff".encode()))
    assert survey.marks == (("utf-8", 0, 1),)
    assert survey.units == len("a\ufeffb") + len("abcd\ufeff")


@pytest.mark.parametrize(
    ("texts", "config", "message"),
    [
        ([b""], CorpusConfig(), "0.txt: is empty"),
        ([b"\xef\xbb\xbf"], CorpusConfig(), "0.txt: is empty"),
        ([b""], CorpusConfig(level="byte", newline="lf"), "0.txt: is empty"),
        ([b"\n\n"], CorpusConfig(lines=True), "0.txt: is empty"),
        ([b"", b"", b""], CorpusConfig(), "all 3 files: are empty"),
    ],
)
def test_no_text_is_refused(texts: list[bytes], config: CorpusConfig, message: str) -> None:
    with pytest.raises(TextError) as caught:
        surveyed(documents(*texts), config)
    assert (caught.value.message, caught.value.hint) == (message, None)


def test_a_document_that_is_not_text_is_named_among_others() -> None:
    with pytest.raises(TextError) as caught:
        surveyed(documents(b"good", b"one\nb\xe4d"))
    assert caught.value.message == "1.txt: not UTF-8 at byte 5 (0xE4), line 2"


@pytest.mark.parametrize("texts", [[b"aaaaaaaaaa"], [b"aaaa", b"aaaa"], [b"a"]])
def test_one_character_alone_is_nothing_to_learn(texts: list[bytes]) -> None:
    with pytest.raises(TextError) as caught:
        built(documents(*texts))
    assert caught.value.message == "the text has only 1 distinct character: there is nothing to learn"
    assert caught.value.hint is None


@pytest.mark.parametrize(
    ("texts", "config", "part"),
    [
        ([b"ab"], CorpusConfig(), "1 of 2"),
        ([b"aaaa", b"aaaa", b"ab"], CorpusConfig(), "9 of 10"),
        ([b"ab"], CorpusConfig(level="subword"), "1 of 2"),
        ([b"a\na\nb\n"], CorpusConfig(lines=True), "2 of 3"),
        ([b"abc"], CorpusConfig(val_fraction=0.9), "0 of 3"),
    ],
)
def test_a_part_to_learn_from_that_is_one_character_is_said_to_be_so(
    texts: list[bytes], config: CorpusConfig, part: str
) -> None:
    with pytest.raises(TextError) as caught:
        built(documents(*texts), config)
    of_part = f"the part to learn from, {part} characters, has fewer than 2 distinct ones"
    assert caught.value.message == f"{of_part}: there is nothing to learn"
    assert caught.value.hint == "give more text, or a smaller --val-fraction"


def test_more_characters_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "MAX_CHARACTERS", 4)
    assert characters_of(built(documents(b"abcd" * 5))) == list("abcd")
    monkeypatch.setattr(encoding, "MAX_CHARACTERS", 1234)
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 1235))) * 2
    with pytest.raises(TextError) as caught:
        built(documents(many.encode()))
    assert caught.value.message == "the text has 1,235 distinct characters, limit 1,234"
    assert caught.value.hint == "--level byte has no such limit"


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_a_character_of_the_validation_part_alone_is_not_in_the_vocabulary(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charrnn.text.document.CHUNK_BYTES", size)
    # 20 characters, 18 of them for training: the é is the last one in, the ü the first one out.
    assert characters_of(built(documents(b"ba" * 5, "abababaéüc".encode()))) == ["a", "b", "é"]


def test_a_line_feed_that_parts_documents_is_no_character() -> None:
    texts = documents(b"a\nb\nc\na\nb\nc\n" * 4)
    assert characters_of(built(texts, CorpusConfig(lines=True))) == ["a", "b", "c"]
    assert characters_of(built(texts)) == ["\n", "a", "b", "c"]


def test_the_vocabulary_of_bytes_is_built_without_reading() -> None:
    texts = [Document("gone", Path("gone"))]
    work = encoding.build_tokenizer(texts, CorpusConfig(level="byte"), Survey((), 1, ()))
    assert finish(work).vocab_size == 257


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_progress_rises_to_the_size_of_all_files(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charrnn.text.document.CHUNK_BYTES", size)
    readings = list(encoding.survey(documents("née\n".encode(), b"12345"), CorpusConfig()))
    assert all(reading.total == 10 for reading in readings)
    done = [reading.done for reading in readings]
    assert done == sorted(done)
    assert readings[-1] == Reading(10, 10)


def test_progress_of_the_embedded_text_ends_at_its_size() -> None:
    *_, last = encoding.survey([EMBEDDED], CorpusConfig())
    assert last.done == last.total == sum(map(len, EMBEDDED.chunks()))


def test_nobody_can_tell_how_far_the_reading_of_a_packed_file_is() -> None:
    texts = [document("a.txt", b"text"), document("b.gz", gzip.compress(b"more text"))]
    assert list(encoding.survey(texts, CorpusConfig())) == [Reading(4, 0), Reading(13, 0)]


@pytest.mark.parametrize("changed", [b"text one and two!", b"text one", b"TEXT ONE AND TWO"])
def test_a_corpus_that_changes_while_it_is_read_is_refused_and_leaves_nothing(changed: bytes) -> None:
    config = CorpusConfig(level="byte")
    texts = documents(b"text one and two", b"more")
    survey = surveyed(texts, config)
    Path("0.txt").write_bytes(changed)
    with pytest.raises(StorageError) as caught:
        written(texts, survey)
    assert caught.value.message == "the corpus changed while it was being read"
    assert caught.value.hint == "try again when nothing writes to it"
    assert sorted(map(str, Path().iterdir())) == ["0.txt", "1.txt"]


def test_a_full_disk_is_noticed_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = documents(b"x" * 1998, b"yy")
    survey = surveyed(texts, CorpusConfig(level="byte"))
    free = 4003
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=free))
    with pytest.raises(StorageError) as caught:
        written(texts, survey)
    # 2,000 bytes and 2 boundaries, as two-byte ids.
    assert caught.value.message == ".: the corpus needs 4,004 bytes here, 4,003 are free"
    assert caught.value.hint == "XDG_CACHE_HOME=/some/folder names another place for the cache"
    free = 4004
    assert written(texts, survey).tokens == 2003  # the validation part begins with a boundary, too


@pytest.mark.parametrize("level", ["word", "subword"])
def test_where_tokens_are_fewer_than_characters_nobody_guesses_the_room_they_take(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, config = documents(b"the cat sat. " * 99), CorpusConfig(level=level)
    survey = surveyed(texts, config)
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=9))
    tokenizer = built(texts, config)
    assert finish(encoding.write_ids(Path("ids"), texts, config, survey, tokenizer)).tokens


def test_a_failing_write_names_the_file_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int, _data: memoryview) -> int:
        raise OSError(28, "No space left on device")

    texts = documents(b"some text")
    survey = surveyed(texts, CorpusConfig(level="byte"))
    monkeypatch.setattr("os.write", fail)
    with pytest.raises(StorageError) as caught:
        written(texts, survey)
    assert caught.value.message == "ids: No space left on device"
    assert caught.value.hint == "XDG_CACHE_HOME=/some/folder names another place for the cache"
    assert list(map(str, Path().iterdir())) == ["0.txt"]


def test_written_ids_are_described() -> None:
    texts = documents(b"aab", b"abbaaab")
    encoded = written(texts, surveyed(texts, CorpusConfig(level="byte")))
    a, b = ord("a") + 1, ord("b") + 1
    ids = np.fromfile("ids", encoded.dtype).tolist()
    assert ids == [0, a, a, b, 0, a, b, b, a, a, a, 0, b]
    assert (encoded.tokens, encoded.split) == (13, 11)
    assert {token: count for token, count in enumerate(encoded.counts) if count} == {0: 2, a: 6, b: 3}
    assert (encoded.unknown_tokens, encoded.unknown_bytes) == (0, 0)
