"""`charrnn train` through the front door: what it makes, what it says, which runs it goes on with."""

import fcntl
import gzip
import hashlib
import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import pytest

import charrnn
from charrnn.checkpoint import container
from charrnn.checkpoint.model import load
from charrnn.errors import ExitCode
from charrnn.terminal.units import duration, short
from tests.checkpoint.handmade import equal
from tests.cli.conftest import SMALL, tale
from tests.cli.program import CALLED, Answer, environment, run, warm
from tests.text.reviews import reviews, tsv

HELLO = Path(charrnn.__file__).parents[1] / "data" / "hello.txt"
TINY = ("--steps", "5", "--hidden", "16")
VALIDATION = {"nats_per_token", "bits_per_byte", "tokens"}
EVALUATION = re.compile(
    r" +0:\d\d +\d+%  step \d+  epoch \d\.\d\d  training \d\.\d{4}  validation \d\.\d{4} nats/char"
    r"  \d\.\d{4} bits/byte(  [0-9.]+( k)? chars/s)?(  best)?"
)


def log(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("checkpoints", name, "log.jsonl").read_text().splitlines()]


def card(name: str) -> Any:
    return json.loads(run("inspect", name, "--json").text)


def model_of(name: str) -> Path:
    return Path("checkpoints", name, "model.safetensors")


def done(answer: Answer) -> Answer:
    assert (answer.status, answer.stdout) == (0, b""), answer.stderr
    return answer


def test_a_run_leaves_a_model_all_that_resuming_needs_and_a_log(model: Path) -> None:
    names = {path.name for path in model.iterdir()}
    assert names - {".lock"} == {"model.safetensors", "last.safetensors", "log.jsonl"}


def test_training_does_not_wait_for_torchs_compiler() -> None:
    Path("tale.txt").write_text(tale())
    answer = run("train", "tale.txt", *TINY, env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in done(answer).lines}
    assert "torch" in imported
    assert "torch._dynamo" not in imported


def test_the_log_tells_every_event_in_order(model: Path) -> None:
    events = log(model.name)
    assert {event["event"] for event in events} == {"started", "stepped", "evaluated", "saved", "finished"}
    assert (events[0]["event"], events[-1]["event"]) == ("started", "finished")
    for figure in ("seconds", "step"):
        values = [event[figure] for event in events]
        assert values == sorted(values)
    assert [event["step"] for event in events][-1] == 30
    evaluations = [event for event in events if event["event"] == "evaluated"]
    assert all(set(event["validation"]) == VALIDATION for event in evaluations)
    assert evaluations[-1]["validation"]["nats_per_token"] < evaluations[0]["validation"]["nats_per_token"]
    assert {event["path"] for event in events if event["event"] == "saved"} == {
        "checkpoints/tale/model.safetensors",
        "checkpoints/tale/last.safetensors",
    }


