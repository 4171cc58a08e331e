"""Values from JSON are held against what fields say they are, however deep."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from charrnn.training.kinds import check_kinds


@dataclass(frozen=True)
class Inner:
    rate: float
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outer:
    name: str
    is_done: bool
    count: int
    inner: Inner
    limit: int | None = None
    within: tuple[float, float] | None = None
    history: tuple[Inner, ...] = ()
    figures: dict[str, float] | None = None
    flags: Any = None


WHOLE = Outer("x", True, 1, Inner(0.5, (1, 2)), 3, (1.0, 2), (Inner(1),), {"a": 1.0}, [])


def test_what_fields_say_passes() -> None:
    check_kinds(WHOLE)
    check_kinds(Outer("", False, 0, Inner(0)))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 5},
        {"name": None},
        {"is_done": 1},
        {"count": True},
        {"count": 1.0},
        {"inner": {"rate": 0.5}},
        {"limit": "3"},
        {"within": (1.0,)},
        {"within": [1.0, 2.0]},
        {"within": ("1", 2.0)},
        {"history": (1,)},
        {"figures": {"a": "b"}},
        {"figures": {1: 1.0}},
    ],
)
def test_a_value_of_another_kind_is_named(changes: dict[str, Any]) -> None:
    (name,) = changes
    with pytest.raises(TypeError, match=f"^{name} is of the wrong kind$"):
        check_kinds(replace(WHOLE, **changes))


@pytest.mark.parametrize("inner", [Inner(True), Inner("x")])  # type: ignore[arg-type]  # what JSON may hold
def test_a_value_within_is_named(inner: Inner) -> None:
    for whole in (replace(WHOLE, inner=inner), replace(WHOLE, history=(WHOLE.inner, inner))):
        with pytest.raises(TypeError, match=r"^rate is of the wrong kind$"):
            check_kinds(whole)
