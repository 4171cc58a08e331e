"""What a model's card says in words, and that it says nothing that a file has wrong."""

from typing import Any

import pytest

from charrnn.terminal.cards import Fact
from charrnn.terminal.model_card import classifier_facts, facts
from tests.odd import ODD, Place, at, places, with_odd

BARE: dict[str, Any] = {
    "name": "x",
    "path": "x/model.safetensors",
    "cell": "rnn",
    "nonlinearity": "relu",
    "num_layers": 2,
    "hidden_size": 8,
    "embedding_size": 4,
    "backward": False,
    "parameters": 999_999,
    "vocab_size": 6,
    "level": "char",
    "created": "today",
    "digest": "sha256:0",
    "non_finite": {},
}
OF_CLASSIFIERS = {"bidirectional": True, "members": 3, "labels": ["bad", "good"], "ngrams": 1234}
HISTORY: dict[str, Any] = {
    "from": "y",
    "trained": {"seconds": 61.0, "steps": 2000, "tokens": 5_000_000, "epochs": 1.5, "finished": True},
    "settings": {"seed": "1"},
    "versions": {"python": "3.11.2"},
}
TEXTS = {"sources": ["a"], "documents": 2, "digest": "abc"}
OF_TEXT = HISTORY | {
    "corpus": TEXTS | {"characters": 1234},
    "validation": {"tokens": 1000, "of": 5000, "bits_per_byte": 2.0, "nats_per_token": 1.4},
    "yardstick": {"name": "xz", "bits_per_byte": 2.5},
}
FIGURES = {"accuracy": 0.9, "macro_f1": 0.8, "calibration_error": 0.05, "nats": 0.3}
OF_LABELS = HISTORY | {
    "corpus": TEXTS | {"form": "JSON lines", "labels": {"bad": 4, "good": 5}},
    "validation": {"answer": FIGURES, "net": FIGURES, "linear": FIGURES},
    "pretraining": {"epochs": 2.5, "nats_per_token": 4.5},
}


def facts_of(history: dict[str, Any]) -> list[Fact]:
    """The facts of a card with this history."""
    if "yardstick" in history:
        return facts(BARE | history)
    return classifier_facts(BARE | OF_CLASSIFIERS | history)


def test_a_model_card_leaves_out_what_a_file_does_not_say() -> None:
    assert facts(BARE) == [
        ("name", "x"),
        ("file", "x/model.safetensors"),
        ("model", "rnn (relu) 2×8, embedding 4, 1.00 M parameters"),
        ("vocabulary", "6 ids at level char"),
        ("created", "today"),
        ("digest", "sha256:0"),
    ]
    backward = dict(facts(BARE | {"backward": True}))["model"]
    assert backward == "rnn (relu) 2×8 backwards, embedding 4, 1.00 M parameters"
    corpus = {"sources": ["a", "b"], "characters": 1234, "documents": 2, "digest": "abc"}
    trained = {"finished": False, "seconds": 61.0, "steps": 2000, "tokens": 5_000_000, "epochs": 1.5}
    validation = {"tokens": 1000, "of": 5000, "bits_per_byte": 2.0, "nats_per_token": 1.4}
    told = facts(
        BARE
        | {"corpus": corpus, "trained": trained, "validation": validation, "from": "y", "level": "byte"}
        | {"non_finite": {"model.output.bias": 3}}
    )
    assert dict(told)["corpus"] == "a b: 1,234 bytes in 2 documents"
    assert dict(told)["started from"] == "y"
    assert dict(told)["trained"] == "1:01, 2,000 steps, 5.00 M tokens, 1.50 epochs, not finished"
    assert dict(told)["validation"] == "2.0000 bits/byte, 1.4000 nats/token, on 1,000 of 5,000 tokens"
    assert told[-1] == ("damaged", "3 non-finite values in model.output.bias")


