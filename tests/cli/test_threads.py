"""What other libraries' threads are told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.cli.inspect import inspect
from charrnn.cli.threads import PATIENCE, SLEEPING, VARIABLES, asked_for, let_threads_sleep, prepare_threads
from charrnn.native import library, threads
from tests.cli.program import environment, run
from tests.cli.verbs import VERBS, begun

# The program, and then how many threads torch has and how many NumPy was told to have.
TOLD = """
import os, torch
from charrnn.cli.app import main
try:
    main()
finally:
    print(torch.get_num_threads(), os.environ.get("OPENBLAS_NUM_THREADS"))
"""


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


@pytest.mark.parametrize(("flag", "variable", "count"), [(3, "2", 3), (None, "2", 2), (None, "", None)])
def test_the_flag_counts_and_else_the_variable(
    flag: int | None, variable: str, count: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(threads.VARIABLE, variable)
    assert asked_for(flag) == count


@pytest.mark.parametrize(
    ("flags", "variable", "told"),
    [
        ((), "3", "3 1"),
        (("--threads", "2"), "3", "2 1"),
        ((), "", f"{min(2, threads.usable())} 1"),  # what OMP_NUM_THREADS says
    ],
)
def test_torch_trains_on_as_many_as_were_asked_for(flags: tuple[str, ...], variable: str, told: str) -> None:
    Path("text.txt").write_text("the cat sat on the mat\n" * 40)
    training = ("train", "text.txt", "--steps", "1", "--hidden", "4", "-q", *flags)
    done = subprocess.run(
        [sys.executable, "-c", TOLD, *training],
        env=environment(**{threads.VARIABLE: variable}) | {"OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.strip(), done.stderr) == (told, "")


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"train"}))
def test_numpy_has_as_many_as_the_flag_says_whichever_verb_runs_a_model(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(verb, monkeypatch, threads=3)
    assert {os.environ.get(variable) for variable in VARIABLES} == {"3"}


@pytest.mark.parametrize("is_native", [True, False])
def test_threads_sleep_between_products_where_the_library_has_its_own(
    is_native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "native", lambda: is_native)
    begun("train", monkeypatch)
    assert SLEEPING.keys().isdisjoint(os.environ) == (not is_native)


@pytest.mark.usefixtures("model")
def test_a_variable_that_is_no_number_is_named_by_every_verb() -> None:
    for words in (
        ("train", "tale.txt"),
        ("sample", "-m", "tale"),
        ("classify", "tale.txt"),
        ("inspect", "next", "the", "-m", "tale"),
    ):
        answer = run(*words, env={threads.VARIABLE: "abc"})
        assert (answer.status, answer.lines) == (
            2,
            ["charrnn: error: CHARRNN_THREADS=abc: must be a whole number from 1 to 1,024"],
        )


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("target", ["runs", "tale"])
def test_a_variable_that_is_no_number_does_no_harm_where_nothing_is_computed(
    target: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(threads.VARIABLE, "abc")
    inspect(target)
    assert "tale" in capfd.readouterr().out


@pytest.mark.usefixtures("model")
def test_a_model_is_looked_into_on_as_many_as_were_asked_for() -> None:
    for view, told in (
        ("next", "1 2"),
        ("gradients", "2 2"),
    ):  # of torch, which one view imports, and of NumPy
        done = subprocess.run(
            [sys.executable, "-c", TOLD, "inspect", view, "the", "-m", "tale", "-q"],
            env=environment(**{threads.VARIABLE: "2"}),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == told
