"""Labelled texts to ids: a vocabulary, a training part and a validation part with the same shares of labels.

The texts are split before the vocabulary is built, and no text stands on both sides. Knows no network.
"""

from __future__ import annotations

import hashlib
import shlex
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.config import READ_WORDS, LabelledConfig
from charrnn.errors import TextError
from charrnn.text import subword
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CharTokenizer
from charrnn.text.encoding import Reading
from charrnn.text.folded import FoldedWordTokenizer, words_of
from charrnn.text.labelled import Example, Labelled
from charrnn.text.tables import LONGEST_LABEL
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer
from charrnn.text.word import commonest

# Not the run's: runs of other seeds are measured on the same texts. Nor 0, by which people shuffle files.
SPLIT_SEED = 8_128
FEWEST = 2  # texts of a label: one to learn from, one to be measured on
NAMED = 3  # of many texts with the same fault
TEXTS_A_READING = 256


@dataclass(frozen=True, slots=True)
class Documents:
    """Texts as ids, each headed by the boundary, so that none is empty."""

    ids: NDArray[np.int64]  # of all texts, one after the other
    starts: NDArray[np.int64]  # where each begins, and where the last one ends, [N + 1]
    labels: NDArray[np.int64]  # [N]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> NDArray[np.int64]:
        """The ids of one text."""
        return self.ids[self.starts[index] : self.starts[index + 1]]

    def shuffled(self, seed: int) -> NDArray[np.int64]:
        """The ids of all texts in an order of chance, for they lie sorted by label."""
        order = np.random.default_rng(seed).permutation(len(self))
        return np.concatenate([self[int(index)] for index in order])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many ids each text has, [N]."""
        return np.diff(self.starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledCorpus:
    """Labelled texts, ready to be learnt from and to be measured on."""

    training: Documents
    validation: Documents
    unlabelled: NDArray[np.int64]  # ids of texts without a label, each headed by the boundary
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    digest: str
    form: str
    notes: tuple[str, ...]


def prepare(
    labelled: Labelled,
    config: LabelledConfig,
    valid: Labelled | None = None,
    tokenizer: Tokenizer | None = None,
    unlabelled: Sequence[str] = (),
) -> Generator[Reading, None, LabelledCorpus]:
    """Splits and encodes labelled texts; yields progress, in characters, and returns the corpus.

    Args:
        labelled: what to learn from.
        config: how to read it.
        valid: what to measure on; without it, a share of `labelled` with the same mixture of labels.
        tokenizer: the vocabulary to use; without one it is built from the training part.
        unlabelled: texts without a label, from which words are learnt.

    Raises:
        TextError: if there are not two labels, or one has too few texts or stands in `valid` alone.
    """
    labels = labelled.labels
    if len(labels) < 2:
        found = f'only "{labels[0]}"' if labels else "none"
        raise TextError(f"a classifier needs at least 2 labels, found {found}")
    training, validation, notes = _divided(labelled, valid, config.val_fraction)
    if seen := _also_unlabelled(validation, unlabelled):
        notes.append(f"{seen:,} validation texts stand among those of --unlabelled, which tell no label")
    for label in sorted(set(labels) - {example.label for example in training}):
        raise TextError(f'the label "{label}" has no text to learn from that is not also measured on')
    texts = [[example.text for example in part] for part in (training, validation)]
    if tokenizer is None:
        tokenizer = _vocabulary([*texts[0], *unlabelled], config)
    number = {label: index for index, label in enumerate(labels)}
    total, done, encoded = sum(len(text) for part in (*texts, unlabelled) for text in part), 0, []
    for part in (*texts, unlabelled):
        ids: list[Ids] = []
        for index, text in enumerate(part):
            ids.append(tokenizer.encode(text))
            done += len(text)
            if index % TEXTS_A_READING == 0:
                yield Reading(done, total)
        encoded.append(ids)
    return LabelledCorpus(
        training=_documents(encoded[0], [number[example.label] for example in training], training),
        validation=_documents(encoded[1], [number[example.label] for example in validation], validation),
        unlabelled=_joined(encoded[2])[0],
        tokenizer=tokenizer,
        labels=labels,
        digest=_digest((*labelled.examples, *(valid.examples if valid else ())), unlabelled),
        form=labelled.form,
        notes=tuple(notes),
    )


def _divided(
    labelled: Labelled, valid: Labelled | None, fraction: float
) -> tuple[list[Example], list[Example], list[str]]:
    if valid is None:
        return *_split(labelled, fraction), []
    unknown = sorted(set(valid.labels) - set(labelled.labels))
    if unknown:
        where = next(example.source for example in valid.examples if example.label == unknown[0])
        raise TextError(f'{where}: the label "{unknown[0]}" occurs only in the validation texts')
    measured_on = {_without_layout(example.text) for example in valid.examples}
    training: list[Example] = []
    leaked: list[str] = []
    for example in labelled.examples:
        if _without_layout(example.text) in measured_on:
            leaked.append(example.source)
        else:
            training.append(example)
    notes = []
    if leaked:
        shown = ", ".join(leaked[:NAMED]) + (", …" if len(leaked) > NAMED else "")
        notes.append(f"{len(leaked):,} training texts stand among the validation texts, left out: {shown}")
    counts = Counter(example.label for example in (*training, *valid.examples))
    notes += [
        f'{example.source}: the only text with the label "{example.label}", which is not measured on'
        for example in training
        if counts[example.label] < FEWEST
    ][:NAMED]
    return training, list(valid.examples), notes


def _split(labelled: Labelled, fraction: float) -> tuple[list[Example], list[Example]]:
    """A share of every label's texts for validation; texts that are the same stay together."""
    kinds: dict[str, dict[str, list[Example]]] = {}
    home: dict[str, str] = {}  # the label under which a text was seen first
    for example in labelled.examples:
        text = _without_layout(example.text)
        label = home.setdefault(text, example.label)
        kinds.setdefault(label, {}).setdefault(text, []).append(example)
    random = np.random.default_rng(SPLIT_SEED)
    training: list[Example] = []
    validation: list[Example] = []
    for label in sorted(kinds):
        texts = list(kinds[label].values())
        if len(texts) < FEWEST:
            raise _too_few(labelled, texts[0])
        held = min(len(texts) - 1, max(1, round(fraction * len(texts))))
        order = random.permutation(len(texts))
        for place, index in enumerate(order):
            (validation if place < held else training).extend(texts[index])
    return training, validation


