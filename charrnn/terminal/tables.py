"""Findings as tables for people: next characters, surprise, runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from charrnn.inference.language_model import NextToken
from charrnn.inspection.run_table import RunRow
from charrnn.inspection.surprise import Surprise
from charrnn.terminal.clean import clean
from charrnn.terminal.columns import Column, print_rows
from charrnn.terminal.units import duration, short

BAR_WIDTH = 30
BYTES = 256  # the ids that follow the boundary's, where a byte is a token
BLOCKS = " ▏▎▍▌▋▊▉█"
MAX_LINE = 200
CONTEXT = 40  # characters of the text before a prediction
# From unsurprising to surprising, as bits per byte up to each bound.
HEAT = ((1.0, "green"), (2.0, "cyan"), (3.0, "yellow"), (math.inf, "red"))

NEXT = (
    Column("next", "bold", is_elastic=True),
    Column("", "cyan", is_elastic=True, spared=3),
    Column("probability", is_number=True),
    Column("bits", is_number=True, spared=1),
    Column("code point", "dim", spared=2),
)
SURPRISE = (
    Column("line", "dim", is_number=True, spared=2),
    Column("bits/byte", is_number=True),
    Column("text", is_elastic=True, needs=5, spared=1),
)
RUNS = (
    Column("score", is_number=True),
    Column("run", is_elastic=True),
    Column("model", is_elastic=True, spared=1),
    Column("parameters", is_number=True, spared=2),
    Column("trained", is_number=True, spared=3),
    Column("created", is_number=True, spared=4),
)


def print_next(
    console: Console,
    text: str,
    tokens: Sequence[NextToken],
    reserved: dict[int, str],
    *,
    has_bytes: bool,
) -> None:
    """The likeliest next tokens after a text.

    Args:
        console: where.
        text: what was read.
        tokens: the likeliest first.
        reserved: names of ids that stand for no text.
        has_bytes: whether a byte is a token.
    """
    # Not the table's title, which would wrap where the table ends.
    console.print(Text(f"after {_quoted(text)}", "italic"))
    rows = []
    for token in tokens:
        name, code = glyph(token, reserved, has_bytes=has_bytes)
        share = Bar(token.probability, BAR_WIDTH)
        rows.append(
            (Text(name), share, Text(f"{token.probability:.2%}"), Text(f"{token.bits:.2f}"), Text(code))
        )
    print_rows(console, NEXT, rows)


def print_surprise(console: Console, source: str, found: Surprise) -> None:
    """A text line by line, the surprising ones standing out, and the figure for all of it."""
    rows = []
    for number, line in enumerate(found.lines, 1):
        colour = next(colour for bound, colour in HEAT if line.bits_per_byte <= bound)
        text = clean(line.text.rstrip("\n"), limit=MAX_LINE)
        rows.append((Text(str(number)), Text(f"{line.bits_per_byte:.3f}", colour), Text(text, colour)))
    print_rows(console, SURPRISE, rows)
    console.print(
        Text(f"{clean(source)}: {found.bits_per_byte:.3f} bits/byte, {found.nats_per_token:.4f} nats/token")
    )


def print_runs(console: Console, rows: Sequence[RunRow]) -> None:
    """All runs, best first; below them those without a model that can be read, and why."""
    read = [row for row in rows if not row.error]
    longest = max((cell_len(clean(row.model)) for row in read), default=0)
    columns = [replace(column, needs=longest) if column.name == "model" else column for column in RUNS]
    if read:
        print_rows(console, columns, [[Text(clean(cell)) for cell in run_cells(row)] for row in read])
    for row in rows:
        if row.error:
            console.print(Text(f"{clean(row.name)}  {clean(row.error)}"), soft_wrap=True)


def run_cells(row: RunRow) -> tuple[str, ...]:
    """The cells of a run's row."""
    if row.error:
        return ("", row.name, row.error, "", "", "")
    return (
        _score(row),
        row.name,
        row.model,
        "" if row.parameters is None else short(row.parameters),
        "training…" if row.is_training else "" if row.seconds is None else duration(row.seconds),
        _local_time(row.created),
    )


def _score(row: RunRow) -> str:
    if row.bits_per_byte is not None:
        return f"{row.bits_per_byte:.4f} bits/byte"
    return "" if row.accuracy is None else f"{row.accuracy:.2%} right"


def glyph(token: NextToken, reserved: dict[int, str], *, has_bytes: bool) -> tuple[str, str]:
    """How a token is shown, and its code point or byte; arguments as for `print_next`."""
    if token.token in reserved:
        return reserved[token.token], ""
    if has_bytes and token.text == "\ufffd" and token.token <= BYTES:
        return "byte", f"0x{token.token - 1:02X}"
    if len(token.text) > 1:
        return quoted_space(clean(token.text)), ""
    names = {" ": "space", "\n": "newline", "\t": "tab"}
    return names.get(token.text, clean(token.text)), f"U+{ord(token.text):04X}"


def quoted_space(text: str) -> str:
    """A text whose white space at an end can be seen.

    Example:
        >>> quoted_space(" the"), quoted_space("the")
        ('" the"', 'the')
    """
    return text if text == text.strip() else f'"{text}"'


def bar(share: float, width: int) -> str:
    """A bar that fills a share of a width, to an eighth of a cell.

    Example:
        >>> bar(0.5, 3)
        '█▌'
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (BLOCKS[rest] if rest else "")


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar as wide as its column."""

    share: float
    width: int  # of the column where there is space for it

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(bar(self.share, min(self.width, options.max_width)))

    def __rich_measure__(self, _: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, min(self.width, options.max_width))


def _quoted(text: str) -> str:
    shown = clean(text[-CONTEXT:])
    return f'"{"…" if len(text) > CONTEXT else ""}{shown}"' if text else "nothing"


def _local_time(created: str) -> str:
    try:
        return datetime.fromisoformat(created).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):  # of a foreign file: no date, or one beyond the calendar
        return ""
