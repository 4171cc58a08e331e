"""A classifier's file: what goes in comes out, and what does not belong there is refused."""

import dataclasses
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from charrnn.checkpoint import classifier, container, model, weights
from charrnn.errors import CheckpointError
from tests.checkpoint.handmade import small_classifier

CONFIG = small_classifier().config
OLD_CONFIG = {
    "vocab_size": 4,
    "classes": 3,
    "hidden_size": 2,
    "embedding_size": 3,
    "num_layers": 1,
    "cell": "lstm",
    "nonlinearity": "tanh",
    "zoneout": 0.0,
    "bidirectional": True,
}


def written(tmp_path: Path, tensors: dict[str, Any] | None = None, **changes: Any) -> Path:
    """A file whose digest holds, with other metadata or tensors."""
    whole = small_classifier()
    path = tmp_path / "model.safetensors"
    path.write_bytes(container.pack(classifier.metadata(whole) | changes, whole.tensors | (tensors or {})))
    return path


@pytest.mark.parametrize("members", [1, 3])
def test_everything_comes_back(tmp_path: Path, members: int) -> None:
    one = small_classifier(members=members)
    classifier.save(tmp_path / "model.safetensors", one)
    found = classifier.load(tmp_path / "model.safetensors")
    for name, tensor in one.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], tensor)
        assert found.tensors[name].dtype == tensor.dtype
    same = ("config", "labels", "calibration", "card")
    assert [getattr(found, name) for name in same] == [getattr(one, name) for name in same]
    assert found.tokenizer.describe() == one.tokenizer.describe()


def test_an_answer_is_the_sum_of_both_models_scores_by_their_factors_in_the_mixture() -> None:
    factors = classifier.Calibration(net=1e3, linear=1e4, mixed_net=5.0, mixed_linear=7.0)
    answer = factors.answer(np.array([[1.0, 2.0]]), np.array([[10.0, 100.0]]))
    assert answer.tolist() == [[75.0, 710.0]]


@pytest.mark.parametrize("version", [2, 3])
def test_files_from_before_there_were_members_are_read_as_they_are(tmp_path: Path, version: int) -> None:
    path = written(tmp_path, format=version, config=OLD_CONFIG)
    assert classifier.load(path).config == CONFIG


def test_only_a_file_of_several_members_needs_a_reader_that_knows_them() -> None:
    alone, together = (classifier.metadata(small_classifier(members=members)) for members in (1, 2))
    assert (alone["required"], alone["config"]) == ([], OLD_CONFIG)
    assert (together["required"], together["config"]) == (["members"], OLD_CONFIG | {"members": 2})
    names = set(small_classifier().tensors)
    beside = {name.removeprefix("member.1.") for name in set(small_classifier(members=2).tensors) - names}
    assert beside == {name for name in names if name.startswith("model.")}


@pytest.mark.parametrize("feature", ["outlines", "normalised"])
def test_a_file_says_how_its_linear_model_reads_and_older_programs_refuse_what_they_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feature: str
) -> None:
    path = tmp_path / "model.safetensors"
    for has_it in (False, True):
        classifier.save(path, dataclasses.replace(small_classifier(), **cast(Any, {feature: has_it})))
        assert getattr(classifier.load(path), feature) is has_it
    monkeypatch.setattr(model, "FEATURES", ())
    with pytest.raises(CheckpointError, match=f"needs the features {feature}, which charrnn"):
        classifier.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ["no", "yes"]}, "has 2 labels, the model 3"),
        ({"labels": ["maybe", "no", "often", "yes"]}, "has 4 labels, the model 3"),
        ({"labels": ["yes", "no", "maybe"]}, "metadata: the labels are not distinct, sorted and printable"),
        ({"labels": ["no", "no", "yes"]}, "metadata: the labels are not distinct, sorted and printable"),
        ({"labels": ["a", "b", "\x1b[1m"]}, "metadata: the labels are not distinct, sorted and printable"),
        ({"labels": ["a", "b", "c" * 65]}, "metadata: the labels are not distinct, sorted and printable"),
        ({"labels": "abc"}, "metadata: the labels are not distinct, sorted and printable"),
        ({"calibration": {}}, "metadata: calibration has not exactly the factors "),
        (
            {"calibration": {"net": -1.0, "linear": 1.0, "mixed_net": 1.0, "mixed_linear": 1.0}},
            "metadata: calibration has not exactly the factors ",
        ),
        (
            {"config": dataclasses.asdict(CONFIG) | {"classes": 1}},
            "classes is not a whole number",
        ),
        (
            {"config": dataclasses.asdict(CONFIG) | {"bidirectional": 1}},
            "bidirectional is neither",
        ),
        ({"config": dataclasses.asdict(CONFIG) | {"cell": []}}, "unknown cell"),
        *(
            ({"config": OLD_CONFIG | {"members": members}}, "members is not a whole number from 1 to 64")
            for members in (0, 65, True, 2.0, "2", None)
        ),
        ({"config": OLD_CONFIG | {"members": 2}}, "member.1.model.embedding: expected [4, 3], found none"),
        ({"required": ["members", "more"]}, "needs the features more"),
        ({"config": []}, "metadata: config has not exactly the keys "),
        (
            {"tokenizer": {"level": "word", "folded": ["The", "a"]}},
            "not distinct words or marks",
        ),
        ({"card": []}, "metadata: card or created is of the wrong kind"),
        ({"kind": "language-model"}, "is a language model, not a classifier"),
        ({"format": 4}, "needs format 4"),
    ],
)
def test_metadata_of_another_kind_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError) as raised:
        classifier.load(written(tmp_path, **changes))
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({weights.NGRAM_KEYS: np.array([1, 5, 5, 8, 9], np.uint32)}, "the keys of the n-grams do not ascend"),
        (
            {weights.NGRAM_KEYS: np.zeros(5, np.float32)},
            "ngrams.keys: numbers of the kind float32",
        ),
        (
            {weights.NGRAM_BIAS: np.zeros(3, np.uint32)},
            "ngrams.bias: numbers of the kind uint32",
        ),
        ({weights.NGRAM_KEYS: np.arange(4, dtype=np.uint32)}, "ngrams.weight: expected [4, 3], found [5, 3]"),
        (
            {weights.OUTPUT_BIAS: np.full(3, np.nan, np.float32)},
            "3 non-finite values in model.output.bias",
        ),
        ({"model.more": np.zeros(1, np.float32)}, "model.more: expected none, found [1]"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(tmp_path: Path, tensors: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError) as raised:
        classifier.load(written(tmp_path, tensors))
    assert message in raised.value.message
