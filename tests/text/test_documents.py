"""How labelled texts are split, encoded and told apart."""

import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.config import LabelledConfig
from charrnn.errors import TextError
from charrnn.text import subword
from charrnn.text.byte import ByteTokenizer
from charrnn.text.documents import LabelledCorpus, prepare
from charrnn.text.folded import UNKNOWN
from charrnn.text.labelled import Example, Labelled
from charrnn.text.subword import SubwordTokenizer
from tests.text.reading import finish
from tests.text.reviews import reviews


def labelled(rows: list[tuple[str, str]]) -> Labelled:
    return Labelled([Example(text, label, f"x:{number}") for number, (label, text) in enumerate(rows, 1)], "")


def corpus(
    rows: list[tuple[str, str]], valid: list[tuple[str, str]] | None = None, **config: object
) -> LabelledCorpus:
    settings = LabelledConfig(**config)  # type: ignore[arg-type]  # the tests say rightly what they set
    return finish(prepare(labelled(rows), settings, labelled(valid) if valid else None))


def test_every_text_stands_on_one_side_and_every_label_on_both() -> None:
    rows = reviews(100)
    found = corpus(rows)
    sides = [set(found.training.texts), set(found.validation.texts)]
    assert sides[0] | sides[1] == {text for _, text in rows}
    assert not sides[0] & sides[1]
    assert Counter(found.validation.labels.tolist()) == {0: 5, 1: 5}
    assert found.labels == ("bad", "good")


