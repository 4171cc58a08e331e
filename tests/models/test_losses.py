"""Cross-entropy against its formula."""

import numpy as np
import pytest
import torch

from charrnn.config import IGNORED
from charrnn.models.losses import next_token_loss, output_loss, sampled_loss


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


VECTORS = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(1))
ROWS = torch.randn(7, 5, generator=torch.Generator().manual_seed(2))
BIAS = torch.randn(7, generator=torch.Generator().manual_seed(3))
TARGETS = torch.tensor([[0, 6, 2], [3, IGNORED, 5], [6, 1, 1], [IGNORED, 4, 0]])


@pytest.mark.parametrize("shape", [(3, 3), (2, 2), (3, 4)])
def test_vectors_and_targets_that_do_not_fit_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"^vectors \(4, 3, 5\) do not fit targets \(\d, \d\)$"):
        output_loss(VECTORS, ROWS, BIAS, torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize("target", [7, -1, -5])
def test_a_target_that_is_no_token_is_refused(target: int) -> None:
    with pytest.raises(IndexError):
        output_loss(VECTORS, ROWS, BIAS, torch.where(TARGETS == 5, target, TARGETS))


def test_no_targets_have_no_loss() -> None:
    assert output_loss(VECTORS[:0], ROWS, BIAS, TARGETS[:0]).isnan()


def test_a_sample_that_surely_has_every_id_gives_the_loss_over_all() -> None:
    whole = next_token_loss(VECTORS @ ROWS.T + BIAS, TARGETS)
    sampled = sampled_loss(VECTORS, TARGETS, ROWS, BIAS, torch.arange(7), torch.zeros(7))
    assert float(sampled) == pytest.approx(float(whole), rel=1e-6)


def test_a_sampled_loss_is_that_of_the_right_id_among_the_others_each_weighed_by_its_chance() -> None:
    chances = torch.linspace(0.1, 0.9, 7)
    sample = torch.tensor([1, 2, 6])
    costs = []
    for t in range(4):
        for b in range(3):
            target = int(TARGETS[t, b])
            if target == IGNORED:
                continue
            weighed = {
                token: float(torch.exp(VECTORS[t, b] @ ROWS[token] + BIAS[token]) / chances[token])
                for token in {1, 2, 6, target}
            }
            costs.append(-np.log(weighed[target] / sum(weighed.values())))
    loss = sampled_loss(VECTORS, TARGETS, ROWS, BIAS, sample, chances.log())
    assert float(loss) == pytest.approx(np.mean(costs), rel=1e-5)


def mean_gradient(draws: int, is_weighed: bool) -> torch.Tensor:
    """Of the rows, over many samples in which the last ids are far likelier than the first."""
    shares = torch.softmax(torch.arange(7) * 0.5, 0)
    generator = torch.Generator().manual_seed(0)
    log_chances = (-torch.expm1(draws * torch.log1p(-shares))).log() if is_weighed else torch.zeros(7)
    rows, total = ROWS.clone().requires_grad_(), torch.zeros_like(ROWS)
    for _ in range(300):
        sample = torch.unique(torch.multinomial(shares, draws, replacement=True, generator=generator))
        total += torch.autograd.grad(sampled_loss(VECTORS, TARGETS, rows, BIAS, sample, log_chances), rows)[0]
    return total / 300


def test_weighed_by_their_chances_samples_lead_where_all_ids_would_and_more_of_them_closer() -> None:
    rows = ROWS.clone().requires_grad_()
    (whole,) = torch.autograd.grad(next_token_loss(VECTORS @ rows.T + BIAS, TARGETS), rows)

    def distance(draws: int, is_weighed: bool = True) -> float:
        return float((mean_gradient(draws, is_weighed) - whole).norm() / whole.norm())

    assert distance(48) < 0.1 < distance(48, is_weighed=False) < distance(12)
