"""A training run to its end, or to a step at which somebody stops it."""

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
