"""Numbers as people read them."""

from __future__ import annotations

# What tokens are called, by their level.
UNITS = {"char": "chars", "byte": "bytes", "word": "tokens", "subword": "tokens"}
STEPS = ((1e9, " G"), (1e6, " M"), (1e3, " k"))


def short(number: float) -> str:
    """Three digits and a unit.

    Example:
        >>> short(1_234_567), short(31_204), short(999_999), short(42)
        ('1.23 M', '31.2 k', '1.00 M', '42')
    """
    number = float(f"{number:.3g}")  # first, or 999,999 would be 1000 k
    for size, unit in STEPS:
        if abs(number) >= size:
            scaled = number / size
            return f"{scaled:.{2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0}f}{unit}"
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any.

    Example:
        >>> duration(75.4), duration(3 * 3600 + 61)
        ('1:15', '3:01:01')
    """
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def exact(number: float) -> str:
    """As short as a number can be said and still be the same when it is read.

    Example:
        >>> exact(3 / 384), exact(0.0)
        ('0.0078125', '0')
    """
    return repr(number).removesuffix(".0")
