"""The native scan against the steps of `cells` in double precision, on every road that runs here."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from charrnn.cells import CELLS, Recurrent, State
from charrnn.models.native_scan import native_read, native_scan
from charrnn.native import library
from charrnn.native.library import Native, Road
from tests.kinds import KINDS
from tests.models.test_scan import gradients, stepped
from tests.native.compiled import ROADS, needs_library

# Steps, lanes, units: one of each, fewer and more than a panel or a tile has, more lanes than go at once,
# more panels than are taken together, and more steps times lanes than a gradient takes at a time.
SIZES = ((1, 1, 1), (5, 3, 4), (3, 7, 17), (4, 33, 50), (2, 70, 16), (3, 16, 211), (35, 15, 33))
# Of the largest value of a tensor; single precision has seven digits.
CLOSE = 1e-5


def drawn(cell: str, size: tuple[int, int, int]) -> dict[str, Tensor]:
    """Everything that goes into a window, in double precision and with a gradient to be had."""
    generator = torch.Generator().manual_seed(sum(size))
    steps, lanes, hidden_size = size

    def normal(*shape: int, scale: float = 1.0) -> Tensor:
        drawn = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return (drawn * scale).requires_grad_()

    of = CELLS[cell]
    tensors = {"projected": normal(steps, lanes, of.gates * hidden_size)}
    for part, shape in of.shapes(1, hidden_size).items():
        if part not in ("input", "bias"):
            tensors[part] = normal(*shape, scale=hidden_size**-0.5)
    return tensors | {part: normal(lanes, hidden_size) for part in of.state._fields}


def in_single_precision(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().float().requires_grad_() for name, tensor in tensors.items()}


def state_of(cell: str, of: dict[str, Tensor]) -> State:
    return CELLS[cell].state(*(of[part] for part in CELLS[cell].state._fields))


def native(road: Road) -> Native:
    return Native(library.open_library(), road)


def scanned(road: Road, kind: tuple[str, str], of: dict[str, Tensor]) -> tuple[Tensor, State]:
    return native_scan(native(road), kind, of["projected"] * 1.0, state_of(kind[0], of), of)


def by_the_steps(kind: tuple[str, str], of: dict[str, Tensor]) -> tuple[Tensor, State]:
    peephole = of["peephole"].T if "peephole" in of else None
    recurrent = Recurrent(of["recurrent"].T, of.get("inner_bias"), peephole, kind[1])
    return stepped(kind[0], of["projected"], state_of(kind[0], of), recurrent)


def assert_near(ours: Tensor, exact: Tensor, name: str = "") -> None:
    scale = float(exact.detach().abs().max())
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=CLOSE * scale, msg=name)


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_native_scan_is_the_steps_and_their_gradients(
    road: Road, kind: tuple[str, str], size: tuple[int, int, int]
) -> None:
    of = drawn(kind[0], size)
    single = in_single_precision(of)
    expected, last = by_the_steps(kind, of)
    outputs, made = scanned(road, kind, single)
    after = type(made)(*(part.double() for part in made))
    assert_near(outputs, expected, "outputs")
    for ours, exact in zip(after, last, strict=True):
        assert_near(ours, exact, "state")
    exact_gradients = gradients(expected, last, of)
    for name, ours in gradients(outputs.double(), after, single).items():
        assert_near(ours, exact_gradients[name], name)


def looked_up(
    kind: tuple[str, str], size: tuple[int, int, int], rows: int, numbers: int
) -> dict[str, Tensor]:
    """As `drawn`, with embeddings to look up in place of projected inputs."""
    of = drawn(kind[0], size)
    width = of.pop("projected").shape[-1]
    generator = torch.Generator().manual_seed(3)
    shapes = {"embedding": (rows, numbers), "input": (width, numbers), "bias": (width,)}
    return of | {
        name: (torch.randn(shape, generator=generator, dtype=torch.float64)).requires_grad_()
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
# Fewer embeddings than go at once, more, and more than a gradient takes at a time; fewer numbers than a panel
# has, more, and more than units.
@pytest.mark.parametrize(
    ("size", "rows", "numbers"),
    [((1, 1, 1), 2, 1), ((4, 33, 50), 7, 20), ((35, 15, 33), 67, 70), ((35, 15, 33), 530, 20)],
    ids=str,
)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_ids_stand_for_their_embeddings_and_gradients_meet_there(
    road: Road, kind: tuple[str, str], size: tuple[int, int, int], rows: int, numbers: int
) -> None:
    of = looked_up(kind, size, rows, numbers)
    # The last row is never asked for.
    ids = torch.randint(rows - 1, size[:2], generator=torch.Generator().manual_seed(4))
    projected = functional.linear(of["embedding"][ids], of["input"], of["bias"])
    expected, last = by_the_steps(kind, of | {"projected": projected})
    single = in_single_precision(of)
    # Of whatever whole numbers, and however they lie in memory.
    turned = ids.T.contiguous().T.int()
    state = state_of(kind[0], single)
    outputs, after = native_read(native(road), kind, turned, single["embedding"], state, single)
    assert_near(outputs, expected, "outputs")
    exact_gradients = gradients(expected, last, of)
    ours = gradients(outputs.double(), type(after)(*(part.double() for part in after)), single)
    for name, gradient in ours.items():
        assert_near(gradient, exact_gradients[name], name)
    assert not ours["embedding"][-1].any()


@needs_library
@pytest.mark.parametrize("wrong", [-1, 7])
def test_an_id_without_an_embedding_is_refused(wrong: int) -> None:
    kind = ("gru", "tanh")
    of = in_single_precision(looked_up(kind, (2, 2, 4), 7, 3))
    ids = torch.tensor([[0, 6], [wrong, 0]])
    with pytest.raises(IndexError, match="no row"):
        native_read(native(ROADS[0]), kind, ids, of["embedding"], state_of("gru", of), of)


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
@pytest.mark.parametrize("asked", ["outputs", "state"])
def test_a_loss_may_ask_for_the_outputs_alone_or_for_the_last_state_alone(road: Road, asked: str) -> None:
    of = drawn("lstm", (4, 3, 5))
    found = []
    for one, (outputs, state) in (
        (of, by_the_steps(("lstm", "tanh"), of)),
        ((single := in_single_precision(of)), scanned(road, ("lstm", "tanh"), single)),
    ):
        loss = outputs.square().sum() if asked == "outputs" else sum(part.square().sum() for part in state)
        found.append(dict(zip(one, torch.autograd.grad(loss, list(one.values())), strict=True)))
    for name, exact in found[0].items():
        assert_near(found[1][name], exact, name)


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
def test_lanes_do_not_know_how_many_threads_or_other_lanes_there_are(road: Road) -> None:
    of = in_single_precision(drawn("lstm-peephole", (4, 33, 50)))
    kind = ("lstm-peephole", "tanh")
    whole, _ = scanned(road, kind, of)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        divided, _ = scanned(road, kind, of)
    finally:
        torch.set_num_threads(threads)
    lanes = {"projected", "hidden", "cell"}
    alone = {
        name: (tensor[:, 5:6] if name == "projected" else tensor[5:6]) if name in lanes else tensor
        for name, tensor in of.items()
    }
    one, _ = scanned(road, kind, alone)
    assert torch.equal(divided, whole)
    assert torch.equal(one, whole[:, 5:6])


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_gradients_do_not_know_how_many_threads_there_are(road: Road, kind: tuple[str, str]) -> None:
    of = in_single_precision(looked_up(kind, (4, 33, 50), 67, 20))
    ids = torch.arange(4 * 33).reshape(4, 33) % 67
    threads = torch.get_num_threads()
    found = []
    for count in (1, 3):
        torch.set_num_threads(count)
        try:
            state = state_of(kind[0], of)
            outputs, after = native_read(native(road), kind, ids, of["embedding"], state, of)
            found.append(gradients(outputs, after, of))
        finally:
            torch.set_num_threads(threads)
    alone, shared = found
    assert all(torch.equal(alone[name], shared[name]) for name in of)


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_is_no_number_stays_so(road: Road, kind: tuple[str, str]) -> None:
    of = in_single_precision(drawn(kind[0], (2, 1, 3)))
    with torch.no_grad():
        of["projected"][0] = torch.nan
    outputs, _ = scanned(road, kind, of)
    assert outputs.isnan().all()


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_huge_numbers_saturate_and_give_no_gradient(road: Road, kind: tuple[str, str]) -> None:
    if kind == ("rnn", "relu"):
        pytest.skip("relu has no bound")
    of = in_single_precision(drawn(kind[0], (1, 2, 5)))
    with torch.no_grad():
        of["projected"].copy_(of["projected"].sign() * 1e30)
    outputs, _ = scanned(road, kind, of)
    (gradient,) = torch.autograd.grad(outputs.sum(), of["projected"])
    assert outputs.isfinite().all()
    assert gradient.isfinite().all()


@needs_library
def test_a_second_way_back_through_the_same_window_is_refused() -> None:
    of = in_single_precision(drawn("gru", (2, 2, 4)))
    outputs, _ = scanned(ROADS[0], ("gru", "tanh"), of)
    outputs.sum().backward(retain_graph=True)
    with pytest.raises(AttributeError):  # its buffers hold the gradients by now
        outputs.sum().backward()


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
@pytest.mark.parametrize("size", [(0, 2, 3), (2, 0, 3)])
def test_a_window_without_steps_or_lanes_never_reaches_the_library(
    road: Road, size: tuple[int, int, int]
) -> None:
    with pytest.raises(AssertionError):
        scanned(road, ("gru", "tanh"), in_single_precision(drawn("gru", size)))
