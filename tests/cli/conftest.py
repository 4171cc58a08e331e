"""A small model, trained once; a test that needs it gets a copy in its own folder."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import Answer, cool_down, run

SENTENCE = "the cat sat on a mat and then ran to see an old man who had been in his house"
SMALL = ("--steps", "30", "--hidden", "16", "--seed", "1", "-q")


def tale() -> str:
    """Nine thousand characters of nonsense, the same every time."""
    drawn = random.Random(1)
    return "".join(" ".join(drawn.choices(SENTENCE.split(), k=8)) + "\n" for _ in range(300))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tale.txt and a run on it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tale.txt").write_text(tale())
    answer = run("train", "tale.txt", *SMALL, cwd=folder, env={"XDG_CACHE_HOME": str(folder / "cache")})
    assert answer == Answer(0, b"", "")  # quiet: not a word
    return folder


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """The folder of the run `tale`, the only one here; tale.txt lies beside `checkpoints`."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path / "checkpoints" / "tale"


@pytest.fixture(scope="session", autouse=True)
def _cooled() -> Iterator[None]:
    """Ends what was started to answer fast."""
    yield
    cool_down()