def test_in_a_pipe_there_is_a_line_an_evaluation_and_a_card_with_what_to_type_next() -> None:
    answer = done(run("train", "-", "--lines", *TINY, given=tale().encode()))
    understood, plan, flags, *rest = answer.lines
    assert understood == "charrnn: text for a language model (--task classifier for labelled texts)"
    assert re.fullmatch(r"charrnn: 9\.10 k chars, 3\.28 k parameters: about 0\.6 epochs", plan)
    assert flags.startswith("charrnn: as flags: --cell gru --layers 1 --hidden 16 ")
    assert "\x1b" not in answer.stderr
    evaluations = [line for line in rest if EVALUATION.fullmatch(line)]
    assert len(evaluations) == sum(event["event"] == "evaluated" for event in log("stdin")) > 1
    facts = rest[len(evaluations) :]
    found = card("stdin")
    nats, bits, tokens = (found["validation"][key] for key in ("nats_per_token", "bits_per_byte", "tokens"))
    assert facts[:5] == [
        "model        checkpoints/stdin/model.safetensors",
        f"trained      {duration(found['trained']['seconds'])}, 5 steps",
        f"validation   {bits:.3f} bits/byte, {nats:.4f} nats/char, on {tokens:,} chars",
        f"yardstick    {found['yardstick']['bits_per_byte']:.3f} bits/byte by xz on the same split",
        f"corpus       -, sha256 {hashlib.sha256(tale().encode()).hexdigest()[:12]}",
    ]
    cache = re.fullmatch(r"cache        (.*) \(rm it to free [0-9.]+ kB\)", facts[5])
    assert cache is not None
    assert Path(cache[1]).is_file()
    assert facts[6:] == [
        f"next         {CALLED} sample -m stdin",
        f"             {CALLED} inspect next 'see ' -m stdin",
    ]
    for fact in facts[6:]:
        typed = subprocess.run(
            ["/bin/sh", "-c", fact[13:]],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        assert typed.stdout


def test_the_flags_it_prints_ask_for_the_same_model_which_gets_a_fresh_name() -> None:
    Path("tale.txt").write_text(tale())
    first = done(warm("train", "tale.txt", "--steps", "5", "--lines", "--layers", "2"))
    flags = next(line.split(": ")[2] for line in first.lines if line.startswith("charrnn: as flags: "))
    again = done(warm("train", "tale.txt", "--steps", "5", "--lines", *shlex.split(flags)))
    assert "model        checkpoints/tale-2/model.safetensors" in again.lines
    assert equal(load(model_of("tale")).tensors, load(model_of("tale-2")).tensors)


def test_standard_input_is_kept_so_that_the_run_can_go_on() -> None:
    done(warm("train", "-", *TINY, "-q", given=tale().encode()))
    assert Path("checkpoints/stdin/corpus.txt").read_text() == tale()
    assert done(warm("train", "--resume", "stdin", "--steps", "4", "-q")).stderr == ""
    assert card("stdin")["trained"]["steps"] == 9


def test_a_resumed_run_adds_to_its_log(model: Path) -> None:
    before = log(model.name)
    answer = done(warm("train", "--resume", "tale", "--steps", "6"))
    assert "trained      " in answer.stderr
    events = log(model.name)
    assert events[: len(before)] == before
    assert (events[len(before)]["event"], events[len(before)]["step"]) == ("started", 30)
    assert (events[-1]["event"], events[-1]["step"]) == ("finished", 36)
    # Not those of the end: they count the last scoring, which the resumed run makes anew.
    stepped = [event["seconds"] for event in before if event["event"] == "stepped"]
    assert events[len(before)]["seconds"] >= stepped[-1] > 0.0


def test_flags_that_say_what_the_run_is_anyway_may_be_given_with_resume() -> None:
    Path("tale.txt").write_text(tale())
    same = ("tale.txt", "--hidden", "16", "--seed", "1", "--level", "char", "--steps", "2", "-q")
    done(warm("train", *same))
    done(warm("train", "--resume", "tale", *same))
    assert card("tale")["trained"]["steps"] == 4


def test_the_vocabulary_that_was_asked_for_may_be_given_with_resume_and_no_other() -> None:
    Path("tale.txt").write_text(tale())
    words = ("--level", "word", "--vocab", "7")
    done(warm("train", "tale.txt", *words, *TINY, "-q"))
    done(warm("train", "--resume", "tale", *words, "--steps", "2", "-q"))
    answer = warm("train", "--resume", "tale", "--vocab", "264", "--steps", "2")
    assert (answer.status, answer.lines[0]) == (
        2,
        "charrnn: error: --vocab 264 contradicts --resume: it has --vocab 7",
    )


def test_a_run_on_what_came_through_a_pipe_goes_on_wherever_it_was_moved() -> None:
    done(warm("train", "-", *TINY, "-q", given=tale().encode()))
    Path("checkpoints", "stdin").rename("checkpoints/a tale")
    done(warm("train", "--resume", "a tale", "--steps", "2", "-q"))
    Path("checkpoints/a tale/corpus.txt").unlink()
    gone = warm("train", "--resume", "a tale", "--steps", "2", "-q")
    assert gone.status == ExitCode.CHECKPOINT
    assert gone.lines[0].startswith("charrnn: error: a tale: its corpus cannot be read again: ")


def test_a_run_on_a_folder_goes_on_though_an_earlier_one_s_piped_text_is_called_like_a_file_of_it() -> None:
    done(warm("train", "-", *TINY, "--name", "tale", "-q", given=tale().encode()))
    Path("books").mkdir()
    Path("books/corpus.txt").write_text(tale() + "another end")
    done(warm("train", "books", *TINY, "--name", "tale", "--force", "-q"))
    done(warm("train", "--resume", "tale", "--steps", "2", "-q"))


def test_an_encoding_may_be_given_with_resume_under_any_of_its_names() -> None:
    Path("tale.txt").write_text(tale(), "latin-1")
    done(warm("train", "tale.txt", *TINY, "--encoding", "latin-1", "-q"))
    done(warm("train", "--resume", "tale", "--steps", "2", "--encoding", "L1", "-q"))
    answer = warm("train", "--resume", "tale", "--steps", "2", "--encoding", "UTF8")
    assert (answer.status, answer.lines[0]) == (
        2,
        "charrnn: error: --encoding utf-8 contradicts --resume: it has --encoding iso8859-1",
    )


def test_a_run_on_bytes_that_once_took_an_encoding_goes_on() -> None:
    Path("tale.txt").write_text(tale())
    done(warm("train", "tale.txt", *TINY, "--level", "byte", "-q"))
    path = Path("checkpoints/tale/last.safetensors")
    description, tensors = container.unpack(path)
    del description["digest"]
    description["recipe"]["corpus"]["encoding"] = "iso8859-1"
    path.write_bytes(container.pack(description, tensors))
    for also in ((), ("--encoding", "latin-1")):
        done(warm("train", "--resume", "tale", *also, "--steps", "1", "-q"))


def test_that_a_text_has_fewer_streams_than_were_asked_for_is_said_once() -> None:
    Path("tale.txt").write_text("abcdefghij" * 100)  # 900 to learn from: 14 windows of 64 characters
    first = done(warm("train", "tale.txt", *TINY, "--batch", "20"))
    said = "charrnn: --batch 14, not 20: streams would be shorter than --seq 64"
    assert first.lines.count(said) == 1
    assert said not in done(warm("train", "tale.txt", *TINY, "--batch", "14")).lines


def test_a_run_with_fewer_streams_than_were_asked_for_goes_on_by_the_same_flags() -> None:
    Path("tale.txt").write_text("abcdefghij" * 100)  # 14 streams
    train = ("train", "tale.txt", "--hidden", "8", "--seed", "1", "--batch", "20", "-q")
    done(warm(*train, "--steps", "4", "--name", "parts"))
    before = model_of("parts").with_name("last.safetensors").read_bytes()
    for batch in ("13", "15"):
        answer = warm(*train[:-2], batch, "--steps", "2", "--resume", "parts")
        assert answer.lines == [
            f"charrnn: error: --batch {batch} contradicts --resume: it has --batch 14",
            "hint: leave --batch out",
        ]
    assert model_of("parts").with_name("last.safetensors").read_bytes() == before
    for flags in (train, (*train[:-2], "14", "-q"), (*train[:-3], "-q")):
        done(warm(*flags, "--steps", "2", "--resume", "parts"))
    assert (card("parts")["trained"]["steps"], card("parts")["settings"]["batch_size"]) == (10, 14)


@pytest.mark.parametrize(
    "flags", [("--members", "2"), ("--valid", "v.tsv"), ("--task", "classifier"), ("--bidirectional",)]
)
def test_flags_of_classifiers_are_refused_where_a_language_model_goes_on(flags: tuple[str, ...]) -> None:
    Path("tale.txt").write_text(tale())
    done(warm("train", "tale.txt", *TINY, "-q"))
    answer = warm("train", "--resume", "tale", *flags, "--steps", "2")
    assert answer.status == 2
    assert flags[0] in answer.lines[0]
    assert card("tale")["trained"]["steps"] == 5


@pytest.mark.parametrize(
    "flags", [("--seq", "32"), ("--lines",), ("--backward",), ("--task", "language-model")]
)
def test_flags_of_language_models_are_refused_where_a_classifier_goes_on(flags: tuple[str, ...]) -> None:
    Path("reviews.tsv").write_text(tsv(reviews()))
    done(warm("train", "reviews.tsv", "--steps", "2", "--hidden", "4", "-q"))
    answer = warm("train", "--resume", "reviews", *flags, "--steps", "2")
    assert answer.status == 2
    assert flags[0] in answer.lines[0]
    assert card("reviews")["trained"]["steps"] == 2


def test_a_piped_text_that_is_refused_leaves_the_one_that_a_run_was_made_of() -> None:
    done(warm("train", "-", *TINY, "-q", given=tale().encode()))
    assert warm("train", "-", *TINY, "-q", "--name", "stdin", "--force", given=b"too short").status != 0
    assert [copy.name for copy in Path("checkpoints/stdin").glob("*.txt")] == ["corpus.txt"]
    done(warm("train", "--resume", "stdin", "--steps", "4", "-q"))
    assert card("stdin")["trained"]["steps"] == 9


def test_a_model_of_bytes_is_the_beginning_of_one_of_any_bytes_in_a_pipe() -> None:
    data = bytes(range(256)) * 20
    done(warm("train", "-", *TINY, "-q", "--level", "byte", "--name", "bytes", given=data))
    done(warm("train", "-", "--steps", "2", "-q", "--from", "bytes", "--name", "more", given=data))


@pytest.mark.parametrize("text", [tale(), tsv(reviews())])
def test_a_folder_keeps_no_text_but_the_one_its_run_was_made_of(text: str) -> None:
    again = ("train", "-", "--steps", "2", "--hidden", "4", "-q", "--name", "piped", "--force")
    done(warm(*again, given=tale().encode()))
    done(warm(*again, given=text.encode()))
    (copy,) = Path("checkpoints/piped").glob("*.txt")
    assert copy.read_text() == text


def test_a_refused_text_leaves_no_copy_beside_the_run_of_a_file() -> None:
    Path("tale.txt").write_text(tale())
    done(warm("train", "tale.txt", "--steps", "2", "--hidden", "4", "-q", "--name", "mine"))
    answer = warm("train", "-", "-q", "--name", "mine", "--force", given=b"\0binary")
    assert answer.status == 3
    assert not list(Path("checkpoints/mine").glob("*.txt"))
    assert Path("checkpoints/mine/model.safetensors").exists()


def test_a_new_run_sweeps_up_what_a_killed_one_was_writing() -> None:
    Path("tale.txt").write_text(tale())
    Path("checkpoints/mine").mkdir(parents=True)
    Path("checkpoints/mine/.model.safetensors-x1.tmp").touch()
    done(warm("train", "tale.txt", "--steps", "2", "--hidden", "4", "-q", "--name", "mine"))
    assert not list(Path("checkpoints/mine").glob(".*.tmp"))


def test_a_run_that_goes_on_sweeps_up_what_a_killed_one_was_writing(model: Path) -> None:
    (model / ".last.safetensors-x1.tmp").touch()
    done(warm("train", "--resume", "tale", "--steps", "1", "-q"))
    assert not list(model.glob(".*.tmp"))


def test_a_budget_of_epochs_is_that_many_passes_over_the_text() -> None:
    Path("tale.txt").write_text(tale())
    done(warm("train", "tale.txt", "--epochs", "2", "--hidden", "8", "-q"))
    assert card("tale")["trained"]["epochs"] == pytest.approx(2, abs=0.12)  # a step is a ninth


def test_a_run_goes_on_if_its_texts_are_named_again_in_any_spelling() -> None:
    Path("poems").mkdir()
    for name in ("a", "b"):
        Path(f"poems/{name}.txt").write_text(tale())
    tiny = ("--steps", "2", "--hidden", "4", "-q")
    done(warm("train", "poems/", *tiny, "--name", "p"))
    for spelling in (["poems/"], ["poems"], ["poems/*.txt"], ["poems/a.txt", "poems/b.txt"]):
        done(warm("train", *spelling, "--resume", "p", "--steps", "1", "-q"))
    answer = warm("train", "poems/b.txt", "--resume", "p", "--steps", "1", "-q")
    assert answer.lines == [
        "charrnn: error: --resume: the run was trained on poems/, not on poems/b.txt",
        "hint: --from p starts a new model from its weights",
    ]


def test_a_run_goes_on_with_its_text_under_another_name() -> None:
    Path("tale.txt").write_text(tale())
    done(warm("train", "tale.txt", *TINY, "-q"))
    Path("tale.txt").rename("moved.txt")
    gone = warm("train", "--resume", "tale", "--steps", "1", "-q")
    assert gone.lines[1:] == [
        f"hint: if it was moved, name its new place: {CALLED} train PATH --resume tale",
    ]
    done(warm("train", "moved.txt", "--resume", "tale", "--steps", "1", "-q"))
    done(warm("train", "--resume", "tale", "--steps", "1", "-q"))  # which knows the new place
    found = card("tale")
    assert (found["trained"]["steps"], found["corpus"]["sources"]) == (7, ["moved.txt"])


def test_a_file_that_a_folder_has_lost_is_named_where_the_folder_is_named_again() -> None:
    Path("texts").mkdir()
    for name in ("a.txt", "b.txt"):
        Path("texts", name).write_text(tale())
    done(warm("train", "texts", *TINY, "-q"))
    Path("texts/b.txt").unlink()
    gone = warm("train", "texts", "--resume", "texts", "--steps", "1", "-q")
    path = Path("texts/b.txt").absolute()
    assert gone.lines[0] == f"charrnn: error: texts: its corpus cannot be read again: {path}: no such file"


def test_a_run_goes_on_in_a_folder_that_was_moved_with_its_text(tmp_path: Path) -> None:
    Path("old").mkdir()
    os.chdir("old")
    Path("tale.txt").write_text(tale())
    done(warm("train", "tale.txt", *TINY, "-q"))
    os.chdir(tmp_path)
    Path("old").rename("new")
    os.chdir("new")
    done(warm("train", "tale.txt", "--resume", "tale", "--steps", "1", "-q"))


def test_a_run_on_what_came_through_a_pipe_goes_on_with_the_file_it_came_from() -> None:
    Path("tale.txt").write_text(tale())
    done(warm("train", "-", *TINY, "-q", given=tale().encode()))
    done(warm("train", "-", "--resume", "stdin", "--steps", "1", "-q"))
    done(warm("train", "tale.txt", "--resume", "stdin", "--steps", "1", "-q"))
    assert card("stdin")["trained"]["steps"] == 7


@pytest.mark.parametrize("pretrain", ["0", "0.5"])
def test_a_classifier_goes_on_with_its_texts_in_another_place(pretrain: str) -> None:
    Path("reviews.tsv").write_text(tsv(reviews()))
    done(warm("train", "reviews.tsv", "--steps", "4", "--hidden", "4", "--pretrain", pretrain, "-q"))
    Path("reviews.tsv").rename("moved.tsv")
    gone = warm("train", "--resume", "reviews", "--steps", "1", "-q")
    assert gone.lines[1:] == [
        f"hint: if they were moved, name their new place: {CALLED} train PATH --resume reviews",
    ]
    done(warm("train", "moved.tsv", "--resume", "reviews", "--steps", "1", "-q"))
    done(warm("train", "--resume", "reviews", "--steps", "1", "-q"))
    assert card("reviews")["corpus"]["sources"] == ["moved.tsv"]
    for text in (tsv(reviews(seed=2)), tale()):
        Path("other.tsv").write_text(text)
        answer = warm("train", "other.tsv", "--resume", "reviews", "--steps", "1", "-q")
        assert (answer.status, answer.lines) == (
            2,
            [
                "charrnn: error: --resume: the run was trained on moved.tsv, not on other.tsv",
                "hint: train a new classifier",
            ],
        )


def test_a_classifier_of_folders_goes_on_where_they_were_moved() -> None:
    for index, (label, text) in enumerate(reviews()):
        Path("old", label).mkdir(parents=True, exist_ok=True)
        Path("old", label, f"{index}.txt").write_text(text)
    done(warm("train", "old", "--steps", "2", "--hidden", "4", "--pretrain", "0", "-q"))
    Path("old").rename("new")
    done(warm("train", "new", "--resume", "old", "--steps", "1", "-q"))
    done(warm("train", "--resume", "old", "--steps", "1", "-q"))


def test_a_text_may_be_piped_over_the_copy_it_comes_from() -> None:
    text = tale()
    done(warm("train", "-", *TINY, "-q", given=text.encode()))
    copy = Path("checkpoints/stdin/corpus.txt")
    with copy.open("rb") as source:
        subprocess.run(
            [sys.executable, "-m", "charrnn", "train", "-", *TINY, "-q", "--name", "stdin", "--force"],
            stdin=source,
            env=environment(),
            check=True,
        )
    (copy,) = Path("checkpoints/stdin").glob("*.txt")
    assert copy.read_text() == text


def test_without_input_it_trains_on_text_that_python_carries() -> None:
    text = "\n".join(topics[name] for name in sorted(topics))
    answer = done(warm("train", "--steps", "1", "--hidden", "8"))
    assert answer.lines[0].startswith("charrnn: pydoc topics, the English prose that Python carries")
    assert answer.lines[1].startswith(f"charrnn: {short(len(text))} chars, ")
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert f"corpus       pydoc topics, sha256 {digest[:12]}" in answer.lines
    found = card("pydoc")
    assert (found["corpus"]["digest"], found["corpus"]["characters"]) == (digest, len(text))


def test_files_folders_patterns_and_gz_are_documents_in_order() -> None:
    text = tale()
    Path("folder/below").mkdir(parents=True)
    Path("folder/below/b.txt").write_text(text[:3000])
    Path("folder/a.txt.gz").write_bytes(gzip.compress(text[3000:6000].encode()))
    Path("folder/.hidden").write_text("ÄÖÜ" * 1000)
    Path("x1.txt").write_text(text[6000:])
    Path("x2.txt").write_bytes(b"\xef\xbb\xbf" + text[:100].encode())
    answer = done(warm("train", "folder", "x*.txt", *TINY))
    assert "charrnn: x2.txt: UTF-8 by its byte order mark, which is left out" in answer.lines
    corpus = card("folder")["corpus"]
    assert (corpus["documents"], corpus["characters"]) == (4, len(text) + 100)
    assert corpus["sources"] == ["folder", "x*.txt"]


def test_a_taken_name_is_overwritten_by_force_alone(model: Path) -> None:
    before = load(model / "model.safetensors").digest
    done(warm("train", "tale.txt", "--name", "tale", "--force", *TINY, "--seed", "2", "-q"))
    assert load(model / "model.safetensors").digest != before
    assert [event["step"] for event in log("tale")][-1] == 5
    assert [event["event"] for event in log("tale")].count("started") == 1


def test_a_taken_name_that_somebody_trains_under_is_to_be_waited_for(model: Path) -> None:
    with (model / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = warm("train", "tale.txt", "--name", "tale", *TINY)
    assert answer.lines[0].endswith("trains here already")


def test_a_model_without_what_resuming_needs_is_not_said_to_go_on(model: Path) -> None:
    (model / "last.safetensors").unlink()
    assert warm("train", "tale.txt", "--name", "tale", *TINY).lines == [
        "charrnn: error: checkpoints/tale: there is a run of this name",
        "hint: --force overwrites it, another --name leaves it alone",
    ]


def test_a_hint_s_command_takes_a_name_with_a_space_as_one_word() -> None:
    Path("tale.txt").write_text(tale())
    done(warm("train", "tale.txt", "--name", "my tale", *TINY, "-q"))
    taken = warm("train", "tale.txt", "--name", "my tale")
    finished = warm("train", "--resume", "my tale")
    Path("tale.txt").write_text(tale() + "more")
    changed = warm("train", "--resume", "my tale", "--steps", "5")
    for answer, flag in ((taken, "--resume"), (finished, "--resume"), (changed, "--from")):
        words = shlex.split(answer.lines[-1])
        assert words[words.index(flag) + 1] == "my tale"


def test_from_starts_with_anothers_weights_and_vocabulary(model: Path) -> None:
    Path("other.txt").write_text("the cat and 1234567890 " * 300)
    # So few and small steps that the weights hardly move.
    done(warm("train", "other.txt", "--from", "tale", "--steps", "1", "--lr", "1e-9", "-q"))
    parent, child = load(model / "model.safetensors"), load(model_of("other"))
    assert child.tokenizer.describe() == parent.tokenizer.describe()
    assert (child.config, child.card["from"]) == (parent.config, "tale")
    for name, tensor in parent.tensors.items():
        assert abs(tensor - child.tensors[name]).max() < 1e-6


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["nope.txt"], "nope.txt: no such file"),
        (["no*.txt", "--name", "mine"], "no*.txt: no file matches this pattern"),
        (["-", "nope.txt"], "-: a pipe must be the only input"),
        (["/dev/null", "--force"], "/dev/null: is neither a regular file, a folder nor a pipe"),
        (["tale.txt", "--from", "nope"], "nope: no such model"),
    ],
)
def test_a_mistyped_input_is_told_before_a_folder_is_made(words: list[str], error: str) -> None:
    Path("tale.txt").write_text(tale())
    answer = warm("train", *words)
    assert (answer.status, answer.lines[0]) == (ExitCode.USAGE, f"charrnn: error: {error}")
    assert not Path("checkpoints").exists()
    Path("checkpoints").touch()  # now none can be made
    assert warm("train", *words) == answer


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--resume", "tale"), "wait until it has ended, or stop it, which saves what it has learnt"),
        (("tale.txt", "--name", "tale", "--force"), "another --name starts another run"),
    ],
)
def test_a_run_in_training_is_left_alone(model: Path, words: tuple[str, ...], hint: str) -> None:
    before = {path: path.read_bytes() for path in model.iterdir()}
    with (model / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4242\n")
        lock.flush()
        answer = warm("train", *words, "--steps", "5")
        before[model / ".lock"] = (model / ".lock").read_bytes()
    assert answer.status == ExitCode.STORAGE
    assert answer.lines == [
        "charrnn: error: checkpoints/tale: process 4242 trains here already",
        f"hint: {hint}",
    ]
    assert {path: path.read_bytes() for path in model.iterdir()} == before


def test_a_classifier_in_training_is_to_be_waited_for() -> None:
    Path("reviews.tsv").write_text(tsv(reviews()))
    done(warm("train", "reviews.tsv", "--steps", "2", "--hidden", "4", "-q"))
    with Path("checkpoints/reviews/.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = warm("train", "--resume", "reviews", "--steps", "5")
    assert answer.lines[1:] == ["hint: wait until it has ended, or stop it, which saves what it has learnt"]


def test_a_rate_far_too_high_is_told_and_what_was_good_stays() -> None:
    Path("tale.txt").write_text(tale())
    answer = warm("train", "tale.txt", "--steps", "60", "--hidden", "16", "--lr", "1e9", "--seed", "1", "-q")
    assert answer.status == ExitCode.DIVERGED
    error, hint = answer.lines
    assert re.fullmatch(
        r"charrnn: error: training diverged at step \d+ \(.*\); "
        r"(the best model so far is checkpoints/tale/model.safetensors|no model was saved)",
        error,
    )
    assert hint == "hint: begin anew at a lower rate: --lr 2.5e+08"
    if model_of("tale").exists():
        assert run("sample", "-m", "tale", "--seed", "1", "--length", "5", "-q").status == 0


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("progress", {"segment": []}),
        ("progress", {"step": "x"}),
        ("recipe", {"sources": [1]}),
        ("recipe", {"corpus": {"encoding": 5}}),
    ],
)
def test_a_run_that_is_described_with_values_of_the_wrong_kind_is_not_gone_on_with(
    model: Path, part: str, values: dict[str, Any]
) -> None:
    path = model / "last.safetensors"
    description, tensors = container.unpack(path)
    del description["digest"]
    description[part] |= values
    path.write_bytes(container.pack(description, tensors))
    answer = warm("train", "--resume", "tale", "--steps", "5")
    assert answer.status == ExitCode.CHECKPOINT
    error, _ = answer.lines
    said = "checkpoints/tale/last.safetensors: metadata: recipe or progress is not one that charrnn writes: "
    assert error.startswith(f"charrnn: error: {said}")


