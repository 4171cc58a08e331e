"""How many threads the library may use."""

import os

import pytest

from charrnn.cli.threads import prepare_threads
from charrnn.errors import UsageError
from charrnn.native import threads


def test_without_a_word_all_processors_of_this_process_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    prepare_threads(None)
    assert 1 <= threads.threads() <= (os.cpu_count() or 1)


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
