"""What can go wrong, in one hierarchy: an error knows its exit code, its sentence and its hint.

Messages name foreign text (paths, prompts) raw; `terminal.clean` makes them safe where they are shown.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The status `charrnn` ends with; 129, 130, 141 and 143 are left to the signals themselves."""

    DONE = 0
    BUG = 1
    USAGE = 2
    TEXT = 3
    CHECKPOINT = 4
    STORAGE = 5
    DIVERGED = 6
    MEMORY = 7
    FOUND = 8


class CharrnnError(Exception):
    """An error that is shown to the person as one line, `charrnn: error: <message>`, and a hint."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CharrnnError):
    """The command line asks for what cannot be: a wrong value, a missing path, a clash of flags."""

    exit_code = ExitCode.USAGE


class TextError(CharrnnError):
    """The input text cannot be used: empty, binary, not in the encoding it should be in."""

    exit_code = ExitCode.TEXT


class CheckpointError(CharrnnError):
    """The checkpoint cannot be used: damaged, foreign, unsafe, newer, or of another kind."""

    exit_code = ExitCode.CHECKPOINT


class StorageError(CharrnnError):
    """Reading or writing failed: a full disk, a missing permission, a locked run."""

    exit_code = ExitCode.STORAGE


class DivergedError(CharrnnError):
    """Training left the numbers that mean anything."""

    exit_code = ExitCode.DIVERGED


class OutOfMemoryError(CharrnnError):
    """The machine, or the device, has not enough memory."""

    exit_code = ExitCode.MEMORY


class Found(CharrnnError):  # noqa: N818 (it is what the person asked to be told)
    """`--fail-if` or `--fail-under` came true."""

    exit_code = ExitCode.FOUND


class Signalled(CharrnnError):  # noqa: N818 (it is the way to end, not an error)
    """The person or the system asked to stop; the process ends by that signal, after saving."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}")
        self.signal_number = signal_number


def storage_error(path: object, error: OSError, hint: str | None = None) -> StorageError:
    """The operating system's complaint about a path, as our error.

    Example:
        >>> storage_error("model", OSError(28, "No space left on device")).message
        'model: No space left on device'
    """
    return StorageError(f"{path}: {error.strerror or error}", hint)
