"""What a shell offers where a flag or an argument takes one of a few words."""

import os
import subprocess
import sys

import pytest

from charrnn.config import ENGINES, VIEWS

# Under its own name, as a shell calls it.
PROGRAM = "import sys; sys.argv = ['charrnn']; from charrnn.cli.app import main; main()"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("charrnn inspect ", VIEWS),
        ("charrnn train --cell g", ("gru", "gru-after")),
        ("charrnn sample --engine ", ENGINES),
    ],
)
def test_one_of_a_few_words_is_completed(typed: str, offered: tuple[str, ...]) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"_CHARRNN_COMPLETE": "complete_bash"} | words,
        capture_output=True,
        text=True,
        check=True,
    )
    assert tuple(done.stdout.split()) == offered
