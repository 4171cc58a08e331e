"""How many threads the library may use."""

import os
from pathlib import Path

import pytest

from charrnn.cli.threads import prepare_threads
from charrnn.errors import UsageError
from charrnn.native import threads


def test_without_a_word_all_processors_of_this_process_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    prepare_threads(None)
    assert 1 <= threads.threads() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("quota", "granted"),
    [("max 100000", 4), ("150000 100000", 2), ("10000 100000", 1), ("900000 100000", 4), ("odd", 4), ("", 4)],
)
def test_a_container_s_quota_is_heeded(
    quota: str, granted: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.setattr(threads, "QUOTA", tmp_path / "cpu.max")
    assert threads.threads() == 4
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert threads.threads() == granted


def test_what_the_flag_says_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", threads.VARIABLE):
        monkeypatch.setenv(variable, "1")  # to be put back
    prepare_threads(3)
    assert threads.threads() == 3


@pytest.mark.parametrize("given", ["0", "two", "-1", "1025", "9" * 5000])
def test_a_variable_that_says_no_number_is_told(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(threads.VARIABLE, given)
    with pytest.raises(UsageError) as told:
        threads.threads()
    assert str(told.value) == f"CHARRNN_THREADS={given}: must be a whole number from 1 to 1,024"
