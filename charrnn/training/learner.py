"""A language model that learns window by window, with the state carried from one to the next."""

from __future__ import annotations

import math

import torch

from charrnn.cells import CELLS
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig, TrainingConfig
from charrnn.models.language_model import LanguageModel, States, detached
from charrnn.models.losses import next_token_loss
from charrnn.models.places import assign
from charrnn.text.batches import Batch
from charrnn.training.descent import Descent, Step


class Learner:
    """Learns from one batch at a time; all it knows goes into `tensors` and comes back by `restore`."""

    def __init__(self, config: ModelConfig, settings: TrainingConfig, device: torch.device) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed % 2**63)
            model = LanguageModel(config, settings)
        self.settings = settings
        self.descent = Descent(model, settings, device)
        self._states: States | None = None

    @property
    def model(self) -> LanguageModel:
        """The model as it is now."""
        return self.descent.model

    @property
    def average(self) -> LanguageModel:
        """The model whose weights are the moving average."""
        return self.descent.average

    @property
    def step(self) -> int:
        """How many steps were taken."""
        return self.descent.step

    @property
    def guessing(self) -> float:
        """The loss of saying that every token is as likely as any other."""
        return math.log(self.model.config.vocab_size)

    def learn(self, batch: Batch, learning_rate: float) -> Step:
        """Takes one step of truncated back-propagation, unless the loss or gradient is no number."""
        device = self.descent.device
        inputs = torch.from_numpy(batch.inputs).to(device)
        targets = torch.from_numpy(batch.targets).to(device)
        logits, states = self.model(inputs, self._before(batch), self.descent.generator())
        self._states = detached(states)
        return self.descent.take(next_token_loss(logits, targets), learning_rate)

    def with_weights(self, tensors: Tensors) -> LanguageModel:
        """Another model of the same shape, with these weights."""
        model = LanguageModel(self.model.config).to(self.descent.device)
        assign(model, tensors)
        return model

    def tensors(self) -> Tensors:
        """What `descent` has, and the carried state, under the names of `weights.training_shapes`."""
        tensors = self.descent.tensors()
        for index, state in enumerate(self._states or ()):
            for part, tensor in state._asdict().items():
                tensors[weights.state(index, part)] = tensor.cpu().numpy().copy()
        return tensors

    def restore(self, tensors: Tensors, step: int) -> None:
        """Becomes the learner whose `tensors` these are, after so many steps."""
        self.descent.restore(tensors, step)
        if step:
            kind = CELLS[self.model.config.cell].state
            self._states = tuple(
                kind(*(self._carried(tensors, index, part) for part in kind._fields))
                for index in range(self.model.config.num_layers)
            )

    def adopt(self, tensors: Tensors) -> None:
        """Starts from the weights of another model."""
        self.descent.adopt(tensors)

    def _before(self, batch: Batch) -> States | None:
        if self._states is None or batch.starts.all():
            return None
        goes_on = torch.from_numpy(~batch.starts).to(self.descent.device)[:, None]
        return tuple(type(state)(*(part * goes_on for part in state)) for state in self._states)

    def _carried(self, tensors: Tensors, layer: int, part: str) -> torch.Tensor:
        return torch.from_numpy(tensors[weights.state(layer, part)].copy()).to(self.descent.device)
