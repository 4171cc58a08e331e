"""How fast every cell is on every road, beside torch.nn's modules; and what a minute of each gives.

    python -m benchmarks.cells                (speeds: forward and backward over a window, about five minutes)
    python -m benchmarks.cells --time 60s     (trainings: `charrnn train --cell X --time 60s` for all)

The speeds of one size are taken in turns, and the medians of the turns are printed: on a shared machine a
figure alone says little, their ratios more. The speeds are of what there is without the native library, which
`benchmarks.native` measures.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks import place
from charrnn.cells import CELLS, cell_name
from charrnn.config import NONLINEARITIES
from charrnn.models import recurrent
from charrnn.models.recurrent import FUSED, RecurrentLayer
from charrnn.native import library

STEPS = 64
SIZES = ((16, 384), (32, 256), (64, 256), (16, 512))  # batch, hidden
INPUT_SIZE = 32
KINDS = [("rnn", nonlinearity) for nonlinearity in NONLINEARITIES] + [
    (cell, "tanh") for cell in CELLS if cell != "rnn"
]
Step = Callable[[], None]


def multiplications(cell: str, hidden_size: int) -> int:
    """Of one step, in its products with weights."""
    shapes = CELLS[cell].shapes(INPUT_SIZE, hidden_size).values()
    return sum(shape[0] * shape[1] for shape in shapes if len(shape) == 2)


def ours(kind: tuple[str, str], batch: int, hidden_size: int, *, fused: bool) -> Step:
    """A layer of the product on one road."""
    layer = RecurrentLayer(kind[0], INPUT_SIZE, hidden_size, nonlinearity=kind[1])
    nn.init.orthogonal_(layer.parts["recurrent"])
    for name, part in layer.parts.items():
        if name != "recurrent":
            nn.init.uniform_(part, -0.1, 0.1)
    inputs = torch.randn(STEPS, batch, INPUT_SIZE, requires_grad=True)

    def step() -> None:
        outputs, _ = layer(inputs) if fused else layer.unroll(layer.project(inputs))
        outputs.sum().backward()

    return step


def torchs(kind: tuple[str, str], batch: int, hidden_size: int) -> Step:
    """Torch's own module for the same cell."""
    name = kind[0]
    module: nn.Module = (
        nn.RNN(INPUT_SIZE, hidden_size, nonlinearity=kind[1])
        if name == "rnn"
        else (nn.LSTM if name == "lstm" else nn.GRU)(INPUT_SIZE, hidden_size)
    )
    inputs = torch.randn(STEPS, batch, INPUT_SIZE, requires_grad=True)

    def step() -> None:
        module(inputs)[0].sum().backward()

    return step


def roads(batch: int, hidden_size: int) -> Iterator[tuple[str, str, Step]]:
    """Cell, road, and a step on it."""
    for kind in KINDS:
        name = cell_name(*kind)
        yield name, "scan", ours(kind, batch, hidden_size, fused=False)
        if kind in FUSED:
            yield name, "torch's kernel", ours(kind, batch, hidden_size, fused=True)
            yield name, "torch.nn", torchs(kind, batch, hidden_size)


def speeds(batch: int, hidden_size: int, rounds: int) -> None:
    """Prints a table of medians."""
    taken = list(roads(batch, hidden_size))
    seconds: dict[tuple[str, str], list[float]] = {(cell, road): [] for cell, road, _ in taken}
    for _, _, step in taken:
        step()  # the first call prepares
    for _ in range(rounds):
        for cell, road, step in taken:
            started = time.perf_counter()
            step()
            seconds[cell, road].append(time.perf_counter() - started)
    rates = {key: STEPS * batch / statistics.median(values) for key, values in seconds.items()}
    work = {cell_name(*kind): multiplications(kind[0], hidden_size) for kind in KINDS}
    reference = rates["lstm", "torch.nn"] * work["lstm"]
    print(f"\n1x{hidden_size}, batch {batch}, windows of {STEPS}, {torch.get_num_threads()} threads\n")
    print("| cell | road | chars/s | of torch.nn's same cell | of torch.nn.LSTM's multiplications/s |")
    print("| --- | --- | --- | --- | --- |")
    for (cell, road), rate in rates.items():
        beside = rates.get((cell, "torch.nn"))
        ratio = f"{rate / beside:.2f}" if beside else ""
        print(
            f"| {cell} | {road} | {rate:,.0f} | {ratio} | {rate * work[cell] / reference:.2f} |", flush=True
        )


def trainings(corpus: Path, budget: str) -> None:
    """Prints what `charrnn train` makes of each cell in so much time."""
    print(f"\n`charrnn train {corpus.name} --cell X --time {budget} --seed 1`\n")
    print("| cell | validation, nats/char | bits/byte | chars/s | parameters | net | of lstm per FLOP |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    cards = {}
    with tempfile.TemporaryDirectory() as folder:
        for cell, nonlinearity in sorted(KINDS, key=lambda kind: kind[0] != "lstm"):
            flags = ("--nonlinearity", nonlinearity) if cell == "rnn" else ()
            asked = ("--cell", cell, *flags, "--time", budget, "--seed", "1", "--name", "net", "--force")
            place.run("train", str(corpus), *asked, "-q", folder=Path(folder))
            card = json.loads(place.run("inspect", "net", "--json", folder=Path(folder)).stdout)
            cards[cell_name(cell, nonlinearity)] = card
            print(_training_row(cell_name(cell, nonlinearity), card, cards["lstm"]), flush=True)


def _training_row(name: str, card: dict[str, Any], beside: dict[str, Any]) -> str:
    validation = card["validation"]
    cells = (
        name,
        f"{validation['nats_per_token']:.4f}",
        f"{validation['bits_per_byte']:.3f}",
        f"{_rate(card):,.0f}",
        f"{card['parameters']:,}",
        f"{card['num_layers']}x{card['hidden_size']}",
        f"{_work(card) / _work(beside):.2f}",
    )
    return f"| {' | '.join(cells)} |"


def _rate(card: dict[str, Any]) -> float:
    return float(card["trained"]["tokens"] / card["trained"]["seconds"])


def _work(card: dict[str, Any]) -> float:
    """Multiplications a second, the output's among them; the embedding is looked up."""
    looked_up = card["vocab_size"] * card["embedding_size"]
    return _rate(card) * float(card["parameters"] - looked_up)


def main() -> None:
    parser = place.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--time", help="train every cell for so long, instead of measuring speeds")
    asked = parser.parse_args()
    print(place.heading())
    if asked.time:
        trainings(place.data(asked) / "tinyshakespeare.txt", asked.time)
        return
    os.environ[library.VARIABLE] = "0"
    # Every road there is, not only those that are faster here.
    recurrent.FASTER_ON_CPU |= set(FUSED)
    for batch, hidden_size in SIZES:
        speeds(batch, hidden_size, asked.rounds)


if __name__ == "__main__":
    main()
