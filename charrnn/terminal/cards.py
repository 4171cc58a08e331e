"""Two columns of facts: the card at the end of a training, and the model card."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.terminal.clean import clean

Fact = tuple[str, str]
# Whose values are copied, so that no line end of ours may stand in them; the last belongs to the one before.
COPIED = ("cache", "go on", "next", "")


def print_card(console: Console, facts: Sequence[Fact]) -> None:
    """The facts, one a line, names on the left; on a terminal long values wrap under themselves."""
    if not console.is_terminal:
        for name, value in facts:
            console.print(f"{name:<12} {clean(value)}", soft_wrap=True)
        return
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        if name in COPIED:
            console.print(Text.assemble((f"{name:<{width}}  ", "cyan"), clean(value)), soft_wrap=True)
            continue
        table = Table.grid(padding=(0, 2))
        table.add_column(style="cyan", no_wrap=True, width=width)
        table.add_column(overflow="fold")
        table.add_row(Text(name), Text(clean(value)))
        console.print(table)
