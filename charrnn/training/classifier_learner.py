"""A classifier whose members learn from the same batches of labelled documents."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ClassifierConfig, FineTuningConfig
from charrnn.models.classifier import Classifier
from charrnn.models.places import tensors_of
from charrnn.text.document_batches import DocumentBatch
from charrnn.text.tokenizer import BOUNDARY
from charrnn.training.descent import Descending, Descent, Step


class ClassifierLearner(Descending[Classifier]):
    """Learns from one batch at a time; all it knows goes into `tensors` and comes back by `restore`."""

    def __init__(
        self,
        config: ClassifierConfig,
        settings: FineTuningConfig,
        device: torch.device,
        *,
        unknown: int | None = None,
        label_weights: NDArray[np.float32] | None = None,
        is_pretrained: bool = False,
    ) -> None:
        """Makes a new net.

        Args:
            config: its shape.
            settings: its recipe.
            device: where to train.
            unknown: the id that left-out words are read as; the boundary's if there is none.
            label_weights: how much a document of each label counts, [C]; all the same if not given.
            is_pretrained: whether the net will `adopt` weights, which then move less than the new ones.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed % 2**63)
            net = Classifier(config, settings)
        self.settings = settings
        # All that can be known, also where a direction or a layer starts anew beside one that knows.
        parts = [part for member in net for part in (member.embedding, member.layers)]
        known = [parameter for part in parts for parameter in part.parameters()]
        self.descent = Descent(net, settings, device, known=known if is_pretrained else ())
        self._left_out = BOUNDARY if unknown is None else unknown
        self._label_weights = None if label_weights is None else torch.from_numpy(label_weights).to(device)

    @property
    def guessing(self) -> float:
        """The loss of saying that every label is as likely as any other."""
        return math.log(self.model.config.classes)

    def learn(self, batch: DocumentBatch, learning_rate: float) -> Step:
        """Takes one step, unless the loss or gradient is no number.

        The loss is the mean of the members': each learns to answer alone.
        """
        device, generator = self.descent.device, self.descent.generator()
        inputs, lengths, labels = (
            torch.from_numpy(part).to(device) for part in (batch.inputs, batch.lengths, batch.labels)
        )
        losses = [
            functional.cross_entropy(
                member(self._without_some(inputs, generator), lengths, generator), labels, self._label_weights
            )
            for member in self.model
        ]
        return self.descent.take(torch.stack(losses).mean(), learning_rate)

    def tensors(self) -> Tensors:
        """All that steps change, under the names of `weights.descent_shapes`."""
        return self.descent.tensors()

    def restore(self, tensors: Tensors, step: int) -> None:
        """Becomes the learner whose `tensors` these are, after so many steps."""
        self.descent.restore(tensors, step)

    def adopt(self, known: Callable[[Tensors], Tensors]) -> None:
        """Starts with what is known already: `known` turns a member's tensors into those it begins with."""
        self.descent.adopt(
            {
                weights.of_member(index, name): tensor
                for index, member in enumerate(self.model)
                for name, tensor in known(tensors_of(member)).items()
            }
        )

    def _without_some(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Documents without some of their words, others each time, wherever in a document they stand.

        They are read as unknown (Gal & Ghahramani 2016, arXiv:1512.05287, sec. 4.2): were only some of a
        word's occurrences left out, the others would still give the label away.
        """
        share = self.settings.dropout_words
        if share == 0.0:
            return inputs
        # One number for each word, and each document begins elsewhere on their circle: as good as a number
        # for each word of each document, and far fewer to draw.
        words, documents = self.model.config.vocab_size, inputs.shape[1]
        places = torch.rand(words, generator=generator, device=inputs.device)
        begins = torch.rand(documents, generator=generator, device=inputs.device)
        return inputs.masked_fill((places[inputs] + begins) % 1.0 < share, self._left_out)
