"""`--engine` and CHARRNN_NATIVE: which engine computes, for every verb that computes."""

import json
import os
from pathlib import Path

import pytest

from charrnn.checkpoint.model import save
from charrnn.cli.engine import VALUES
from charrnn.native import library
from tests.checkpoint.handmade import small
from tests.cli.program import run
from tests.cli.verbs import VERBS, begun
from tests.native.compiled import needs_library

PLAIN = "plain (CHARRNN_NATIVE=0 or --engine plain)"


@pytest.fixture(autouse=True)
def _a_model() -> None:
    save(Path("tale"), small())


def engine(*flags: str, **variables: str) -> str:
    answer = run("inspect", "tale", "--json", *flags, env=variables)
    assert (answer.status, answer.lines) == (0, [])
    return str(json.loads(answer.text)["engine"])


def test_the_card_says_what_computes_here(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.delenv(library.VARIABLE, raising=False)
    library.engine.cache_clear()
    request.addfinalizer(library.engine.cache_clear)
    assert engine() == str(library.engine())
    assert engine("--engine", "plain") == PLAIN
    assert engine(CHARRNN_NATIVE="0") == PLAIN
    assert engine("--engine", "auto", CHARRNN_NATIVE="0") == str(library.engine())


@needs_library
def test_the_library_can_be_demanded() -> None:
    assert engine("--engine", "native").startswith("native (")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_heeds_the_flag_before_it_computes(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VALUES.items():
        begun(verb, monkeypatch, engine=name)
        assert os.environ[library.VARIABLE] == value


def test_a_wrong_choice_is_told() -> None:
    answer = run("sample", "-m", "tale", "--engine", "fast")
    assert answer.status == 2
    assert answer.lines == ["charrnn: error: --engine fast: must be one of auto, native, plain"]
    answer = run("inspect", "tale", env={"CHARRNN_NATIVE": "yes"})
    assert answer.status == 2
    assert answer.lines[0] == "charrnn: error: CHARRNN_NATIVE=yes: must be 0, 1 or empty"