def test_a_model_card_says_in_words_what_the_file_does() -> None:
    assert facts(BARE | OF_TEXT | {"engine": "plain"})[4:] == [
        ("corpus", "a: 1,234 characters in 2 documents"),
        ("", "sha256 abc"),
        ("started from", "y"),
        ("trained", "1:01, 2,000 steps, 5.00 M tokens, 1.50 epochs"),
        ("validation", "2.0000 bits/byte, 1.4000 nats/token, on 1,000 of 5,000 tokens"),
        ("yardstick", "2.5000 bits/byte by xz"),
        ("settings", "seed 1"),
        ("created", "today"),
        ("versions", "python 3.11.2"),
        ("digest", "sha256:0"),
        ("engine", "plain"),
    ]
    whole = OF_TEXT["validation"] | {"of": 1000}
    embedded = {"sources": [], "documents": 1, "digest": "abc", "characters": 1234}
    told = dict(facts(BARE | {"level": "word", "corpus": embedded, "validation": whole}))
    assert told["corpus"] == "pydoc topics: 1,234 characters in 1 document"
    assert told["validation"] == "2.0000 bits/byte, 1.4000 nats/token, on 1,000 tokens"


def test_a_classifiers_card_says_in_words_what_the_file_does() -> None:
    of_parts = {
        name: {
            "accuracy": part,
            "macro_f1": part + 0.01,
            "calibration_error": part + 0.02,
            "nats": part + 0.03,
        }
        for name, part in {"answer": 0.9, "net": 0.8, "linear": 0.7}.items()
    }
    told = classifier_facts(BARE | OF_CLASSIFIERS | OF_LABELS | {"validation": of_parts})
    assert told[2:-4] == [
        ("net", "3 nets: rnn (relu) 2×8 both ways, embedding 4, 1.00 M parameters"),
        ("beside it", "a linear model of 1,234 n-grams"),
        ("vocabulary", "6 ids at level char"),
        ("labels", "bad (4), good (5)"),
        ("corpus", "a: 2 training texts (JSON lines)"),
        ("", "sha256 abc"),
        ("started from", "y"),
        ("before", "learnt words first: 2.50 epochs, 4.500 nats/token"),
        ("trained", "1:01, 2,000 steps, 5.00 M tokens, 1.50 epochs"),
        ("validation", "90.00% right, macro F1 0.910, calibration error 0.920, 0.9300 nats/text"),
        ("  net", "80.00% right, macro F1 0.810, calibration error 0.820, 0.8300 nats/text"),
        ("  n-grams", "70.00% right, macro F1 0.710, calibration error 0.720, 0.7300 nats/text"),
    ]
    bare = dict(classifier_facts(BARE | OF_CLASSIFIERS | {"members": 1, "bidirectional": False}))
    assert bare["net"] == "rnn (relu) 2×8 one way, embedding 4, 1.00 M parameters"
    assert bare["labels"] == "bad, good"
    two = dict(classifier_facts(BARE | OF_CLASSIFIERS | {"members": 2}))
    assert two["net"].startswith("2 nets: ")


@pytest.mark.parametrize("history", [OF_TEXT, OF_LABELS], ids=["language model", "classifier"])
def test_a_value_of_the_wrong_kind_is_refused_wherever_it_stands(history: dict[str, Any]) -> None:
    for place in (place for part in history for place in places(history, part)):
        for odd in ODD:
            try:
                shown = facts_of(with_odd(history, place, odd))
            except (KeyError, TypeError):
                assert not may_stand(odd, at(history, place), place), (place, odd)
            else:
                assert may_stand(odd, at(history, place), place), (place, odd)
                assert all(isinstance(word, str) for fact in shown for word in fact)


def may_stand(odd: Any, right: Any, place: Place) -> bool:
    """Whether a value may stand in the place of the right one."""
    if place[0] in ("settings", "versions") and place[1:]:
        return True  # whatever a program noted there
    if odd is None:
        return not place[1:]  # as if the file did not say it
    if isinstance(right, dict) or isinstance(odd, list):
        return odd == {} and place[-1] in ("settings", "versions", "labels")
    return type(odd) is type(right) or (type(right) is float and type(odd) is int)