@pytest.mark.parametrize("kept", [9, -9])
def test_a_run_whose_file_is_damaged_says_what_its_model_serves_for(model: Path, kept: int) -> None:
    path = model / "last.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    answer = warm("train", "--resume", "tale", "--steps", "5")
    assert answer.status == ExitCode.CHECKPOINT
    assert answer.lines[0].startswith("charrnn: error: checkpoints/tale/last.safetensors: ")
    assert answer.lines[1:] == ["hint: --from tale starts a new model from its weights"]


@pytest.mark.parametrize("source", ["/dev/zero", "folder", "fifo"])
def test_a_run_whose_corpus_is_said_to_be_no_file_is_not_gone_on_with(model: Path, source: str) -> None:
    Path("folder").mkdir()
    os.mkfifo("fifo")
    path = model / "last.safetensors"
    description, tensors = container.unpack(path)
    del description["digest"]
    description["recipe"]["sources"] = [source]
    path.write_bytes(container.pack(description, tensors))
    answer = warm("train", "--resume", "tale", "--steps", "5")
    assert (answer.status, answer.lines) == (
        ExitCode.CHECKPOINT,
        [
            f"charrnn: error: tale: its corpus cannot be read again: {source}: is not a regular file",
            f"hint: if it was moved, name its new place: {CALLED} train PATH --resume tale",
        ],
    )


