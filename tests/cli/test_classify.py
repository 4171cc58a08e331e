"""`charrnn classify` through the front door: one result for every text, in order."""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoint import classifier as files
from charrnn.checkpoint import container
from charrnn.checkpoint.model import save
from charrnn.cli import given_texts
from charrnn.errors import ExitCode, UsageError
from tests.checkpoint.handmade import small
from tests.cli.program import CALLED, Answer, ended, in_shell, run, shown, start, warm
from tests.text.reviews import reviews, tsv

NET = ("--hidden", "8", "--embedding", "8", "--seed", "1")
TRAINING = ("--steps", "60", *NET)
GOOD, BAD = "a lovely warm film", "the story was dull and boring"


@pytest.fixture(scope="module")
def trained_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with reviews.tsv and a run on it."""
    folder = tmp_path_factory.mktemp("reviews")
    (folder / "reviews.tsv").write_text(tsv(reviews()))
    answer = run("train", "reviews.tsv", *TRAINING, "-q", cwd=folder)
    assert answer == Answer(0, b"", "")  # quiet: not a word
    return folder


@pytest.fixture(autouse=True)
def here(trained_classifier: Path, tmp_path: Path) -> Path:
    """The run `reviews`, the only one here, with two texts beside it."""
    shutil.copytree(trained_classifier, tmp_path, dirs_exist_ok=True)
    (tmp_path / "good.txt").write_text(GOOD + "\n")
    (tmp_path / "bad.txt").write_text(BAD + "\n")
    return tmp_path


def classify(*words: str, given: bytes | None = None) -> Answer:
    return warm("classify", "-m", "reviews", *words, given=given)


def rows(answer: Answer) -> list[list[str]]:
    assert (answer.status, answer.stderr) == (0, "")
    return [line.split("\t") for line in answer.text.splitlines()]


def objects(answer: Answer) -> list[dict[str, Any]]:
    assert (answer.status, answer.stderr) == (0, "")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_every_file_gets_its_label_its_probability_and_its_name_in_order() -> None:
    found = rows(classify("good.txt", "bad.txt", "good.txt"))
    assert [(row[0], row[2]) for row in found] == [
        ("good", "good.txt"),
        ("bad", "bad.txt"),
        ("good", "good.txt"),
    ]
    assert all(0.5 < float(row[1]) <= 1.0 for row in found)
    assert found[0] == found[2]


def test_every_line_of_a_pipe_gets_one_and_the_last_newline_makes_no_difference() -> None:
    text = f"{GOOD}\n\n{BAD}\r\n{GOOD}"
    found = rows(classify(given=text.encode()))
    assert [row[0] for row in found[:1] + found[2:]] == ["good", "bad", "good"]
    assert [row[-1] for row in found] == ["-:1", "-:2", "-:3", "-:4"]
    assert rows(classify(given=(text + "\n").encode())) == found
    assert classify(given=b"").text == ""


def test_a_line_is_answered_before_the_next_one_comes() -> None:
    with start("classify", "-m", "reviews", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text, label in ((GOOD, b"good"), (BAD, b"bad")):
            process.stdin.write(text.encode() + b"\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(label)
        process.stdin.close()


def test_lines_of_a_file_and_folders_and_gzip_are_read() -> None:
    Path("many.txt").write_text(f"{GOOD}\n{BAD}\n")
    assert [row[::2] for row in rows(classify("many.txt", "--lines"))] == [
        ["good", "many.txt:1"],
        ["bad", "many.txt:2"],
    ]
    Path("folder").mkdir()
    Path("folder/b.txt.gz").write_bytes(gzip.compress(GOOD.encode()))
    Path("folder/a.txt").write_text(BAD)
    assert [row[::2] for row in rows(classify("folder"))] == [
        ["bad", "folder/a.txt"],
        ["good", "folder/b.txt.gz"],
    ]


def test_a_text_has_the_same_probability_alone_and_among_thousands() -> None:
    texts = [text for _, text in reviews(1500, seed=3)]
    together = rows(classify(given="\n".join(texts).encode()))
    assert len(together) == 1500
    for number in (0, 700, 1499):
        (alone,) = rows(classify(given=texts[number].encode()))
        assert alone[0] == together[number][0]
        assert float(alone[1]) == pytest.approx(float(together[number][1]), abs=1e-5)


def test_a_bad_text_is_told_of_and_the_others_go_on() -> None:
    Path("latin.txt").write_bytes(b"caf\xe9")
    answer = classify("good.txt", "missing.txt", "latin.txt", "bad.txt")
    assert [line.split("\t")[0] for line in answer.text.splitlines()] == ["good", "bad"]
    assert answer.status == 3
    assert answer.lines[0] == "charrnn: error: missing.txt: no such file"
    assert answer.lines[1].startswith("charrnn: error: latin.txt: not UTF-8")
    assert answer.lines[-1] == "charrnn: error: 2 of 4 texts could not be classified"
    answer = classify(given=f"{GOOD}\n".encode() + b"\xff\n" + BAD.encode())
    assert [line.split("\t")[-1] for line in answer.text.splitlines()] == ["-:1", "-:3"]
    assert answer.lines[0] == "charrnn: error: -:2: not UTF-8 at byte 0 (0xFF)"
    assert answer.status == 3


def test_packed_lines_are_told_of_once() -> None:
    answer = classify(given=gzip.compress("\n".join(100 * [GOOD, BAD]).encode()))
    assert (answer.status, answer.text) == (3, "")
    assert answer.lines == [
        "charrnn: error: -: looks like gzip data, not text",
        "hint: unpack it before the pipe, with zcat for example",
        "charrnn: error: 1 of 1 texts could not be classified",
    ]
    assert rows(classify(given=b"BZh is how packed data begins, and lovely\n"))[0][2] == "-:1"


def test_encoding_says_how_texts_are_read() -> None:
    Path("latin.txt").write_bytes("lovely café".encode("latin-1"))
    assert rows(classify("latin.txt", "--encoding", "latin-1"))[0][0] == "good"


def test_json_has_all_probabilities() -> None:
    (found,) = objects(classify("good.txt", "--json"))
    assert (found["label"], found["source"]) == ("good", "good.txt")
    assert list(found["probabilities"]) == ["bad", "good"]
    assert sum(found["probabilities"].values()) == pytest.approx(1.0)
    assert found["probability"] == found["probabilities"]["good"]


def test_top_shows_more_labels_and_abstain_withholds_the_unsure() -> None:
    (row,) = rows(classify("good.txt", "--top", "5"))
    assert (row[0], row[2], row[4]) == ("good", "bad", "good.txt")
    assert float(row[1]) + float(row[3]) == pytest.approx(1.0, abs=1e-5)
    assert rows(classify("good.txt", "--abstain", "1"))[0][0] == "?"
    assert objects(classify("good.txt", "--abstain", "1", "--json"))[0]["label"] is None
    assert rows(classify("good.txt", "--abstain", "0.5"))[0][0] == "good"


def test_explain_gives_every_word_its_effect_and_the_pieces_make_the_text() -> None:
    (found,) = objects(classify("good.txt", "--json", "--explain"))
    pieces = found["pieces"]
    assert "".join(piece["text"] for piece in pieces) == GOOD + "\n"
    effects = {piece["text"]: piece["effect"] for piece in pieces}
    assert effects[" "] == 0.0
    assert min(effects["lovely"], effects["warm"]) > max(effects["a"], effects["film"])
    (without,) = objects(classify("--json", given=b"a lovely   film"))
    lost = found["probability"] - without["probabilities"]["good"]
    assert effects["warm"] == pytest.approx(lost, abs=1e-6)


def test_an_explanation_for_programs_says_of_which_label_it_is() -> None:
    (sure,) = objects(classify("good.txt", "--json", "--explain"))
    (unsure,) = objects(classify("good.txt", "--json", "--explain", "--abstain", "1"))
    assert (sure["label"], sure["explained"]) == ("good", "good")
    assert (unsure["label"], unsure["explained"]) == (None, "good")
    assert "explained" not in objects(classify("good.txt", "--json"))[0]


def test_a_long_explanation_says_how_far_it_is_unless_quiet() -> None:
    Path("long.txt").write_text(f"{GOOD} and {BAD} " * 250)
    answer = classify("long.txt", "--explain")
    assert answer.status == 0
    assert re.fullmatch(r"charrnn: explaining: \d+ of 393", answer.lines[0])
    assert classify("long.txt", "--explain", "-q") == Answer(0, answer.stdout, "")


def test_on_a_terminal_every_explanation_says_of_which_text_it_is() -> None:
    text = shown("classify", "good.txt", "bad.txt", "--explain", "-m", "reviews", env={"NO_COLOR": "1"})
    for name, label in (("good.txt", "good"), ("bad.txt", "bad")):
        assert f'{name}: what each word says for (+) or against (-) "{label}":' in text


def test_fail_if_and_fail_under_have_an_exit_code_of_their_own() -> None:
    assert classify("bad.txt", "--fail-if", "good").status == 0
    answer = classify("bad.txt", "good.txt", "--fail-if", "good")
    assert (answer.status, answer.lines) == (8, ["charrnn: error: good.txt: good"])
    assert len(answer.text.splitlines()) == 2
    assert classify("good.txt", "--fail-under", "1").status == 8
    assert classify("good.txt", "--fail-under", "0.5").status == 0


def test_a_reason_to_fail_is_said_though_another_text_is_bad() -> None:
    answer = classify("good.txt", "nosuch.txt", "--fail-if", "good")
    assert (answer.status, answer.lines) == (
        ExitCode.TEXT,
        [
            "charrnn: error: nosuch.txt: no such file",
            "charrnn: error: good.txt: good",
            "charrnn: error: 1 of 2 texts could not be classified",
        ],
    )


def test_eval_measures_on_labelled_texts() -> None:
    Path("test.tsv").write_text(tsv([*reviews(20, seed=9), ("bad", GOOD)]))
    (found,) = objects(classify("--eval", "test.tsv", "--json"))
    assert found["texts"] == 21
    assert found["answer"]["accuracy"] == pytest.approx(20 / 21)
    assert found["confusion"] == [[10, 1], [0, 10]]
    assert found["confused"] == [{"label": "bad", "answer": "good", "texts": 1}]
    assert found["labels"][0] == {
        "label": "bad",
        "texts": 11,
        "precision": 1.0,
        "recall": pytest.approx(10 / 11),
    }
    table = classify("--eval", "test.tsv").text
    assert "95.24%" in table
    assert table.startswith("test.tsv: 21 texts, ")
    assert [line.split() for line in table.splitlines()[-3:]] == [
        ["label", "→", "bad", "→", "good"],
        ["bad", "10", "1"],
        ["good", "0", "10"],
    ]


@pytest.mark.parametrize(
    "flag",
    [
        ("--lines",),
        ("--top", "2"),
        ("--abstain", "0.7"),
        ("--explain",),
        ("--fail-if", "bad"),
        ("--fail-under", "0.9"),
    ],
)
def test_what_eval_would_not_heed_is_refused(flag: tuple[str, ...]) -> None:
    answer = classify("--eval", "reviews.tsv", *flag)
    assert (answer.status, answer.text) == (2, "")
    assert answer.lines[0].startswith(f"charrnn: error: --eval reviews.tsv: does not go with {flag[0]}")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp037"])
def test_piped_lines_are_the_lines_of_a_file_in_any_encoding(encoding: str) -> None:
    other = "\u010a" if encoding.startswith("utf") else "é"
    texts = f"{GOOD} {other}\n{BAD}\r\n{GOOD}"
    Path("lines.txt").write_bytes(texts.encode(encoding))
    flag = ("--encoding", encoding)
    piped = rows(classify(*flag, given=texts.encode(encoding)))
    of_file = rows(classify("lines.txt", "--lines", *flag))
    assert [row[:2] for row in piped] == [row[:2] for row in of_file]
    assert [row[2] for row in piped] == ["-:1", "-:2", "-:3"]


def test_a_line_with_half_a_character_costs_the_others_nothing() -> None:
    answer = classify("--encoding", "utf-7", given=f"{GOOD}\na +2AA- b\n{BAD}\n".encode("ascii"))
    assert [line.split("\t")[2] for line in answer.text.splitlines()] == ["-:1", "-:3"]
    assert answer.status == 3
    assert answer.lines == [
        "charrnn: error: -:2: not UTF-7: U+D800 is half a character",
        "charrnn: error: 1 of 3 texts could not be classified",
    ]


def test_on_a_terminal_there_is_a_table_and_colour() -> None:
    text = shown("classify", "good.txt", "--explain", "-m", "reviews")
    assert "probability" in text
    assert "lovely" in text
    assert "\x1b[97;48;" in text


def test_without_a_name_the_newest_classifier_is_taken_and_not_a_newer_language_model() -> None:
    assert (
        warm(
            "train", "reviews.tsv", "--task", "language-model", "--steps", "1", "-q", "--name", "text"
        ).status
        == 0
    )
    answer = warm("classify", "good.txt")
    assert answer.lines == ["charrnn: model reviews (the newest run)"]
    assert answer.status == 0


def test_each_kind_of_model_names_the_command_that_fits() -> None:
    warm("train", "reviews.tsv", "--task", "language-model", "--steps", "1", "-q", "--name", "text")
    answer = warm("classify", "good.txt", "-m", "text")
    assert answer.status == 4
    assert answer.lines[0].endswith("is a language model, not a classifier")
    assert "charrnn sample writes with it" in answer.lines[1]
    answer = warm("sample", "-m", "reviews")
    assert answer.status == 4
    assert answer.lines[0].endswith("is a classifier, not a language model")
    assert "charrnn classify answers with it" in answer.lines[1]


def test_a_model_that_reads_backwards_is_said_to_be_made_for_training_from_it() -> None:
    save(Path("back.safetensors"), small(backward=True))
    answer = warm("classify", "good.txt", "-m", "back.safetensors")
    assert (answer.status, answer.lines[1:]) == (
        4,
        [f"hint: it is made for {CALLED} train reviews/ --from FORWARD --from back.safetensors"],
    )


def test_what_is_asked_wrongly_is_answered_in_a_line() -> None:
    for words, message in (
        ((), "classify: which texts?"),
        (("good.txt", "--fail-if", "great"), "--fail-if great: no such label"),
        (("good.txt", "--eval", "reviews.tsv"), "--eval reviews.tsv: does not go with other inputs"),
        (("--eval", "good.txt"), "good.txt: has 1 column, expected a label and a text in every row"),
    ):
        answer = classify(*words)
        assert answer.lines[0] == f"charrnn: error: {message}"
        assert answer.status in (2, 3)
    Path("odd.tsv").write_text("odd\tone\nbad\ttwo\nodd\tthree\nbad\tfour\n")
    assert classify("--eval", "odd.tsv").lines[0] == (
        'charrnn: error: odd.tsv:1: the classifier knows no label "odd"'
    )


def test_pipes_and_standard_input_stand_among_files() -> None:
    os.mkfifo("fifo")
    writer = subprocess.Popen(["sh", "-c", f"echo '{BAD}' > fifo"])
    answer = classify("good.txt", "-", "fifo", given=f"{BAD}\n{GOOD}\n".encode())
    assert [(row[0], row[2]) for row in rows(answer)] == [
        ("good", "good.txt"),
        ("bad", "-:1"),
        ("good", "-:2"),
        ("bad", "fifo"),
    ]
    assert writer.wait() == 0


def test_standard_input_that_is_closed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="standard input is closed"):
        list(given_texts.texts(["-"], "utf-8", lines=False, quiet=True))


def test_an_empty_file_has_no_lines() -> None:
    Path("empty.txt").touch()
    assert rows(classify("--lines", "empty.txt")) == []


def test_a_withheld_label_is_no_reason_to_fail() -> None:
    assert classify("good.txt", "--fail-if", "good", "--abstain", "1").status == 0


def test_a_file_of_one_label_with_columns_of_any_name_can_be_measured_on() -> None:
    Path("odd.csv").write_text(f"label,stars,body\n1,good,{GOOD}\n2,good,{GOOD}\n")
    answer = classify("--eval", "odd.csv", "--label-column", "stars", "--text-column", "body", "--json")
    (found,) = objects(answer)
    assert (found["texts"], found["answer"]["accuracy"]) == (2, 1.0)


@pytest.mark.parametrize("name", ["test.tsv", "test.csv", "test.jsonl"])
def test_labelled_texts_can_be_piped_in_to_be_measured_on(name: str) -> None:
    rows = reviews(20, seed=9)
    made = {
        "test.tsv": tsv(rows),
        "test.csv": "label,text\n" + "".join(f"{label},{text}\n" for label, text in rows),
        "test.jsonl": "".join(json.dumps({"label": label, "text": text}) + "\n" for label, text in rows),
    }
    Path(name).write_text(made[name])
    (expected,) = objects(classify("--eval", name, "--json"))
    (found,) = objects(classify("--eval", "-", "--json", given=made[name].encode()))
    told = {"source": "-", "seconds_per_1000": found["seconds_per_1000"]}
    assert found == expected | told
    assert run("classify", "--eval", "-", "-m", "reviews", given=made[name].encode()).text.startswith(
        "-: 20 texts, "
    )


def test_what_is_wrong_with_piped_labels_is_said_with_its_line() -> None:
    for given, message in (
        (b"odd\tone\nbad\ttwo\nodd\tthree\nbad\tfour\n", '-:1: the classifier knows no label "odd"'),
        (b"", "-: has no rows"),
        (gzip.compress(tsv(reviews()).encode()), "-: looks like gzip data, not text"),
    ):
        answer = classify("--eval", "-", given=given)
        assert (answer.status, answer.lines[0]) == (3, f"charrnn: error: {message}")
    answer = in_shell('"$@" <&-', "classify", "--eval", "-", "-m", "reviews")
    assert (answer.status, answer.lines[0]) == (2, "charrnn: error: standard input is closed")


def test_a_file_of_the_name_of_standard_input_is_still_a_file() -> None:
    Path("-").write_text(tsv(reviews(20, seed=9)))
    (found,) = objects(classify("--eval", "./-", "--json"))
    assert (found["source"], found["texts"]) == ("./-", 20)


@pytest.mark.parametrize("flag", ["--unlabelled", "--valid"])
def test_texts_that_a_run_reads_again_are_not_taken_from_a_pipe(flag: str) -> None:
    os.mkfifo("fifo")
    for pipe, name in (("-", "-"), ("fifo", "fifo")):
        answer = warm("train", "reviews.tsv", *TRAINING, flag, pipe, given=b"more text")
        assert answer.status == 2
        assert answer.lines[-2:] == [
            f"charrnn: error: {flag} {name}: is a pipe, which can be read only once",
            "hint: write it to a file first",
        ]
    assert [run.name for run in Path("checkpoints").iterdir()] == ["reviews"]


def test_a_few_texts_of_one_label_can_be_measured_on_as_they_were_trained_on() -> None:
    Path("some.tsv").write_text(f"good\t{GOOD}\ngood\t{BAD}\n")
    Path("some", "good").mkdir(parents=True)
    Path("some", "good", "1.txt").write_text(GOOD)
    for given, accuracy in (("some.tsv", 0.5), ("some", 1.0)):
        (found,) = objects(classify("--eval", given, "--json"))
        assert found["answer"]["accuracy"] == accuracy


def test_the_newest_language_model_is_meant_where_only_one_will_do() -> None:
    warm("train", "reviews.tsv", "--task", "language-model", "--steps", "1", "-q", "--name", "text")
    done = warm("train", "reviews.tsv", "--steps", "1", "-q", "--name", "newer")
    assert done.status == 0
    assert warm("sample", "--length", "5").lines[0] == "charrnn: model text (the newest run)"


def test_it_answers_without_torch() -> None:
    answer = run("classify", "good.txt", "-m", "reviews", env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in answer.lines}
    assert "charrnn.inference.answering" in imported
    assert imported.isdisjoint({"torch", "scipy", "sklearn", "rich"})


def test_the_card_says_what_was_learnt() -> None:
    text = warm("inspect", "reviews").text
    assert "labels       bad (54), good (54)" in text
    assert "a linear model of" in text
    (card,) = objects(warm("inspect", "reviews", "--json"))
    assert card["labels"] == ["bad", "good"]
    assert card["task"] == "classifier"


def test_people_see_the_same_words_wherever_answers_are_measured() -> None:
    closing = warm("train", "reviews.tsv", *TRAINING, "--name", "other").stderr
    for text in (closing, warm("inspect", "reviews").text, classify("--eval", "reviews.tsv").text):
        names = {line.split()[0] for line in text.splitlines() if line.strip()}
        assert {"net", "n-grams"} <= names
        assert "linear" not in names
        assert " right" in text
        assert "accuracy" not in text


def test_training_says_first_what_was_understood() -> None:
    answer = warm("train", "reviews.tsv", *TRAINING, "--name", "other")
    assert answer.lines[0] == (
        "charrnn: 120 labelled texts for a classifier (tab-separated, label in column 1, text in column 2; "
        "2 labels: bad, good); --task language-model reads them as plain text"
    )
    card = dict(line.split(None, 1) for line in answer.lines[-8:] if not line.startswith(" "))
    assert card["model"] == "checkpoints/other/model.safetensors"
    assert card["answer"].endswith("on 12 validation texts")
    next_ = card["next"].replace(CALLED, f"{sys.executable} -m charrnn")
    assert subprocess.run(next_, shell=True, check=True, capture_output=True).stdout.endswith(b"-:1\n")


def test_a_table_with_an_unlabelled_row_is_text_unless_one_insists() -> None:
    Path("rows.tsv").write_text(tsv(reviews()) + "no label here\n")
    answer = warm("train", "rows.tsv", "--steps", "1", "--hidden", "4")
    assert answer.status == 0
    assert answer.lines[0] == (
        "charrnn: text for a language model: rows.tsv: line 121: columns: 1, expected 2 as in line 1 "
        "(--task classifier insists)"
    )
    assert "text for a language model" not in "".join(answer.lines[1:])
    answer = warm("train", "rows.tsv", "--task", "classifier")
    assert (answer.status, answer.lines) == (
        3,
        ["charrnn: error: rows.tsv: line 121: columns: 1, expected 2 as in line 1"],
    )


@pytest.mark.parametrize("inputs", [("texts/good", "texts/bad"), ("texts/*/*.txt",), ("texts",)])
def test_a_folder_for_every_label_may_be_named_folder_by_folder(inputs: tuple[str, ...]) -> None:
    for number, (label, text) in enumerate(reviews(40)):
        Path("texts", label).mkdir(parents=True, exist_ok=True)
        Path("texts", label, f"{number}.txt").write_text(text)
    answer = warm("train", *inputs, "--task", "classifier", *TRAINING, "--name", "t")
    assert answer.status == 0
    assert (
        "40 labelled texts for a classifier (a folder for every label; 2 labels: bad, good)"
        in (answer.lines[0])
    )
    assert warm("train", "--resume", "t", "--steps", "2", "-q").status == 0


def test_a_flag_of_classifiers_beside_plain_text_is_named() -> None:
    Path("plain.txt").write_text("No label stands here.\nNor here.\n")
    for flag, value in (("--members", "3"), ("--valid", "plain.txt"), ("--class-weights", "balanced")):
        answer = warm("train", "plain.txt", flag, value)
        assert (answer.status, answer.lines[0]) == (
            3,
            "charrnn: error: plain.txt: has 1 column, expected a label and a text in every row",
        )
        assert answer.lines[1].startswith(f"hint: {flag} is for classifiers, which learn from labelled texts")
    insisting = warm("train", "plain.txt", "--task", "classifier", "--members", "3")
    assert "folder for each label" in insisting.lines[1]
    Path("rows.tsv").write_text(tsv(reviews()) + "no label here\n")
    damaged = warm("train", "rows.tsv", "--members", "3")
    assert damaged.lines == ["charrnn: error: rows.tsv: line 121: columns: 1, expected 2 as in line 1"]


def test_flags_of_the_other_task_are_refused() -> None:
    for words, message in (
        (("--seq", "9"), "--seq is for language models, and these are labelled texts"),
        (("--newline", "lf"), "--newline is for language models, and these are labelled texts"),
        (
            ("--task", "language-model", "--class-weights", "balanced"),
            "--class-weights is for classifiers, and this is a language model",
        ),
        (
            ("--task", "language-model", "--members", "2"),
            "--members is for classifiers, and this is a language model",
        ),
        (("--members", "0"), "--members 0: must be a whole number from 1 to 64"),
        (("--members", "two"), "--members two: must be a whole number from 1 to 64"),
        (("--members", "9", "--layers", "64"), "--members 9: a file holds 2 nets of 64 layers at most"),
        (("--cell", "gru", "--nonlinearity", "relu"), "--nonlinearity relu is for --cell rnn, not for gru"),
        (("--vocab", "9", "--level", "char"), "--vocab is for --level word or subword, not for char"),
        (
            ("--valid", "reviews.tsv", "--val-fraction", "0.2"),
            "--val-fraction does not go with --valid: that says what to measure on",
        ),
        (
            ("--unlabelled", "good.txt", "--pretrain", "0"),
            "--unlabelled does not go with --pretrain 0: only that stage reads it",
        ),
    ):
        answer = warm("train", "reviews.tsv", *words)
        assert (
            answer.status,
            answer.lines[-2 if len(answer.lines) > 1 and "hint" in answer.lines[-1] else -1],
        ) == (
            2,
            f"charrnn: error: {message}",
        )


def test_a_stopped_classifier_goes_on_and_a_changed_corpus_is_refused() -> None:
    assert warm("train", "reviews.tsv", *TRAINING, "-q", "--name", "mine").status == 0
    answer = warm("train", "--resume", "mine", "--steps", "5", "--encoding", "UTF8")
    assert answer.status == 0
    assert answer.lines[0] == "charrnn: training the linear model over n-grams, then the net"
    assert "trained      " in answer.stderr
    assert warm("train", "--resume", "mine", "--steps", "5", "--hidden", "9").lines[0] == (
        "charrnn: error: --hidden 9 contradicts --resume: it has --hidden 8"
    )
    Path("reviews.tsv").write_text(tsv(reviews(seed=2)))
    answer = warm("train", "--resume", "mine", "--steps", "5")
    assert answer.status == 4
    assert answer.lines[0].startswith("charrnn: error: mine: its texts have changed: trained on ")
    Path("reviews.tsv").unlink()
    assert "its texts cannot be read again" in warm("train", "--resume", "mine", "--steps", "5").lines[0]


@pytest.mark.parametrize(("what", "named"), [("sources", ["/dev/zero"]), ("unlabelled", ["texts"])])
def test_a_classifier_whose_texts_are_said_to_be_no_files_does_not_go_on(what: str, named: list[str]) -> None:
    Path("texts").mkdir()
    path = Path("checkpoints/reviews/last.safetensors")
    description, tensors = container.unpack(path)
    del description["digest"]
    description["recipe"]["texts"][what] = named
    path.write_bytes(container.pack(description, tensors))
    answer = warm("train", "--resume", "reviews", "--steps", "5")
    said = f"reviews: its texts cannot be read again: {named[0]}: is not a regular file"
    assert (answer.status, answer.lines[0]) == (4, f"charrnn: error: {said}")


def test_members_learn_side_by_side_answer_together_and_go_on_together() -> None:
    trained = warm("train", "reviews.tsv", *TRAINING, "--members", "3", "--name", "three")
    assert trained.status == 0
    assert any(" parameters in 3 nets: about " in line for line in trained.lines)
    assert any(line.startswith("charrnn: as flags: --members 3 --cell lstm ") for line in trained.lines)
    (one,), (three,) = (objects(warm("inspect", name, "--json")) for name in ("reviews", "three"))
    assert (one["members"], three["members"]) == (1, 3)
    assert three["parameters"] == 3 * one["parameters"]
    assert re.search(r"^net +3 nets: lstm 1×8 both ways, embedding 8, ", warm("inspect", "three").text, re.M)
    assert warm("train", "--resume", "three", "--steps", "5", "--members", "2").lines[0] == (
        "charrnn: error: --members 2 contradicts --resume: it has --members 3"
    )
    assert warm("train", "--resume", "three", "--steps", "5", "-q").status == 0
    found = rows(warm("classify", "good.txt", "bad.txt", "-m", "three"))
    assert [row[0] for row in found] == ["good", "bad"]


def test_labels_from_a_pipe_are_kept_for_resuming() -> None:
    given = "".join(f"__label__{label} {text}\n" for label, text in reviews()).encode()
    assert warm("train", "-", *TRAINING, "-q", given=given).status == 0
    assert warm("train", "--resume", "stdin", "--steps", "2", "-q").status == 0
    Path("checkpoints", "stdin").rename("checkpoints/moved")
    assert warm("train", "--resume", "moved", "--steps", "2", "-q").status == 0
    Path("checkpoints", "moved").rename("checkpoints/stdin")
    assert rows(warm("classify", "good.txt", "-m", "stdin"))[0][0] == "good"


def test_a_table_that_came_through_a_pipe_is_known_by_the_pipe_s_name_again() -> None:
    os.mkfifo("pipe.csv")
    table = "".join(f'{label},"{text}"\n' for label, text in reviews())  # no heading tells what it is
    writer = threading.Thread(target=Path("pipe.csv").write_text, args=(table,))
    writer.start()
    assert warm("train", "pipe.csv", "--task", "classifier", *TRAINING, "-q", "--name", "piped").status == 0
    writer.join()
    Path("checkpoints", "piped").rename("checkpoints/moved")
    assert warm("train", "--resume", "moved", "--steps", "2", "-q") == Answer(0, b"", "")


def test_validation_texts_of_ones_own_are_measured_on() -> None:
    Path("valid.tsv").write_text(tsv(reviews(10, seed=7)))
    Path("of-one-label.tsv").write_text(f"good\t{GOOD} today\ngood\t{GOOD} again\n")
    for valid, count in (("valid.tsv", 10), ("of-one-label.tsv", 2)):
        answer = warm("train", "reviews.tsv", *TRAINING, "--valid", valid, "--name", f"v{count}")
        assert answer.status == 0
        assert any(line.endswith(f"on {count} validation texts") for line in answer.lines)


def test_validation_texts_may_be_a_pattern_and_are_missed_when_they_are_gone() -> None:
    Path("held").mkdir()
    Path("held/a.tsv").write_text(tsv(reviews(10, seed=7)))
    begun = warm("train", "reviews.tsv", *TRAINING, "--valid", "held/*.tsv", "--name", "v", "-q")
    assert (begun.status, begun.stderr) == (0, "")
    went_on = warm("train", "--resume", "v", "--steps", "1")
    assert went_on.status == 0
    assert "linear model" not in went_on.stderr  # which never saw the texts of --valid, so it is kept
    Path("held/a.tsv").unlink()
    answer = warm("train", "--resume", "v", "--steps", "1", "-q")
    assert answer.status == 4
    assert answer.lines[0].startswith("charrnn: error: v: its texts cannot be read again: ")
    assert answer.lines[0].endswith("held/a.tsv: no such file")


def test_validation_texts_may_be_a_pattern_in_a_folder_whose_own_name_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "[x] *"
    for number, name in enumerate(("held/a.tsv", "held/b.tsv")):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(tsv(reviews(10, seed=7 + number)))
    (here / "reviews.tsv").write_text(tsv(reviews()))
    monkeypatch.chdir(here)
    answer = warm("train", "reviews.tsv", *TRAINING, "--valid", "held/*.tsv")
    assert answer.status == 0
    assert any(line.endswith("on 20 validation texts") for line in answer.lines)
    assert warm("train", "--resume", "reviews", "--valid", "held/*.tsv", "--steps", "1", "-q").status == 0
    other = warm("train", "--resume", "reviews", "--valid", "held/a.tsv", "--steps", "1")
    one, both = str(here / "held/a.tsv"), f"{here / 'held/a.tsv'} {here / 'held/b.tsv'}"
    assert (other.status, other.lines[0]) == (
        2,
        f"charrnn: error: --valid {one} contradicts --resume: it has --valid {both}",
    )


def test_a_folder_of_validation_texts_for_every_label_is_one_when_the_run_goes_on() -> None:
    for number, (label, text) in enumerate(reviews(20, seed=7)):
        Path("held", label).mkdir(parents=True, exist_ok=True)
        Path("held", label, f"{number}.txt").write_text(text)
    assert warm("train", "reviews.tsv", *TRAINING, "--valid", "held", "--name", "v", "-q").status == 0
    assert warm("train", "--resume", "v", "--valid", "held/", "--steps", "1", "-q").status == 0


def test_a_classifier_can_start_from_a_language_model() -> None:
    Path("text.txt").write_text("\n".join(text for _, text in reviews(400, seed=5)))
    level = ("--level", "word", "--cell", "gru", "--hidden", "8", "--embedding", "6", "--seed", "1")
    assert warm("train", "text.txt", *level, "--steps", "5", "--seq", "16", "-q").status == 0
    answer = warm(
        "train", "reviews.tsv", "--from", "text", "--steps", "60", "--seed", "1", "-q", "--name", "b"
    )
    assert (answer.status, answer.stderr) == (0, "")
    (card,) = objects(warm("inspect", "b", "--json"))
    shape = {name: card[name] for name in ("cell", "hidden_size", "embedding_size", "level", "from")}
    assert shape == {"cell": "gru", "hidden_size": 8, "embedding_size": 6, "level": "word", "from": "text"}
    assert warm("train", "--resume", "b", "--steps", "2", "-q").status == 0
    assert rows(warm("classify", "good.txt", "-m", "b"))[0][0] == "good"
    answer = warm("train", "reviews.tsv", "--from", "text", "--hidden", "9")
    assert "--hidden 9 contradicts --from text: it has --hidden 8" in answer.stderr
    answer = warm("train", "reviews.tsv", "--from", "text", "--level", "char")
    assert "--level char contradicts --from text: it has --level word" in answer.stderr


def test_a_classifier_can_start_from_a_language_model_for_each_direction() -> None:
    Path("text.txt").write_text("\n".join(text for _, text in reviews(400, seed=5)))
    shape = ("--level", "word", "--cell", "gru", "--hidden", "8", "--steps", "2", "--seq", "16", "-q")
    for name, flags in (("ahead", ("--embedding", "6")), ("back", ("--embedding", "4", "--backward"))):
        assert warm("train", "text.txt", *shape, *flags, "--name", name).status == 0
    start = ("train", "reviews.tsv", "--from", "back", "--from", "ahead")
    answer = warm(*start, "--steps", "60", "--seed", "1", "-q", "--name", "b")
    assert (answer.status, answer.stderr) == (0, "")
    (card,) = objects(warm("inspect", "b", "--json"))
    assert (card["from"], card["embedding_size"], card["bidirectional"]) == ("ahead and back", 10, True)
    assert warm("train", "--resume", "b", "--steps", "2", "-q").status == 0
    assert rows(warm("classify", "good.txt", "-m", "b"))[0][0] == "good"


def test_a_classifier_is_not_trained_backwards() -> None:
    answer = warm("train", "reviews.tsv", "--backward")
    assert answer.lines[-2:] == [
        "charrnn: error: --backward is for language models, and these are labelled texts",
        "hint: a classifier reads both ways by itself; --from takes a language model for each direction",
    ]


def test_text_to_learn_words_from_that_is_empty_is_refused() -> None:
    Path("empty.txt").write_text(" \n")
    answer = warm("train", "reviews.tsv", "--unlabelled", "empty.txt", "--steps", "2", "-q")
    place = Path("empty.txt").absolute()
    assert (answer.status, answer.lines) == (
        ExitCode.TEXT,
        [f"charrnn: error: --unlabelled: nothing but white space in {place}"],
    )


LABELS = ("--lr", "0.01", "--dropout", "0.4")
WORDS_FIRST = ("--pretrain", "0.8", "--unlabelled", "more", *NET, "--steps", "600", *LABELS)


def test_words_can_come_before_labels_and_a_run_stopped_among_them_goes_on_to_the_same_weights() -> None:
    Path("more").mkdir()
    Path("more/1.txt").write_text("the sea was a very warm sea\n" * 3)
    process = start("train", "reviews.tsv", *WORDS_FIRST, "--name", "parts")
    log = Path("checkpoints/parts/words.jsonl")
    while '"stepped"' not in (log.read_text() if log.exists() else ""):
        assert process.poll() is None
        time.sleep(0.02)
    process.terminate()
    stopped = ended(process)
    assert stopped.status == -signal.SIGTERM
    assert stopped.lines[-2].startswith("stopped      before labels: ")
    assert stopped.lines[-1] == f"go on        {CALLED} train --resume parts"
    assert warm("train", "--resume", "parts", "--pretrain", "0.5").lines[0] == (
        "charrnn: error: --pretrain does not go with --resume: parts keeps the share it was started with"
    )
    assert warm("train", "--resume", "parts", "--lr", "0.02").lines[0] == (
        "charrnn: error: --lr 0.02 contradicts --resume: it has --lr 0.01"
    )
    assert warm("train", "--resume", "parts", "--members", "1").lines[0] == (
        "charrnn: error: --members 1 contradicts --resume: it has no --members"
    )
    went_on = warm("train", "--resume", "parts", "--unlabelled", "more", *LABELS)
    assert went_on.status == 0
    assert any(line.startswith("charrnn: the net foresees words with ") for line in went_on.lines)
    assert warm("train", "reviews.tsv", *WORDS_FIRST, "--name", "whole", "-q") == Answer(0, b"", "")
    ours, theirs = (files.load(Path(f"checkpoints/{name}/model.safetensors")) for name in ("parts", "whole"))
    for name, tensor in ours.tensors.items():
        np.testing.assert_array_equal(tensor, theirs.tensors[name], err_msg=name)
    assert ours.card["pretraining"] == theirs.card["pretraining"]
    assert ours.card["pretraining"]["steps"] == 480
    assert "learnt words first" in warm("inspect", "parts").text


@pytest.mark.parametrize("stage", [(), ("--pretrain", "0.5")], ids=str)
def test_a_net_that_cannot_fit_is_refused_before_anything_is_made(stage: tuple[str, ...]) -> None:
    answer = warm("train", "reviews.tsv", "--hidden", "65536", "--layers", "64", "--name", "huge", *stage)
    assert answer.status == ExitCode.MEMORY
    assert "this model needs " in answer.stderr
    assert not Path("checkpoints", "huge").exists()
