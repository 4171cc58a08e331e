"""What a shell offers: words of which there are few, and names of models and runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.config import ENGINES, VIEWS

# Under its own name, as a shell calls it.
PROGRAM = "import sys; sys.argv = ['charrnn']; from charrnn.cli.app import main; main()"


def offered(typed: str) -> tuple[str, ...]:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"_CHARRNN_COMPLETE": "complete_bash"} | words,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(done.stdout.split())


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("charrnn inspect ", VIEWS),
        ("charrnn train --cell g", ("gru", "gru-after")),
        ("charrnn sample --engine ", ENGINES),
    ],
)
def test_one_of_a_few_words_is_completed(typed: str, words: tuple[str, ...]) -> None:
    assert offered(typed) == words


def test_names_are_completed_of_runs_that_have_what_the_flag_needs() -> None:
    for path in (
        "tale/model.safetensors",
        "tale/last.safetensors",
        "begun/last.safetensors",
        "told/model.safetensors",
    ):
        file = Path("checkpoints", path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert offered("charrnn sample -m ") == ("tale", "told")
    assert offered("charrnn sample --model to") == ("told",)
    assert offered("charrnn train --from ta") == ("tale",)
    assert offered("charrnn train --resume ") == ("begun", "tale")
    assert offered("charrnn inspect t") == ("tale", "told")
    assert offered("charrnn inspect ") == (*VIEWS, "tale", "told")
