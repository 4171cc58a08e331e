"""What `charrnn train` says of labelled texts, and what it refuses of them before torch is there."""

from pathlib import Path

import pytest

from charrnn.checkpoint.model import save
from tests.checkpoint.handmade import small
from tests.cli.program import CALLED, Answer, lukewarm, warm
from tests.text.reviews import reviews, tsv


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
