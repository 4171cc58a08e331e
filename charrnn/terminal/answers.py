"""What a classifier says, for people: answers, the words behind one, and how right it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.inference.answering import Piece
from charrnn.terminal.clean import clean
from charrnn.terminal.columns import Column, print_rows
from charrnn.terminal.heat import style
from charrnn.terminal.tables import Bar

BAR_WIDTH = 20
MAX_LABELS = 20  # in a table of confusions

ANSWERS = (
    Column("label", "bold", is_elastic=True, needs=20),
    Column("", "cyan", is_elastic=True, spared=2),
    Column("probability", is_number=True),
    Column("text", is_elastic=True, needs=20, spared=1),
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


def print_explained(console: Console, label: str, pieces: Sequence[Piece]) -> None:
    """A text whose words are coloured by what they did to the probability of a label."""
    strongest = max((abs(piece.effect) for piece in pieces), default=0.0) or 1.0
    line = Text("what each word says ")
    line.append("for", style(1.0))
    line.append(" or ")
    line.append("against", style(-1.0))
    line.append(f' "{clean(label)}":')
    console.print(line)
    text = Text()
    for piece in pieces:
        text.append(clean(piece.text, keep_newlines=True), style(piece.effect / strongest))
    console.print(text)


def print_evaluation(console: Console, source: str, found: dict[str, Any]) -> None:
    """All figures of answers to texts whose labels are known."""
    console.print(Text(f"{source}: {found['texts']:,} texts, {found['seconds_per_1000']:.2f}s per 1,000"))
    table = Table(box=None, pad_edge=False)
    table.add_column("", style="bold")
    for name in ("accuracy", "macro F1", "calibration error", "nats/text"):
        table.add_column(name, justify="right")
    for name in ("answer", "net", "linear"):
        row = found[name]
        table.add_row(
            name,
            f"{row['accuracy']:.2%}",
            f"{row['macro_f1']:.4f}",
            f"{row['calibration_error']:.4f}",
            f"{row['nats']:.4f}",
        )
    console.print(table)
    console.print()
    table = Table(box=None, pad_edge=False)
    table.add_column("label", style="bold", no_wrap=True)
    for name in ("texts", "precision", "recall"):
        table.add_column(name, justify="right")
    shown = found["labels"] if len(found["labels"]) <= MAX_LABELS else []
    for row in shown:
        table.add_column(f"→ {clean(row['label'])}", justify="right", style="dim")
    for index, row in enumerate(found["labels"]):
        cells = [clean(row["label"]), f"{row['texts']:,}", f"{row['precision']:.4f}", f"{row['recall']:.4f}"]
        counts = found["confusion"][index] if shown else ()
        table.add_row(*map(Text, cells), *(f"{count:,}" for count in counts))
    console.print(table)
