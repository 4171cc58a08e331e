"""`log.jsonl`: every event as a line of JSON, steps at most once a second."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from charrnn.errors import StorageError, storage_error
from charrnn.storage import write_atomically
from charrnn.training.events import Event, Saved, Stepped

STEP_SECONDS = 1.0


class Log:
    """Appends events to a file; the log is for reading, and nothing depends on it.

    That of a new run begins when it has saved something: until then an earlier run's may be there. A disk
    that is full, say, ends the log and not the training: `failure` tells what was wrong.
    """

    def __init__(self, path: Path, from_step: int) -> None:
        """Opens the log; on resuming, lines of steps that will be taken again are dropped."""
        self.failure: str | None = None
        self._path = path
        self._file: TextIO | None = None
        self._held: list[str] | None = None if from_step else []
        self._stepped_at = -STEP_SECONDS
        if from_step:
            self._open(from_step)

    def write(self, event: Event) -> None:
        """Appends one event, unless the log has failed."""
        if isinstance(event, Stepped):
            if event.seconds - self._stepped_at < STEP_SECONDS:
                return
            self._stepped_at = event.seconds
        line = json.dumps({"event": type(event).__name__.lower()} | asdict(event)) + "\n"
        if self._held is None:
            self._append(line)
            return
        self._held.append(line)
        if isinstance(event, Saved):
            held, self._held = "".join(self._held), None
            self._open(0)
            self._append(held)

    def close(self) -> None:
        """Closes the file; lines do not wait for it."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # once more of a line that failed, as `failure` says
                self._file.close()
            self._file = None

    def _open(self, from_step: int) -> None:
        try:
            if from_step:
                _drop_after(from_step, self._path)
            self._file = self._path.open("a" if from_step else "w", encoding="utf-8")
        except OSError as error:
            self.failure = storage_error(self._path, error).message
        except StorageError as error:
            self.failure = error.message

    def _append(self, lines: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(lines)
            self._file.flush()
        except OSError as error:
            self.failure = storage_error(self._path, error).message
            self.close()


def _drop_after(step: int, path: Path) -> None:
    """Takes the lines of later steps out of a log, and none if that fails."""
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    kept = "".join(f"{line}\n" for line in text.splitlines() if _step(line) <= step)
    if kept != text:
        write_atomically(path, kept.encode())


def _step(line: str) -> float:
    try:
        event: Any = json.loads(line)
        return int(event["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # a line that was cut off by a crash
