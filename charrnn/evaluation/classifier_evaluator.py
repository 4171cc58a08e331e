"""Scores a classifier on validation documents: the net alone, the linear model alone, and their answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from charrnn.evaluation.classification import Verdict, figures
from charrnn.inference.calibration import calibrate
from charrnn.inference.classifier import TOKENS, NumpyClassifier, batched
from charrnn.models.classifier import Classifier
from charrnn.models.places import tensors_of
from charrnn.text.document_batches import LONGEST, padded
from charrnn.text.documents import Documents

ORDER_SEED = 0


class ClassifierEvaluator:
    """Validation documents with what the linear model says of them, ready to be read by any net."""

    def __init__(self, documents: Documents, linear: NDArray[np.float64], device: torch.device) -> None:
        """Takes what is to be scored.

        Args:
            documents: N of them.
            linear: the linear model's scores of their labels, [N, C].
            device: where to compute.
        """
        self._documents = documents
        self._linear = linear
        self._device = device
        # Documents lie sorted by label; a part of them must not.
        self._order = np.random.default_rng(ORDER_SEED).permutation(len(documents))

    @property
    def tokens(self) -> int:
        """How many tokens there are to read."""
        return len(self._documents.ids)

    def score(
        self, model: Classifier, tokens: int | None = None, between: Callable[[], None] = lambda: None
    ) -> Verdict:
        """The figures on all documents, or on so many that they have about so many tokens.

        Of the latter at most `LONGEST` tokens each are read, as in training.

        Args:
            model: what is scored.
            tokens: about how many; all if not given.
            between: is called before every batch, and may end it by raising something.

        Raises:
            FloatingPointError: if a score of the net is no number.
        """
        chosen, longest = self._order, None
        if tokens is not None and tokens < self.tokens:
            longest = LONGEST
            read = np.cumsum(np.minimum(self._documents.lengths[chosen], longest))
            chosen = chosen[: max(1, int(np.searchsorted(read, tokens)))]
        net, linear = self._logits(model, chosen, longest, between), self._linear[chosen]
        if not np.isfinite(net).all():
            raise FloatingPointError
        labels = self._documents.labels[chosen]
        calibration = calibrate(net, linear, labels)
        return Verdict(
            net=figures(calibration.net * net, labels),
            linear=figures(calibration.linear * linear, labels),
            answer=figures(calibration.answer(net, linear), labels),
            calibration=calibration,
            documents=len(chosen),
        )

    @torch.inference_mode()
    def _logits(
        self,
        model: Classifier,
        chosen: NDArray[np.int64],
        longest: int | None,
        between: Callable[[], None],
    ) -> NDArray[np.float64]:
        """What a net says of documents, [N, C]; those of about the same length are read together."""
        scores = np.empty((len(chosen), model.config.classes))
        documents = [self._documents[int(index)][:longest] for index in chosen]
        sizes = np.array([len(document) for document in documents])
        if (are_long := sizes > TOKENS).any():  # without torch, which would hold all of one at once
            reader = NumpyClassifier(model.config, tensors_of(model))
            long = [documents[index] for index in np.flatnonzero(are_long)]
            scores[are_long] = reader.logits(long, lambda _: between())
        others = np.flatnonzero(~are_long)
        for part in batched(sizes[others]):
            between()
            places = others[part]
            batch = padded((documents[place] for place in places), self._documents.labels[chosen[places]])
            inputs = torch.from_numpy(batch.inputs).to(self._device)
            lengths = torch.from_numpy(batch.lengths).to(self._device)
            scores[places] = model(inputs, lengths).cpu().numpy()
        return scores
