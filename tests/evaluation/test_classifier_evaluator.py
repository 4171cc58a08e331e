"""Validation documents are read in batches that a long one among them does not blow up."""

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from charrnn.config import ClassifierConfig
from charrnn.evaluation.classifier_evaluator import ClassifierEvaluator
from charrnn.inference.classifier import TOKENS
from charrnn.models.classifier import Classifier
from charrnn.text.document_batches import LONGEST
from charrnn.text.documents import Documents

LENGTHS = np.array([3, 50_000, 700, *[10] * 4000, 600])


class Watching:
    """A net that says how much it was given at once, and knows the label by the first token."""

    config = ClassifierConfig(vocab_size=9, classes=2)

    def __init__(self) -> None:
        self.shapes: list[tuple[int, int]] = []

    def __call__(self, inputs: Tensor, _lengths: Tensor) -> Tensor:
        self.shapes.append((inputs.shape[0], inputs.shape[1]))
        return torch.nn.functional.one_hot(inputs[0], 2).float()


def test_a_batch_has_so_many_tokens_with_its_padding_at_most_or_one_document() -> None:
    starts = np.concatenate(([0], LENGTHS.cumsum()))
    labels = np.arange(len(LENGTHS)) % 2
    documents = Documents(np.repeat(labels, LENGTHS), starts, labels, ("",) * len(LENGTHS))
    evaluator = ClassifierEvaluator(documents, np.zeros((len(LENGTHS), 2)), torch.device("cpu"))
    net = Watching()
    assert evaluator.score(cast(Classifier, cast(Any, net))).net.accuracy == 1.0
    assert sum(documents for _, documents in net.shapes) == len(LENGTHS)
    for longest, documents_at_once in net.shapes:
        assert documents_at_once == 1 or longest * documents_at_once <= TOKENS


def test_a_part_of_them_is_read_as_training_reads_them() -> None:
    starts = np.concatenate(([0], LENGTHS.cumsum()))
    labels = np.arange(len(LENGTHS)) % 2
    documents = Documents(np.repeat(labels, LENGTHS), starts, labels, ("",) * len(LENGTHS))
    evaluator = ClassifierEvaluator(documents, np.zeros((len(LENGTHS), 2)), torch.device("cpu"))
    net = Watching()
    evaluator.score(cast(Classifier, cast(Any, net)), evaluator.tokens - 1)
    assert max(longest for longest, _ in net.shapes) == LONGEST