def _also_unlabelled(validation: Sequence[Example], unlabelled: Sequence[str]) -> int:
    """How many validation texts are a piece of the texts without a label, or a line of one."""
    measured_on = {_without_layout(example.text) for example in validation}
    read = (text for piece in unlabelled for text in (piece, *piece.split("\n")))
    return len({text for text in map(_without_layout, read) if text in measured_on})


def _too_few(labelled: Labelled, same: Sequence[Example]) -> TextError:
    """That a label has a single text, found once or several times, and what to do where it is none."""
    example = same[0]
    if labelled.folder is not None:
        hint = "give it another text, or leave it out; --task language-model if folders are no labels"
    elif labelled.is_headless and example == labelled.examples[0] and len(example.text) <= LONGEST_LABEL:
        heading = shlex.join(["--label-column", example.label, "--text-column", example.text])
        hint = f"give it another text, or leave it out; if the first row is a heading: {heading}"
    else:
        hint = "give it another text, or leave it out; if it is no label, --label-column names what is"
    times = sum(other.label == example.label for other in same)
    often = f", {times:,} times" if times > 1 else ""
    return TextError(
        f'{example.source}: the label "{example.label}" has a single text{often}; {FEWEST} are needed, '
        "to learn from and to measure on",
        hint,
    )


def _without_layout(text: str) -> str:
    """What texts that are the same share: a file ends with a line feed, a cell of a table does not."""
    return " ".join(text.split())


def _vocabulary(texts: Sequence[str], config: LabelledConfig) -> Tokenizer:
    if config.level == "byte":
        return ByteTokenizer()
    if config.level != "word":
        characters = sorted(set().union(*texts))
        if config.level == "char":
            return CharTokenizer(np.array([ord(character) for character in characters], np.uint32))
        total = sum(map(len, texts))
        # SentencePiece holds in memory all that it is given: of very much, every so many texts will do.
        some = texts[:: -(-total // subword.TRAINING_CHARACTERS) or 1]
        return subword.train(some, len(characters), total, config.subword, config.vocab_size)
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(words_of(text))
    return FoldedWordTokenizer(commonest(counts, config.vocab_size or READ_WORDS))


def _documents(ids: Sequence[Ids], labels: Sequence[int], examples: Sequence[Example]) -> Documents:
    texts = tuple(example.text for example in examples)
    return Documents(*_joined(ids), np.array(labels, np.int64), texts)


def _joined(ids: Sequence[Ids]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The ids of texts one after the other, each headed by the boundary, and where they begin and end."""
    starts = np.cumsum([0, *(1 + len(of) for of in ids)])
    whole = np.full(starts[-1], BOUNDARY, np.int64)
    for start, of in zip(starts, ids, strict=False):
        whole[start + 1 : start + 1 + len(of)] = of
    return whole, starts


def _digest(examples: Sequence[Example], unlabelled: Sequence[str]) -> str:
    total = hashlib.sha256()
    for part in (*(part for example in examples for part in (example.label, example.text)), *unlabelled):
        data = part.encode("utf-8", "surrogatepass")
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()
