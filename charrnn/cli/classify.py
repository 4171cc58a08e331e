"""`charrnn classify`: texts in, labels out, one result each and in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from charrnn.cli import classifier_options, options, stdin
from charrnn.cli.engine import choose as choose_engine
from charrnn.cli.given_texts import Text, texts
from charrnn.cli.output import write_json
from charrnn.cli.threads import asked_for, prepare_threads
from charrnn.config import CorpusConfig
from charrnn.errors import Found, TextError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from charrnn.inference.answering import Classifier, Piece
    from charrnn.terminal.streams import Product

UNSURE = "?"


def classify(
    inputs: options.Classified = None,
    model: options.Model = None,
    lines: options.EveryLine = False,
    top: options.Top = 1,
    abstain: options.Abstain = None,
    explain: options.Explain = False,
    evaluate: options.Evaluate = None,
    label_column: classifier_options.LabelColumn = None,
    text_column: classifier_options.TextColumn = None,
    fail_if: options.FailIf = None,
    fail_under: options.FailUnder = None,
    encoding: options.TextEncoding = CorpusConfig.encoding,
    json: options.Json = False,
    threads: options.Threads = None,
    engine: options.Engine = None,
    quiet: options.Quiet = False,
) -> None:
    """Say which label each text has.

    There is one result for every file, or for every line of standard input, in the same order: label,
    probability and where the text stood, separated by tabs. On a terminal it is a table.
    """
    prepare_threads(asked_for(threads))
    choose_engine(engine)
    from charrnn.cli.models import announce
    from charrnn.terminal.streams import Product

    if not inputs and evaluate is None and not stdin.is_given():
        raise UsageError("classify: which texts?", "charrnn classify review.txt, or pipe lines of text in")
    of_answers = {
        "other inputs": bool(inputs),
        "--lines": lines,
        "--top": top > 1,
        "--abstain": abstain is not None,
        "--explain": explain,
        "--fail-if": fail_if is not None,
        "--fail-under": fail_under is not None,
    }
    _check_purpose(evaluate, of_answers, (label_column, text_column))
    product = Product()
    from charrnn.checkpoint import classifier as files
    from charrnn.inference.answering import Classifier

    classifier = Classifier(files.load(announce(model, kind=files.KIND, quiet=quiet).path))
    if evaluate is not None:
        from charrnn.cli.evaluate import evaluate_on
        from charrnn.text.tables import Columns

        columns = Columns(label_column, text_column)
        evaluate_on(product, classifier, evaluate, encoding, columns, as_json=json, quiet=quiet)
        return
    if fail_if is not None and fail_if not in classifier.labels:
        raise UsageError(f"--fail-if {fail_if}: no such label", f"there are: {', '.join(classifier.labels)}")
    asked = _Asked(top, abstain, explain, json, fail_if, fail_under, quiet)
    _answer_all(product, classifier, texts(inputs, encoding, lines=lines, quiet=quiet), asked)


def _check_purpose(
    evaluate: str | None, of_answers: Mapping[str, bool], columns: Sequence[str | None]
) -> None:
    """Refuses what says how to answer beside `--eval`, and columns without it."""
    if evaluate is None and any(column is not None for column in columns):
        raise UsageError("--label-column and --text-column are for the file of --eval")
    for flag, is_given in of_answers.items():
        if evaluate is not None and is_given:
            raise UsageError(f"--eval {evaluate}: does not go with {flag}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """How to answer."""

    top: int
    abstain: float | None
    explain: bool
    as_json: bool
    fail_if: str | None
    fail_under: float | None
    quiet: bool

    def withholds(self, chance: float) -> bool:
        """Whether the likeliest label is too unlikely to be given."""
        return self.abstain is not None and chance < self.abstain


def _answer_all(
    product: Product, classifier: Classifier, batches: Iterator[Sequence[Text]], asked: _Asked
) -> None:
    from charrnn.terminal.notes import show_error

    bad = total = 0
    reason = ""
    for batch in batches:
        good = [item.text for item in batch if item.error is None]
        answers = iter(classifier.probabilities(good)) if good else iter(())
        rows: list[tuple[Text, NDArray[np.float64]]] = []
        for item in batch:
            if item.error is not None:
                bad += 1
                show_error(item.error)
                continue
            chances = next(answers)
            rows.append((item, chances))
            reason = reason or _reason_to_fail(classifier, item.source, chances, asked)
        _write(product, classifier, rows, asked)
        product.flush()
        total += len(batch)
    found = Found(reason) if reason else None
    if bad:
        if found:
            show_error(found)
        raise TextError(f"{bad:,} of {total:,} texts could not be classified")
    if found:
        raise found


def _reason_to_fail(classifier: Classifier, source: str, chances: NDArray[np.float64], asked: _Asked) -> str:
    best = int(chances.argmax())
    label, chance = classifier.labels[best], float(chances[best])
    if asked.fail_if == label and not asked.withholds(chance):
        return f"{source}: {label}"
    if asked.fail_under is not None and chance < asked.fail_under:
        return f"{source}: {label} with a probability of {chance:.4f}, below {asked.fail_under:g}"
    return ""


def _write(
    product: Product,
    classifier: Classifier,
    rows: Sequence[tuple[Text, NDArray[np.float64]]],
    asked: _Asked,
) -> None:
    from charrnn.terminal.clean import clean

    if product.is_terminal and not asked.as_json:
        from charrnn.terminal.answers import print_answers, print_explained
        from charrnn.terminal.console import for_product

        console = for_product(product)
        print_answers(console, [(row.source, _best(classifier, p, asked)) for row, p in rows])
        if asked.explain:
            for row, p in rows:
                best = int(p.argmax())
                pieces = _explained(classifier, row.text, best, quiet=asked.quiet)
                print_explained(console, row.source, classifier.labels[best], pieces)
        return
    for row, p in rows:
        best = int(p.argmax())
        pieces = _explained(classifier, row.text, best, quiet=asked.quiet) if asked.explain else []
        if asked.as_json:
            found: dict[str, Any] = {
                "source": row.source,
                "label": None if asked.withholds(float(p[best])) else classifier.labels[best],
                "probability": float(p[best]),
                "probabilities": dict(zip(classifier.labels, map(float, p), strict=True)),
            }
            if asked.explain:
                found["explained"] = classifier.labels[best]
                found["pieces"] = [{"text": piece.text, "effect": piece.effect} for piece in pieces]
            write_json(product, found)
            continue
        cells = [cell for label, chance in _best(classifier, p, asked) for cell in (label, f"{chance:.6f}")]
        product.write("\t".join([*cells, clean(row.source)]) + "\n")
        for piece in pieces:
            if piece.effect:
                product.write(f"\t{piece.effect:+.6f}\t{clean(piece.text)}\n")
        if asked.explain:  # the next one takes its time
            product.flush()


def _explained(classifier: Classifier, text: str, label: int, *, quiet: bool) -> list[Piece]:
    """What each part of a text did to the probability of a label, found in view of the person."""
    from charrnn.inference.answering import readings
    from charrnn.terminal.reading import counted

    with counted("explaining", readings(text), quiet=quiet) as advance:
        return classifier.explain(text, label, advance)


def _best(classifier: Classifier, chances: NDArray[np.float64], asked: _Asked) -> list[tuple[str, float]]:
    """The likeliest labels with their probabilities; the first is withheld where it is too unsure."""
    order = (-chances).argsort(kind="stable")[: asked.top]
    best = [(classifier.labels[index], float(chances[index])) for index in order]
    if asked.withholds(best[0][1]):
        best[0] = (UNSURE, best[0][1])
    return best
