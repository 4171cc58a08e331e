"""Batches of documents: all of them once an epoch, the same for the same seed."""

import numpy as np
import pytest

from charrnn.text import document_batches
from charrnn.text.document_batches import DocumentBatches
from charrnn.text.documents import Documents

RANDOM = np.random.default_rng(0)
LENGTHS = RANDOM.integers(1, 30, size=57)


def documents(lengths: np.ndarray = LENGTHS) -> Documents:
    """Each document is its number, repeated."""
    ids = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return Documents(ids, starts, np.arange(len(lengths)) % 3, ("",) * len(lengths))


def test_an_epoch_has_every_document_once_whole_with_its_label() -> None:
    batches = DocumentBatches(documents(), 8, seed=1)
    seen = []
    for step in range(batches.steps, 2 * batches.steps):
        batch = batches.at(step)
        for column, length in zip(batch.inputs.T, batch.lengths, strict=True):
            assert len(set(column[:length].tolist())) == 1
            assert not column[length:].any()
            assert length == LENGTHS[column[0]]
            seen.append(int(column[0]))
        np.testing.assert_array_equal(batch.labels, batch.inputs[0] % 3)
        assert batch.tokens == batch.lengths.sum()
    assert sorted(seen) == list(range(57))
    assert batches.tokens == LENGTHS.sum()


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    one, other = DocumentBatches(documents(), 8, seed=1), DocumentBatches(documents(), 8, seed=1)
    other.at(30)
    for step in (3, 0, 17, 3):
        np.testing.assert_array_equal(one.at(step).inputs, other.at(step).inputs)
    assert one.at(0).inputs.tolist() != one.at(one.steps).inputs.tolist()
    assert one.at(0).inputs.tolist() != DocumentBatches(documents(), 8, seed=2).at(0).inputs.tolist()


def test_documents_of_a_batch_have_about_the_same_length() -> None:
    batches = DocumentBatches(documents(), 8, seed=1)
    padding = sum(batches.at(step).inputs.size - batches.at(step).tokens for step in range(batches.steps))
    assert padding < 0.2 * batches.tokens


def test_of_a_long_document_another_part_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_batches, "LONGEST", 10)
    long = Documents(np.arange(100), np.array([0, 100]), np.array([0]), ("",))
    batches = DocumentBatches(long, 1, seed=1)
    parts = [batches.at(step).inputs[:, 0] for step in range(20)]
    assert all((np.diff(part) == 1).all() and len(part) == 10 for part in parts)
    assert len({int(part[0]) for part in parts}) > 10
    assert batches.tokens == 10


def test_the_longest_documents_are_not_always_the_last_of_an_epoch() -> None:
    batches = DocumentBatches(documents(), 8, seed=1)
    for epoch in range(3):
        longest = [batches.at(epoch * batches.steps + step).lengths.max() for step in range(batches.steps)]
        assert longest != sorted(longest)


def test_of_a_document_too_long_by_one_either_end_is_read_at_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_batches, "LONGEST", 3)
    of = Documents(np.arange(4), np.array([0, 4]), np.zeros(1, np.int64), ("",))
    batches = DocumentBatches(of, 1, seed=1)
    read = {tuple(batches.at(step).inputs[:, 0].tolist()) for step in range(20)}
    assert read == {(0, 1, 2), (1, 2, 3)}
