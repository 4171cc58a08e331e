"""Cross-entropy against its formula."""

import pytest
import torch

from charrnn.config import IGNORED
from charrnn.models.losses import next_token_loss


def test_the_mean_is_over_scored_targets_alone() -> None:
    logits = torch.randn(4, 2, 5, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[0, 1], [2, IGNORED], [4, 4], [IGNORED, 3]])
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    costs = [-p[t, b, targets[t, b]].log() for t in range(4) for b in range(2) if targets[t, b] != IGNORED]
    assert float(next_token_loss(logits, targets)) == pytest.approx(float(sum(costs)) / 6, rel=1e-6)
    assert float(next_token_loss(logits, targets, "sum")) == pytest.approx(float(sum(costs)), rel=1e-6)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^logits \(4, 2, 5\) do not fit targets \(2, 4\)$"):
        next_token_loss(torch.zeros(4, 2, 5), torch.zeros(2, 4, dtype=torch.long))
