"""The linear model against its formula and against another solver."""

import numpy as np
import pytest

from charrnn.inference.linear import from_tensors
from charrnn.text.ngrams import ngrams
from charrnn.training import linear

TEXTS = ["good fine film", "good good fun", "a fine day", "bad film", "bad bad day", "a bad , bad film"] * 3
LABELS = np.array([1, 1, 1, 0, 0, 0] * 3)
EVEN = np.ones(2, np.float32)


def dense(texts: list[str], keys: np.ndarray, outlines: bool) -> np.ndarray:
    """Which n-gram stands in which text, known or not, each text's row of Euclidean length 1, [N, F]."""
    found = [ngrams([text], outlines=outlines).keys for text in texts]
    return np.stack([np.isin(keys, row) / np.sqrt(len(row)) for row in found])


def usual(texts: list[str], outlines: bool) -> float:
    """The mean Euclidean length of texts' rows of ones."""
    return float(np.mean([np.sqrt(len(ngrams([text], outlines=outlines).keys)) for text in texts]))


def ratios(table: np.ndarray, inside: np.ndarray) -> np.ndarray:
    with_label, without = table[inside].sum(0) + 1.0, table[~inside].sum(0) + 1.0
    found: np.ndarray = np.log(with_label / with_label.sum()) - np.log(without / without.sum())
    return found


@pytest.mark.parametrize("outlines", [False, True])
def test_two_labels_are_as_scikit_learn_solves_them(outlines: bool) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    ours = linear.train(TEXTS, LABELS, EVEN, outlines=outlines)
    table = dense(TEXTS, ours.keys, outlines) * usual(TEXTS, outlines)
    weighed = table * ratios(table, LABELS == 1)
    theirs = linear_model.LogisticRegression(C=1.0 / linear.PENALTY, tol=1e-8, max_iter=1000).fit(
        weighed, LABELS
    )
    scores = ours.logits(TEXTS)
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], theirs.decision_function(weighed), atol=0.01)
    assert (scores.argmax(1) == LABELS).all()


@pytest.mark.parametrize("outlines", [False, True])
def test_several_labels_make_the_gradient_of_their_loss_zero(outlines: bool) -> None:
    texts = [*TEXTS, *["where is it", "who is it", "is it so"] * 2]
    labels = np.array([*LABELS, *[2] * 6])
    ours = linear.train(texts, labels, np.ones(3, np.float32), outlines=outlines)
    scale = usual(texts, outlines)
    table = dense(texts, ours.keys, outlines) * scale
    ratio = np.stack([ratios(table, labels == label) for label in range(3)], 1)
    scores = ours.logits(texts)
    np.testing.assert_allclose(scores, table @ (ours.weight / scale) + ours.bias, atol=1e-5)
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    wrong = p - np.eye(3)[labels]
    trust = ours.weight / scale / ratio
    np.testing.assert_allclose(ratio * (table.T @ wrong) + linear.PENALTY * trust, 0.0, atol=0.01)
    np.testing.assert_allclose(wrong.sum(0), 0.0, atol=0.01)


def test_ngrams_of_a_single_text_are_left_out() -> None:
    ours = linear.train(["a b", "a c", "d"], np.array([0, 0, 1]), EVEN)
    np.testing.assert_array_equal(ours.keys, ngrams(["a"]).keys)


def test_texts_without_a_known_ngram_get_the_bias() -> None:
    ours = linear.train(TEXTS, LABELS, EVEN)
    np.testing.assert_allclose(ours.logits(["", "unheard-of"]), [[0.0, ours.bias[0]]] * 2)


def test_texts_without_any_shared_ngram_still_make_a_model() -> None:
    ours = linear.train(["a", "b"], np.array([0, 1]), EVEN)
    assert ours.logits(["a", "b", "c"]).shape == (3, 2)


def test_heavier_labels_are_answered_more() -> None:
    heavy = linear.train(TEXTS, LABELS, np.array([1.0, 5.0], np.float32))
    even = linear.train(TEXTS, LABELS, EVEN)
    assert heavy.logits(["film day"])[0, 1] > even.logits(["film day"])[0, 1]


@pytest.mark.parametrize("outlines", [False, True])
def test_tensors_give_the_same_model_back(outlines: bool) -> None:
    ours = linear.train(TEXTS, LABELS, EVEN, outlines=outlines)
    again = from_tensors(ours.tensors(), outlines=outlines, normalised=True)
    np.testing.assert_array_equal(again.logits(TEXTS), ours.logits(TEXTS))


def test_scores_are_sums_over_the_length_of_a_text_s_row_and_plain_sums_in_files_of_old() -> None:
    ours = linear.train(TEXTS, LABELS, EVEN)
    of_old = from_tensors(ours.tensors(), outlines=False, normalised=False)
    for text in ("good fine film", "a good film , and a bad day"):
        row = np.isin(ours.keys, ngrams([text]).keys)
        in_full = float(ours.weight[row].sum())
        own = len(ngrams([text]).keys)
        assert of_old.logits([text])[0, 1] == pytest.approx(in_full + ours.bias[0], abs=1e-5)
        assert ours.logits([text])[0, 1] == pytest.approx(in_full / own**0.5 + ours.bias[0], abs=1e-5)


def test_outlines_tell_what_no_word_does() -> None:
    texts = ["call Ann", "call Bob", "call Eve", "call ann", "call bob", "call eve"] * 2
    labels = np.array([1, 1, 1, 0, 0, 0] * 2)
    unheard = ["call Zoe", "call zoe"]
    assert linear.train(texts, labels, EVEN, outlines=True).logits(unheard).argmax(1).tolist() == [1, 0]
    same = linear.train(texts, labels, EVEN).logits(unheard)
    np.testing.assert_array_equal(same[0], same[1])


def test_texts_are_short_if_half_of_them_are() -> None:
    short, long = "a" * linear.SHORT_TEXT, "a" * (linear.SHORT_TEXT + 1)
    assert linear.are_short([short, short, long])
    assert not linear.are_short([short, long, long])


def test_of_very_many_labels_only_commoner_ngrams_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"common{number % 3} rare{number // 2}" for number in range(60)]
    labels = np.arange(60) % 3
    monkeypatch.setattr(linear, "MOST_WEIGHTS", 60)
    few = linear.train(texts, labels, np.ones(3, np.float32))
    assert 0 < few.weight.size <= 60
    assert (few.logits(texts).argmax(1) == labels).all()


def test_of_two_labels_an_ngram_has_one_weight_and_as_many_are_seen_as_there_may_be_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything = linear.train(TEXTS, LABELS, EVEN)
    assert everything.weight.size == len(everything.keys)
    monkeypatch.setattr(linear, "MOST_WEIGHTS", len(everything.keys))
    np.testing.assert_array_equal(linear.train(TEXTS, LABELS, EVEN).keys, everything.keys)
    monkeypatch.setattr(linear, "MOST_WEIGHTS", len(everything.keys) - 1)
    assert 0 < len(linear.train(TEXTS, LABELS, EVEN).keys) < len(everything.keys)
