"""What every verb refuses of its command line before it begins."""

from typing import Any

import pytest
import typer

from charrnn.cli.app import app
from charrnn.errors import UsageError


def parsed(*words: str, is_completing: bool = False) -> dict[str, Any]:
    """The options of a verb that was called so, without its having run."""
    command = typer.main.get_group(app).commands[words[0]]
    context = command.make_context(words[0], list(words[1:]), resilient_parsing=is_completing)
    return context.params


@pytest.mark.parametrize(
    ("line", "flag"),
    [
        ("sample --stop e --stop q", "--stop"),
        ("sample --stop e --stop=e", "--stop"),
        ("sample -t 1 --temp 0.5", "--temp/-t"),
        ("sample -mtale -n 1 -qm tale", "--model/-m"),
        ("classify s.txt -m rev --fail-if bad --fail-if good", "--fail-if"),
        ("train --resume a --resume b", "--resume"),
        ("train a.txt --name a b.txt --name b --name c", "--name"),
        ("inspect next -k 1 the -k 2", "-k"),
    ],
)
def test_a_flag_of_one_value_is_not_given_twice(line: str, flag: str) -> None:
    with pytest.raises(UsageError, match=f"^{flag}: given twice$") as caught:
        parsed(*line.split())
    assert caught.value.hint == "it takes one value: leave out all but one"


@pytest.mark.parametrize(
    "line",
    [
        "train a.txt b.txt --from a --from b --unlabelled x --unlabelled y",
        "inspect gradients the -m a -m b",
        "sample --quiet -q -q",
        "train a.txt --lines --lines",
        "sample --stop --stop",  # the second is the first's value
        "train --name a -- --name b",
    ],
)
def test_lists_and_switches_are_given_as_often_as_one_likes(line: str) -> None:
    parsed(*line.split())


def test_defaults_and_variables_count_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARRNN_THREADS", "2")
    monkeypatch.setenv("CHARRNN_MODEL", "other")
    assert parsed("sample", "--threads", "1", "-m", "tale")["threads"] == 1


def test_help_and_completion_come_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    twice = ("sample", "--stop", "e", "--stop", "q")
    assert parsed(*twice, is_completing=True)["stop"] == "q"
    with pytest.raises(typer.Exit):
        parsed(*twice, "--help")
    assert "Write text" in capsys.readouterr().out
