"""What the program's one boundary of errors shows, and which errors of libraries are a lack of memory."""

import signal
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

import numpy as np
import pytest
import torch

from charrnn.cli import app, train
from charrnn.cli.app import _guarded, main
from charrnn.errors import ExitCode, OutOfMemoryError, StorageError
from charrnn.training import interrupt


@pytest.mark.parametrize(
    ("value", "is_traced"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)]
)
def test_tracebacks_are_for_who_asks_for_them(
    value: str | None,
    is_traced: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("CHARRNN_DEBUG", raising=False)
    if value is not None:
        monkeypatch.setenv("CHARRNN_DEBUG", value)
    monkeypatch.setattr(sys, "argv", ["charrnn", "--nothing"])
    with pytest.raises(SystemExit):
        main()
    shown = capsys.readouterr().err
    assert "charrnn: error: No such option: --nothing\n" in shown
    assert ("Traceback" in shown) == is_traced


def test_the_flag_for_tracebacks_stands_before_the_verb(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHARRNN_DEBUG", "")  # so that it is as before afterwards
    monkeypatch.setattr(sys, "argv", ["charrnn", "--debug", "sample", "--temp", "x"])
    with pytest.raises(SystemExit):
        main()
    assert "Traceback" in capsys.readouterr().err


def ended_by(run: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> object:
    """The status of a program that does this."""
    monkeypatch.delenv("CHARRNN_DEBUG", raising=False)
    monkeypatch.setattr(app, "_run", run)
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_a_bug_of_ours_is_a_line_and_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> int:
        raise KeyError("x")

    assert ended_by(run, monkeypatch) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "charrnn: error: a bug: KeyError: 'x'"
    assert hint.startswith("hint: run again with `")


@pytest.mark.parametrize(("options", "is_shown"), [([], False), (["always"], True)])
def test_what_libraries_warn_of_is_not_shown_unless_python_was_told_to(
    options: list[str], is_shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> int:
        warnings.warn("deprecated", FutureWarning, stacklevel=1)
        return ExitCode.DONE

    monkeypatch.setattr(sys, "warnoptions", options)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        assert ended_by(run, monkeypatch) == 0
    assert bool(shown) == is_shown


def test_ctrl_c_outside_of_commands_ends_by_the_signal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> int:
        raise KeyboardInterrupt

    def die(number: int) -> NoReturn:
        raise SystemExit(f"by signal {number}")

    monkeypatch.setattr(interrupt, "die", die)
    assert ended_by(run, monkeypatch) == f"by signal {int(signal.SIGINT)}"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device", "a.txt"), "a.txt: No space left on device"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
    ],
)
def test_an_error_of_the_system_is_said_with_the_file_it_is_about(error: OSError, message: str) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(StorageError) as caught:
        _guarded(fail)()
    assert caught.value.message == message


def test_only_a_training_is_told_what_takes_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy() -> None:
        raise MemoryError

    with pytest.raises(OutOfMemoryError) as caught:
        _guarded(greedy)()
    assert caught.value.hint is None
    monkeypatch.setattr(train, "train", greedy)
    with pytest.raises(OutOfMemoryError) as caught:
        _guarded(greedy)()
    assert caught.value.hint == "a smaller --hidden, --batch or --seq"


def said(message: str) -> Callable[[], None]:
    def end() -> None:
        raise RuntimeError(message)

    return end


@pytest.mark.parametrize(
    "ask",
    [
        lambda: torch.empty(2**56),
        lambda: np.empty(2**56),
        said("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.92 GiB"),
        said("CUDA error: out of memory"),
        said("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        said("MPS backend out of memory (MPS allocated: 8.00 GiB, other allocations: 1.00 GiB)"),
        said("Invalid buffer size: 74.51 GiB"),
    ],
)
def test_what_allocators_say_is_a_lack_of_memory(ask: Callable[[], None]) -> None:
    with pytest.raises(OutOfMemoryError, match=r"^out of memory$"):
        _guarded(ask)()


def test_an_error_that_only_speaks_of_memory_stays_what_it_is() -> None:
    def write_four_times_to_one_place() -> None:
        torch.zeros(1).expand(4).add_(1.0)

    with pytest.raises(RuntimeError, match="refers to a single memory location"):
        _guarded(write_four_times_to_one_place)()
