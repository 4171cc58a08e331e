"""What `charrnn train` says of labelled texts, and what it refuses of them before torch is there."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from charrnn.checkpoint.container import Tensors
from charrnn.checkpoint.model import save
from charrnn.cli.train_classifier import _both_stages
from charrnn.errors import Signalled
from charrnn.evaluation.metrics import Foresight
from charrnn.terminal.notes import command
from charrnn.training import linear
from charrnn.training.interrupt import SIGNALS
from charrnn.training.pretraining_run import PretrainingRun, load_last
from charrnn.training.progress import Progress
from tests.checkpoint.handmade import small
from tests.cli.program import CALLED, Answer, lukewarm, warm
from tests.cli.test_training import ASKED
from tests.text.reviews import reviews, tsv
from tests.training.fitting import assert_equal_files
from tests.training.test_pretraining import new, resumed


def refused(*words: str) -> Answer:
    """The answer to a training that cannot begin, and does not wait for torch to say so."""
    answer, imported = lukewarm("train", *words)
    assert answer.status in (2, 3)
    assert "torch" not in imported
    assert not list(Path("checkpoints").glob("*"))
    return answer


@pytest.fixture(autouse=True)
def _texts() -> None:
    Path("reviews.tsv").write_text(tsv(reviews()))
    for label, text in (("good", "a lovely film"), ("bad", "a dull film")):
        Path("texts", label).mkdir(parents=True)
        for number in range(9):
            Path("texts", label, f"{number}.txt").write_text(f"{text} {number}")
    save(Path("words"), small())


@pytest.mark.parametrize(("count", "shown"), [(6, "a, b, c, d, e, f"), (7, "a, b, c, d, e, f, …")])
def test_of_many_labels_the_first_are_named(count: int, shown: str) -> None:
    labels = "abcdefghij"[:count]
    Path("many.tsv").write_text(
        "".join(f"{label}\ttext of {label} {n}\n" for n in range(9) for label in labels)
    )
    # What is wrong with the flags is said after what was understood.
    understood, *_ = refused("many.tsv", "--valid", "missing.tsv").lines
    assert understood == (
        f"charrnn: {9 * count} labelled texts for a classifier (tab-separated, label in column 1, "
        f"text in column 2; {count} labels: {shown}); --task language-model reads them as plain text"
    )
    assert refused("many.tsv", "--valid", "missing.tsv", "-q").lines == [
        "charrnn: error: missing.tsv: no such file"
    ]


@pytest.mark.parametrize("flag", ["--label-column", "--text-column"])
def test_a_column_is_refused_where_no_texts_have_any(flag: str) -> None:
    assert refused("texts", flag, "1").lines == [
        "charrnn: error: --label-column and --text-column: there are no columns in a folder for every label",
        "hint: leave them out",
    ]
    # The texts of --valid may have columns.
    assert refused("texts", flag, "1", "--valid", "missing.tsv", "-q").lines == [
        "charrnn: error: missing.tsv: no such file"
    ]


@pytest.mark.parametrize("flag", [("--unlabelled", "reviews.tsv"), ("--pretrain", "0.5")])
def test_words_are_not_learnt_first_by_what_starts_from_a_model_that_knows_them(
    flag: tuple[str, ...],
) -> None:
    assert refused("reviews.tsv", "--from", "words", *flag, "-q").lines == [
        f"charrnn: error: {flag[0]} does not go with --from: that model knows words already"
    ]


def test_a_flag_of_language_models_is_refused_with_the_way_out_of_labels() -> None:
    assert refused("reviews.tsv", "--seq", "9", "-q").lines == [
        "charrnn: error: --seq is for language models, and these are labelled texts",
        "hint: leave it out, or --task language-model",
    ]


def test_flags_without_sense_for_a_cell_or_a_level_are_refused() -> None:
    for words, message in (
        (("--cell", "gru", "--init", "identity"), "--init identity is for --cell rnn, not for gru"),
        (
            ("--cell", "rnn", "--init", "chrono"),
            "--init chrono is for --cell lstm, lstm-peephole, gru, gru-after, not",
        ),
        (("--subword", "bpe"), "--subword is for --level subword, not for word"),
    ):
        assert refused("reviews.tsv", *words, "-q").lines[0].startswith(f"charrnn: error: {message}")


def test_a_classifier_that_goes_on_is_swept_asked_for_more_and_refuses_what_it_is_not() -> None:
    Path("reviews.tsv").write_text(tsv(reviews()))
    tiny = ("--hidden", "4", "--pretrain", "0", "-q")
    assert warm("train", "texts/bad", "texts/good", "--task", "classifier", "--steps", "2", *tiny).status == 0
    run = Path("checkpoints/bad")
    for words, lines in (
        (
            (),
            [
                "charrnn: error: bad: has finished its budget",
                f"hint: {CALLED} train --resume bad --time 5m trains five minutes more",
            ],
        ),
        (
            ("--steps", "1", "--seq", "9"),
            [
                "charrnn: error: --seq is for language models, and these are labelled texts",
                "hint: leave it out",
            ],
        ),
        (
            ("--steps", "1", "--task", "language-model"),
            ["charrnn: error: --task language-model: bad is a classifier"],
        ),
    ):
        assert (warm("train", "--resume", "bad", *words).lines) == lines
    (run / ".last.safetensors-x1.tmp").touch()
    Path("texts").rename("moved")
    moved = ("moved/bad", "moved/good")
    assert warm("train", *moved, "--resume", "bad", "--steps", "1", "-q") == Answer(0, b"", "")
    assert not list(run.glob(".*.tmp"))
    assert warm("train", "--resume", "bad", "--steps", "1", "-q") == Answer(0, b"", "")


@pytest.fixture(params=SIGNALS)
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal that fails the test where nobody expects it."""

    def die(*_: object) -> None:
        pytest.fail("the signal would have ended it without a word")

    number: signal.Signals = request.param
    inherited = signal.signal(number, die)
    yield number
    signal.signal(number, inherited)


