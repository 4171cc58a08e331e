"""A language model that learns window by window, with the state carried from one to the next."""

from __future__ import annotations

import math

import torch

from charrnn.cells import CELLS, State
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig, TrainingConfig
from charrnn.models.language_model import LanguageModel, States, detached
from charrnn.models.losses import output_loss
from charrnn.text.batches import Batch
from charrnn.training.descent import Descending, Descent, Step


class Learner(Descending[LanguageModel]):
    """Learns from one batch at a time; all it knows goes into `tensors` and comes back by `restore`."""

    def __init__(self, config: ModelConfig, settings: TrainingConfig, device: torch.device) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed % 2**63)
            model = LanguageModel(config, settings)
        self.settings = settings
        self.descent = Descent(model, settings, device)
        self._states: States | None = None

    @property
    def guessing(self) -> float:
        """The loss of saying that every token is as likely as any other."""
        return math.log(self.model.config.vocab_size)

    def learn(self, batch: Batch, learning_rate: float) -> Step:
        """Takes one step of truncated back-propagation, unless the loss or gradient is no number."""
        device = self.descent.device
        inputs = torch.from_numpy(batch.inputs).to(device)
        targets = torch.from_numpy(batch.targets).to(device)
        vectors, states = self.model.read(inputs, self._before(batch), self.descent.generator())
        self._states = detached(states)
        loss = output_loss(vectors, self.model.output_rows, self.model.output_bias, targets)
        return self.descent.take(loss, learning_rate)

    def tensors(self) -> Tensors:
        """What `descent` has, and the carried state, under the names of `weights.training_shapes`."""
        return self.descent.tensors() | saved_states(self._states or ())

    def restore(self, tensors: Tensors, step: int) -> None:
        """Becomes the learner whose `tensors` these are, after so many steps."""
        self.descent.restore(tensors, step)
        if step:
            config = self.model.config
            self._states = restored_states(config.cell, config.num_layers, tensors, self.descent.device)

    def adopt(self, tensors: Tensors) -> None:
        """Starts from the weights of another model."""
        self.descent.adopt(tensors)

    def _before(self, batch: Batch) -> States | None:
        if self._states is None or batch.starts.all():
            return None
        return tuple(carried_on(state, batch) for state in self._states)


def carried_on(state: State, batch: Batch) -> State:
    """The state before a window from that after the one before: zero where a stream starts."""
    goes_on = torch.from_numpy(~batch.starts).to(state.hidden.device)[:, None]
    return type(state)(*(part * goes_on for part in state))


def saved_states(states: States) -> Tensors:
    """States under the names that they have in a file."""
    return {
        weights.state(index, part): tensor.cpu().numpy().copy()
        for index, state in enumerate(states)
        for part, tensor in state._asdict().items()
    }


def restored_states(cell: str, count: int, tensors: Tensors, device: torch.device) -> States:
    """The states of so many layers of a cell from a file's tensors."""
    kind = CELLS[cell].state
    return tuple(
        kind(
            *(
                torch.from_numpy(tensors[weights.state(index, part)].copy()).to(device)
                for part in kind._fields
            )
        )
        for index in range(count)
    )
