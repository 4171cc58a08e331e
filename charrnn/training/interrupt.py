"""Signals become a flag that the loop looks at: the step is finished and saved, then the process goes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import NoReturn

from charrnn.errors import Signalled

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A wish may come twice: a terminal that closes is told by the shell and by the kernel, `timeout` signals a
# process and then its group. But who presses Ctrl-C twice means it.
ECHO_SECONDS = 1.0


class Interrupt:
    """Whether somebody asked to stop, and by which signal."""

    signal_number: int | None = None

    @property
    def requested(self) -> bool:
        """Whether to stop at the next step."""
        return self.signal_number is not None

    def heed(self) -> None:
        """Goes no further if somebody asked to stop.

        Raises:
            Signalled: by whom.
        """
        if self.signal_number is not None:
            raise Signalled(self.signal_number)


@contextlib.contextmanager
def watched(before_leaving: Callable[[], None] = lambda: None) -> Iterator[Interrupt]:
    """An `Interrupt` that the first signal sets; the second, unless it is an echo, ends the process at once.

    Args:
        before_leaving: is called before a second signal ends the process, or Ctrl-Z lets it wait.
    """
    interrupt = Interrupt()
    first_at = 0.0

    def note(number: int, _: FrameType | None) -> None:
        nonlocal first_at
        if not interrupt.requested:
            interrupt.signal_number, first_at = number, time.monotonic()
        elif number == signal.SIGINT or time.monotonic() - first_at > ECHO_SECONDS:
            before_leaving()
            die(number)

    def wait(_: int, __: FrameType | None) -> None:
        before_leaving()
        # Until somebody has it go on. Where no shell could, the kernel drops this signal, but not SIGSTOP.
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, wait)

    with _handled({**dict.fromkeys(SIGNALS, note), signal.SIGTSTP: wait}):
        yield interrupt


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Ends the block at the first signal, wherever it is: for work of which nothing would be saved.

    Raises:
        Signalled: by which signal.
    """

    def end(number: int, _: FrameType | None) -> None:
        raise Signalled(number)

    with _handled(dict.fromkeys(SIGNALS, end)):
        yield


def die(number: int) -> NoReturn:
    """Ends this process by a signal, so that its parent sees what happened."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # The kernel keeps the first process of a container from every signal that it does not catch.
    os._exit(128 + number)


@contextlib.contextmanager
def _handled(handlers: Mapping[int, Callable[[int, FrameType | None], None]]) -> Iterator[None]:
    before = {
        number: signal.signal(number, handler)
        for number, handler in handlers.items()
        if not _is_ignored(number)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN  # as `nohup` does with SIGHUP
