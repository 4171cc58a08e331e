"""A classifier from Python: loaded by name, asked for probabilities and reasons."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint import classifier as files
from charrnn.errors import CheckpointError, UsageError
from charrnn.inference import answering
from charrnn.text.byte import ByteTokenizer
from charrnn.text.ngrams import ngrams
from tests.checkpoint.handmade import small_classifier


@pytest.fixture
def classifier() -> answering.Classifier:
    files.save(Path("model.safetensors"), small_classifier())
    return charrnn.load_classifier("model.safetensors")


def test_probabilities_are_those_of_the_calibrated_sum(classifier: answering.Classifier) -> None:
    texts = ["the a the", "", "a " * 50]
    net, linear = classifier.scores(texts)
    scores = 1.0 * net + 0.25 * linear
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(classifier.probabilities(texts), p)


def test_texts_that_threads_ask_about_at_a_time_are_answered_as_one_by_one(
    classifier: answering.Classifier,
) -> None:
    asked = [["the a " * length, "a"] for length in range(1, 40)]
    alone = [classifier.probabilities(texts).tolist() for texts in asked]
    with ThreadPoolExecutor(6) as pool:
        assert [found.tolist() for found in pool.map(classifier.probabilities, asked)] == alone


@pytest.mark.parametrize("outlines", [False, True])
@pytest.mark.parametrize("normalised", [False, True])
def test_the_linear_model_looks_at_texts_as_its_file_says(outlines: bool, normalised: bool) -> None:
    found = ngrams(["The a"], outlines=outlines)
    made = small_classifier()
    columns = made.tensors["ngrams.bias"].shape
    made.tensors["ngrams.keys"] = found.keys
    made.tensors["ngrams.weight"] = np.ones((len(found.keys), *columns), np.float32)
    files.save(Path("model.safetensors"), replace(made, outlines=outlines, normalised=normalised))
    scores = charrnn.load_classifier("model.safetensors").linear_scores(["The a"])
    expected = np.sqrt(len(found.keys)) if normalised else len(found.keys)
    np.testing.assert_allclose(scores[0] - made.tensors["ngrams.bias"], expected, rtol=1e-6)


@pytest.mark.filterwarnings("error")
def test_no_weights_of_a_linear_model_are_too_large_to_be_added_up() -> None:
    made = small_classifier()
    largest = np.finfo(np.float32).max
    made.tensors["ngrams.keys"] = ngrams(["the a"]).keys  # the, a, both
    made.tensors["ngrams.weight"] = np.full((3, 3), largest)
    files.save(Path("model.safetensors"), made)
    scores = charrnn.load_classifier("model.safetensors").linear_scores(["the a"])
    np.testing.assert_allclose(scores, 3 * float(largest))


def test_an_effect_is_the_difference_to_the_text_without_the_word(classifier: answering.Classifier) -> None:
    pieces = classifier.explain("The,  a the", 1)
    assert [piece.text for piece in pieces] == ["The", ",", "  ", "a", " ", "the"]
    whole, without = classifier.probabilities(["The,  a the", "The,    the"])[:, 1]
    # Beside other texts, the last digit may differ.
    assert pieces[3].effect == pytest.approx(whole - without, abs=1e-7)
    assert pieces[2].effect == 0.0


def test_the_words_beside_one_left_out_do_not_become_one(classifier: answering.Classifier) -> None:
    (_, comma, _) = classifier.explain("the,a", 1)
    whole, without, joined = classifier.probabilities(["the,a", "the a", "thea"])[:, 1]
    assert comma.effect == pytest.approx(whole - without)
    assert comma.effect != pytest.approx(whole - joined)


def test_a_long_text_is_explained_in_pieces_of_several_words(
    classifier: answering.Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MOST_PIECES", 3)
    text = "the a the a the a the"
    pieces = classifier.explain(text, 0)
    assert "".join(piece.text for piece in pieces) == text
    assert [piece.text for piece in pieces if piece.effect] == ["the a the", "a the a", "the"]


@pytest.mark.parametrize("text", ["", " \n", "The,  a the", "the a the a the a the"])
def test_while_it_explains_it_tells_of_every_reading(
    classifier: answering.Classifier, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MOST_PIECES", 4)
    monkeypatch.setattr(answering, "CHARACTERS_AT_ONCE", 2 * len(text))
    told: list[int] = []
    pieces = classifier.explain(text, 1, told.append)
    assert sum(told) == answering.readings(text) == sum(bool(p.text.strip()) for p in pieces)
    assert len(told) >= answering.readings(text) // 2


def test_texts_without_words_are_answered_and_explained(classifier: answering.Classifier) -> None:
    assert classifier.probabilities(["", "\n"]).sum() == pytest.approx(2.0)
    assert classifier.explain("", 0) == []
    assert classifier.explain(" \n", 0) == [answering.Piece(" \n", 0.0)]


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
def test_weights_that_overflow_give_no_answer() -> None:
    small = small_classifier()
    for direction in ("forwards", "backwards"):
        small.tensors[f"model.layers.0.{direction}.bias"][:] = 100.0  # every output is positive
    small.tensors["model.output.weight"][:] = np.finfo(np.float32).max
    files.save(Path("model.safetensors"), small)
    overflowing = charrnn.load_classifier("model.safetensors")
    for ask in (overflowing.probabilities, overflowing.scores):  # of an answer, and of a measurement
        with pytest.raises(CheckpointError, match="the model gives no probabilities"):
            ask(["the a the"])


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
@pytest.mark.parametrize("factor", [1e308, float("inf")])
def test_a_calibration_that_overflows_gives_no_answer(factor: float) -> None:
    small = small_classifier()
    calibration = replace(small.calibration, mixed_net=factor, mixed_linear=factor)
    overflowing = answering.Classifier(replace(small, calibration=calibration))
    with pytest.raises(CheckpointError, match="the model gives no probabilities"):
        overflowing.probabilities(["the a the " * 20])


def test_a_name_that_is_none_is_said_to_be_none() -> None:
    with pytest.raises(UsageError, match="no such model"):
        charrnn.load_classifier("other")


@pytest.mark.parametrize("label", [3, -1, "yes"])
@pytest.mark.parametrize("text", ["the a", ""])
def test_a_label_that_is_no_number_of_one_is_refused(
    classifier: answering.Classifier, label: Any, text: str
) -> None:
    with pytest.raises(UsageError) as caught:
        classifier.explain(text, label)
    assert caught.value.message == f"label {label}: must be a number from 0 to 2"
    assert caught.value.hint == "labels.index(NAME) is that of a label"


def test_numbers_of_labels_may_be_numpys(classifier: answering.Classifier) -> None:
    assert classifier.explain("the a", np.int64(1)) == classifier.explain("the a", 1)  # type: ignore[arg-type]


def test_one_text_is_not_taken_for_a_list_of_its_characters(classifier: answering.Classifier) -> None:
    with pytest.raises(UsageError) as caught:
        classifier.probabilities("the a")
    assert caught.value.message == "texts: must be a list of strings, and this is one string"
    assert caught.value.hint == "[text]"


def test_half_a_character_is_refused_where_no_token_is_unknown() -> None:
    tokenizer = ByteTokenizer()
    small = small_classifier()
    small.tensors["model.embedding"] = np.zeros((tokenizer.vocab_size, 3), np.float32)
    config = replace(small.config, vocab_size=tokenizer.vocab_size)
    reader = answering.Classifier(replace(small, config=config, tokenizer=tokenizer))
    with pytest.raises(UsageError, match=r"^texts\[1\]: is not UTF-8$"):
        reader.probabilities(["the", "a\udc80"])
    with pytest.raises(UsageError, match=r"^text: is not UTF-8$"):
        reader.explain("a\udc80", 1)


def test_half_a_character_is_part_of_an_unknown_word_where_there_is_such_a_token(
    classifier: answering.Classifier,
) -> None:
    half, whole = classifier.scores(["the \udc80", "the \u20ac"])[0]
    np.testing.assert_array_equal(half, whole)
