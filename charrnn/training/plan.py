"""What a request leaves open, filled in: the size, rate and dropout that fit the budget and the corpus."""

from __future__ import annotations

import os
import secrets
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from charrnn.cells import CELLS
from charrnn.checkpoint import weights
from charrnn.config import (
    MAX_SEED,
    TIED_EMBEDDING,
    TIED_LEVELS,
    Budget,
    ClassifierConfig,
    ModelConfig,
    TrainingConfig,
)
from charrnn.errors import OutOfMemoryError
from charrnn.evaluation import yardstick
from charrnn.text.batches import Batches
from charrnn.text.corpus import Corpus
from charrnn.training.learner import Learner
from charrnn.training.request import Request

# The coarse ladder of hidden sizes, and the two rules that choose from it; docs/recipe.md has the figures.
LADDER = (64, 128, 192, 256, 384, 512, 768, 1024)
TOKENS_PER_PARAMETER = 3.5  # fewer and a smaller net learns more in the same time
PARAMETERS_PER_CHARACTER = 2.0  # more and the net learns the corpus by heart before it learns the language
REFERENCE_HIDDEN = 256
# However long reading and planning took, at least this share of a budget of seconds is for training.
TRAINING_SHARE = 0.25
MEASURE_SHARE = 0.02
MEASURE_SECONDS = 1.0
MEASURE_STEPS = 3
# Untimed budgets must not depend on a clock: what the same settings give must be the same anywhere.
EVALUATION_SHARE = 0.02
SMALLEST_SLICE = 2048  # tokens; what fewer say of a model of words is chance
FORWARD_COST = 1 / 3  # of a training step
FINAL_SHARE = 0.05  # of a timed budget, at most, for the last evaluation
CLOSING_SECONDS = 0.5  # for the last save and the card
UNCHANGED = ("seq_len", "init", "dropout_input", "weight_drop", "clip", "clip_value", "weight_decay")
COPIES = 5  # of every weight while training: itself, gradient, two moments, average


@dataclass(frozen=True, slots=True)
class Plan:
    """A complete configuration, and what training will come to."""

    model: ModelConfig
    settings: TrainingConfig
    tokens_per_second: float | None  # of training; measured only for a timed budget
    epochs: float
    reserve: float  # seconds of the budget for what follows the last step
    final_tokens: int  # how many validation tokens the last evaluation scores


def make(request: Request, corpus: Corpus, budget: Budget, spent: float, device: torch.device) -> Plan:
    """Decides what was left open; with a timed budget it measures this machine for a second.

    Args:
        request: what was asked for.
        corpus: what to train on.
        budget: for how long.
        spent: seconds that the command has taken so far.
        device: where to train.
    """
    probe = _config(request, corpus, request.hidden_size or REFERENCE_HIDDEN)
    check_memory(probe)
    batches = Batches(corpus.training, request.batch_size, request.seq_len)
    speed = None
    if budget.unit == "seconds":
        limit = min(MEASURE_SECONDS, MEASURE_SHARE * budget.amount)
        started = time.monotonic()
        speed = measure(probe, request, batches, device, limit)
        spent += time.monotonic() - started

    def tokens(config: ModelConfig) -> float:
        if speed is not None:
            left = max(TRAINING_SHARE * budget.amount, budget.amount - spent)
            return left * speed * _work(probe) / _work(config)
        epochs = budget.amount if budget.unit == "epochs" else budget.amount / batches.windows
        return epochs * batches.tokens

    config = probe if request.hidden_size else _largest_fitting(request, corpus, tokens)
    total = tokens(config)
    if speed is not None:
        speed *= _work(probe) / _work(config)
    epochs = total / batches.tokens
    reserve, final_tokens = closing(corpus, budget, speed)
    settings = TrainingConfig(
        seed=secrets.randbelow(MAX_SEED + 1) if request.seed is None else request.seed,
        learning_rate=request.learning_rate or default_learning_rate(config),
        dropout=default_dropout(epochs) if request.dropout is None else request.dropout,
        batch_size=batches.batch_size,
        **_asked(request),
        evaluation_tokens=_slice_tokens(total),
    )
    return Plan(config, settings, speed, epochs, reserve, final_tokens)


def default_learning_rate(config: ModelConfig) -> float:
    """The peak rate for a width: the wider the net, the smaller its steps."""
    rate = min(0.01, 3.0 / config.hidden_size)
    # Without gates nothing damps a step that was too long.
    return rate if CELLS[config.cell].gates > 1 else rate / 2


