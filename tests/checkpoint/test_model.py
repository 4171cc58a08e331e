"""A language model's file: whole and back, equal bytes for equal models, and what is no such model."""

import datetime
import errno
import os
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import charrnn
from charrnn.cells import CELLS
from charrnn.checkpoint import container, model
from charrnn.checkpoint.model import Checkpoint, load, load_forward, save
from charrnn.config import ModelConfig
from charrnn.errors import CheckpointError, ExitCode, StorageError
from charrnn.inference.language_model import LanguageModel
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CODEPOINTS, SURROGATES, CharTokenizer
from charrnn.text.tokenizer import Tokenizer
from tests.checkpoint.handmade import equal, parts, random_tensors, small

GOLDEN = Path(__file__).parents[1] / "golden"  # written by earlier versions, never again
FILE = Path("file")  # in the folder that every test has to itself


def assert_same(found: Checkpoint, saved: Checkpoint) -> None:
    assert found.config == saved.config
    assert type(found.tokenizer) is type(saved.tokenizer)
    assert found.tokenizer.describe() == saved.tokenizer.describe()
    assert found.has_endings is saved.has_endings
    assert found.card == saved.card
    assert equal(found.tensors, saved.tensors)


# Whole and back


@pytest.mark.parametrize("tokenizer", [ByteTokenizer(), CharTokenizer.from_codepoints(range(32, 127))])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_what_was_saved_is_loaded_to_the_last_bit(cell: str, num_layers: int, tokenizer: Tokenizer) -> None:
    saved = small(tokenizer, cell=cell, num_layers=num_layers, hidden_size=7)
    save(FILE, saved)
    assert_same(load(FILE), saved)


CHARACTERS = st.integers(0, CODEPOINTS - 1).filter(lambda codepoint: codepoint not in SURROGATES)


@settings(deadline=None, database=None, max_examples=40)
@given(
    st.none() | st.sets(CHARACTERS, min_size=1, max_size=30),
    st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    st.booleans(),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_any_model_comes_back(
    characters: set[int] | None, card: dict[str, Any], has_endings: bool, hidden: int, embedding: int
) -> None:
    tokenizer = CharTokenizer.from_codepoints(sorted(characters)) if characters else ByteTokenizer()
    made = small(tokenizer, card, hidden_size=hidden, embedding_size=embedding)
    saved = Checkpoint(
        config=made.config, tokenizer=tokenizer, tensors=made.tensors, has_endings=has_endings, card=card
    )
    save(FILE, saved)
    assert_same(load(FILE), saved)


def test_a_file_tells_when_it_was_made_and_its_digest() -> None:
    before = datetime.datetime.now(datetime.UTC)
    save(FILE, small())
    after = datetime.datetime.now(datetime.UTC)
    found = load(FILE)
    assert before <= datetime.datetime.fromisoformat(found.created) <= after
    assert found.digest == container.read_metadata(FILE)["digest"]


def test_equal_models_make_equal_files_at_equal_times(monkeypatch: pytest.MonkeyPatch) -> None:
    save(Path("one"), small())
    save(Path("other"), small())
    one, other = (parts(Path(name).read_bytes()) for name in ("one", "other"))
    assert one[1] == other[1]
    written = container.read_metadata(Path("one")), container.read_metadata(Path("other"))
    differs = {key for key in written[0] | written[1] if written[0].get(key) != written[1].get(key)}
    assert differs == {"created", "digest"}

    moment = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    clock = SimpleNamespace(UTC=datetime.UTC, datetime=SimpleNamespace(now=lambda _: moment))
    monkeypatch.setattr(model, "datetime", clock)
    save(Path("one"), small())
    turned = small()
    save(
        Path("other"),
        Checkpoint(
            config=turned.config,
            tokenizer=turned.tokenizer,
            tensors=dict(reversed(turned.tensors.items())),
            has_endings=turned.has_endings,
            card=dict(reversed(dict(turned.card).items())),
        ),
    )
    assert Path("one").read_bytes() == Path("other").read_bytes()
    assert load(Path("one")).created == "2026-01-02T00:00:00.000000+00:00"


def test_the_official_reader_opens_a_model_and_finds_one_key() -> None:
    saved = small()
    save(FILE, saved)
    assert equal(safetensors.numpy.load(FILE.read_bytes()), saved.tensors)
    with safetensors.safe_open(FILE, "numpy") as file:
        assert list(file.metadata()) == ["charrnn"]


def test_saving_over_a_model_replaces_it_whole() -> None:
    save(FILE, small(seed=1, hidden_size=9))
    save(FILE, small(seed=2))
    assert_same(load(FILE), small(seed=2))
    assert [item.name for item in Path().iterdir()] == ["file"]


def test_a_save_that_fails_leaves_the_model_that_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    save(FILE, small(seed=1))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StorageError) as caught:
            save(FILE, small(seed=2))
    assert caught.value.message == "file: No space left on device"
    assert_same(load(FILE), small(seed=1))
    assert [item.name for item in Path().iterdir()] == ["file"]


