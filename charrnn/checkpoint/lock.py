"""The lock of the one who trains in a run's folder; the kernel keeps it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from charrnn.config import LOCK_FILE
from charrnn.errors import StorageError, storage_error

# `is_locked` holds the lock for a moment, too; one that is held for longer than this is a trainer's.
ASKING_SECONDS = 0.05
PAUSE_SECONDS = 0.001
# What one can do while another process trains in the folder.
ELSEWHERE = "another --name starts another run"
LATER = "wait until it has ended, or stop it, which saves what it has learnt"


class BusyError(StorageError):
    """Another process trains in a run's folder."""


@contextlib.contextmanager
def locked(run: Path, instead: str = ELSEWHERE) -> Iterator[None]:
    """Holds a run's folder for one trainer; the kernel lets go when the process ends, however it does.

    Args:
        run: the folder, which is made if it is not there.
        instead: the hint if another process trains there; `LATER` where the run itself is meant.

    Raises:
        BusyError: if another process trains there.
        StorageError: if the folder cannot be made.
    """
    descriptor = _lock(run, instead)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(run: Path, instead: str) -> int:
    """The lock's file, open and locked, in the folder as it is now."""
    while True:
        descriptor = None
        try:
            run.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(run, error) from error
        try:
            descriptor = os.open(
                run / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666
            )
            _take(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            if _is_there(run / LOCK_FILE, descriptor):
                return descriptor
        except BlockingIOError:
            assert descriptor is not None
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            said = f"{run}: process {owner or 'unknown'} trains here already"
            raise BusyError(said, instead) from None
        except FileNotFoundError:
            continue  # whoever held the folder until now took it away between making it and opening the file
        except OSError as error:
            if descriptor is not None:
                os.close(descriptor)
            raise storage_error(run, error) from error
        os.close(descriptor)  # of a file that went with such a folder


def _take(descriptor: int) -> None:
    """Locks an open file for this process alone.

    Raises:
        BlockingIOError: if another holds it, and for longer than it takes to ask.
    """
    deadline = time.monotonic() + ASKING_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def _is_there(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one at this path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def is_locked(run: Path) -> bool:
    """Whether a trainer holds this folder."""
    try:
        descriptor = os.open(run / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