def test_a_changed_corpus_is_not_gone_on_with() -> None:
    Path("tale.txt").write_text(tale())
    done(warm("train", "tale.txt", *TINY, "-q"))
    with Path("tale.txt").open("a") as file:
        file.write("x")
    changed = hashlib.sha256(f"{tale()}x".encode()).hexdigest()
    answer = run("train", "--resume", "tale", "--steps", "5")
    assert answer.status == ExitCode.CHECKPOINT
    original = hashlib.sha256(tale().encode()).hexdigest()
    assert answer.lines == [
        f"charrnn: error: tale: its corpus has changed: trained on {original[:12]}, found {changed[:12]}",
        f"hint: train a new model from this one: {CALLED} train --from tale ...",
    ]
    Path("tale.txt").unlink()
    gone = run("train", "--resume", "tale", "--steps", "5")
    path = Path.cwd() / "tale.txt"
    assert (gone.status, gone.lines) == (
        ExitCode.CHECKPOINT,
        [
            f"charrnn: error: tale: its corpus cannot be read again: {path}: no such file",
            f"hint: if it was moved, name its new place: {CALLED} train PATH --resume tale",
        ],
    )


@pytest.mark.parametrize(
    "words", [("--resume", "tale", "--steps", "3"), ("tale.txt", "--name", "tale", "--force", *TINY)]
)
def test_a_disk_that_takes_no_more_ends_in_one_line_and_what_was_there_stays(
    model: Path, words: tuple[str, ...]
) -> None:
    before = {path: path.read_bytes() for path in model.glob("*.safetensors")}
    limit = len(before[model / "model.safetensors"]) // 2

    def shrink() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    answer = run("train", *words, "-q", preexec_fn=shrink)
    assert answer.status == ExitCode.STORAGE
    (error,) = answer.lines
    assert re.fullmatch(r"charrnn: error: checkpoints/tale/(model|last)\.safetensors: File too large", error)
    assert {path: path.read_bytes() for path in before} == before
    assert not list(model.glob(".*.tmp"))