def test_loading_twice_gives_tensors_that_share_nothing() -> None:
    save(FILE, small())
    one, other = load(FILE), load(FILE)
    for name, tensor in one.tensors.items():
        assert not np.shares_memory(tensor, other.tensors[name])


# What is no such model


def error_of(description: dict[str, Any], tensors: container.Tensors | None = None) -> CheckpointError:
    """The refusal of a file with this metadata, whose digest is right."""
    FILE.write_bytes(container.pack(description, small().tensors if tensors is None else tensors))
    with pytest.raises(CheckpointError) as caught:
        load(FILE)
    assert caught.value.exit_code == ExitCode.CHECKPOINT
    return caught.value


def metadata(**changed: Any) -> dict[str, Any]:
    """A good model's metadata, some of it changed, left out (None) or added."""
    all_of_it = model.metadata(small()) | changed
    return {key: value for key, value in all_of_it.items() if value is not None}


def test_metadata_that_nothing_requires_is_passed_over() -> None:
    FILE.write_bytes(container.pack(metadata(later="something"), small().tensors))
    assert_same(load(FILE), small())


@pytest.mark.parametrize(
    ("changed", "needs"),
    [
        ({"format": 4}, "format 4"),
        ({"format": 10**9}, "format 1000000000"),
        ({"required": ["sparse"]}, "the features sparse"),
        ({"required": ["sparse", "tied"], "format": 4}, "the features sparse, tied"),
        ({"required": [1, ["x"], {"y": 2}, None]}, "the features 1, ['x'], {'y': 2}, None"),
    ],
)
def test_a_newer_file_says_who_wrote_it_and_what_it_needs(changed: dict[str, Any], needs: str) -> None:
    error = error_of(metadata(written_by="charrnn 9.0", **changed))
    assert error.message == (
        f"file: was written by charrnn 9.0 and needs {needs}, "
        f"which charrnn {charrnn.__version__} does not know"
    )
    assert error.hint == "a newer charrnn reads it"


