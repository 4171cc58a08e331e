"""The library's loss of the output layer against torch's in double precision, on every road."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from charrnn.config import IGNORED
from charrnn.models.losses import output_loss
from charrnn.models.native_loss import native_output_loss
from charrnn.native import library
from charrnn.native.library import Native, Road
from tests.native.compiled import ROADS, needs_library

# Steps, lanes, numbers, tokens: one of each, fewer and more than a panel or a tile has, more vectors than a
# thread takes at a time or a gradient adds up at once, more tokens than panels that are taken together have.
SIZES = ((1, 1, 1, 1), (3, 7, 17, 5), (5, 13, 40, 16), (35, 15, 33, 67), (2, 3, 211, 300))
CLOSE = 1e-5  # of the largest value of a tensor; single precision has seven digits
each_road = pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
Drawn = tuple[list[Tensor], Tensor]


def drawn(size: tuple[int, int, int, int]) -> Drawn:
    """Vectors, rows and bias in double precision, and targets, some of which are not scored."""
    steps, lanes, numbers, tokens = size
    generator = torch.Generator().manual_seed(sum(size))
    shapes = ((steps, lanes, numbers), (tokens, numbers), (tokens,))
    tensors = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    targets = torch.randint(tokens, (steps, lanes), generator=generator)
    targets[1::2, 0] = IGNORED
    return tensors, targets


def exact(of: Drawn) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The loss by torch and its gradients, in double precision."""
    tensors, targets = [tensor.clone().requires_grad_() for tensor in of[0]], of[1]
    vectors, rows, bias = tensors
    logits = functional.linear(vectors, rows, bias).flatten(0, 1)
    loss = functional.cross_entropy(logits, targets.flatten(), ignore_index=IGNORED)
    return loss.detach(), torch.autograd.grad(loss, tensors)


def by_library(road: Road, of: Drawn, share: float = 1.0) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The same by a road, in single precision; the gradients are those of so many times the loss."""
    vectors, rows, bias = (tensor.float().requires_grad_() for tensor in of[0])
    loss = native_output_loss(Native(library.open_library(), road), vectors, rows, bias, of[1])
    return loss.detach(), torch.autograd.grad(loss * share, (vectors, rows, bias))


def assert_near(ours: Tensor, expected: Tensor) -> None:
    scale = float(expected.detach().abs().max())
    torch.testing.assert_close(ours.double(), expected, rtol=0, atol=CLOSE * scale)


@each_road
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_loss_and_gradients_are_those_of_the_logits(road: Road, size: tuple[int, int, int, int]) -> None:
    of = drawn(size)
    (expected, gradients), (ours, made) = exact(of), by_library(road, of)
    assert float(ours) == pytest.approx(float(expected), rel=1e-6, abs=1e-7)
    for gradient, near in zip(made, gradients, strict=True):
        assert_near(gradient, near)


@each_road
def test_it_does_not_matter_how_tensors_lie_in_memory(road: Road) -> None:
    of = drawn((3, 7, 17, 5))
    (vectors, rows, bias), targets = of
    turned = [vectors.transpose(0, 1).contiguous().transpose(0, 1), rows.T.contiguous().T, bias]
    (loss, gradients), (other, same) = by_library(road, of), by_library(road, (turned, targets.T.clone().T))
    assert torch.equal(loss, other)
    assert all(torch.equal(one, two) for one, two in zip(gradients, same, strict=True))


@each_road
def test_a_share_of_the_loss_has_that_share_of_the_gradients(road: Road) -> None:
    of = drawn((3, 7, 17, 5))
    _, whole = by_library(road, of)
    _, half = by_library(road, of, 0.5)
    assert all(torch.equal(part * 0.5, other) for part, other in zip(whole, half, strict=True))


@each_road
def test_neither_knows_how_many_threads_there_are(road: Road) -> None:
    of, threads, found = drawn((35, 15, 33, 67)), torch.get_num_threads(), []
    for count in (1, 3):
        torch.set_num_threads(count)
        try:
            found.append(by_library(road, of))
        finally:
            torch.set_num_threads(threads)
    (loss, alone), (other, shared) = found
    assert torch.equal(loss, other)
    assert all(torch.equal(one, more) for one, more in zip(alone, shared, strict=True))


@each_road
def test_scores_far_apart_are_exact_and_give_finite_gradients(road: Road) -> None:
    rows = torch.tensor([[300.0], [-300.0], [0.0]], dtype=torch.float64)
    of = [torch.ones(1, 1, 1, dtype=torch.float64), rows, rows[:, 0] * 0.0], torch.tensor([[1]])
    loss, gradients = by_library(road, of)
    assert float(loss) == 600.0
    assert all(gradient.isfinite().all() for gradient in gradients)


@each_road
@pytest.mark.parametrize("number", [torch.nan, torch.inf])
def test_what_is_no_number_makes_no_loss(road: Road, number: float) -> None:
    of = drawn((3, 7, 17, 5))
    of[0][0][2, 3, 4] = number
    loss, _ = by_library(road, of)
    assert loss.isnan()


@each_road
def test_without_a_target_there_is_no_loss_and_gradients_are_zero(road: Road) -> None:
    tensors, targets = drawn((3, 7, 17, 5))
    loss, gradients = by_library(road, (tensors, torch.full_like(targets, IGNORED)))
    assert loss.isnan()
    assert not any(gradient.any() for gradient in gradients)


@needs_library
def test_a_target_that_is_no_token_is_refused() -> None:
    tensors, targets = drawn((3, 7, 17, 5))
    targets[0, 0] = 5
    with pytest.raises(IndexError, match="no row"):
        by_library(ROADS[0], (tensors, targets))


@needs_library
def test_a_second_way_back_is_refused() -> None:
    (vectors, *others), targets = drawn((3, 7, 17, 5))
    vectors = vectors.float().requires_grad_()
    rows, bias = (other.float() for other in others)
    loss = native_output_loss(Native(library.open_library(), ROADS[0]), vectors, rows, bias, targets)
    loss.backward(retain_graph=True)
    with pytest.raises(AttributeError):  # whoever has the gradients may have changed them by now
        loss.backward()


@pytest.mark.parametrize("is_native", [False, True])
def test_the_loss_of_the_output_layer_is_that_of_its_logits_with_and_without_the_library(
    is_native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_native:
        monkeypatch.setattr("charrnn.models.engine.native", lambda: None)
    of = drawn((3, 7, 17, 5))
    vectors, rows, bias = tensors = [tensor.float().requires_grad_() for tensor in of[0]]
    loss = output_loss(vectors, rows, bias, of[1])
    expected, gradients = exact(of)
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-6)
    for ours, near in zip(torch.autograd.grad(loss, tensors), gradients, strict=True):
        assert_near(ours, near)
