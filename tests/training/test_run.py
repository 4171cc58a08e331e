"""A run's folder: readable after kill -9 at any time, and what its files say is true."""

import dataclasses
import itertools
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from charrnn.checkpoint import container, model
from charrnn.config import Budget, TrainingConfig
from charrnn.evaluation.metrics import Validation
from charrnn.inference.softmax import log_softmax
from charrnn.inference.stepper import NumpyStepper
from charrnn.training.events import Finished
from charrnn.training.run import load_last, load_recipe
from tests.cli.program import run, start
from tests.training.fitting import fit, refusals
from tests.training.small_run import STEPS, TEXT, new

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


def test_the_figure_of_the_card_is_that_of_the_file_read_on_numpy_token_by_token() -> None:
    training, kept = new("run", Budget("steps", STEPS))
    finished = fit(training)[-1]
    assert isinstance(finished, Finished)
    assert isinstance(finished.validation, Validation)
    ids = np.asarray(kept.corpus.validation)
    checkpoint = model.load(kept.model_file)
    stepper, nats = NumpyStepper(checkpoint.config, checkpoint.tensors), 0.0
    states = stepper.start()
    for token, target in itertools.pairwise(ids):
        logits, states = stepper.step(int(token), states)
        nats -= float(log_softmax(logits)[target])
    assert finished.validation.tokens == len(ids) - 1
    assert finished.validation.nats_per_token == pytest.approx(nats / (len(ids) - 1), abs=1e-5)
    assert checkpoint.card["validation"]["nats_per_token"] == finished.validation.nats_per_token


def test_settings_survive_the_way_through_the_file() -> None:
    _, kept = new("run", Budget("steps", 1), seed=2**64 - 1)
    fit(new("other", Budget("steps", 1), seed=2**64 - 1)[0])
    recipe = load_last(Path("other"))[0]
    assert recipe.settings.seed == 2**64 - 1
    assert dataclasses.replace(recipe) == recipe == kept.recipe
    assert isinstance(recipe.settings, TrainingConfig)


def test_no_odd_value_in_what_a_run_left_is_worse_than_refused() -> None:
    fit(new("run", Budget("steps", STEPS))[0], 13)
    assert refusals(Path("run"), load_recipe) > 200
