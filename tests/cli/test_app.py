"""What the program's one boundary of errors shows, and which errors of libraries are a lack of memory."""

import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from charrnn.cli.app import _guarded, main
from charrnn.errors import OutOfMemoryError


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
