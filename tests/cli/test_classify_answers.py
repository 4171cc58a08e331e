"""What `charrnn classify` does with an answer: withholds it, fails by it, explains it, writes it down."""

import json
import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from charrnn.checkpoint.classifier import save
from charrnn.cli.classify import _Asked, _write
from charrnn.cli.given_texts import Text
from charrnn.inference.answering import Classifier, Piece
from charrnn.terminal.streams import Product
from tests.checkpoint.handmade import of_many_minds
from tests.cli.program import Answer, lukewarm, shown
from tests.terminal.test_streams import Stream

ODD = "the\ta \x1b[31m\u202e of\nthe end"
INERT = "\\u{202e}"


@pytest.fixture(autouse=True)
def _a_classifier() -> None:
    """A classifier in the file `model`, and texts: of the first it says no, of the second yes."""
    save(Path("model"), of_many_minds())
    for name, text in (("one.txt", "the"), ("other.txt", "a a"), ("odd\t\x1b.txt", ODD)):
        Path(name).write_text(text)


def asked(*words: str) -> Answer:
    return lukewarm("classify", "-m", "model", *words)[0]


def described(*words: str) -> dict[str, Any]:
    answer = asked(*words, "--json")
    assert (answer.status, answer.stderr) == (0, "")
    found: dict[str, Any] = json.loads(answer.text)
    return found


def test_an_answer_as_probable_as_was_asked_for_is_given_and_one_a_bit_less_is_not() -> None:
    found = described("one.txt")
    exactly, above = (repr(p) for p in (found["probability"], math.nextafter(found["probability"], 1.0)))
    assert asked("one.txt", "--abstain", exactly).text.startswith(f"{found['label']}\t")
    assert asked("one.txt", "--abstain", above).text.startswith("?\t")
    assert asked("one.txt", "--fail-under", exactly).status == 0
    failed = asked("one.txt", "--fail-under", above)
    chance, bound = f"{found['probability']:.4f}", f"{found['probability']:g}"
    assert (failed.status, failed.lines) == (
        8,
        [
            f"charrnn: error: one.txt: {found['label']} with a probability of {chance}, below {bound}",
        ],
    )


@pytest.mark.parametrize("order", [("one.txt", "other.txt"), ("other.txt", "one.txt")])
def test_the_first_reason_to_fail_is_said_and_a_good_text_after_it_mends_nothing(
    order: tuple[str, ...],
) -> None:
    assert asked(*order, "--fail-if", "no").lines == ["charrnn: error: one.txt: no"]
    failed = asked(*order, "--fail-under", "1")
    assert failed.status == 8
    assert failed.lines[0].startswith(f"charrnn: error: {order[0]}: ")
    assert failed.lines[0].endswith(", below 1")


def test_the_likeliest_labels_come_with_their_own_probabilities_and_only_the_first_is_withheld() -> None:
    probabilities = described("one.txt")["probabilities"]
    best = sorted(probabilities, key=probabilities.__getitem__, reverse=True)
    cells = [cell for label in best for cell in (label, f"{probabilities[label]:.6f}")]
    for top in ("2", "3", "1000000000"):
        expected = [*cells[: 2 * int(top)], "one.txt"]
        assert asked("one.txt", "--top", top).text == "\t".join(expected) + "\n"
        withheld = asked("one.txt", "--top", top, "--abstain", "1").text
        assert withheld == "\t".join(["?", *expected[1:]]) + "\n"


def test_in_a_pipe_an_explanation_is_a_line_for_every_word_that_says_something() -> None:
    found = described("odd\t\x1b.txt", "--explain")
    assert "".join(piece["text"] for piece in found["pieces"]) == ODD
    answer, *lines = asked("odd\t\x1b.txt", "--explain").text.splitlines()
    assert answer.split("\t")[2:] == ["odd^I^[.txt"]
    told = [piece for piece in found["pieces"] if piece["effect"]]
    assert 0 < len(told) < len(found["pieces"])
    assert [line.split("\t")[:2] for line in lines] == [["", f"{piece['effect']:+.6f}"] for piece in told]
    assert all(len(line.split("\t")) == 3 for line in lines)
    assert [line.split("\t")[2] for line in lines if line.endswith("end")] == ["end"]


def test_in_a_pipe_words_that_are_taken_together_are_one_cell() -> None:
    Path("long.txt").write_text("the\ta\x1bof\n" * 400)
    _, *lines = asked("long.txt", "--explain", "-q").text.splitlines()
    assert lines
    for line in lines:
        assert len(line.split("\t")) == 3
        assert "^I" in line
        assert "\x1b" not in line


def test_json_is_for_programs_on_a_terminal_too() -> None:
    text = shown("classify", "-m", "model", "one.txt", "--json")
    assert json.loads(text) == described("one.txt")


def test_what_explains_a_text_is_out_before_the_next_one_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stdout = Stream()
    monkeypatch.setattr("sys.stdout", stdout)
    out: list[bytes] = []

    class Explaining:
        labels = ("no", "yes")

        def explain(self, text: str, _label: int, _advance: object) -> list[Piece]:
            out.append(stdout.raw.getvalue())
            return [Piece(text, 0.5)]

    asked = _Asked(
        top=1, abstain=None, explain=True, as_json=False, fail_if=None, fail_under=None, quiet=True
    )
    rows = [(Text(name, name), np.array([0.25, 0.75])) for name in ("one", "two")]
    _write(Product(), cast(Classifier, Explaining()), rows, asked)
    assert out == [b"", b"yes\t0.750000\tone\n\t+0.500000\tone\n"]
