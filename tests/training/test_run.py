"""A run's folder after kill -9: never unreadable, and the end is that of a run nobody disturbed."""

import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from charrnn.checkpoint import container, model
from tests.cli.program import run, start

TEXT = "the cat sat on the mat; a dog ate the log.\nshe said: no cat, no dog, no mat.\n" * 40
# Twenty evaluations, each with a save or two: most kills hit the neighbourhood of one.
TRAIN = ("corpus.txt", "--hidden", "8", "--batch", "1", "--seq", "8", "--seed", "1", "-q")


def killed_and_resumed(
    words: tuple[str, ...], name: str, draw: random.Random, seconds: float, kills: int
) -> None:
    for _ in range(kills):
        process = start(*words)
        time.sleep(draw.uniform(0.0, seconds))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for file in Path("checkpoints", name).glob("*.safetensors"):
            container.unpack(file)
        if Path("checkpoints", name, "last.safetensors").exists():
            words = ("train", "--resume", name, "-q")
    done = run(*words)
    # A kill may have come after the end.
    assert done.status == 0 or done.lines[0].endswith("has finished its budget")


def assert_as_undisturbed(kills: int, steps: int) -> None:
    Path("corpus.txt").write_text(TEXT)
    words = ("train", *TRAIN, "--steps", str(steps), "--name")
    begun = time.monotonic()
    assert run(*words, "whole").status == 0
    seconds = 1.2 * (time.monotonic() - begun)
    killed_and_resumed((*words, "parts"), "parts", random.Random(kills), seconds, kills)
    for file in ("last.safetensors", "model.safetensors"):
        whole = container.unpack(Path("checkpoints/whole", file))[1]
        parts = container.unpack(Path("checkpoints/parts", file))[1]
        assert whole.keys() == parts.keys()
        for tensor in whole:
            np.testing.assert_array_equal(parts[tensor], whole[tensor], err_msg=tensor)
    assert not list(Path("checkpoints/parts").glob("*.tmp"))
    assert model.load(Path("checkpoints/parts/model.safetensors")).card["trained"]["steps"] == steps


def test_two_kills_lose_nothing() -> None:
    assert_as_undisturbed(kills=2, steps=1000)


@pytest.mark.slow
def test_forty_kills_lose_nothing() -> None:
    assert_as_undisturbed(kills=40, steps=3000)
