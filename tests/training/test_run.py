"""A run's folder: readable after kill -9 at any time, and what its files say is true."""

import dataclasses
import hashlib
import itertools
import random
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from charrnn.checkpoint import container, model
from charrnn.config import Budget, CorpusConfig, TrainingConfig
from charrnn.errors import CheckpointError
from charrnn.evaluation import yardstick
from charrnn.evaluation.metrics import Validation
from charrnn.evaluation.yardstick import xz_bits_per_byte
from charrnn.inference.softmax import log_softmax
from charrnn.inference.stepper import NumpyStepper
from charrnn.training import run as run_files
from charrnn.training.events import Finished, Stepped
from charrnn.training.run import load_last, load_recipe
from tests.cli.program import run, start
from tests.training.fitting import assert_equal_files, fit, refusals
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
    assert_equal_files("checkpoints/whole", "checkpoints/parts", "last.safetensors", "model.safetensors")
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


def test_the_card_says_what_was_learnt_from_what_and_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yardstick, "MIN_VALIDATION_BYTES", 1)
    training, kept = new("run", Budget("steps", STEPS))
    events = fit(training)
    steps = [event for event in events if isinstance(event, Stepped)]
    tokens = sum(event.tokens for event in steps)
    card = model.load(kept.model_file).card
    size = int(0.9 * len(TEXT))
    assert card["trained"] == {
        "seconds": steps[-1].seconds,
        "steps": STEPS,
        "tokens": tokens,
        "epochs": tokens / size,
        "finished": True,
    }
    said = {name: card["corpus"][name] for name in ("sources", "digest", "documents", "characters", "level")}
    assert said == {
        "sources": ["corpus.txt"],
        "digest": hashlib.sha256(TEXT.encode()).hexdigest(),
        "documents": 1,
        "characters": len(TEXT),
        "level": "char",
    }
    assert kept.recipe.sources == (str(Path("corpus.txt").absolute()),)
    assert kept.recipe.digest == card["corpus"]["digest"]
    assert card["validation"]["of"] == len(TEXT) - size
    bits = xz_bits_per_byte(TEXT[:size].encode(), TEXT[size:].encode())
    assert card["yardstick"] == {"name": "xz", "bits_per_byte": bits}
    assert (card["name"], card["task"], card["from"]) == ("run", "language-model", None)


def test_a_model_kept_on_the_way_says_that_there_is_more_to_come_and_no_yardstick_yet() -> None:
    training, kept = new("run", Budget("steps", STEPS))
    fit(training, stop_after=20)
    card = model.load(kept.model_file).card
    assert card["trained"]["finished"] is False
    assert card["yardstick"] is None


def test_of_a_long_text_the_yardstick_takes_what_is_next_to_the_split(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yardstick, "MIN_VALIDATION_BYTES", 1)
    monkeypatch.setattr(run_files, "MAX_TRAINING_BYTES", 700)
    monkeypatch.setattr(run_files, "MAX_VALIDATION_BYTES", 1 + 50)  # tokens, the first of which is a boundary
    text = "".join(random.Random(1).choices("abcdefgh", weights=range(1, 9), k=3000))
    _, kept = new("run", Budget("steps", 1), text=text)
    assert kept.yardstick() == xz_bits_per_byte(text[2000:2700].encode(), text[2700:2750].encode())


@pytest.mark.parametrize(
    ("lines", "documents", "has_endings"), [(False, 1, False), (False, 2, True), (True, 1, True)]
)
def test_a_text_may_end_where_texts_that_were_read_did(
    lines: bool, documents: int, has_endings: bool
) -> None:
    training, kept = new("run", Budget("steps", 1), config=CorpusConfig(lines=lines))
    kept.corpus = dataclasses.replace(kept.corpus, documents=documents)
    fit(training)
    assert model.load(kept.model_file).has_endings == has_endings


@pytest.mark.parametrize("stop", [0, 13])
def test_a_state_that_lacks_something_or_holds_no_number_is_refused(stop: int) -> None:
    training, kept = new("run", Budget("steps", STEPS))
    if stop:
        fit(training, stop_after=stop)
    else:
        kept.save_last(training._learner.tensors(), training.progress)
    assert load_last(kept.folder).progress == training.progress
    description, tensors = container.unpack(kept.last_file)
    description.pop("digest")
    for name, tensor in tensors.items():
        for damage in ({}, {name: tensor[:-1]}, {name: np.full_like(tensor, np.nan)}):
            rest = {other: tensors[other] for other in tensors if other != name}
            kept.last_file.write_bytes(container.pack(description, rest | damage))
            with pytest.raises(CheckpointError, match=re.escape(name)):
                load_last(kept.folder)