WRONG_CONFIG = "metadata: config has not exactly the keys "
WRONG_CONFIG += (
    "['backward', 'cell', 'embedding_size', 'hidden_size', 'nonlinearity', 'num_layers', 'tied', "
    "'vocab_size', 'zoneout']"
)
NO = "no such nonlinearity"
NOT_IN_ORDER = "tokenizer: the code points are not distinct characters in order"
NO_NUMBERS: list[Any] = [None, "1", 1.0, True, []]
NO_LISTS: list[Any] = ["", {}, 0]
NO_OBJECTS: list[Any] = [[], "char", 1]
OLD_CONFIG = {"vocab_size": 6, "hidden_size": 4, "embedding_size": 3, "num_layers": 1, "cell": "rnn"}
CONFIG_2 = OLD_CONFIG | {"nonlinearity": "tanh", "zoneout": 0.0, "tied": False}
CONFIG = CONFIG_2 | {"backward": False}


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        *(({"format": number}, "metadata: has no format number") for number in NO_NUMBERS),
        *(({"required": names}, "metadata: has no format number") for names in (None, *NO_LISTS)),
        ({"kind": "training-state"}, "is a training state, not a language model"),
        ({"kind": "classifier"}, "is a classifier, not a language model"),
        ({"kind": None}, "is a None, not a language model"),
        *(
            ({key: None}, f"metadata: lacks '{key}'")
            for key in ("config", "tokenizer", "has_endings", "card", "created")
        ),
        *(
            ({key: value}, "metadata: has_endings, card or created is of the wrong kind")
            for key, value in (("has_endings", 1), ("card", []), ("card", "x"), ("created", 5))
        ),
        *(({"config": value}, WRONG_CONFIG) for value in (*NO_OBJECTS, {}, CONFIG | {"dropout": 0.5})),
        ({"config": {key: CONFIG[key] for key in CONFIG if key != "cell"}}, WRONG_CONFIG),
        *(
            ({"config": CONFIG | {key: value}}, f"metadata: {key} is not a whole number from 1 to {limit}")
            for key, limit in (
                ("vocab_size", "262,144"),
                ("hidden_size", "65,536"),
                ("embedding_size", "65,536"),
                ("num_layers", "64"),
            )
            for value in (0, -1, int(limit.replace(",", "")) + 1, 2**53, 4.0, True, "4", None, [4])
        ),
        *(
            (
                {"config": CONFIG | {"cell": cell}},
                "metadata: unknown cell; this version knows rnn, lstm, lstm-peephole, gru, gru-after",
            )
            for cell in ("LSTM", "transformer", "", None, 1, ["rnn"], {"rnn": 1})
        ),
        *(
            (
                {"config": CONFIG | {"cell": cell, "nonlinearity": sigma}},
                f"metadata: the cell {cell} has {NO}",
            )
            for cell, sigma in (("rnn", "sigmoid"), ("rnn", None), ("rnn", ["tanh"]), ("lstm", "relu"))
        ),
        *(
            ({"config": CONFIG | {"zoneout": rate}}, "metadata: zoneout is not a number from 0 to below 1")
            for rate in (1.0, -0.1, 0, True, "0", None)
        ),
        *(
            ({"config": CONFIG | {name: value}}, f"metadata: {name} is neither true nor false")
            for name in ("tied", "backward")
            for value in (0, 1, None, "true")
        ),
        *(({"config": older}, WRONG_CONFIG) for older in (OLD_CONFIG, CONFIG_2)),
        ({"config": OLD_CONFIG, "format": 2}, WRONG_CONFIG),
        ({"config": {}, "format": 1}, WRONG_CONFIG),
        *(
            ({"tokenizer": {"level": "char", "codepoints": codepoints}}, NOT_IN_ORDER)
            for codepoints in (
                [97, 97, 98, 99],
                [98, 97, 99, 100],
                [97, 98, 99, 0xD800],
                [97, 98, 99, 0xDFFF],
                [97, 98, 99, 0x110000],
                [97, 98, 99, 2**40],
                [-1, 97, 98, 99],
                [97.0, 98, 99, 100],
                ["a", "b", "c", "d"],
                [False, True, 97, 98],
                [[97], [98], [99], [100]],
                [None] * 4,
                [],
            )
        ),
        (
            {"tokenizer": {"level": "char", "codepoints": [97, 98, 99]}},
            "the tokenizer has 5 ids, the model 6",
        ),
        ({"tokenizer": {"level": "byte"}}, "the tokenizer has 257 ids, the model 6"),
        ({"tokenizer": {}}, "tokenizer: unknown description with the keys []"),
        ({"tokenizer": {"level": "word"}}, "tokenizer: unknown description with the keys ['level']"),
        (
            {"tokenizer": {"level": "byte", "codepoints": [97]}},
            "tokenizer: unknown description with the keys ['codepoints', 'level']",
        ),
        (
            {"tokenizer": {"level": "char", "codepoints": "abcd"}},
            "tokenizer: unknown description with the keys ['codepoints', 'level']",
        ),
        *(({"tokenizer": value}, "metadata: tokenizer is no description of one") for value in NO_OBJECTS),
    ],
    ids=str,
)
def test_metadata_of_no_such_model_is_refused(changed: dict[str, Any], verdict: str) -> None:
    assert error_of(metadata(**changed)).message == f"file: {verdict}"


@pytest.mark.parametrize(
    ("count", "verdict"),
    [(200_000, "the tokenizer has 200002 ids, the model 6"), (200_001, NOT_IN_ORDER)],
)
def test_more_characters_than_the_limit_are_refused(count: int, verdict: str) -> None:
    first = 0xE000  # after the surrogates
    described = {"level": "char", "codepoints": list(range(first, first + count))}
    assert error_of(metadata(tokenizer=described)).message == f"file: {verdict}"


def without(name: str) -> container.Tensors:
    return {key: tensor for key, tensor in small().tensors.items() if key != name}


DO_NOT_FIT = "file: the tensors do not fit the configuration: "


