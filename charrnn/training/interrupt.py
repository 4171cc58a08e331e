"""Signals become a flag that the loop looks at: the step is finished and saved, then the process goes."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """Whether somebody asked to stop, and by which signal."""

    signal_number: int | None = None

    @property
    def requested(self) -> bool:
        """Whether to stop at the next step."""
        return self.signal_number is not None


@contextlib.contextmanager
def watched() -> Iterator[Interrupt]:
    """An `Interrupt` that the first signal sets; the second ends the process at once."""
    interrupt = Interrupt()

    def note(number: int, _: FrameType | None) -> None:
        if interrupt.requested:
            die(number)
        interrupt.signal_number = number

    before = {number: signal.signal(number, note) for number in SIGNALS if not _is_ignored(number)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def die(number: int) -> None:
    """Ends this process by a signal, so that its parent sees what happened."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN  # as `nohup` does with SIGHUP
