"""What others learn from the same labelled texts: fastText, scikit-learn, and charrnn's linear model alone.

Labelled texts come in; how right each is about the test texts goes out, and how long it took. All learn from
the whole training file, of which `charrnn train` keeps a tenth to be measured on.

fastText comes with `pip install -e '.[bench]'`, where there is a build of it; scikit-learn with `.[dev]`.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import tables
from charrnn.config import CorpusConfig
from charrnn.evaluation.classification import macro_f1
from charrnn.text import labelled
from charrnn.text.folded import words_of
from charrnn.text.ngrams import LONGEST
from charrnn.text.sources import find
from charrnn.text.word import WORD
from charrnn.training import linear


class Setting(NamedTuple):
    """How fastText is trained, in the names of its own arguments."""

    word_ngrams: int
    epoch: int
    lr: float
    dim: int
    minn: int = 0  # characters of the shortest and the longest piece of a word; 0: none
    maxn: int = 0

    def __str__(self) -> str:
        given = {name: value for name, value in self._asdict().items() if value}
        return f"fastText: {', '.join(f'{name} {value}' for name, value in given.items())}"


PAIRS = (
    # Joulin et al. 2017 (arXiv:1607.01759), sec. 3.1: ten hidden units, five epochs, pairs of words.
    Setting(word_ngrams=2, epoch=5, lr=0.5, dim=10),
    Setting(word_ngrams=2, epoch=25, lr=0.5, dim=10),
)
SETTINGS = (
    Setting(word_ngrams=1, epoch=25, lr=0.5, dim=100),
    *PAIRS,
    Setting(word_ngrams=3, epoch=25, lr=0.1, dim=10),
    # Where a text is a name or a word, only what that is made of can tell anything.
    Setting(word_ngrams=2, epoch=25, lr=0.5, dim=10, minn=2, maxn=5),
)
BUCKETS = 2_000_000
THREADS = 2
# No word that `words_of` finds begins so: a mark is a word of its own.
LABEL_PREFIX = "##"
HEADINGS = ("texts", "rival", "accuracy", "macro F1", "trained, s", "texts/s")


class Texts(NamedTuple):
    """Texts with the numbers of their labels, [N]."""

    texts: list[str]
    labels: NDArray[np.int64]


class Task(NamedTuple):
    """What to learn from, what to be measured on, and how many labels there are."""

    training: Texts
    test: Texts
    classes: int


class Result(NamedTuple):
    """How right a rival is about the test texts."""

    rival: str
    accuracy: float
    macro_f1: float
    seconds: float  # of training
    texts_per_second: float  # at answering, on one thread


def read(training: Path, test: Path) -> Task:
    """The task of two files of labelled texts.

    Raises:
        KeyError: if a label stands in the test texts alone.
    """
    learnt, asked = (
        labelled.read(find([str(path)]), None, CorpusConfig.encoding) for path in (training, test)
    )
    number = {label: index for index, label in enumerate(learnt.labels)}

    def numbered(found: labelled.Labelled) -> Texts:
        labels = [number[example.label] for example in found.examples]
        return Texts([example.text for example in found.examples], np.array(labels, np.int64))

    return Task(numbered(learnt), numbered(asked), len(number))


def find_fasttext() -> bool:
    """Whether fastText is installed; a line says so if it is not."""
    is_there = importlib.util.find_spec("fasttext") is not None
    if not is_there:
        print("\nfastText is left out: it is not installed (pip install -e '.[bench]')", flush=True)
    return is_there


def fasttext(task: Task, settings: Sequence[Setting]) -> Iterator[Result]:
    """What fastText makes of a task with each setting, one after the other.

    It is given words parted by blanks, the same as charrnn's, and its seconds begin there.
    """
    import fasttext as library

    questions = [" ".join(words_of(text)) for text in task.test.texts]
    with tempfile.TemporaryDirectory() as folder:
        lesson = Path(folder) / "lesson.txt"
        lesson.write_text("\n".join(lesson_lines(task.training)) + "\n", "utf-8")
        for setting in settings:
            begun = time.perf_counter()
            model = library.train_supervised(
                str(lesson),
                **setting._asdict(),
                bucket=BUCKETS,
                thread=THREADS,
                label_prefix=LABEL_PREFIX,
                verbose=0,
            )
            trained = time.perf_counter()
            # A list, not text by text: that way of asking fails with NumPy 2.
            told, _ = model.predict(questions)
            answered = time.perf_counter()
            answers = np.array([int(best[0].removeprefix(LABEL_PREFIX)) for best in told], np.int64)
            yield _result(str(setting), task, answers, (begun, trained, answered))


def lesson_lines(training: Texts) -> Iterator[str]:
    """Labelled texts as fastText reads them.

    Example:
        >>> list(lesson_lines(Texts(["So  GOOD!"], np.array([1]))))
        ['##1 so good !']
    """
    for text, label in zip(*training, strict=True):
        yield " ".join((f"{LABEL_PREFIX}{label}", *words_of(text)))


def naive_bayes(task: Task) -> Result:
    """What scikit-learn's logistic regression makes of two labels, on n-grams weighted as naive Bayes would.

    (Wang & Manning 2012, sec. 2, as published: rows of zeros and ones, nothing of negation.) Words, n-grams,
    which of them are kept, and the penalty are those of charrnn's linear model.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    begun = time.perf_counter()
    counter = CountVectorizer(
        token_pattern=WORD.pattern,
        ngram_range=(1, LONGEST),
        binary=True,
        min_df=linear.SEEN_IN,
        dtype=np.float32,
    )
    found = counter.fit_transform(task.training.texts)  # [N, F]
    inside, outside = (
        np.asarray(found[task.training.labels == label].sum(0)).ravel() + linear.SMOOTHING for label in (1, 0)
    )
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    # Unlike charrnn's, and unlike lbfgs, liblinear holds the intercept back too.
    model = LogisticRegression(C=1 / linear.PENALTY, solver="liblinear")
    model.fit(found.multiply(ratio).tocsr(), task.training.labels)
    trained = time.perf_counter()
    answers = model.predict(counter.transform(task.test.texts).multiply(ratio).tocsr())
    times = (begun, trained, time.perf_counter())
    return _result("scikit-learn: naive Bayes logistic regression", task, answers, times)


def linear_alone(task: Task) -> Result:
    """What charrnn's linear model makes of a task, without a net beside it and with all the texts."""
    begun = time.perf_counter()
    is_close = linear.are_short(task.training.texts)
    model = linear.train(*task.training, np.ones(task.classes, np.float32), outlines=is_close)
    trained = time.perf_counter()
    answers = model.logits(task.test.texts).argmax(1)
    return _result("charrnn: linear model alone", task, answers, (begun, trained, time.perf_counter()))


def print_headings() -> None:
    tables.print_headings(HEADINGS)


def print_result(texts: str, result: Result) -> None:
    cells = (
        texts,
        result.rival,
        f"{result.accuracy:.4f}",
        f"{result.macro_f1:.4f}",
        f"{result.seconds:.1f}",
        f"{result.texts_per_second:,.0f}",
    )
    tables.print_row(cells)


def _result(rival: str, task: Task, answers: NDArray[np.int64], times: tuple[float, float, float]) -> Result:
    begun, trained, answered = times
    labels = task.test.labels
    return Result(
        rival=rival,
        accuracy=float(np.mean(answers == labels)),
        macro_f1=macro_f1(answers, labels, task.classes),
        seconds=trained - begun,
        texts_per_second=len(answers) / (answered - trained),
    )
