"""The scan against the steps of `cells` under autograd, and against torch's fused kernels."""

import pytest
import torch
from torch import Tensor

from charrnn.cells import CELLS, Recurrent, State, zoneout
from charrnn.models.ops import TorchOps
from charrnn.models.recurrent import FUSED
from charrnn.models.scan import scan
from tests.kinds import KINDS

T, B, H = 5, 3, 4


def drawn(cell: str, seed: int = 0) -> dict[str, Tensor]:
    """Everything that goes into a window, in double precision and with a gradient to be had."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    of = CELLS[cell]
    tensors = {"projected": normal(T, B, of.gates * H), "weight": normal(H, of.gates * H)}
    tensors |= {part: normal(B, H) for part in of.state._fields}
    if of.has_inner_bias:
        tensors["inner_bias"] = normal(H)
    if of.has_peephole:
        tensors["peephole"] = normal(H, H)
    return tensors


def arguments(cell: str, nonlinearity: str, of: dict[str, Tensor]) -> tuple[Tensor, State, Recurrent]:
    state = CELLS[cell].state(*(of[part] for part in CELLS[cell].state._fields))
    recurrent = Recurrent(of["weight"], of.get("inner_bias"), of.get("peephole"), nonlinearity)
    return of["projected"] * 1.0, state, recurrent  # the scan uses up what it gets


def stepped(
    cell: str, projected: Tensor, state: State, recurrent: Recurrent, kept: list[Tensor] | None = None
) -> tuple[Tensor, State]:
    """What the scan has to give: the steps of `cells`, one after the other."""
    outputs = []
    for t, inputs in enumerate(projected):
        made = CELLS[cell].step(TorchOps(), inputs, state, recurrent)
        state = zoneout(state, made, [mask[t] for mask in kept]) if kept else made
        outputs.append(state.hidden)
    return torch.stack(outputs), state


def gradients(outputs: Tensor, state: State, of: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of a loss that weighs every output and every part of the last state differently."""
    generator = torch.Generator().manual_seed(9)
    loss = (outputs * torch.randn(outputs.shape, generator=generator, dtype=outputs.dtype)).sum()
    for part in state:
        loss = loss + (part * torch.randn(part.shape, generator=generator, dtype=part.dtype)).square().sum()
    return dict(zip(of, torch.autograd.grad(loss, list(of.values())), strict=True))


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_the_scan_is_the_steps_and_their_gradients(cell: str, nonlinearity: str, rate: float) -> None:
    of = drawn(cell)
    masks = torch.Generator().manual_seed(2)
    kept = [
        torch.empty(T, B, H, dtype=torch.float64).bernoulli_(rate, generator=masks)
        for _ in CELLS[cell].state._fields
    ]
    zoned = kept if rate else None
    expected, last = stepped(cell, *arguments(cell, nonlinearity, of), zoned)
    outputs, after = scan(cell, *arguments(cell, nonlinearity, of), zoned)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-13)
    for ours, theirs in zip(after, last, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)
    autograds = gradients(expected, last, of)
    for name, ours in gradients(outputs, after, of).items():
        torch.testing.assert_close(ours, autograds[name], rtol=0, atol=1e-10, msg=name)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_the_numeric_gradient_is_the_scans(cell: str, nonlinearity: str) -> None:
    of = drawn(cell, seed=3)

    def loss() -> Tensor:
        outputs, after = scan(cell, *arguments(cell, nonlinearity, of))
        return outputs.square().sum() + torch.stack(list(after)).square().sum()

    step = 1e-6
    for ours, tensor in zip(torch.autograd.grad(loss(), list(of.values())), of.values(), strict=True):
        values = tensor.detach().view(-1)
        for place in range(0, len(values), 3):
            kept = float(values[place])
            values[place] = kept + step
            above = float(loss().detach())
            values[place] = kept - step
            below = float(loss().detach())
            values[place] = kept
            numeric = (above - below) / (2 * step)
            assert float(ours.reshape(-1)[place]) == pytest.approx(numeric, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("cell", "nonlinearity"), [kind for kind in KINDS if kind in FUSED])
def test_torchs_fused_kernel_is_the_scan(cell: str, nonlinearity: str) -> None:
    of = drawn(cell, seed=4)
    projected, state, recurrent = arguments(cell, nonlinearity, of)
    rows = projected.shape[-1]
    second_bias = torch.zeros(rows, dtype=torch.float64)
    if recurrent.inner_bias is not None:
        second_bias[-H:] = recurrent.inner_bias.detach()
    # With the identity for input weights the inputs of torch's kernel are what is projected.
    params = [
        torch.eye(rows, dtype=torch.float64),
        recurrent.weight.T,
        torch.zeros_like(second_bias),
        second_bias,
    ]
    before = tuple(part[None] for part in state)
    rest = (params, True, 1, 0.0, True, False, False)
    expected, *_ = FUSED[cell, nonlinearity](projected, before if len(before) > 1 else before[0], *rest)
    outputs, _ = scan(cell, *arguments(cell, nonlinearity, of))
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-12)
    wanted = torch.autograd.grad(expected.square().sum(), [of["projected"], of["weight"]])
    for ours, theirs in zip(
        torch.autograd.grad(outputs.square().sum(), [of["projected"], of["weight"]]), wanted, strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_a_second_way_back_through_the_same_window_is_refused() -> None:
    of = drawn("gru")
    outputs, _ = scan("gru", *arguments("gru", "tanh", of))
    outputs.sum().backward(retain_graph=True)
    with pytest.raises(AttributeError):  # its buffers hold the gradients by now
        outputs.sum().backward()
