"""`charrnn classify --eval`: whose figures are whose, and which labelled texts are measured on."""

import json
import math
import os
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from charrnn.checkpoint.classifier import save
from charrnn.cli import evaluate
from charrnn.cli.classify import classify
from tests.checkpoint.handmade import of_many_minds
from tests.cli.program import Answer, lukewarm

TEXTS = (("no", "the end"), ("yes", "a the a"), ("no", "a"), ("so", "of the"), ("yes", "the"), ("so", "a a"))


@pytest.fixture(autouse=True)
def _classifier_and_texts() -> None:
    """A classifier in the file `model`, and labelled texts in test.tsv."""
    save(Path("model"), of_many_minds())
    Path("test.tsv").write_text("".join(f"{label}\t{text}\n" for label, text in TEXTS))


def asked(*words: str, model: str = "model") -> Answer:
    return lukewarm("classify", "-m", model, *words)[0]


def figures(*words: str, model: str = "model") -> dict[str, Any]:
    answer = asked("--json", *words, model=model)
    assert (answer.status, answer.stderr) == (0, "")
    found: dict[str, Any] = json.loads(answer.text)
    return found


def test_the_answer_s_figures_are_those_of_the_answers_one_gets() -> None:
    Path("lines").write_text("".join(f"{text}\n" for _, text in TEXTS))
    answers = [json.loads(line) for line in asked("lines", "--lines", "--json").text.splitlines()]
    pairs = [(answer, label) for answer, (label, _) in zip(answers, TEXTS, strict=True)]
    found = figures("--eval", "test.tsv")
    nats = [-math.log(answer["probabilities"][label]) for answer, label in pairs]
    assert found["answer"]["nats"] == pytest.approx(sum(nats) / len(TEXTS))
    right = sum(answer["label"] == label for answer, label in pairs)
    assert found["answer"]["accuracy"] == pytest.approx(right / len(TEXTS))
    for row in found["labels"]:
        named = row["label"]
        true = sum(answer["label"] == label == named for answer, label in pairs)
        assert row["texts"] == sum(label == named for label, _ in TEXTS)
        assert row["recall"] == pytest.approx(true / row["texts"])
        answered = sum(answer["label"] == named for answer, _ in pairs)
        assert row["precision"] == pytest.approx(true / answered if answered else 0.0)


@pytest.mark.parametrize("part", ["net", "linear"])
def test_each_part_s_figures_are_those_of_a_classifier_that_has_no_other(part: str) -> None:
    whole = of_many_minds()
    mixed = {"mixed_net": 0.0, "mixed_linear": 0.0, f"mixed_{part}": getattr(whole.calibration, part)}
    calibration = replace(whole.calibration, **mixed)
    save(Path("alone"), replace(whole, calibration=calibration))
    expected = figures("--eval", "test.tsv")
    found = figures("--eval", "test.tsv", model="alone")
    assert found["answer"] == expected[part] != expected["answer"]
    assert (found["net"], found["linear"]) == (expected["net"], expected["linear"])


def test_the_time_is_that_of_a_thousand_texts(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = SimpleNamespace(perf_counter=iter((10.0, 13.0)).__next__)
    monkeypatch.setattr(evaluate, "time", clock)
    classify(model="model", evaluate="test.tsv", json=True)
    assert json.loads(capfd.readouterr().out)["seconds_per_1000"] == pytest.approx(1000 * 3.0 / len(TEXTS))


@pytest.mark.parametrize(("most", "has_table"), [(3, True), (2, False)])
def test_of_very_many_labels_there_is_no_table_of_confusions(
    most: int, has_table: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate, "MOST_CONFUSED", most)
    classify(model="model", evaluate="test.tsv", json=True)
    found = json.loads(capfd.readouterr().out)
    assert (found["confusion"] is not None) == has_table
    assert found["confused"]


@pytest.mark.parametrize("flag", ["--label-column", "--text-column"])
def test_a_column_is_refused_where_there_are_none(flag: str) -> None:
    Path("texts/no").mkdir(parents=True)
    Path("texts/no/1.txt").write_text("the end")
    answer = asked("--eval", "texts", flag, "1")
    assert (answer.status, answer.lines[0]) == (
        2,
        "charrnn: error: --label-column and --text-column: there are no columns in a folder for every label",
    )
    beside = asked("test.tsv", flag, "1")
    assert (beside.status, beside.lines) == (
        2,
        ["charrnn: error: --label-column and --text-column are for the file of --eval"],
    )


def test_labelled_texts_may_come_through_a_pipe_by_name() -> None:
    os.mkfifo("pipe.tsv")
    writer = threading.Thread(target=Path("pipe.tsv").write_text, args=(Path("test.tsv").read_text(),))
    writer.start()
    found = figures("--eval", "pipe.tsv")
    writer.join()
    told = {"source": "pipe.tsv", "seconds_per_1000": found["seconds_per_1000"]}
    assert found == figures("--eval", "test.tsv") | told
