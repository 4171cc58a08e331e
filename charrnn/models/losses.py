"""How wrong a prediction is."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from charrnn.config import IGNORED
from charrnn.models.engine import native_for
from charrnn.models.native_loss import native_output_loss


def next_token_loss(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Cross-entropy of the next token, in nats.

    Args:
        logits: unnormalised scores, [T, B, V].
        targets: ids of the tokens that came next, [T, B]; `IGNORED` marks what is not scored.
        reduction: `mean` per scored token, `sum`, or `none` ([T * B], 0 where ignored).

    Raises:
        ValueError: if the first two sizes differ.
    """
    _check_fit("logits", logits, targets)
    return functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction=reduction
    )


def output_loss(vectors: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """The mean `next_token_loss` of the logits vectors weight^T + bias.

    By the native library where there is one, which never holds all of them with what else torch keeps.

    Args:
        vectors: what is compared with the tokens' rows, [T, B, D].
        weight: the rows, [V, D].
        bias: of every token, [V].
        targets: ids of the tokens that came next, [T, B]; `IGNORED` marks what is not scored.

    Raises:
        ValueError: if the first two sizes differ.
        IndexError: if a target is no token.
    """
    _check_fit("vectors", vectors, targets)
    library = native_for(vectors, weight, bias)
    if library and targets.numel():
        return native_output_loss(library, vectors, weight, bias, targets)
    return next_token_loss(functional.linear(vectors, weight, bias), targets)


def sampled_loss(
    vectors: Tensor, targets: Tensor, weight: Tensor, bias: Tensor, sample: Tensor, log_chances: Tensor
) -> Tensor:
    """The cross-entropy of the next token among the right one and a sample of the others, in nats per token.

    Each score is lowered by the logarithm of its id's chance to be there, so that the loss estimates that
    over the whole vocabulary (Bengio & Senecal 2008; Jean et al. 2015, arXiv:1412.2007, eq. 8-9); if every
    id is sure to be in the sample, it is that loss.

    Args:
        vectors: what is compared with the ids' rows, [T, B, E].
        targets: ids of the tokens that came next, [T, B]; `IGNORED` marks what is not scored.
        weight: the rows, [V, E].
        bias: of every id, [V].
        sample: distinct ids, ascending, [S].
        log_chances: of every id to be in the sample, [V].
    """
    vectors, targets = vectors.flatten(0, 1), targets.flatten()
    is_scored = targets != IGNORED
    targets = targets.clamp(min=0)
    right = (vectors * functional.embedding(targets, weight)).sum(-1) + bias[targets] - log_chances[targets]
    rows = functional.embedding(sample, weight)
    others = torch.addmm(bias[sample] - log_chances[sample], vectors, rows.T)  # [T * B, S]
    place = torch.searchsorted(sample, targets).clamp_(max=len(sample) - 1)
    is_sampled = sample[place] == targets  # and counts once, as the right one
    hits = torch.nonzero(is_sampled).squeeze(1)
    others[hits, place[hits]] = -torch.inf
    nats = torch.logaddexp(others.logsumexp(-1), right) - right
    return (nats * is_scored).sum() / is_scored.sum()


def _check_fit(what: str, scored: Tensor, targets: Tensor) -> None:
    if scored.shape[:2] != targets.shape:
        raise ValueError(f"{what} {tuple(scored.shape)} do not fit targets {tuple(targets.shape)}")
