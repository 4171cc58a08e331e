"""AdamW, by torch's functions and by every road of the library, against torch's own optimiser."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from charrnn.config import TrainingConfig
from charrnn.native import library
from charrnn.native.library import Native, Road
from charrnn.training.adamw import AdamW, Group
from charrnn.training.native_adamw import NativeAdamW
from tests.native.compiled import ROADS

# One number, fewer and more than a vector has, a matrix, and enough for three threads.
SHAPES = ((1,), (7,), (19,), (5, 3), (13, 4099))
Make = Callable[..., AdamW]


def settings(clip: float = math.inf) -> TrainingConfig:
    """A recipe in which nothing is limited unless told otherwise."""
    return TrainingConfig(
        seed=0,
        learning_rate=0.0,  # each step is told its own
        dropout=0.0,
        clip=clip,
        adam_beta1=0.8,
        adam_beta2=0.95,
        averaging=0.9,
        evaluation_tokens=0,
    )


def by_road(road: Road) -> Make:
    def make(*given: object) -> AdamW:
        return NativeAdamW(Native(library.open_library(), road), *given)  # type: ignore[arg-type]  # as AdamW's

    return make


MAKES = [pytest.param(AdamW, id="torch"), *(pytest.param(by_road(road), id=road.name) for road in ROADS)]
each_way = pytest.mark.parametrize("make", MAKES)


def parameters(seed: int) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def give(moving: list[nn.Parameter], gradients: list[nn.Parameter]) -> None:
    for parameter, gradient in zip(moving, gradients, strict=True):
        parameter.grad = gradient.detach().clone()


def averages_of(moving: list[nn.Parameter]) -> dict[nn.Parameter, Tensor]:
    return {parameter: torch.zeros_like(parameter) for parameter in moving}


def assert_still(optimiser: AdamW) -> None:
    """That nothing is other than in the beginning."""
    for (parameter, average), before in zip(optimiser.averages.items(), parameters(0), strict=True):
        assert torch.equal(parameter, before)
        for part in (average, optimiser.means[parameter], optimiser.mean_squares[parameter]):
            assert not part.any()


@each_way
def test_every_group_moves_as_by_torchs_own(make: Make) -> None:
    ours, theirs = parameters(0), parameters(0)
    averages, expected = averages_of(ours), [torch.zeros_like(parameter) for parameter in theirs]
    optimiser = make([Group(ours[:2], 0.1, 1.0), Group(ours[2:], 0.0, 0.25)], averages, settings())
    reference = torch.optim.AdamW(
        [
            {"params": theirs[:2], "weight_decay": 0.1, "share": 1.0},
            {"params": theirs[2:], "weight_decay": 0.0, "share": 0.25},
        ],
        betas=(0.8, 0.95),
        foreach=False,
    )
    for step, rate in enumerate((0.1, 0.05, 0.2)):
        give(ours, parameters(step + 1))
        give(theirs, parameters(step + 1))
        optimiser.move(rate, step)
        for group in reference.param_groups:
            group["lr"] = rate * group["share"]
        reference.step()
        for mine, its, average in zip(ours, theirs, expected, strict=True):
            average += (its.detach() - average) * (0.1 if step else 1.0)
            torch.testing.assert_close(mine, its, rtol=2e-6, atol=2e-6)
            torch.testing.assert_close(averages[mine], average, rtol=2e-6, atol=2e-6)
            for moments, name in ((optimiser.means, "exp_avg"), (optimiser.mean_squares, "exp_avg_sq")):
                torch.testing.assert_close(moments[mine], reference.state[its][name], rtol=2e-6, atol=2e-6)


@each_way
def test_the_norm_of_those_together_and_of_those_apart_is_limited(make: Make) -> None:
    ours, theirs = parameters(0), parameters(0)
    groups = [Group(ours[:2], 0.0, 1.0), Group(ours[2:], 0.0, 1.0, is_apart=True)]
    optimiser = make(groups, averages_of(ours), settings(clip=2.0))
    give(ours, parameters(1))
    give(theirs, parameters(1))
    norms = [float(nn.utils.clip_grad_norm_(some, 2.0)) for some in (theirs[:2], theirs[2:])]
    assert max(norms) > 2.0
    assert optimiser.move(0.1, 0) == pytest.approx(norms[0], rel=1e-6)
    for mine, its in zip(ours, theirs, strict=True):
        assert its.grad is not None
        torch.testing.assert_close(optimiser.means[mine], its.grad * 0.2, rtol=1e-5, atol=1e-7)


@each_way
@pytest.mark.parametrize("which", range(len(SHAPES)))
@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_norm_that_is_not_finite_is_told_and_nothing_moves(make: Make, which: int, number: float) -> None:
    moving = parameters(0)
    averages = averages_of(moving)
    optimiser = make([Group(moving[:2], 0.1, 1.0), Group(moving[2:], 0.1, 1.0, True)], averages, settings())
    give(moving, parameters(1))
    gradient = moving[which].grad
    assert gradient is not None
    gradient.view(-1)[-1] = number
    assert not math.isfinite(optimiser.move(0.1, 0))
    assert_still(optimiser)


@each_way
def test_what_may_not_move_has_a_norm_all_the_same(make: Make) -> None:
    moving = parameters(0)
    optimiser = make([Group(moving, 0.1, 1.0)], averages_of(moving), settings())
    give(moving, parameters(1))
    norm = math.sqrt(sum(float(p.detach().double().square().sum()) for p in parameters(1)))
    assert optimiser.move(0.1, 0, may_move=False) == pytest.approx(norm, rel=1e-6)
    assert_still(optimiser)


@each_way
def test_of_what_has_no_gradient_only_the_average_moves(make: Make) -> None:
    still, *moving = parameters(0)
    averages = averages_of([still, *moving])
    optimiser = make([Group([still], 0.1, 1.0), Group(moving, 0.1, 1.0)], averages, settings())
    give(moving, parameters(1)[1:])
    optimiser.move(0.1, 1)
    assert torch.equal(still, parameters(0)[0])
    assert not optimiser.means[still].any()
    torch.testing.assert_close(averages[still], still.detach() * 0.1)


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
def test_neither_knows_how_many_threads_there_are(road: Road) -> None:
    threads, found = torch.get_num_threads(), []
    for count in (1, 3):
        torch.set_num_threads(count)
        try:
            moving = parameters(0)
            optimiser = by_road(road)([Group(moving, 0.1, 1.0)], averages_of(moving), settings(clip=1.0))
            give(moving, parameters(1))
            found.append((optimiser.move(0.1, 0), moving))
        finally:
            torch.set_num_threads(threads)
    (norm, alone), (other, shared) = found
    assert norm == other
    assert all(torch.equal(one, more) for one, more in zip(alone, shared, strict=True))
