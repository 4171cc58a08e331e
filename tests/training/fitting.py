"""A training run to its end, or to a step at which somebody stops it; its clock; what it left, made odd."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from charrnn.checkpoint import container
from charrnn.errors import CheckpointError
from charrnn.training.events import Event, Stepped
from charrnn.training.interrupt import Interrupt
from charrnn.training.loop import Training
from charrnn.training.start import Sitting
from tests.odd import ODD, places, with_odd


def fit(
    training: Training, stop_after: int | None = None, at: Callable[[Stepped], None] | None = None
) -> list[Event]:
    """All events; the run is asked to stop once it has taken so many steps, and `at` sees each of them."""
    interrupt, events = Interrupt(), []
    training.watch(interrupt)
    for event in training.fit():
        events.append(event)
        if isinstance(event, Stepped):
            if event.step == stop_after:
                interrupt.signal_number = 15
            if at:
                at(event)
    return events


def assert_equal_files(one: str, other: str, *names: str) -> None:
    """That runs kept in two folders left the same tensors, to the last bit."""
    for name in names:
        ours, theirs = (container.unpack(Path(folder, name))[1] for folder in (one, other))
        assert ours.keys() == theirs.keys()
        for tensor in ours:
            np.testing.assert_array_equal(ours[tensor], theirs[tensor], err_msg=tensor)


def at_each_command(seconds: float) -> Callable[..., Callable[[], float]]:
    """Clocks that show so many seconds more than the sittings before took."""

    def clock(_: Sitting, before: float = 0.0) -> Callable[[], float]:
        return lambda: before + seconds

    return clock


def refusals(folder: Path, load_recipe: Callable[[Path], object]) -> int:
    """How often what a run says of itself is refused, with one value of it odd; no worse may happen."""
    path = folder / "last.safetensors"
    description = container.read_metadata(path)
    del description["digest"]
    refused = 0
    for place in (*places(description, "recipe"), *places(description, "progress")):
        for odd in ODD:
            path.write_bytes(container.pack(with_odd(description, place, odd), {}))
            try:
                load_recipe(folder)
            except CheckpointError:
                refused += 1
    return refused
