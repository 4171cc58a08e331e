"""What other libraries' threads are told."""

import os

import pytest

from charrnn.cli.threads import PATIENCE, SLEEPING, let_threads_sleep, prepare_threads


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in SLEEPING | PATIENCE:
        monkeypatch.setenv(variable, "")  # so that it is as before afterwards
        monkeypatch.delenv(variable)


def test_threads_are_told_to_sleep() -> None:
    let_threads_sleep()
    assert os.environ.items() >= SLEEPING.items()


@pytest.mark.parametrize("variable", SLEEPING)
def test_what_a_person_told_them_stays_alone(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "mine")
    let_threads_sleep()
    assert {name: os.environ.get(name) for name in SLEEPING} == {**dict.fromkeys(SLEEPING), variable: "mine"}


def test_threads_of_numpy_do_not_wait_long_unless_a_person_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (variable,) = PATIENCE
    prepare_threads(None)
    assert os.environ[variable] == PATIENCE[variable]
    monkeypatch.setenv(variable, "26")
    prepare_threads(None)
    assert os.environ[variable] == "26"
