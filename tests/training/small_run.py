"""A small run of a language model: at its beginning, where it was left, and what it left on disk."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from charrnn.checkpoint import model as model_files
from charrnn.checkpoint.container import Tensors
from charrnn.config import Budget, CorpusConfig
from charrnn.text.corpus import prepare
from charrnn.training import run as run_files
from charrnn.training import start
from charrnn.training.loop import Training
from charrnn.training.request import Origin, Request
from charrnn.training.run import Left, Run, load_last
from charrnn.training.start import Sitting
from tests.text.reading import document, finish

CPU = torch.device("cpu")
STEPS = 40
TEXT = "the cat sat on the mat; a dog ate the log.\nshe said: no cat, no dog, no mat.\n" * 40


class Clock:
    """A clock that shows what the test says."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def new(
    folder: str,
    budget: Budget,
    sample_length: int = 0,
    *,
    text: str = TEXT,
    config: CorpusConfig = CorpusConfig(),  # noqa: B008 (it is frozen)
    origin: Origin | None = None,
    turned: bool = False,
    **changes: Any,
) -> tuple[Training, Run]:
    fields: dict[str, Any] = {
        "seed": 7,
        "hidden_size": 12,
        "num_layers": 2,
        "dropout": 0.2,
        "batch_size": 4,
        "seq_len": 16,
    }
    request = Request(**(fields | changes))
    sitting = Sitting(0.0, CPU, sample_length)
    documents = [document("corpus.txt", text.encode())]
    Path(folder).mkdir(parents=True)
    corpus = finish(prepare(documents, config, origin.checkpoint.tokenizer if origin else None))
    if turned:
        back = {name: getattr(corpus, name)[::-1].copy() for name in ("training", "validation")}
        corpus = replace(corpus, **back)
    shown = ["corpus.txt"]
    training, run, _ = start.new(
        Path(folder), corpus, documents, shown, config, request, budget, sitting, origin
    )
    return training, run


def resumed(folder: str, budget: Budget | None = None, left: Left | None = None) -> tuple[Training, Run]:
    """A run where it was left, or where `left` says it was."""
    left = left or load_last(Path(folder))
    corpus = finish(prepare(run_files.documents(Path(folder), left.recipe), left.recipe.corpus))
    return start.resume(Path(folder), left, corpus, budget, Sitting(0.0, CPU, 0))


def last(folder: str) -> Tensors:
    return load_last(Path(folder))[2].tensors


def best(folder: str) -> Tensors:
    return model_files.load(Path(folder, "model.safetensors")).tensors


def assert_equal(ours: Tensors, theirs: Tensors) -> None:
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name, strict=True)
