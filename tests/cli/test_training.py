"""What trainings share: the folder of a new run, and what becomes of it and of the log if training fails."""

import fcntl
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from charrnn.checkpoint import runs
from charrnn.checkpoint.lock import BusyError, is_locked, locked
from charrnn.cli.training import Asked, fit_in_view, held_folder, refuse_idle_resume, sitting, train_in_view
from charrnn.config import LOCK_FILE, Budget
from charrnn.errors import DivergedError, StorageError, UsageError
from charrnn.evaluation.metrics import Validation
from charrnn.terminal.screen import Heading
from charrnn.training.events import Event, Finished, Saved, Started
from charrnn.training.interrupt import Interrupt
from charrnn.training.log import Log
from charrnn.training.loop import Training
from charrnn.training.progress import PATIENCE, Point, Progress
from charrnn.training.schedule import Segment
from tests.terminal.test_streams import Stream

ASKED = Asked(
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
            (run / LOCK_FILE).unlink()
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

    heading = Heading("tale", "gru", "chars", "char", None)
    with pytest.raises(DivergedError):
        train_in_view(ASKED, cast(Training, Failing()), tmp_path, heading, lambda _: None)
    assert len(closed) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
@pytest.mark.parametrize("quiet", [False, True])
def test_a_log_that_takes_no_more_ends_no_training_and_is_said_once(
    quiet: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    end = Finished(2.0, 1, "budget", Validation(1.0, 1.0, 1), None)

    class Short:
        progress = Progress(segment=Segment("steps", 0, 1))

        def watch(self, _: Interrupt) -> None:
            pass

        def fit(self) -> Iterator[Event]:
            yield from (Started(0.0, 0), Saved(1.0, 1, "model"), end)

    heading = Heading("tale", "gru", "chars", "char", None)
    asked = replace(ASKED, quiet=quiet)
    finished, _ = fit_in_view(asked, cast(Training, Short()), tmp_path, heading, log="/dev/full")
    assert finished is end
    said = "charrnn: /dev/full: No space left on device; the log is incomplete\n"
    assert capsys.readouterr().err == ("" if quiet else said)


def test_a_run_that_is_done_goes_on_only_if_more_is_asked_for() -> None:
    begun = Progress(segment=Segment("steps", 0, 9), step=5)
    done = replace(begun, finished=True)
    turned = replace(
        begun,
        best=Validation(1.0, 1.0, 1),
        since_best=PATIENCE,
        evaluations=2,
        history=(Point(1, 1.0, 1.0, 1.0), Point(2, 2.0, 1.0, 1.03)),
        finished=True,
    )
    refuse_idle_resume(ASKED, "tale", begun)
    for progress, end in (
        (done, "has finished its budget"),
        (turned, "ended because validation only got worse"),
    ):
        with pytest.raises(UsageError, match=f"^my tale: {end}$") as caught:
            refuse_idle_resume(ASKED, "my tale", progress)
        assert caught.value.hint == ("charrnn train --resume 'my tale' --time 5m trains five minutes more")
        refuse_idle_resume(replace(ASKED, budget=Budget("steps", 5)), "my tale", progress)


@pytest.mark.parametrize(
    ("quiet", "is_terminal", "is_shown"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_samples_are_written_where_somebody_watches_and_nowhere_else(
    quiet: bool, is_terminal: bool, is_shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stderr", Stream(is_terminal=is_terminal))
    found = sitting(replace(ASKED, quiet=quiet, started=12.5))
    assert (found.sample_length > 0, found.started, found.device.type) == (is_shown, 12.5, "cpu")
