"""What a classifier says, for people: answers, the words behind one, and how right it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from charrnn.inference.answering import Piece
from charrnn.terminal.clean import clean
from charrnn.terminal.columns import GAP, Column, Row, fit, print_rows
from charrnn.terminal.heat import has_colours, most_telling, says, sides, style
from charrnn.terminal.scores import CALLED
from charrnn.terminal.tables import Bar

BAR_WIDTH = 20
COMMONEST = 10  # confusions, where there is no space for a table of all
PIPE_WIDTH = 200  # and of any line of figures: nobody could follow a longer one

ANSWERS = (
    Column("label", "bold", is_elastic=True, needs=20),
    Column("", "cyan", is_elastic=True, spared=2),
    Column("probability", is_number=True),
    Column("text", is_elastic=True, needs=20, spared=1),
)
FIGURES = (
    Column("", "bold"),
    Column("right", is_number=True),
    Column("macro F1", is_number=True, spared=1),
    Column("calibration error", is_number=True, spared=2),
    Column("nats/text", is_number=True, spared=3),
)
LABELS = (
    Column("label", "bold", is_elastic=True, needs=10),
    Column("texts", is_number=True, spared=2),
    Column("precision", is_number=True, spared=1),
    Column("recall", is_number=True),
)
CONFUSED = (
    Column("label", "bold", is_elastic=True),
    Column("answered", is_elastic=True),
    Column("texts", is_number=True),
)


def print_answers(console: Console, answers: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> None:
    """A row for every text: its likeliest labels and where it stood."""
    if not answers:
        return
    rows = [
        (
            Text(clean(label)),
            Bar(chance, BAR_WIDTH),
            Text(f"{chance:.2%}"),
            Text("" if rank else clean(source)),
        )
        for source, best in answers
        for rank, (label, chance) in enumerate(best)
    ]
    print_rows(console, ANSWERS, rows)


def print_explained(console: Console, source: str, label: str, pieces: Sequence[Piece]) -> None:
    """What the words of a text did to the probability of a label: the text on colours, else their figures."""
    if has_colours(console):
        _print_heading(console, source, label, "each word says")
        console.print(coloured(pieces))
        return
    words = [piece for piece in pieces if piece.effect]
    shown = most_telling(console, words, lambda piece: piece.effect)
    together = any(len(piece.text.split()) > 1 for piece in words)  # as they are in a long text
    _print_heading(console, source, label, says(len(shown), len(words), "part" if together else "word"))
    for piece in shown:
        line = Text(f"{piece.effect:+.4f}  {clean(piece.text)}")
        console.print(line, no_wrap=True, overflow="ellipsis")


def _print_heading(console: Console, source: str, label: str, who_says: str) -> None:
    of_label = f' "{clean(label)}":'
    console.print(Text.assemble((clean(source), "bold"), f": what {who_says} ", sides(console), of_label))


def coloured(pieces: Sequence[Piece]) -> Text:
    """A text, each word on the colour of what it says, beside the one that says most."""
    strongest = max((abs(piece.effect) for piece in pieces), default=0.0) or 1.0
    text = Text()
    for piece in pieces:
        text.append(clean(piece.text, keep_newlines=True), style(piece.effect / strongest))
    return text


def print_evaluation(console: Console, source: str, found: dict[str, Any]) -> None:
    """All figures of answers to texts whose labels are known."""
    console.print(Text(f"{source}: {found['texts']:,} texts, {found['seconds_per_1000']:.2f}s per 1,000"))
    width = min(console.width, PIPE_WIDTH)
    figures = [
        (
            Text(called),
            Text(f"{found[name]['accuracy']:.2%}"),
            Text(f"{found[name]['macro_f1']:.4f}"),
            Text(f"{found[name]['calibration_error']:.4f}"),
            Text(f"{found[name]['nats']:.4f}"),
        )
        for name, called in CALLED.items()
    ]
    print_rows(console, FIGURES, figures, width)
    console.print()
    labels = [
        (
            Text(clean(row["label"])),
            Text(f"{row['texts']:,}"),
            Text(f"{row['precision']:.4f}"),
            Text(f"{row['recall']:.4f}"),
        )
        for row in found["labels"]
    ]
    print_rows(console, LABELS, labels, width)
    console.print()
    _print_confusions(console, found, width)


def _print_confusions(console: Console, found: dict[str, Any], width: int) -> None:
    """How often each label was answered with each, or which were most where that does not fit."""
    table = _confusion_table(console, found, width)
    if table is not None:
        print_rows(console, *table, width)
        return
    pairs = found["confused"]
    if not pairs:
        console.print(Text("no text was taken for one of another label"))
        return
    is_part = len(pairs) > COMMONEST
    which = f"the {COMMONEST} commonest of {len(pairs):,} confusions (--json has all):"
    console.print(Text(which if is_part else "confusions:"))
    rows = [
        (Text(clean(pair["label"])), Text(clean(pair["answer"])), Text(f"{pair['texts']:,}"))
        for pair in pairs[:COMMONEST]
    ]
    print_rows(console, CONFUSED, rows, width)


def _confusion_table(
    console: Console, found: dict[str, Any], width: int
) -> tuple[Sequence[Column], Sequence[Row]] | None:
    """The table of confusions, its columns by name or else by number, if a line has space for them."""
    labels = [clean(row["label"]) for row in found["labels"]]
    if found["confusion"] is None or len(labels) * (GAP + len("→ 1")) > width:
        return None  # before there is a cell: there might be a million
    rows: list[list[RenderableType]] = [
        [Text(label), *(Text(f"{count:,}") for count in counts)]
        for label, counts in zip(labels, found["confusion"], strict=True)
    ]
    named = [Column("label", "bold"), *(Column(f"→ {label}", "dim", is_number=True) for label in labels)]
    if fit(console, named, rows, width):
        return named, rows
    numbers = [str(number) for number in range(1, len(labels) + 1)]
    rows = [[Text(number), *row] for number, row in zip(numbers, rows, strict=True)]
    of_numbers = (Column(f"→ {number}", "dim", is_number=True) for number in numbers)
    numbered = [Column("", "dim"), LABELS[0], *of_numbers]
    return (numbered, rows) if fit(console, numbered, rows, width) else None
