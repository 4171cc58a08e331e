"""The views of `charrnn inspect` on models made by hand: what is counted, what is a cell, what is drawn."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from charrnn.checkpoint import classifier, model
from charrnn.cli import gradients
from charrnn.config import LIKELIEST
from charrnn.errors import UsageError
from charrnn.terminal.gradient_view import MAX_CURVES
from charrnn.terminal.streams import Product
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CharTokenizer
from tests.checkpoint.handmade import small, small_classifier
from tests.cli.program import Answer, lukewarm

LETTERS = CharTokenizer.from_codepoints(sorted(map(ord, "abcdefghijklmnop\t\n")))


@pytest.fixture(autouse=True)
def _models() -> None:
    """Models in the files `letters` and `bytes`."""
    model.save(Path("letters"), small(LETTERS))
    model.save(Path("bytes"), small(ByteTokenizer()))


def inspect(*words: str, given: bytes | None = None) -> Answer:
    answer, _ = lukewarm("inspect", *words, given=given)
    assert (answer.status, answer.stderr) == (0, "")
    return answer


def view(*words: str, given: bytes | None = None) -> Any:
    return json.loads(inspect(*words, "--json", given=given).text)


def test_as_many_tokens_are_shown_as_help_says() -> None:
    assert f"how many tokens to show. [default: {LIKELIEST}]" in " ".join(inspect("--help").text.split())
    found = view("next", "a", "-m", "letters")
    assert found == view("next", "a", "-m", "letters", "-k", str(LIKELIEST))
    assert len(found["next"]) == LIKELIEST < LETTERS.vocab_size


def test_the_character_for_what_could_not_be_read_is_a_character_like_others() -> None:
    model.save(Path("spoilt"), small(CharTokenizer.from_codepoints([0x61, 0xFFFD])))
    rows = inspect("next", "a", "-m", "spoilt").text.splitlines()[2:]
    assert {(row.split()[0], row.split()[-1]) for row in rows} >= {("\ufffd", "U+FFFD"), ("a", "U+0061")}


def test_a_model_may_be_named_twice_the_same() -> None:
    assert inspect("letters", "-m", "letters").stdout == inspect("letters").stdout


def test_a_classifier_with_weights_that_are_no_numbers_can_be_looked_at() -> None:
    checkpoint = small_classifier()
    bias = checkpoint.tensors["model.output.bias"] * math.nan
    damaged = replace(checkpoint, tensors=checkpoint.tensors | {"model.output.bias": bias})
    classifier.save(Path("bad"), damaged)
    assert inspect("bad").text.splitlines()[-1] == "damaged      3 non-finite values in model.output.bias"


def test_to_a_model_of_bytes_a_byte_order_mark_is_bytes_like_others() -> None:
    data = "é".encode("utf-8-sig")
    found = view("surprise", "-m", "bytes", given=data)
    assert (found["bytes"], found["lines"][0]["text"]) == (len(data), data.decode())


@pytest.mark.parametrize(("name", "end"), [("letters", "\n"), ("lines", "")])
def test_to_a_model_of_lines_the_end_of_one_is_that_of_a_document(name: str, end: str) -> None:
    model.save(Path("lines"), small(LETTERS, card={"corpus": {"lines": True}}))
    each = inspect("next", "abc", "--each", "-k", "1000", "--json", "-m", name).text.splitlines()
    bits = [
        next(token["bits"] for token in json.loads(position)["next"] if token["text"] == character)
        for position, character in zip(each, ["a", "b", "c", end], strict=True)
    ]
    (line,) = view("surprise", "-m", name, given=b"abc\n")["lines"]
    assert line["bits_per_byte"] == pytest.approx(sum(bits) / 4)


def test_in_a_pipe_a_tab_or_an_escape_in_a_text_or_a_name_is_no_cell_and_not_live() -> None:
    name = "a\tb\x1b[31m"
    Path(name).write_text("a\tb\nc")
    rows = [line.split("\t") for line in inspect("surprise", name, "-m", "letters").text.splitlines()]
    assert [(row[0], *row[2:]) for row in rows] == [("1", "a^Ib"), ("2", "c"), ("all", "a^Ib^[[31m")]
    Path("checkpoints", name).mkdir(parents=True)
    model.save(Path("checkpoints", name, "model.safetensors"), small())
    (run,) = (line.split("\t") for line in inspect("runs").text.splitlines())
    assert (run[1], len(run)) == ("a^Ib^[[31m", 6)
    rows = [line.split("\t") for line in inspect("gradients", "ab", "-m", name).text.splitlines()]
    assert [row[0] for row in rows] == ["a^Ib^[[31m"] * 2


def test_gradients_are_both_drawn_and_described_where_both_are_asked_for() -> None:
    found = view("gradients", "abc", "-m", "letters", "--svg", "a.svg")
    assert found == view("gradients", "abc", "-m", "letters")
    assert Path("a.svg").read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize(("nets", "untrained"), [(MAX_CURVES, False), (MAX_CURVES // 2, True)])
def test_as_many_nets_fit_side_by_side_as_there_are_colours(
    nets: int, untrained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients, "_nets", lambda *_, **__: [])

    def show(names: list[str | None]) -> None:
        gradients.show_gradients(
            Product(),
            names,
            "a text",
            sentence=None,
            untrained=untrained,
            svg=None,
            as_json=True,
            threads=None,
            quiet=True,
        )

    show([None] * nets)
    with pytest.raises(UsageError, match=f" nets, but at most {MAX_CURVES} fit side by side$"):
        show([None] * (nets + 1))
