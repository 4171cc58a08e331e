"""Words of the command line to values, with one sentence for what is wrong.

Parsers of our own: Typer's let `inf` and `1_000` pass, and say what is wrong in other words than ours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from charrnn.cli import completion
from charrnn.config import Budget
from charrnn.errors import UsageError

WHOLE = re.compile(r"[0-9]{1,30}")
DECIMAL = re.compile(r"[0-9]*\.?[0-9]+(e[-+]?[0-9]{1,3})?|[0-9]+\.", re.IGNORECASE)
DURATION = re.compile(r"([0-9]*\.?[0-9]+)(s|m|h|)")
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
Value = TypeVar("Value")
MAX_DURATION = 30 * 24 * 3600.0
TEXTS = "a file, a folder or a pattern"  # what names texts to read


def whole(flag: str, low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        if not isinstance(text, str):
            return text  # a default, which is right as it is
        if not WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise UsageError(f"{flag} {_shown(text)}: must be a whole number from {low:,} to {high:,}")
        return int(text)

    return _named(parse, "NUMBER")


def number(flag: str, low: float, high: float, *, above: bool = False) -> Callable[[str], float]:
    """A parser of numbers from `low`, or from just above it, to `high`."""

    def parse(text: str) -> float:
        if not isinstance(text, str):
            return text
        value = float(text) if DECIMAL.fullmatch(text) else math.nan
        if not (low < value <= high or (value == low and not above)):
            start = f"above {low:g}" if above else f"from {low:g}"
            raise UsageError(f"{flag} {_shown(text)}: must be a number {start} to {high:g}")
        return value

    return _named(parse, "NUMBER")


def duration(flag: str) -> Callable[[str], Budget]:
    """A parser of times such as `90s`, `5m`, `2h`."""

    def parse(text: str) -> Budget:
        if not isinstance(text, str):
            return text
        match = DURATION.fullmatch(text)
        seconds = float(match[1]) * SECONDS[match[2]] if match else 0.0
        if not 0 < seconds <= MAX_DURATION:
            raise UsageError(f"{flag} {_shown(text)}: must be a time such as 90s, 5m or 2h, at most 720h")
        return Budget("seconds", seconds)

    return _named(parse, "TIME")


def one_of(flag: str, choices: Sequence[str]) -> Callable[[str], str]:
    """A parser that takes nothing but these words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise UsageError(f"{flag} {_shown(text)}: must be one of {', '.join(choices)}")
        return text

    return _named(parse, "|".join(choices))


def chosen(flag: str, choices: Sequence[str]) -> dict[str, Any]:
    """What Typer is told of an option that takes one of a few words: how to parse, complete and show it."""
    return {"parser": one_of(flag, choices), "autocompletion": completion.of(choices), "metavar": "NAME"}


def text_encoding(text: str) -> str:
    """A parser that takes encodings of text under any name, and gives the one name each has."""
    from charrnn.text.decoding import check_encoding

    return check_encoding(text)


def name_of(flag: str, what: str) -> Callable[[str], str]:
    """A parser of names: any words but the empty one, which a shell makes of a variable that is not set.

    Args:
        flag: the flag or argument.
        what: what it names, with its article.
    """

    def parse(text: str) -> str:
        if not text:
            raise UsageError(f"{flag} {_shown(text)}: must name {what}")
        return text

    return _named(parse, "TEXT")


def _shown(text: str) -> str:
    return text or "''"


def _named(parse: Callable[[str], Value], name: str) -> Callable[[str], Value]:
    # Typer shows a parser's name where help says what a flag takes.
    parse.__name__ = name
    return parse