def default_dropout(epochs: float) -> float:
    """How much to drop for so many readings of the corpus: the more often it is read, the more."""
    if epochs < 3:
        return 0.0
    return 0.1 if epochs < 5 else 0.3


def measure(
    config: ModelConfig, request: Request, batches: Batches, device: torch.device, seconds: float
) -> float:
    """Tokens per second of training this model here, the upper quartile over steps of so many seconds.

    Not the median: another program that had the cores for a moment said 7,000 where it was 150,000, and a
    minute was spent on a net a tenth of the right size.
    """
    settings = TrainingConfig(
        seed=0,
        learning_rate=1e-3,
        dropout=request.dropout or 0.0,
        batch_size=request.batch_size,
        evaluation_tokens=0,
        **_asked(request),
    )
    learner = Learner(config, settings, device)
    learner.learn(batches.at(0), 0.0)  # the first call prepares kernels
    rates: list[float] = []
    started = time.monotonic()
    while len(rates) < MEASURE_STEPS or time.monotonic() - started < seconds:
        batch = batches.at(learner.step)
        begin = time.perf_counter()
        learner.learn(batch, 0.0)
        rates.append(batch.tokens / (time.perf_counter() - begin))
    return statistics.quantiles(rates, n=4)[2]


def closing(corpus: Corpus, budget: Budget, speed: float | None) -> tuple[float, int]:
    """Seconds to keep for what follows the last step, and how many tokens the last evaluation scores."""
    everything = len(corpus.validation) - 1
    if speed is None or budget.unit != "seconds":
        return 0.0, everything
    per_second = speed / FORWARD_COST
    allowed = int(FINAL_SHARE * budget.amount * per_second)
    scored = min(everything, max(1, allowed))
    compressed = min(yardstick.MAX_TRAINING_BYTES, float(corpus.counts @ corpus.byte_lengths))
    return scored / per_second + 2 * compressed / yardstick.BYTES_PER_SECOND + CLOSING_SECONDS, scored


def check_memory(config: ModelConfig | ClassifierConfig) -> None:
    """Refuses a model whose training cannot fit this machine, before anything is allocated.

    Raises:
        OutOfMemoryError: with the numbers.
    """
    needed = COPIES * 4 * weights.parameters(config)
    available = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > available:
        raise OutOfMemoryError(
            f"this model needs {needed:.1e} bytes to train, the machine has {available:.1e}",
            "a smaller --hidden or fewer --layers",
        )


def _asked(request: Request) -> dict[str, Any]:
    """The settings that a request and a run have in common, and that the plan leaves as they are."""
    return {name: getattr(request, name) for name in UNCHANGED}


def _config(request: Request, corpus: Corpus, hidden_size: int) -> ModelConfig:
    tied = corpus.tokenizer.level in TIED_LEVELS
    return ModelConfig(
        vocab_size=corpus.tokenizer.vocab_size,
        hidden_size=hidden_size,
        embedding_size=request.embedding_size or (TIED_EMBEDDING if tied else ModelConfig.embedding_size),
        num_layers=request.num_layers,
        cell=request.cell,
        nonlinearity=request.nonlinearity,
        zoneout=request.zoneout,
        tied=tied,
        backward=request.backward,
    )


def _largest_fitting(request: Request, corpus: Corpus, tokens: Callable[[ModelConfig], float]) -> ModelConfig:
    ladder = [_config(request, corpus, hidden) for hidden in LADDER]
    fitting = [
        config
        for config in ladder
        if tokens(config) >= TOKENS_PER_PARAMETER * _weighed(config)
        and _weighed(config) <= PARAMETERS_PER_CHARACTER * len(corpus.training)
    ]
    return fitting[-1] if fitting else ladder[0]


def _weighed(config: ModelConfig) -> int:
    """The parameters by which a net is too large or not; a tied matrix is there at any size."""
    tied = config.vocab_size * config.embedding_size if config.tied else 0
    return weights.parameters(config) - tied


def _work(config: ModelConfig) -> int:
    """Multiplications per token: the products with all weights but the embedding's, which is a look-up.

    A tied matrix is looked up and multiplied with.
    """
    looked_up = 0 if config.tied else config.vocab_size * config.embedding_size
    return weights.parameters(config) - looked_up


def _slice_tokens(total: float) -> int:
    """The validation tokens one evaluation scores, so that all of them cost 2 % of the training."""
    candidates = 2  # the weights and their average
    per_evaluation = EVALUATION_SHARE * total / FORWARD_COST / (TrainingConfig.evaluations * candidates)
    return max(SMALLEST_SLICE, int(per_evaluation))
