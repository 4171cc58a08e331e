"""`charrnn.load_classifier`: a classifier from disk, and what it says of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint import classifier, runs
from charrnn.checkpoint.classifier import ClassifierCheckpoint
from charrnn.errors import UsageError
from charrnn.inference.classifier import NumpyClassifier
from charrnn.inference.linear import from_tensors
from charrnn.inference.softmax import finite, log_softmax
from charrnn.text.tokenizer import BOUNDARY, Ids, check_readable
from charrnn.text.word import WORD

# A text is taken apart into at most so many pieces to explain an answer: each piece is a reading of the rest.
MOST_PIECES = 400
CHARACTERS_AT_ONCE = 2**19  # of such readings: a fraction of a second; more together are not read faster


class Piece(NamedTuple):
    """A part of a text, and what it did to the probability of the answer."""

    text: str
    effect: float  # that probability, less what it is without this part; 0 where no word is


class Classifier:
    """A trained classifier, on NumPy."""

    def __init__(self, checkpoint: ClassifierCheckpoint) -> None:
        self.checkpoint = checkpoint
        self.labels = checkpoint.labels
        self._net = NumpyClassifier(checkpoint.config, checkpoint.tensors)
        self._linear = from_tensors(
            checkpoint.tensors, outlines=checkpoint.outlines, normalised=checkpoint.normalised
        )

    @classmethod
    def load(cls, name: str | Path) -> Classifier:
        """The classifier of a run's name, a folder or a file.

        Raises:
            CheckpointError: if the file cannot be used.
            UsageError: if there is no such model.
        """
        return cls(classifier.load(runs.find(str(name)).path))

    def probabilities(
        self, texts: Sequence[str], advance: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.float64]:
        """How likely each label is, [N, C]; `advance` is told how many more texts are done.

        Raises:
            CheckpointError: if the model gives no numbers.
            UsageError: if this is no list, or a text has half a character and the model no `<unk>`.
        """
        if isinstance(texts, str):
            raise UsageError("texts: must be a list of strings, and this is one string", "[text]")
        for place, text in enumerate(texts):
            check_readable(self.checkpoint.tokenizer, f"texts[{place}]", text)
        return np.exp(log_softmax(finite(self.checkpoint.calibration.answer(*self.scores(texts, advance)))))

    def scores(
        self, texts: Sequence[str], advance: Callable[[int], None] = lambda _: None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the net and the linear model say of texts, before any calibration, [N, C] each.

        Raises:
            CheckpointError: if that is not numbers.
        """
        net = finite(self._net.logits([self._ids(text) for text in texts], advance))
        if self.checkpoint.calibration.mixed_linear == 0.0:
            return net, np.zeros_like(net)
        return net, self.linear_scores(texts)

    def linear_scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """What the linear model says of texts, [N, C]: sums, which cannot overflow in double precision."""
        return self._linear.logits(texts)

    def explain(self, text: str, label: int, advance: Callable[[int], None] = lambda _: None) -> list[Piece]:
        """What every word of a text did to the probability of a label, by reading the text without it.

        The parts, joined, are the text. Of a long text neighbouring words are taken together.

        Args:
            text: what to explain.
            label: the number of the label.
            advance: is told how many more of so many `readings` are done.

        Raises:
            CheckpointError: if the model gives no numbers.
            UsageError: if there is no such label, or the text has half a character and the model no `<unk>`.
        """
        if label not in range(len(self.labels)):
            hint = "labels.index(NAME) is that of a label"
            raise UsageError(f"label {label}: must be a number from 0 to {len(self.labels) - 1}", hint)
        check_readable(self.checkpoint.tokenizer, "text", text)
        spans = _spans(text)
        if not spans:
            return [Piece(text, 0.0)] if text else []
        at_once = max(1, CHARACTERS_AT_ONCE // len(text))
        whole = self.probabilities([text])[0, label]
        pieces: list[Piece] = []
        place = 0
        for first in range(0, len(spans), at_once):
            some = spans[first : first + at_once]
            without = [f"{text[:begin]} {text[end:]}" for begin, end in some]
            for (begin, end), chance in zip(some, self.probabilities(without)[:, label], strict=True):
                if place < begin:
                    pieces.append(Piece(text[place:begin], 0.0))
                pieces.append(Piece(text[begin:end], float(whole - chance)))
                place = end
            advance(len(some))
        return [*pieces, Piece(text[place:], 0.0)] if place < len(text) else pieces

    def _ids(self, text: str) -> Ids:
        return np.concatenate(([BOUNDARY], self.checkpoint.tokenizer.encode(text).astype(np.int64)))


def readings(text: str) -> int:
    """How often a text is read to be explained, once without each part that has words."""
    return len(_spans(text))


def _spans(text: str) -> list[tuple[int, int]]:
    """Where each part of a text begins and ends that it is read without: a word, or neighbouring ones."""
    words = list(WORD.finditer(text))
    together = -(-len(words) // MOST_PIECES) or 1
    return [
        (words[first].start(), words[min(first + together, len(words)) - 1].end())
        for first in range(0, len(words), together)
    ]
