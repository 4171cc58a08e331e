"""What trainings of any task share at the command line: what was asked, the loop in view, the signals."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn.config import Budget
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.terminal.screen import Heading
    from charrnn.training.events import Finished
    from charrnn.training.interrupt import Interrupt
    from charrnn.training.loop import Training
    from charrnn.training.progress import Progress
    from charrnn.training.start import Sitting

SAMPLE_LENGTH = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for; only flags that were given."""

    started: float
    inputs: list[str]
    task: str | None
    corpus_flags: dict[str, Any]
    label_flags: dict[str, Any]  # of classifiers only
    net_flags: dict[str, Any]
    budget: Budget | None
    device: str
    threads: int | None
    quiet: bool


def train_in_view(
    asked: Asked,
    training: Training,
    folder: Path,
    heading: Heading,
    show: Callable[[Finished], None],
) -> None:
    """Runs the loop in view of the person, and ends with the card or by the signal that stopped it.

    Args:
        asked: the command line.
        training: what to run.
        folder: of the run.
        heading: what stands above the live screen.
        show: shows the card at the end.
    """
    finished, interrupt = fit_in_view(asked, training, folder, heading)
    if not asked.quiet:
        show(finished)
    interrupt.heed()


def fit_in_view(
    asked: Asked, training: Training, folder: Path, heading: Heading, *, log: str | None = None
) -> tuple[Finished, Interrupt]:
    """Runs the loop in view of the person: how it ended, and whether somebody asked to stop.

    Who asked in its last moments finds it finished, and not stopped.

    Args:
        asked: the command line.
        training: what to run.
        folder: of the run.
        heading: what stands above the live screen.
        log: the file in that folder to which all events go, if not to that of every run.
    """
    from charrnn.checkpoint.runs import LOG
    from charrnn.terminal import screen
    from charrnn.terminal.notes import note
    from charrnn.training import interrupt
    from charrnn.training.events import Finished
    from charrnn.training.log import Log

    finished = None
    with (
        contextlib.closing(Log(folder / (log or LOG), training.progress.step)) as events,
        interrupt.watched(screen.give_back) as flag,
    ):
        training.watch(flag)
        with screen.opened(heading, quiet=asked.quiet) as view:
            for event in training.fit():
                events.write(event)
                view.show(event)
                finished = event if isinstance(event, Finished) else None
    if events.failure is not None:  # not before: it would stand in the midst of the panel
        note(f"{events.failure}; the log is incomplete", quiet=asked.quiet)
    assert finished is not None
    return finished, flag


def sitting(asked: Asked) -> Sitting:
    """The circumstances of this command; torch is imported here."""
    import torch

    from charrnn.models.device import choose
    from charrnn.native.threads import usable
    from charrnn.terminal.streams import use_colour
    from charrnn.training.start import Sitting

    # Of a container's quota torch knows nothing.
    torch.set_num_threads(asked.threads or min(torch.get_num_threads(), usable()))
    watched = use_colour(sys.stderr) and not asked.quiet
    return Sitting(asked.started, choose(asked.device), SAMPLE_LENGTH if watched else 0)


@contextlib.contextmanager
def held_folder(name: str | None, wish: str) -> Iterator[Path]:
    """The folder of a new run, held for it: of this name, or of the first free one that is like the wish.

    If the block fails, a folder that is new and has no model or state yet is removed. In one that was there
    before, the copy of a text that came through a pipe just now is removed, unless the new run has saved
    something: by then it has taken the place of the earlier one.

    Raises:
        StorageError: if another process trains in the folder of that name.
    """
    from charrnn.checkpoint import lock, runs
    from charrnn.storage import remove_leftovers
    from charrnn.text.pipes import copies

    with contextlib.ExitStack() as holding:
        while True:
            folder = runs.folder(name or runs.fresh_name(wish))
            is_new = not folder.exists()
            try:
                holding.enter_context(lock.locked(folder))
                break
            except lock.BusyError:
                if name:
                    raise  # a free name was taken by another process meanwhile: look for the next
        remove_leftovers(folder)
        before, earlier = copies(folder), _work(folder)
        try:
            yield folder
        except BaseException:
            if is_new and not runs.has_work(folder):
                shutil.rmtree(folder, ignore_errors=True)
            elif earlier == _work(folder):
                for copy in copies(folder) - before:
                    copy.unlink()
            raise


def _work(folder: Path) -> set[tuple[int, int]]:
    """What tells a run's files from those that took their place."""
    from charrnn.checkpoint import runs

    found = [path.stat() for name in (runs.MODEL, runs.LAST) if (path := folder / name).exists()]
    return {(file.st_ino, file.st_mtime_ns) for file in found}


def refuse_idle_resume(asked: Asked, name: str, progress: Progress) -> None:
    """Refuses to go on with a run that has nothing left to do, unless more was asked for.

    Raises:
        UsageError: saying how to ask.
    """
    from charrnn.checkpoint import runs

    if progress.finished and asked.budget is None:
        hint = f"{runs.how_to_resume(name)} --time 5m trains five minutes more"
        end = "ended because validation only got worse" if progress.has_turned else "has finished its budget"
        raise UsageError(f"{name}: {end}", hint)


def take_the_place(training: Training, folder: Path, sources: Sequence[str]) -> None:
    """Has a new run remove what an earlier one left in its folder, as soon as it has saved something.

    The copy of a text that came through a pipe goes only where the new run has a copy of its own.

    Args:
        training: the new run's.
        folder: the new run's.
        sources: the absolute paths of what it is trained on.
    """
    from charrnn.checkpoint import runs
    from charrnn.text.pipes import copies

    def make_room(saved: Path) -> None:
        runs.remove_files(folder, but=saved)
        kept = {copy for copy in copies(folder) if str(copy.absolute()) in sources}
        for copy in copies(folder) - kept if kept else ():
            copy.unlink()

    training.at_first_save(make_room)
