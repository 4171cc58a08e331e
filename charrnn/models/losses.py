"""How wrong a prediction is."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from charrnn.config import IGNORED


def next_token_loss(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Cross-entropy of the next token, in nats.

    Args:
        logits: unnormalised scores, [T, B, V].
        targets: ids of the tokens that came next, [T, B]; `IGNORED` marks what is not scored.
        reduction: `mean` per scored token, `sum`, or `none` ([T * B], 0 where ignored).

    Raises:
        ValueError: if the first two sizes differ.
    """
    if logits.shape[:2] != targets.shape:
        raise ValueError(f"logits {tuple(logits.shape)} do not fit targets {tuple(targets.shape)}")
    return functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction=reduction
    )
