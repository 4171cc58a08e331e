"""Run folders under `checkpoints/`: names, which one is meant, and what lies in one."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from charrnn.checkpoint import container
from charrnn.checkpoint.lock import is_locked
from charrnn.checkpoint.model import reads_backwards
from charrnn.config import CLASSIFIER, LANGUAGE_MODEL, MODEL_FILE, MODEL_VARIABLE, STATE_FILE, VIEWS
from charrnn.errors import CharrnnError, CheckpointError, UsageError

RUNS = Path("checkpoints")
MODEL = MODEL_FILE
LAST = STATE_FILE
LOG = "log.jsonl"
# Of a classifier's first stage, gone when the second has saved its own.
PAIR = "words.safetensors"
PAIR_LOG = "words.jsonl"
MAX_NAME = 100
MOST_LISTED = 8  # names in a hint

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model's file, and how it came to be meant."""

    path: Path
    by: str  # "argument", "environment" or "newest"

    @property
    def name(self) -> str:
        """What the model is called: its run, or else its file."""
        return self.path.parent.name if self.path.name == MODEL and self.path.parent.name else self.path.stem

    @property
    def is_training(self) -> bool:
        """Whether somebody trains this run right now."""
        return is_locked(self.path.parent)


def find(argument: str | None, kind: str | None = None) -> FoundModel:
    """The model that a name or file means; without one `$CHARRNN_MODEL`, else the newest run's.

    Args:
        argument: a name or file.
        kind: the newest run's model must be of this kind and read forwards; of any kind if not given. Where
            there is no model of the name given, the error lists those of this kind.

    Raises:
        UsageError: if there is no such model.
        CheckpointError, StorageError: if none was named, none fits, and one that may cannot be read.
    """
    if argument is None and (argument := os.environ.get(MODEL_VARIABLE) or None):
        try:
            return FoundModel(_path(argument, kind), "environment")
        except UsageError as error:  # nobody typed this: say where it comes from
            raise UsageError(f"${MODEL_VARIABLE}: {error.message}", error.hint) from None
    if argument is not None:
        return FoundModel(_path(argument, kind), "argument")
    return FoundModel(_newest(kind), "newest")


def _newest(kind: str | None) -> Path:
    models: list[tuple[str, Path]] = []
    unread: list[CharrnnError] = []  # a damaged run must not hide the others
    for path in models_on_disk():
        try:
            if created := _created(path, kind):
                models.append((created, path))
        except CharrnnError as error:
            unread.append(error)
    if models:
        return max(models)[1]
    what = (kind or "model").replace("-", " ")
    if unread:
        hint = f"there is no other {what}; charrnn inspect runs lists what there is"
        raise type(unread[0])(unread[0].message, hint) from unread[0]
    example = "reviews.tsv" if kind == CLASSIFIER else "corpus.txt"
    raise UsageError(f"no {what} yet: {RUNS}/ has none", f"train one first: charrnn train {example}")


def models_on_disk() -> list[Path]:
    """The model files of all runs here, in alphabetical order."""
    return sorted(RUNS.glob(f"*/{MODEL}"))


def states_on_disk() -> list[Path]:
    """The files that resuming needs, of all runs here, in alphabetical order."""
    return sorted(RUNS.glob(f"*/{LAST}"))


def without_model() -> list[str]:
    """The names of all runs here that have only what resuming needs."""
    return [path.parent.name for path in states_on_disk() if not path.with_name(MODEL).exists()]


def how_to_resume(name: str) -> str:
    """The command that goes on with a run."""
    return f"charrnn train --resume {shlex.quote(name)}"


def folder(name: str) -> Path:
    """Where the run of this name lies.

    Raises:
        UsageError: if no run can be called so.
    """
    if "/" in name:
        own = Path(name).name if Path(name).parent == RUNS else ""
        raise UsageError(
            f'"{name}" is a path, not the name of a run',
            f"its name is {own}" if own else f"runs lie in {RUNS}/",
        )
    fits = name.strip() and name.isprintable() and len(os.fsencode(name)) <= MAX_NAME
    if not fits or name.startswith((".", "-")):
        raise UsageError(
            f'"{name}" cannot be the name of a run',
            f"one has at most {MAX_NAME} bytes that can be printed, not only spaces, no slash, "
            "and neither . nor - in front",
        )
    if name in VIEWS:
        raise UsageError(f'a run cannot be called "{name}": `charrnn inspect {name}` means a view')
    return RUNS / name


def is_resumable(run: Path) -> bool:
    """Whether a folder has what resuming needs."""
    return (run / LAST).exists()


