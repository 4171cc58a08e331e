"""A model and everything that one step changes: optimiser, moving average, carried state, step count."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from charrnn.cells import CELLS
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig, TrainingConfig
from charrnn.models.language_model import LanguageModel, States, detached
from charrnn.models.losses import next_token_loss
from charrnn.text.batches import Batch

# Memory cells are unbounded: a peephole that learns as fast as the rest throws its gate about, and its
# gradient, clipped with the others, drowns them (docs/recipe.md).
PEEPHOLE_SHARE = 0.01  # of the learning rate
# What AdamW calls the two moments of a gradient.
MOMENTS = {weights.FIRST_MOMENT: "exp_avg", weights.SECOND_MOMENT: "exp_avg_sq"}


@dataclass(frozen=True, slots=True)
class Step:
    """What a step found out."""

    loss: float  # nats per token
    grad_norm: float


class Learner:
    """Learns from one batch at a time; all it knows goes into `tensors` and comes back by `restore`.

    Randomness is counter-based: the masks of a step depend on the seed and the step alone.
    """

    def __init__(self, config: ModelConfig, settings: TrainingConfig, device: torch.device) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed % 2**63)
            self.model = LanguageModel(config, settings)
        self.model.to(device)
        self.averaged = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging))
        self.settings = settings
        self.step = 0
        self.device = device
        self._states: States | None = None
        self._generator = torch.Generator(device)
        learning = list(self.model.parameters())
        self._peepholes = [p for name, p in self.model.places().items() if name.endswith(".peephole")]
        peepholes = set(self._peepholes)
        self._others = [parameter for parameter in learning if parameter not in peepholes]
        decay = settings.weight_decay
        self._optimiser = torch.optim.AdamW(
            [
                {"params": [p for p in self._others if p.ndim > 1], "weight_decay": decay, "share": 1.0},
                {"params": [p for p in self._others if p.ndim == 1], "weight_decay": 0.0, "share": 1.0},
                {"params": self._peepholes, "weight_decay": decay, "share": PEEPHOLE_SHARE},
            ],
            lr=settings.learning_rate,
            betas=(settings.adam_beta1, settings.adam_beta2),
            fused=True,
        )
        for parameter in learning:
            # What AdamW would make at its first step; here so that there is one way to save and restore.
            self._optimiser.state[parameter] = {
                "step": torch.zeros((), device=device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }

    @property
    def average(self) -> LanguageModel:
        """The model whose weights are the moving average."""
        module = self.averaged.module
        assert isinstance(module, LanguageModel)
        return module

    def learn(self, batch: Batch, learning_rate: float) -> Step:
        """Takes one step of truncated back-propagation, unless the loss or gradient is no number.

        Whether it did shows in the result: a step that is not finite has changed nothing but the state.
        """
        self._generator.manual_seed((self.settings.seed + self.step * 0x9E3779B97F4A7C15) % 2**63)
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate * group["share"]
        inputs = torch.from_numpy(batch.inputs).to(self.device)
        targets = torch.from_numpy(batch.targets).to(self.device)
        logits, states = self.model(inputs, self._before(batch), self._generator)
        self._states = detached(states)
        loss = next_token_loss(logits, targets)
        self._optimiser.zero_grad()
        loss.backward()
        if self.settings.clip_value is not None:
            nn.utils.clip_grad_value_(self.model.parameters(), self.settings.clip_value)
        nn.utils.clip_grad_norm_(self._peepholes, self.settings.clip)
        norm = nn.utils.clip_grad_norm_(self._others, self.settings.clip)
        step = Step(float(loss.detach()), float(norm))
        if math.isfinite(step.loss) and math.isfinite(step.grad_norm):
            self._optimiser.step()
            self.averaged.update_parameters(self.model)
            self.step += 1
        return step

    def _before(self, batch: Batch) -> States | None:
        if self._states is None or batch.starts.all():
            return None
        goes_on = torch.from_numpy(~batch.starts).to(self.device)[:, None]
        return tuple(type(state)(*(part * goes_on for part in state)) for state in self._states)

    def tensors(self) -> Tensors:
        """Weights, moments, average and carried state, under the names of `weights.training_shapes`."""
        tensors = self.model.tensors() | {
            weights.AVERAGE + name: tensor for name, tensor in self.average.tensors().items()
        }
        for prefix, key in MOMENTS.items():
            for name, parameter in self.model.places().items():
                tensors[prefix + name] = self._moment(parameter, key).cpu().numpy().copy()
        for index, state in enumerate(self._states or ()):
            for part, tensor in state._asdict().items():
                tensors[weights.state(index, part)] = tensor.cpu().numpy().copy()
        return tensors

    def restore(self, tensors: Tensors, step: int) -> None:
        """Becomes the learner whose `tensors` these are, after so many steps."""
        self.step = step
        self.model.assign(tensors)
        self.average.assign({name: tensors[weights.AVERAGE + name] for name in self.model.places()})
        self.averaged.n_averaged.fill_(step)
        with torch.no_grad():
            for prefix, key in MOMENTS.items():
                for name, parameter in self.model.places().items():
                    self._moment(parameter, key).copy_(torch.from_numpy(tensors[prefix + name]))
        for state in self._optimiser.state.values():
            state["step"].fill_(step)
        if step:
            kind = CELLS[self.model.config.cell].state
            self._states = tuple(
                kind(*(self._carried(tensors, index, part) for part in kind._fields))
                for index in range(self.model.config.num_layers)
            )

    def adopt(self, tensors: Tensors) -> None:
        """Starts from the weights of another model."""
        self.model.assign(tensors)
        self.average.assign(tensors)

    def _carried(self, tensors: Tensors, layer: int, part: str) -> torch.Tensor:
        return torch.from_numpy(tensors[weights.state(layer, part)].copy()).to(self.device)

    def _moment(self, parameter: nn.Parameter, key: str) -> torch.Tensor:
        moment: torch.Tensor = self._optimiser.state[parameter][key]
        return moment