@pytest.mark.parametrize(
    ("tensors", "listed"),
    [
        (without("model.output.bias"), "model.output.bias: expected [6], found none"),
        (
            small().tensors | random_tensors({"model.layers.0.inner_bias": (4,)}),
            "model.layers.0.inner_bias: expected none, found [4]",
        ),
        (
            small().tensors | random_tensors({"model.layers.0.input": (3, 4)}),
            "model.layers.0.input: expected [4, 3], found [3, 4]",
        ),
        (
            {},
            "model.embedding: expected [6, 3], found none; model.layers.0.bias: expected [4], found none; "
            "model.layers.0.input: expected [4, 3], found none; and 3 more",
        ),
    ],
)
def test_tensors_that_the_configuration_does_not_have_are_named(
    tensors: container.Tensors, listed: str
) -> None:
    assert error_of(metadata(), tensors).message == DO_NOT_FIT + listed


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("rnn", "é béca ébbc é écéé bébécab\nébb"),
        ("lstm", "é acbb\nbbcbbé\nécéc acbbcab\néba"),
        ("gru-after", "c\nbbbb\nbbbbbb\ncbbbbbbbbbbb ébb"),
    ],
)
def test_files_of_the_first_format_say_what_they_said_when_they_were_written(cell: str, text: str) -> None:
    old = LanguageModel.load(GOLDEN / f"format-1-{cell}.safetensors")
    assert "".join(old.generate("ab", length=30, temperature=1.0, seed=3)) == text
    config = old.checkpoint.config
    assert (config.nonlinearity, config.tied, config.backward) == ("tanh", False, False)


def test_a_file_of_the_second_format_says_what_it_said_when_it_was_written() -> None:
    old = LanguageModel.load(GOLDEN / "format-2-gru.safetensors")
    text = "".join(old.generate("ab", length=30, temperature=1.0, seed=3))
    assert text == "é\nbééb\nbbébbé\néééé\n ébéébbbéc\n"
    config = old.checkpoint.config
    assert (config.zoneout, config.tied, config.backward) == (0.125, True, False)


def test_a_model_that_reads_backwards_comes_back_but_is_not_asked_what_comes_next() -> None:
    saved = small(backward=True)
    save(FILE, saved)
    assert_same(load(FILE), saved)
    with pytest.raises(CheckpointError) as caught:
        load_forward(FILE, "back")
    assert caught.value.message == (
        "back: reads backwards: it predicts what came before, not what comes next"
    )
    assert caught.value.hint == "it is made for charrnn train reviews/ --from FORWARD --from back"
    with pytest.raises(CheckpointError) as caught:
        load_forward(FILE, "my back")
    assert shlex.split(str(caught.value.hint))[-2:] == ["--from", "my back"]
    save(FILE, small())
    assert_same(load_forward(FILE, "ahead"), small())


def test_a_configuration_of_the_largest_model_allocates_nothing() -> None:
    large = CONFIG | {"hidden_size": 65_536, "embedding_size": 65_536, "num_layers": 64, "cell": "lstm"}
    assert error_of(metadata(config=large)).message == (
        DO_NOT_FIT + "model.embedding: expected [6, 65536], found [6, 3]; "
        "model.layers.0.bias: expected [262144], found [4]; "
        "model.layers.0.input: expected [262144, 65536], found [4, 3]; and 191 more"
    )


def test_weights_that_are_no_numbers_are_refused_and_may_still_be_looked_at() -> None:
    saved = small()
    saved.tensors["model.layers.0.recurrent"][1, 1:4] = [np.nan, np.inf, -np.inf]
    save(FILE, saved)
    with pytest.raises(CheckpointError) as caught:
        load(FILE)
    assert caught.value.message == "file: contains 3 non-finite values in model.layers.0.recurrent"
    assert_same(load(FILE, allow_non_finite=True), saved)


def test_looking_at_weights_that_are_no_numbers_allows_nothing_else() -> None:
    FILE.write_bytes(container.pack(metadata(), without("model.output.bias")))
    with pytest.raises(CheckpointError) as caught:
        load(FILE, allow_non_finite=True)
    assert caught.value.message == DO_NOT_FIT + "model.output.bias: expected [6], found none"


def test_every_field_of_a_configuration_is_saved() -> None:
    assert model.metadata(small())["config"].keys() == set(ModelConfig.__dataclass_fields__)


def test_lines_that_were_documents_have_the_boundary_between_them_and_none_is_empty() -> None:
    of_lines = small(card={"corpus": {"lines": True, "newline": "lf"}})
    a, b = of_lines.tokenizer.encode("ab").tolist()
    text = of_lines.as_read("\n\na\r\n\r\rb\n")
    assert text == "a\nb\n"
    assert of_lines.encode(text).tolist() == [a, 0, b, 0]
    assert of_lines.encode("").tolist() == []
    assert b"".join(map(of_lines.bytes_of, (a, 0, b, 0))) == b"a\nb\n"


def test_a_text_is_read_as_it_stands_where_nothing_was_changed_before_training() -> None:
    plain, text = small(), "\n\na\r\nb"
    assert plain.as_read(text) == text
    assert plain.encode(text).tolist() == plain.tokenizer.encode(text).tolist()
    assert plain.bytes_of(0) == b""
    assert small(card={"corpus": {"newline": "lf"}}).as_read(text) == "\n\na\nb"