def check_resumable(run: Path) -> None:
    """Refuses a folder without what resuming needs.

    Raises:
        UsageError: saying what its model still serves for, or naming the runs there are.
    """
    if is_resumable(run):
        return
    if (run / MODEL).exists():
        raise UsageError(f"{run.name} has no {LAST}, which is needed to resume it", instead_of_resuming(run))
    known = _listed(states_on_disk())
    raise UsageError(
        f"{run.name}: no run of this name to resume",
        f"there are: {known}" if known else "there is none yet: charrnn train makes one",
    )


def instead_of_resuming(run: Path) -> str | None:
    """What a run's model still serves for where the run cannot go on; nothing if it cannot be read either."""
    try:
        kind = container.read_metadata(run / MODEL).get("kind")
    except CharrnnError:
        return None
    name = shlex.quote(run.name)
    if kind == LANGUAGE_MODEL:
        return f"--from {name} starts a new model from its weights"
    return f"charrnn classify -m {name} answers with its model" if kind == CLASSIFIER else None


def read_to_resume(read: Callable[[Path], Read]) -> Callable[[Path], Read]:
    """Makes a reader's errors say also what the run's model can still be used for.

    Args:
        read: a function that reads what resuming needs from a run's folder.
    """

    @functools.wraps(read)
    def reading(run: Path) -> Read:
        try:
            return read(run)
        except CheckpointError as error:
            raise CheckpointError(error.message, error.hint or instead_of_resuming(run)) from error

    return reading


@read_to_resume
def kind_of_state(run: Path) -> str:
    """What kind of training a run's folder has what resuming needs of.

    Raises:
        CheckpointError: if its file cannot be used.
    """
    return str(container.read_metadata(run / LAST).get("kind"))


def what_next(run: Path) -> str:
    """What becomes of a run that has no model yet."""
    if is_locked(run):
        return "it is being trained"
    return f"{how_to_resume(run.name)} goes on with it" if is_resumable(run) else f"look at {run}"


def has_work(run: Path) -> bool:
    """Whether something of worth lies in a run's folder."""
    return (run / MODEL).exists() or (run / LAST).exists()


def remove_files(run: Path, *, but: Path) -> None:
    """Removes what an earlier run left in a folder, but for one file; a text out of a pipe stays too."""
    for file in (MODEL, LAST, LOG, PAIR, PAIR_LOG):
        if run / file != but:
            (run / file).unlink(missing_ok=True)


def is_taken(run: Path) -> bool:
    """Whether something of worth lies in a run's folder, or somebody is at work there."""
    return has_work(run) or is_locked(run)


def first_name(wish: str) -> str:
    """What `fresh_name` gives where there are no runs yet: the wish itself unless it means a view."""
    return f"{wish}-2" if wish in VIEWS else wish


def fresh_name(wish: str) -> str:
    """The wish itself if no run has that name, else the wish with the first free number from 2 on."""
    name, number = wish, 2
    while name in VIEWS or is_taken(folder(name)):
        name, number = f"{wish}-{number}", number + 1
    return name


def _path(argument: str, kind: str | None) -> Path:
    named = RUNS / argument / MODEL
    candidates = [named] if "/" not in argument else []
    candidates += [Path(argument) / MODEL, Path(argument)]
    for path in candidates:
        with contextlib.suppress(OSError, ValueError):
            if path.exists() and not path.is_dir():
                return path
    with contextlib.suppress(OSError):  # a name too long for a folder, say
        if "/" not in argument and argument not in ("", ".", "..") and (RUNS / argument).is_dir():
            raise UsageError(f"{argument}: this run has no model yet", what_next(RUNS / argument))
    known = _listed([path for path in models_on_disk() if kind is None or _is_readable(path, kind)])
    raise UsageError(
        f"{argument}: no such model", f"there are: {known}" if known else "charrnn train makes one"
    )


def _listed(files: Sequence[Path]) -> str:
    """The names of the runs that these files are of: the first, and how many more there are."""
    names = ", ".join(file.parent.name for file in files[:MOST_LISTED])
    more = len(files) - MOST_LISTED
    return f"{names} and {more:,} more" if more > 0 else names


def _is_readable(path: Path, kind: str) -> bool:
    """Whether a file has a model of this kind that reads forwards."""
    with contextlib.suppress(CharrnnError):
        return _fits(container.read_metadata(path), kind)
    return False


def _created(path: Path, kind: str | None) -> str:
    """When a model was made; nothing if it is of another kind or reads backwards."""
    description = container.read_metadata(path)
    fits = kind is None or _fits(description, kind)
    return str(description.get("created", "")) if fits else ""


def _fits(description: Mapping[str, Any], kind: str) -> bool:
    return kind == description.get("kind") and not reads_backwards(description)