def stopped(number: signal.Signals, stderr: pytest.CaptureFixture[str], *, quiet: bool) -> list[str]:
    """What training in two stages says when it ends by the signal in the first or right after it."""
    with pytest.raises(Signalled) as caught:
        _both_stages(replace(ASKED, quiet=quiet), *new("run"))
    assert caught.value.signal_number == number
    return stderr.readouterr().err.splitlines()


def go_on_from_words() -> list[str]:
    """The card of the first stage, stopped."""
    score = load_last(Path("run")).progress.best
    assert isinstance(score, Foresight)
    foresight = f"{score.nats_per_token:.3f} nats/token, perplexity {score.perplexity:.1f}"
    return [f"stopped      before labels: {foresight}", f"go on        {command('train', '--resume', 'run')}"]


@pytest.mark.parametrize("quiet", [False, True])
def test_a_signal_between_words_and_labels_says_how_to_go_on(
    quiet: bool, number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), number)
        pytest.fail("it went on")

    with monkeypatch.context() as patched:
        patched.setattr(linear, "train", train)
        said = stopped(number, capsys, quiet=quiet)
    assert said[-2:] == ([] if quiet else go_on_from_words())
    _both_stages(ASKED, *resumed("run"))
    _both_stages(ASKED, *new("whole"))
    assert_equal_files("run", "whole", "model.safetensors")


def test_a_signal_as_words_end_is_not_answered_by_going_on_to_labels(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_last = PretrainingRun.save_last

    def save_and_signal(run: PretrainingRun, tensors: Tensors, progress: Progress) -> None:
        save_last(run, tensors, progress)
        if progress.finished:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(PretrainingRun, "save_last", save_and_signal)
    said = stopped(number, capsys, quiet=False)
    assert said[-2:] == go_on_from_words()
    assert "labels" not in "".join(said[:-2])