def test_the_decks_example_one_letter_and_another_memory() -> None:
    shutil.copy(HELLO, "hello.txt")
    done(warm("train", "hello.txt", "--steps", "150", "--hidden", "32", "--seed", "1", "-q"))
    assert card("hello")["vocab_size"] == len({"<boundary>", "<unk>", "h", "e", "l", "o"})
    for text, expected in (("hel", "l"), ("hell", "o")):
        first = json.loads(run("inspect", "next", text, "--json", "-q").text)["next"][0]
        assert first["text"] == expected
        assert first["probability"] > 0.9
        title, _, row, *_ = run("inspect", "next", text, "-q").text.splitlines()
        assert (title, row.split()[0]) == (f'after "{text}"', expected)


@pytest.mark.parametrize(("level", "unit"), [("word", "token"), ("subword", "token"), ("byte", "byte")])
def test_every_level_trains_samples_and_can_be_looked_into(level: str, unit: str) -> None:
    Path("tale.txt").write_text(tale())
    answer = done(warm("train", "tale.txt", *TINY, "--level", level))
    assert f"nats/{unit}" in answer.stderr
    assert "bits/byte" in answer.stderr
    found = card("tale")
    assert (found["level"], found["corpus"]["level"]) == (level, level)
    written = run("sample", "-m", "tale", "--prompt", "the cat sat", "--length", "40", "--seed", "1", "-q")
    assert (written.status, written.stderr) == (0, "")
    assert written.text.startswith("the cat sat")
    assert len(written.text.rstrip("\n")) == pytest.approx(len("the cat sat") + 40, abs=1)
    likely = json.loads(run("inspect", "next", "the ", "-k", "3", "--json", "-q").text)["next"]
    assert len(likely) == 3
    surprise = json.loads(run("inspect", "surprise", "tale.txt", "--json", "-q").text)
    assert surprise["bytes"] == len(tale().encode())