def test_of_very_much_text_a_part_from_beginning_to_end_decides_on_the_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[list[str]] = []
    train = subword.train

    def noted(texts: list[str], *rest: Any) -> SubwordTokenizer:
        given.append(list(texts))
        return train(texts, *rest)

    monkeypatch.setattr(subword, "train", noted)
    rows = reviews(200)
    every = corpus(rows, level="subword").training.texts
    total = sum(map(len, every))
    monkeypatch.setattr(subword, "TRAINING_CHARACTERS", total // 4)
    found = corpus(rows, level="subword")
    assert given == [list(every), list(every[::5])]
    assert found.tokenizer.bytes_of(found.tokenizer.encode(every[1])).decode() == every[1]


def test_texts_that_are_the_same_stay_together_even_under_different_labels() -> None:
    rows = reviews(60) + [("good", "again and again"), ("bad", "again and again")] * 5
    found = corpus(rows)
    counts = [side.texts.count("again and again") for side in (found.training, found.validation)]
    assert sorted(counts) == [0, 10]


def test_no_text_of_two_labels_is_learnt_from_under_one_and_measured_on_under_the_other() -> None:
    twice = [(label, f"number {number}") for number in range(100) for label in ("good", "bad")]
    found = corpus(reviews(20) + twice, val_fraction=0.5)
    assert not set(found.training.texts) & set(found.validation.texts)


def test_a_label_of_few_texts_is_on_both_sides_whatever_the_share() -> None:
    for fraction in (0.01, 0.99):
        found = corpus([("a", "one"), ("a", "two"), ("b", "three"), ("b", "four")], val_fraction=fraction)
        for side in (found.training, found.validation):
            assert side.labels.tolist() == [0, 1]


def test_words_that_are_as_common_are_known_in_alphabetical_order() -> None:
    rows = [("a", "pear apple fig pear apple fig"), ("b", "fig kiwi kiwi")]
    found = corpus(rows, valid=[("a", "x"), ("b", "y")], vocab_size=300)
    ids = found.tokenizer.encode("fig apple kiwi pear").tolist()
    assert ids == list(range(ids[0], ids[0] + 4))


def test_the_split_is_the_same_for_everybody() -> None:
    assert corpus(reviews()).validation.texts == corpus(reviews()).validation.texts


def test_the_vocabulary_is_that_of_the_training_part() -> None:
    rows = [*reviews(40), ("good", "singular"), ("good", "twice twice")]
    found = corpus(rows, valid=[("good", "unheard unheard"), ("bad", "film")])
    assert found.tokenizer.encode("singular unheard twice").tolist()[:2] == [UNKNOWN, UNKNOWN]
    assert found.tokenizer.encode("twice").tolist() != [UNKNOWN]


def test_ids_are_those_of_each_text_with_a_boundary_before() -> None:
    found = corpus([*reviews(20), ("good", "")])
    for side in (found.training, found.validation):
        for number, text in enumerate(side.texts):
            np.testing.assert_array_equal(side[number], [0, *found.tokenizer.encode(text)])
        np.testing.assert_array_equal(side.lengths, [len(side[number]) for number in range(len(side))])


def test_a_leak_is_left_out_of_training_and_named() -> None:
    rows = reviews(20)
    found = corpus(rows, valid=[rows[3], rows[4], ("good", "new"), ("bad", "other")])
    assert len(found.training) == 18
    assert found.notes == ("2 training texts stand among the validation texts, left out: x:4, x:5",)


def test_texts_that_differ_in_white_space_alone_are_the_same() -> None:
    rows = reviews(40)
    found = corpus(rows + [(label, f" {text.replace(' ', '  ')}\n") for label, text in rows])
    sides = [{" ".join(text.split()) for text in side.texts} for side in (found.training, found.validation)]
    assert not sides[0] & sides[1]
    leaked = corpus(rows, valid=[(label, f"{text}\n") for label, text in rows[:4]])
    assert len(leaked.training) == 36
    assert leaked.notes == ("4 training texts stand among the validation texts, left out: x:1, x:2, x:3, …",)


def test_validation_texts_among_those_without_a_label_are_named() -> None:
    rows = reviews(40)
    pieces = ["other words\n", f"{rows[0][1]}\n{rows[1][1]}", f"{rows[2][1]}\n"]
    found = finish(prepare(labelled(rows[3:]), LabelledConfig(), labelled(rows[:4]), unlabelled=pieces))
    assert found.notes[-1] == "3 validation texts stand among those of --unlabelled, which tell no label"


def test_looking_for_validation_texts_among_those_without_a_label_holds_a_piece_at_a_time() -> None:
    numbers = iter(range(20_000))
    pieces = ["".join(f"{next(numbers):099}\n" for _ in range(500)) for _ in range(40)]
    reading = prepare(labelled(reviews(40)), LabelledConfig(), None, ByteTokenizer(), pieces)
    tracemalloc.start()
    try:
        next(reading)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < sum(map(len, pieces))


@pytest.mark.parametrize("level", ["char", "byte", "subword"])
def test_other_levels_keep_the_text(level: str) -> None:
    found = corpus(reviews(40), level=level)
    assert found.tokenizer.level == level
    text = found.training.texts[0]
    assert found.tokenizer.bytes_of(found.training[0][1:]) == text.encode()


def test_a_label_that_only_validation_has_is_named() -> None:
    with pytest.raises(TextError) as raised:
        corpus(reviews(20), valid=[("good", "x"), ("odd", "y")])
    assert raised.value.message == 'x:2: the label "odd" occurs only in the validation texts'


@pytest.mark.parametrize(
    ("rows", "folder", "hint"),
    [
        ([*reviews(20), ("odd", "one")], None, "if it is no label, --label-column names what is"),
        (
            [("my mood", "its text"), *reviews(20)],
            None,
            "if the first row is a heading: --label-column 'my mood' --text-column 'its text'",
        ),
        ([("odd", "a text " * 20), *reviews(20)], None, "if it is no label, --label-column names what is"),
        ([("odd", "one"), *reviews(20)], Path("books"), "--task language-model if folders are no labels"),
    ],
)
def test_a_label_with_a_single_text_is_refused_with_what_it_may_be_instead(
    rows: list[tuple[str, str]], folder: Path | None, hint: str
) -> None:
    with pytest.raises(TextError) as raised:
        finish(prepare(replace(labelled(rows), folder=folder, is_headless=True), LabelledConfig()))
    label, line = next(
        (row[0], number) for number, row in enumerate(rows, 1) if row[0] not in ("good", "bad")
    )
    assert raised.value.message == (
        f'x:{line}: the label "{label}" has a single text; 2 are needed, to learn from and to measure on'
    )
    assert raised.value.hint == f"give it another text, or leave it out; {hint}"


def test_no_heading_is_suspected_in_the_first_row_below_one() -> None:
    with pytest.raises(TextError) as raised:
        corpus([("odd", "one"), *reviews(20)])
    assert raised.value.hint == (
        "give it another text, or leave it out; if it is no label, --label-column names what is"
    )


def test_a_text_that_a_label_has_many_times_counts_once_and_the_error_says_so() -> None:
    with pytest.raises(TextError) as raised:
        corpus([*reviews(20), ("odd", "one"), ("odd", "one "), ("odd", "one"), ("odd", reviews(1)[0][1])])
    assert raised.value.message == (
        'x:21: the label "odd" has a single text, 3 times; 2 are needed, to learn from and to measure on'
    )


def test_a_label_of_one_text_that_is_not_measured_on_is_named() -> None:
    found = corpus([("mood", "text"), *reviews(20)], valid=[("good", "new"), ("bad", "other")])
    assert found.notes == ('x:1: the only text with the label "mood", which is not measured on',)


def test_another_label_or_text_is_another_corpus() -> None:
    rows = reviews(20)
    digests = {corpus(changed).digest for changed in (rows, [("bad", rows[0][1]), *rows[1:]], rows[:-1])}
    assert len(digests) == 3


def test_where_a_label_ends_and_what_is_measured_on_make_another_corpus() -> None:
    begun, valid = [("a", "x"), ("ab", "x")], [("a", "p"), ("ab", "q")]
    one = corpus([*begun, ("a", "bc")], valid)
    cut_elsewhere = corpus([*begun, ("ab", "c")], valid)
    measured_otherwise = corpus([*begun, ("a", "bc")], [("a", "p"), ("ab", "r")])
    assert len({found.digest for found in (one, cut_elsewhere, measured_otherwise)}) == 3


def test_another_seed_shuffles_otherwise_and_keeps_every_text() -> None:
    training = corpus(reviews(40)).training
    one, same, other = (training.shuffled(seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.tolist() != other.tolist()
    assert sorted(one.tolist()) == sorted(other.tolist()) == sorted(training.ids.tolist())


def test_a_label_that_is_only_measured_on_is_refused() -> None:
    shared = Labelled([Example("fine", "a", ""), Example("good", "a", ""), Example("fine", "b", "")], "")
    both = Labelled([Example(text, label, "") for text, label in (("fine", "a"), ("dull", "b"))], "")
    with pytest.raises(
        TextError, match='the label "b" has no text to learn from that is not also measured on'
    ):
        finish(prepare(shared, LabelledConfig(), Labelled([Example("fine", "a", "")], "")))
    with pytest.raises(TextError, match='the label "a" has no text to learn from'):
        finish(prepare(both, LabelledConfig(), both))


def test_a_single_label_is_none() -> None:
    with pytest.raises(TextError, match='a classifier needs at least 2 labels, found only "x"'):
        finish(prepare(Labelled([Example("a", "x", ""), Example("b", "x", "")], ""), LabelledConfig()))
