"""`log.jsonl`: every event as a line of JSON, steps at most once a second."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from charrnn.errors import storage_error
from charrnn.training.events import Event, Stepped

STEP_SECONDS = 1.0


class Log:
    """Appends events to a file; the log is for reading, and nothing depends on it."""

    def __init__(self, path: Path, from_step: int) -> None:
        """Opens the log; on resuming, lines of steps that will be taken again are dropped.

        Raises:
            StorageError: if it cannot be opened.
        """
        kept = [line for line in _lines(path) if _step(line) <= from_step] if from_step else []
        try:
            path.write_text("".join(f"{line}\n" for line in kept), "utf-8")
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise storage_error(path, error) from error
        self._path = path
        self._stepped_at = -STEP_SECONDS

    def write(self, event: Event) -> None:
        """Appends one event.

        Raises:
            StorageError: if the disk is full, say.
        """
        if isinstance(event, Stepped):
            if event.seconds - self._stepped_at < STEP_SECONDS:
                return
            self._stepped_at = event.seconds
        line = {"event": type(event).__name__.lower()} | asdict(event)
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            raise storage_error(self._path, error) from error

    def close(self) -> None:
        """Closes the file; each line went out when it came."""
        with contextlib.suppress(OSError):  # once more of a line that failed, as `write` said
            self._file.close()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _step(line: str) -> float:
    try:
        event: Any = json.loads(line)
        return int(event["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # a line that was cut off by a crash
