"""One run has one trainer, and the others are told who."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from charrnn.checkpoint import lock
from charrnn.checkpoint.lock import is_locked, locked
from charrnn.checkpoint.runs import FoundModel, fresh_name
from charrnn.errors import StorageError

HOLD = """
import sys, time
from pathlib import Path
from charrnn.checkpoint.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
RUN = Path("checkpoints/tale")


@contextmanager
def another_trainer() -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the run until it ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(RUN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def refusal() -> tuple[str, str | None]:
    with pytest.raises(StorageError) as caught, locked(RUN):
        pass
    return caught.value.message, caught.value.hint


def test_one_run_has_one_trainer_and_the_other_is_told_who() -> None:
    with another_trainer() as process:
        said = f"checkpoints/tale: process {process.pid} trains here already"
        assert refusal() == (said, "another --name starts another run")
        assert refusal()[0] == said  # the refusal took nothing away
        assert is_locked(RUN)
        assert FoundModel(RUN / "model.safetensors", "argument").is_training
        assert fresh_name("tale") == "tale-2"


def test_a_killed_trainer_holds_nothing() -> None:
    with another_trainer() as process:
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not is_locked(RUN)
        assert (RUN / ".lock").read_text() == f"{process.pid}\n"
        with locked(RUN):
            assert is_locked(RUN)
            assert (RUN / ".lock").read_text() == f"{os.getpid()}\n"
    assert not is_locked(RUN)


def test_the_lock_is_exclusive_within_a_process_too() -> None:
    with locked(RUN):
        assert refusal()[0] == f"checkpoints/tale: process {os.getpid()} trains here already"
    with locked(RUN):
        pass


def test_a_failure_while_training_lets_go() -> None:
    with pytest.raises(KeyboardInterrupt), locked(RUN):
        raise KeyboardInterrupt
    assert not is_locked(RUN)
    with locked(RUN):
        pass


def test_a_lock_names_its_holder_alone_whoever_held_it_before() -> None:
    RUN.mkdir(parents=True)
    (RUN / ".lock").write_text(f"{2**62}\nand more\n")
    with locked(RUN):
        assert (RUN / ".lock").read_text() == f"{os.getpid()}\n"


def test_another_run_has_another_lock() -> None:
    with another_trainer(), locked(Path("checkpoints/other")):
        assert is_locked(Path("checkpoints/other"))


def test_asking_whether_a_run_is_locked_leaves_nothing_behind() -> None:
    assert not is_locked(RUN)
    RUN.mkdir(parents=True)
    assert not is_locked(RUN)
    assert list(RUN.iterdir()) == []


def test_who_asks_is_not_taken_for_a_trainer_by_another_who_asks() -> None:
    RUN.mkdir(parents=True)
    with (RUN / ".lock").open("w") as asked:
        fcntl.flock(asked, fcntl.LOCK_SH)  # as who asks does for a moment
        assert not is_locked(RUN)


def test_who_only_asks_whether_a_run_is_locked_keeps_no_trainer_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "ASKING_SECONDS", 10.0)  # the machine may be busy
    RUN.mkdir(parents=True)
    with (RUN / ".lock").open("w") as asked:
        fcntl.flock(asked, fcntl.LOCK_SH)  # as who asks does for a moment
        leaving = threading.Timer(0.01, fcntl.flock, (asked, fcntl.LOCK_UN))
        leaving.start()
        with locked(RUN):
            assert is_locked(RUN)
        leaving.join()


def lowest_descriptor() -> int:
    probe = os.open(".", os.O_RDONLY)
    os.close(probe)
    return probe


@pytest.mark.parametrize("name", ["open", "flock"])
def test_a_folder_taken_away_while_it_is_being_locked_is_made_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: ModuleType = os if name == "open" else fcntl
    call, before = getattr(module, name), lowest_descriptor()

    def meanwhile(*given: object) -> object:
        """As whoever held the folder until now does, when nothing came of a run."""
        monkeypatch.setattr(module, name, call)
        shutil.rmtree(RUN)
        return call(*given)

    monkeypatch.setattr(module, name, meanwhile)
    with locked(RUN):
        assert is_locked(RUN)
        assert (RUN / ".lock").read_text() == f"{os.getpid()}\n"
    assert not is_locked(RUN)
    assert lowest_descriptor() == before


def test_a_refusal_leaves_no_descriptor_open() -> None:
    with locked(RUN):
        before = lowest_descriptor()
        refusal()
        assert lowest_descriptor() == before


def test_a_link_in_the_lock_s_place_is_not_followed() -> None:
    RUN.mkdir(parents=True)
    Path("precious").write_text("content")
    (RUN / ".lock").symlink_to(Path("precious").absolute())
    with pytest.raises(StorageError) as caught, locked(RUN):
        pass
    assert caught.value.message == "checkpoints/tale: Too many levels of symbolic links"
    assert Path("precious").read_text() == "content"


@pytest.mark.timeout(10)
def test_a_fifo_in_the_lock_s_place_is_not_waited_for() -> None:
    RUN.mkdir(parents=True)
    os.mkfifo(RUN / ".lock")
    assert not is_locked(RUN)


@pytest.mark.parametrize(
    ("module", "call", "number", "complaint"),
    [
        (os, "pwrite", errno.ENOSPC, "No space left on device"),
        (os, "ftruncate", errno.EIO, "Input/output error"),
        (fcntl, "flock", errno.ENOLCK, "No locks available"),
    ],
)
def test_a_lock_that_cannot_be_had_is_said_in_the_words_of_the_system(
    module: ModuleType, call: str, number: int, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(module, call, fail)
        assert refusal() == (f"checkpoints/tale: {complaint}", None)
    assert not is_locked(RUN)


def test_what_fails_under_the_lock_is_not_taken_for_the_lock() -> None:
    with pytest.raises(OSError, match="inside"), locked(RUN):
        raise OSError("inside")


def test_a_file_in_the_folder_s_place_is_named() -> None:
    Path("checkpoints").touch()
    with pytest.raises(StorageError) as caught, locked(RUN):
        pass
    assert caught.value.message == "checkpoints/tale: Not a directory"
