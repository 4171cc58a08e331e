"""Where the real texts lie, and what the machine is called in a report."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy
import torch

import charrnn


def parser(description: str | None) -> argparse.ArgumentParser:
    """An argument parser with `--data`."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--data", type=Path, help="folder of the real texts [default: $CHARRNN_DATA]")
    return made


def data(arguments: argparse.Namespace) -> Path:
    """The folder of the real texts; without one the program ends, saying so."""
    folder = arguments.data or os.environ.get("CHARRNN_DATA")
    if not folder or not Path(folder).is_dir():
        sys.exit("skipped: no real texts here; --data DIR or $CHARRNN_DATA names their folder")
    return Path(folder).absolute()


def heading() -> str:
    """Date, machine and versions, in one line."""
    today = date.today().isoformat()  # noqa: DTZ011 (the reader's day)
    return (
        f"{today}, {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"torch {torch.__version__}, numpy {numpy.__version__}, charrnn {charrnn.__version__}"
    )


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """charrnn, run as a person would, in a folder.

    Raises:
        CalledProcessError: if it fails; with the reason that it gave.
    """
    command = [sys.executable, "-m", "charrnn", *arguments]
    try:
        return subprocess.run(
            command, cwd=folder, env=os.environ | environment, text=True, capture_output=True, check=True
        )
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr)
        raise


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
