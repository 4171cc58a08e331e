"""How far long work has come, where anybody looks; the one place that uses tqdm."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from typing import Protocol, TypeVar, cast

from charrnn.terminal.notes import note
from charrnn.terminal.streams import talk, use_colour
from charrnn.terminal.units import short
from charrnn.text.encoding import Reading

Result = TypeVar("Result")

# Small corpora are read before a bar could be seen.
SHOWN_AFTER = 0.5
PLAIN_EVERY = 10.0


class _View(Protocol):
    def show(self, reading: Reading) -> None: ...

    def close(self) -> None: ...


def with_bar(
    work: Generator[Reading, None, Result], what: str = "reading", unit: str = "B", *, quiet: bool
) -> Result:
    """What the generator returns; meanwhile its progress is shown, as `what` so many of a unit."""
    started = time.monotonic()
    view: _View | None = None
    try:
        while True:
            try:
                reading = next(work)
            except StopIteration as done:
                return cast(Result, done.value)
            if view is None and not quiet and time.monotonic() - started >= SHOWN_AFTER:
                view = _opened(what, unit)
            if view is not None:
                view.show(reading)
    finally:
        if view is not None:
            view.close()


@contextlib.contextmanager
def counted(what: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Shows how many of a number are done; gives what is to be told of every few more."""
    started, done = time.monotonic(), 0
    view: _View | None = None

    def advance(more: int) -> None:
        nonlocal view, done
        done += more
        if view is None and not quiet and time.monotonic() - started >= SHOWN_AFTER:
            view = _opened(what, "")
        if view is not None:
            view.show(Reading(done, total))

    try:
        yield advance
    finally:
        if view is not None:
            view.close()


def _opened(what: str, unit: str) -> _View:
    if use_colour(talk()):
        with contextlib.suppress(ValueError):  # of a malformed TQDM_… variable
            return _Bar(what, unit)
    return _Lines(what, unit)


class _Bar:
    """A bar of tqdm's, on a terminal."""

    def __init__(self, what: str, unit: str) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            desc=what,
            unit=unit,
            unit_scale=True,
            miniters=1,  # or tqdm would wait for as much as went by before, also in the next pass
            file=talk(),
            leave=False,
            dynamic_ncols=True,
        )

    def show(self, reading: Reading) -> None:
        self._bar.total = reading.total or None
        self._bar.update(reading.done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """A plain line now and then, for logs and pipes."""

    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._said = -PLAIN_EVERY

    def show(self, reading: Reading) -> None:
        now = time.monotonic()
        if now - self._said >= PLAIN_EVERY:
            self._said = now
            of = f" of {short(reading.total)}" if reading.total else ""
            note(f"{self._what}: {short(reading.done)}{of}{self._unit}")

    def close(self) -> None:
        pass