def test_a_vocabulary_is_as_large_as_it_was_asked_to_be() -> None:
    Path("tale.txt").write_text(tale())
    done(warm("train", "tale.txt", *TINY, "--level", "word", "--vocab", "7", "-q"))
    assert card("tale")["vocab_size"] == 1 + 256 + 7


def test_a_backward_model_says_so_and_its_flags_and_commands_work() -> None:
    Path("tale.txt").write_text(tale())
    answer = done(warm("train", "tale.txt", *TINY, "--backward", "--name", "back"))
    flags = next(line.split(": ")[2] for line in answer.lines if line.startswith("charrnn: as flags: "))
    assert "--cell gru --backward --layers 1 " in flags
    assert answer.lines[-3:] == [
        "reads        backwards: it predicts what came before",
        f"made for     {CALLED} train reviews/ --from FORWARD --from back",
        f"next         {CALLED} inspect back",
    ]
    assert "gru 1×16 backwards, embedding 32, " in warm("inspect", "back").text
    done(warm("train", "tale.txt", "--steps", "5", *shlex.split(flags), "--name", "again", "-q"))
    assert equal(load(model_of("back")).tensors, load(model_of("again")).tensors)
    done(warm("train", "tale.txt", "--steps", "1", "--from", "back", "--name", "on", "-q"))
    assert card("on")["backward"] is True


