"""Every verb that computes, called about what does not exist: it ends once it has told libraries how to."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from charrnn.cli.classify import classify
from charrnn.cli.inspect import inspect
from charrnn.cli.sample import sample
from charrnn.cli.threads import PATIENCE, SLEEPING, VARIABLES
from charrnn.cli.train import train
from charrnn.errors import UsageError
from charrnn.native import library


def _train(**flags: Any) -> None:
    train(cast(typer.Context, SimpleNamespace(obj=None)), ["missing"], **flags)


VERBS: dict[str, Callable[..., None]] = {
    "train": _train,
    "sample": lambda **flags: sample("missing", **flags),
    "classify": lambda **flags: classify(["missing"], "missing", **flags),
    "inspect": lambda **flags: inspect("next", "the", ["missing"], **flags),
}


def begun(verb: str, monkeypatch: pytest.MonkeyPatch, **flags: Any) -> None:
    """Begins a verb with these flags; what it sets in the environment is there until the test ends."""
    for variable in (*VARIABLES, *SLEEPING, *PATIENCE, library.VARIABLE):
        monkeypatch.setenv(variable, "")  # so that it is as before afterwards
        monkeypatch.delenv(variable)
    with pytest.raises(UsageError, match=r"^missing: no such "):
        VERBS[verb](**flags)
