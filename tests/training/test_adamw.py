"""AdamW against torch's own."""

import torch
from torch import nn

from charrnn.training.adamw import AdamW, Group


def parameters(seed: int) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((5, 3), (7,), (2, 2))]


def test_every_group_moves_as_by_torchs_own() -> None:
    ours, theirs = parameters(0), parameters(0)
    optimiser = AdamW([Group(ours[:1], 0.1, 1.0), Group(ours[1:], 0.0, 0.25)], beta1=0.8, beta2=0.95)
    reference = torch.optim.AdamW(
        [
            {"params": theirs[:1], "weight_decay": 0.1, "share": 1.0},
            {"params": theirs[1:], "weight_decay": 0.0, "share": 0.25},
        ],
        betas=(0.8, 0.95),
        foreach=False,
    )
    for step, rate in enumerate((0.1, 0.05, 0.2)):
        gradients = parameters(step + 1)
        for moving, gradient in zip((*ours, *theirs), gradients * 2, strict=True):
            moving.grad = gradient.detach()
        optimiser.move(rate, step)
        for group in reference.param_groups:
            group["lr"] = rate * group["share"]
        reference.step()
        for mine, its in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, its, rtol=1e-6, atol=1e-6)
            assert torch.equal(optimiser.means[mine] != 0, torch.ones_like(mine, dtype=torch.bool))


def test_what_has_no_gradient_stays() -> None:
    still, moving = parameters(0)[:2]
    moving.grad = torch.ones_like(moving)
    before = still.detach().clone()
    AdamW([Group([still], 0.1, 1.0), Group([moving], 0.1, 1.0)], 0.9, 0.99).move(0.1, 0)
    assert torch.equal(still, before)
