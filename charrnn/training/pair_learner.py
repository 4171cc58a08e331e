"""Two language models that learn side by side, each window by window, with the state carried."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charrnn.checkpoint.container import Tensors
from charrnn.config import SAMPLED, ClassifierConfig, TrainingConfig
from charrnn.models.language_model import States, detached
from charrnn.models.losses import output_loss, sampled_loss
from charrnn.models.pair import LanguageModelPair
from charrnn.text.both_ways import BatchPair
from charrnn.training.descent import Descending, Descent, Step
from charrnn.training.learner import carried_on, restored_states, saved_states

# The power of their frequency with which ids are sampled (Mikolov et al. 2013, arXiv:1310.4546, sec. 2.2).
FLATTENED = 0.75


class PairLearner(Descending[LanguageModelPair]):
    """Learns a window of both directions at a time; `tensors` has all it knows, `restore` takes it back."""

    def __init__(
        self,
        config: ClassifierConfig,
        settings: TrainingConfig,
        counts: NDArray[np.int64],
        device: torch.device,
    ) -> None:
        """Makes new language models.

        Args:
            config: the shape of the net that they are to become.
            settings: their recipe.
            counts: how often each id stands in the text, [V].
            device: where to train.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed % 2**63)
            pair = LanguageModelPair(config, settings)
        self.settings = settings
        self.descent = Descent(pair, settings, device)
        self._states: States | None = None
        # Of few ids all are scored: that costs less than to choose among them.
        self._noise = Noise(counts, device) if config.vocab_size > SAMPLED else None

    @property
    def guessing(self) -> float:
        """The loss of saying that every token is as likely as any other."""
        return math.log(self.model.config.vocab_size)

    def learn(self, batch: BatchPair, learning_rate: float) -> Step:
        """Takes one step of truncated back-propagation in every direction, unless it would be no number."""
        device, generator = self.descent.device, self.descent.generator()
        sample = self._noise.sample(np.random.default_rng(self.descent.seed)) if self._noise else None
        losses, states = [], []
        for direction, window in enumerate(batch.windows):
            before = carried_on(self._states[direction], window) if self._states else None
            inputs = torch.from_numpy(window.inputs).to(device)
            vectors, after = self.model.read(direction, inputs, before, generator)
            losses.append(self._loss(vectors, torch.from_numpy(window.targets).to(device), sample))
            states.append(after)
        self._states = detached(tuple(states))
        return self.descent.take(torch.stack(losses).mean(), learning_rate)

    def _loss(self, vectors: Tensor, targets: Tensor, sample: Tensor | None) -> Tensor:
        rows, bias = self.model.embedding.weight, self.model.output_bias
        if self._noise is None or sample is None:
            return output_loss(vectors, rows, bias, targets)
        return sampled_loss(vectors, targets, rows, bias, sample, self._noise.log_chances)

    def tensors(self) -> Tensors:
        """All that steps change, under the names of `weights.pair_training_shapes`."""
        return self.descent.tensors() | saved_states(self._states or ())

    def restore(self, tensors: Tensors, step: int) -> None:
        """Becomes the learner whose `tensors` these are, after so many steps."""
        self.descent.restore(tensors, step)
        if step:
            config, count = self.model.config, len(self.model.readers)
            self._states = restored_states(config.cell, count, tensors, self.descent.device)


class Noise:
    """Draws the ids that the right one is to be told from: `SAMPLED` draws, the commoner the likelier.

    Not on the device: in single precision the rarest would not be drawn, and MPS has no other.
    """

    def __init__(self, counts: NDArray[np.int64], device: torch.device) -> None:
        # No id is left out for good: that one is rare here says nothing about other texts.
        shares = np.power(counts + 1.0, FLATTENED)
        shares /= shares.sum()
        self._device = device
        self._ends = np.cumsum(shares)
        # 1 - (1 - share)^S: the chance to be drawn at least once.
        log_chances = np.log(-np.expm1(SAMPLED * np.log1p(-shares)))
        self.log_chances = torch.from_numpy(log_chances.astype(np.float32)).to(device)

    def sample(self, generator: np.random.Generator) -> Tensor:
        """Distinct ids, ascending; at most `SAMPLED`."""
        ids = np.searchsorted(self._ends, generator.random(SAMPLED)).clip(max=len(self._ends) - 1)
        return torch.from_numpy(np.unique(ids)).to(self._device)