def test_force_overwrites_the_run_of_a_text_whose_name_means_a_view() -> None:
    Path("runs.txt").write_text(tale())
    for flags in ((), ("--force",), ("--force",)):
        done(warm("train", "runs.txt", *TINY, "-q", *flags))
    assert [path.name for path in Path("checkpoints").iterdir()] == ["runs-2"]


def test_force_overwrites_the_run_that_is_named_after_the_text(model: Path) -> None:
    before = (model / "model.safetensors").read_bytes()
    assert warm("train", "tale.txt", *TINY, "--force", "-q").status == 0
    assert [folder.name for folder in model.parent.iterdir()] == ["tale"]
    assert (model / "model.safetensors").read_bytes() != before


def test_a_run_goes_on_with_the_vocabulary_it_knows(tmp_path: Path) -> None:
    """Also where a library would find another one today: here the cache says so."""
    Path("tale.txt").write_text(tale())
    for name in ("one", "other"):
        assert warm("train", "tale.txt", *SMALL, "--level", "word", "--name", name).status == 0
    assert warm("train", "--resume", "one", "--steps", "3", "-q").status == 0
    descriptions = {path: json.loads(path.read_text()) for path in (tmp_path / "cache").rglob("*.json")}
    ((description, found),) = (item for item in descriptions.items() if "tokenizer" in item[1])
    found["tokenizer"]["words"][:2] = reversed(found["tokenizer"]["words"][:2])
    description.write_text(json.dumps(found))
    assert warm("train", "--resume", "other", "--steps", "3", "-q").status == 0
    one, other = (load(Path("checkpoints", name, "model.safetensors")) for name in ("one", "other"))
    assert other.tokenizer.describe() == one.tokenizer.describe()
    assert all((other.tensors[name] == tensor).all() for name, tensor in one.tensors.items())
