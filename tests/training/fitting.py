"""A training run to its end, or to a step at which somebody stops it; and what it left, made odd."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from charrnn.checkpoint import container
from charrnn.errors import CheckpointError
from charrnn.training.events import Event, Stepped
from charrnn.training.interrupt import Interrupt
from charrnn.training.loop import Training


def fit(training: Training, stop_after: int | None = None) -> list[Event]:
    interrupt = Interrupt()
    training.watch(interrupt)
    events = []
    for event in training.fit():
        events.append(event)
        if isinstance(event, Stepped) and event.step == stop_after:
            interrupt.signal_number = 2
    return events


ODD: tuple[Any, ...] = (None, True, 7, "x", [1], {})


def refusals(folder: Path, load_recipe: Callable[[Path], object]) -> int:
    """How often what a run says of itself is refused, with one value of it odd; no worse may happen."""
    path = folder / "last.safetensors"
    description = container.read_metadata(path)
    del description["digest"]
    refused = 0
    for place in (*_places(description, "recipe"), *_places(description, "progress")):
        for odd in ODD:
            path.write_bytes(container.pack(_with(description, place, odd), {}))
            try:
                load_recipe(folder)
            except CheckpointError:
                refused += 1
    return refused


def _places(values: Any, key: str | int) -> Iterator[tuple[str | int, ...]]:
    """The way to a value of JSON and to all that is in it; the first of a list stands for the others."""
    yield (key,)
    inner = values[key]
    for next_key in inner if isinstance(inner, dict) else [0] if isinstance(inner, list) and inner else []:
        yield from ((key, *rest) for rest in _places(inner, next_key))


def _with(values: Any, place: tuple[str | int, ...], odd: Any) -> Any:
    changed = copy.deepcopy(values)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = odd
    return changed
