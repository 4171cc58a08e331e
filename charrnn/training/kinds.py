"""Whether values made of JSON are of the kinds they should be; a dataclass takes whatever it is given."""

from __future__ import annotations

from dataclasses import is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints


def check_kinds(value: Any) -> None:
    """Refuses a dataclass with a field of another kind than it says, however deep.

    Raises:
        TypeError: naming the field.
    """
    for name, kind in get_type_hints(type(value)).items():
        if not fits(getattr(value, name), kind):
            raise TypeError(f"{name} is of the wrong kind")


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a kind, however deep.

    Example:
        >>> fits(["a", "b"], list[str]), fits(True, int), fits(3, float), fits({"a": "x"}, dict[str, int])
        (True, False, True, False)
    """
    if kind is Any:
        return True
    arguments = get_args(kind)
    if isinstance(kind, UnionType):
        return any(fits(value, one) for one in arguments)
    if get_origin(kind) is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
        return len(value) == len(kinds) and all(map(fits, value, kinds))
    if get_origin(kind) is list:
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if get_origin(kind) is dict:
        of_key, of_value = arguments
        return isinstance(value, dict) and all(
            fits(key, of_key) and fits(inner, of_value) for key, inner in value.items()
        )
    if kind in (int, float):  # a whole number will do as a float, and True, an int to Python, will not
        return type(value) in (int, kind)
    if is_dataclass(value):
        check_kinds(value)
    return isinstance(value, kind)
