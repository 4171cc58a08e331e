"""Values that JSON can hold, put in the place of what should stand there."""

import copy
from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (None, True, 7, "x", [1], {})
Place = tuple[str | int, ...]


def places(values: Any, key: str | int) -> Iterator[Place]:
    """The way to a value of JSON and to all that is in it; the first of a list stands for the others."""
    yield (key,)
    inner = values[key]
    for next_key in inner if isinstance(inner, dict) else [0] if isinstance(inner, list) and inner else []:
        yield from ((key, *rest) for rest in places(inner, next_key))


def at(values: Any, place: Place) -> Any:
    """What stands there."""
    for key in place:
        values = values[key]
    return values


def with_odd(values: Any, place: Place, odd: Any) -> Any:
    """A copy with another value there."""
    changed = copy.deepcopy(values)
    at(changed, place[:-1])[place[-1]] = odd
    return changed
