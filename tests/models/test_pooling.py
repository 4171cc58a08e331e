from __future__ import annotations

import torch
from torch import Tensor

from charrnn.models.pooling import pooled

T, B, D = 7, 3, 4
LENGTHS = torch.tensor([7, 1, 4])


def hidden() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(T, B, D, generator=generator, dtype=torch.float64, requires_grad=True)


def by_document(values: Tensor) -> tuple[Tensor, Tensor]:
    """The same, one document after the other, by torch's own reductions."""
    read = [values[:length, document] for document, length in enumerate(LENGTHS)]
    return torch.stack([each.amax(0) for each in read]), torch.stack([each.mean(0) for each in read])


def test_what_is_pooled_is_the_largest_and_the_mean_of_each_document_alone() -> None:
    values = hidden()
    found, expected = pooled(values, LENGTHS), by_document(values)
    weights = [torch.rand_like(out) for out in expected]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    gradients = [torch.autograd.grad(outputs, values, weights)[0] for outputs in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)


def test_what_stands_beyond_a_document_makes_no_difference() -> None:
    values = hidden()
    with torch.no_grad():
        before = pooled(values, LENGTHS)
        values[1:, 1] = 1e6
        for ours, theirs in zip(pooled(values, LENGTHS), before, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_steps_that_are_equally_the_largest_share_its_gradient() -> None:
    values = torch.tensor([2.0, 1.0, 2.0])[:, None, None].requires_grad_()
    largest, _ = pooled(values, torch.tensor([3]))
    assert torch.autograd.grad(largest.sum(), values)[0].flatten().tolist() == [0.5, 0.0, 0.5]
