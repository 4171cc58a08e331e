"""What trainings share: the folder of a new run, and what becomes of it and of the log if training fails."""

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from charrnn.checkpoint import runs
from charrnn.checkpoint.lock import LOCK, BusyError, is_locked, locked
from charrnn.cli.training import Asked, held_folder, train_in_view
from charrnn.errors import DivergedError, StorageError
from charrnn.terminal.screen import Heading
from charrnn.training.events import Event, Started
from charrnn.training.interrupt import Interrupt
from charrnn.training.log import Log
from charrnn.training.loop import Training
from charrnn.training.progress import Progress
from charrnn.training.schedule import Segment


def test_a_free_name_that_another_process_takes_meanwhile_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = iter(("tale", "tale-2"))
    monkeypatch.setattr(runs, "fresh_name", lambda _: next(found))
    with locked(runs.folder("tale")), held_folder(None, "tale") as folder:
        assert folder == runs.folder("tale-2")


def test_a_name_that_was_asked_for_is_not_changed() -> None:
    message = "trains here already"
    with (
        locked(runs.folder("tale")),
        pytest.raises(BusyError, match=message),
        held_folder("tale", "x"),
    ):
        pass


@pytest.mark.parametrize("was_there", [False, True])
def test_a_folder_of_which_nothing_came_goes_unless_it_was_there_before(was_there: bool) -> None:
    folder = runs.folder("tale")
    if was_there:
        folder.mkdir(parents=True)
    with pytest.raises(KeyError), held_folder(None, "tale"):
        raise KeyError
    assert folder.exists() == was_there


def test_a_folder_with_a_model_stays() -> None:
    def stop_with_a_model() -> None:
        with held_folder(None, "tale") as folder:
            (folder / runs.MODEL).touch()
            raise KeyError

    with pytest.raises(KeyError):
        stop_with_a_model()
    assert (runs.folder("tale") / runs.MODEL).exists()


def test_a_lock_is_of_the_folder_that_is_there_now(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Path("checkpoints/tale")
    real = fcntl.flock
    taken_away: list[Path] = []

    def flock(descriptor: int, operation: int) -> None:
        if not taken_away:  # the one before takes the folder away once its file is open here
            taken_away.append(run)
            (run / LOCK).unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked(run):
        assert taken_away
        assert is_locked(run)


def test_a_folder_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Path("gone").absolute()
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(StorageError, match="checkpoints/tale: No such file"), held_folder("tale", "tale"):
        pass


def test_the_log_is_closed_where_training_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed: list[Log] = []
    really_close = Log.close

    def close(log: Log) -> None:
        really_close(log)
        closed.append(log)

    monkeypatch.setattr(Log, "close", close)

    class Failing:
        progress = Progress(segment=Segment("steps", 0, 1))

        def watch(self, _: Interrupt) -> None:
            pass

        def fit(self) -> Iterator[Event]:
            yield Started(0.0, 0)
            raise DivergedError("training diverged")

    asked = Asked(
        started=0.0,
        inputs=[],
        task=None,
        corpus_flags={},
        label_flags={},
        net_flags={},
        budget=None,
        device="cpu",
        threads=None,
        quiet=True,
    )
    heading = Heading("tale", "gru", "chars", "char", None)
    with pytest.raises(DivergedError):
        train_in_view(asked, cast(Training, Failing()), tmp_path, heading, lambda _: None)
    assert len(closed) == 1
