"""`charrnn classify --eval`: how right a classifier is about texts whose labels are known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn.cli import stdin
from charrnn.cli.output import write_json
from charrnn.errors import TextError
from charrnn.text.document import STDIN
from charrnn.text.sources import find

if TYPE_CHECKING:
    from charrnn.inference.answering import Classifier
    from charrnn.terminal.streams import Product
    from charrnn.text.labelled import Example
    from charrnn.text.tables import Columns

MOST_CONFUSED = 1000  # labels; of more, the table of confusions would fill the memory


def evaluate_on(
    product: Product,
    classifier: Classifier,
    file: str,
    encoding: str,
    columns: Columns,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Reads labelled texts and shows all figures of the answers.

    Args:
        product: where to.
        classifier: what answers.
        file: with the texts, or a folder; `-` is standard input.
        encoding: of the texts.
        columns: which of a table are meant.
        as_json: for a program.
        quiet: show no progress.

    Raises:
        TextError: if the texts are not labelled, or have a label that the classifier does not know.
        UsageError: if there is no such file, or standard input is closed.
    """
    from charrnn.terminal.clean import clean

    if file == STDIN:
        stdin.wait("labelled texts", quiet=quiet)
    examples = _known(classifier, file, encoding, columns)
    found = {"source": file} | _measured(classifier, examples, quiet=quiet)
    if as_json:
        write_json(product, found)
    else:
        from charrnn.terminal.answers import print_evaluation
        from charrnn.terminal.console import for_product

        print_evaluation(for_product(product), clean(file), found)


def _known(classifier: Classifier, file: str, encoding: str, columns: Columns) -> list[Example]:
    """The labelled texts of a file or folder, each with a label that the classifier knows."""
    from charrnn.text.labelled import read, refuse_idle_columns

    root = Path(file) if Path(file).is_dir() else None
    known = set(classifier.labels)
    found = read(find([file], once=True), root, encoding, columns, known)
    refuse_idle_columns(found, columns)
    for example in found.examples:
        if example.label not in known:
            raise TextError(
                f'{example.source}: the classifier knows no label "{example.label}"',
                f"it knows: {', '.join(classifier.labels)}",
            )
    return found.examples


def _measured(classifier: Classifier, examples: Sequence[Example], *, quiet: bool) -> dict[str, Any]:
    """All figures of the answers, and how long they took."""
    import numpy as np

    from charrnn.evaluation import classification
    from charrnn.terminal.reading import counted

    number = {label: index for index, label in enumerate(classifier.labels)}
    labels = np.array([number[example.label] for example in examples])
    texts = [example.text for example in examples]
    begun = time.perf_counter()
    with counted("classifying", len(texts), quiet=quiet) as advance:
        net, linear = classifier.scores(texts, advance)
    seconds = time.perf_counter() - begun
    calibration = classifier.checkpoint.calibration
    answer = calibration.answer(net, linear)
    if calibration.mixed_linear == 0.0:
        linear = classifier.linear_scores(texts)
    answers, classes = answer.argmax(1), len(classifier.labels)
    precision, recall = classification.precision_and_recall(answers, labels, classes)
    counts = np.bincount(labels, minlength=classes)
    return {
        "texts": len(texts),
        "seconds_per_1000": 1000 * seconds / len(texts),
        "answer": asdict(classification.figures(answer, labels)),
        "net": asdict(classification.figures(calibration.net * net, labels)),
        "linear": asdict(classification.figures(calibration.linear * linear, labels)),
        "labels": [
            {"label": label, "texts": int(count), "precision": float(p), "recall": float(r)}
            for label, count, p, r in zip(classifier.labels, counts, precision, recall, strict=True)
        ],
        "confused": [
            {"label": classifier.labels[label], "answer": classifier.labels[answer], "texts": count}
            for label, answer, count in classification.confused(answers, labels, classes)
        ],
        "confusion": classification.confusion(answers, labels, classes).tolist()
        if classes <= MOST_CONFUSED
        else None,
    }
