"""What the native library is worth: training, sampling, two trainings at once, and a whole command.

    python -m benchmarks.native                          (everything, about twenty minutes)
    python -m benchmarks.native --parts training --rounds 9

Rivals are taken in turns and the medians of the turns are printed, for on a shared machine a figure alone
says little, ratios more. The limit of a training step is what its products would take at the rate of one
large product of torch's, measured in the same turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import place
from benchmarks.tables import print_headings, print_row
from charrnn.cells import CELLS, cell_name
from charrnn.models.initialise import initialise
from charrnn.models.recurrent import RecurrentLayer
from charrnn.native import library
from tests.kinds import KINDS

STEPS = 64
BATCHES = (8, 16, 32)
HIDDEN = (256, 512)
VOCAB_SIZE = 67
EMBEDDING_SIZE = 32
LARGE = 1536  # rows and columns of the large product
PARTS = ("training", "sampling", "together", "command")
Step = Callable[[], object]


def ours(kind: tuple[str, str], batch: int, hidden_size: int) -> Step:
    """Ids to outputs and back by a layer of the product, which looks up every token's product."""
    embedding = nn.Embedding(VOCAB_SIZE, EMBEDDING_SIZE)
    layer = RecurrentLayer(kind[0], EMBEDDING_SIZE, hidden_size, nonlinearity=kind[1])
    initialise(layer, "orthogonal", STEPS)
    ids, gradient = torch.randint(VOCAB_SIZE, (STEPS, batch)), torch.randn(STEPS, batch, hidden_size)

    def step() -> None:
        outputs, _ = layer.unroll(functional.embedding(ids, layer.project(embedding.weight)))
        outputs.backward(gradient)

    return step


def torchs(name: str, batch: int, hidden_size: int, input_size: int) -> Step:
    """Ids to outputs and back by torch's module over embeddings of this width."""
    embedding = nn.Embedding(VOCAB_SIZE, input_size)
    module: nn.Module = getattr(nn, name)(input_size, hidden_size)
    ids, gradient = torch.randint(VOCAB_SIZE, (STEPS, batch)), torch.randn(STEPS, batch, hidden_size)
    return lambda: module(embedding(ids))[0].backward(gradient)


def large_product() -> Step:
    left, right = torch.randn(LARGE, LARGE), torch.randn(LARGE, LARGE)
    out: Tensor = torch.empty(LARGE, LARGE)
    return lambda: torch.mm(left, right, out=out)


def operations(cell: str, hidden_size: int) -> float:
    """Of a token, forward and back: three products with every recurrent weight."""
    shapes = CELLS[cell].shapes(1, hidden_size)
    weights = sum(shape[0] * shape[1] for part, shape in shapes.items() if part in ("recurrent", "peephole"))
    return 6.0 * weights


def seconds_each(steps: dict[str, Step], rounds: int) -> dict[str, float]:
    """The median time of each step, taken in turns."""
    for step in steps.values():
        step()  # the first call prepares
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            found[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in found.items()}


def training(rounds: int) -> None:
    """Prints tokens per second of every cell beside torch's modules and beside the limit."""
    for hidden_size in HIDDEN:
        for batch in BATCHES:
            rivals = {
                "LSTM": torchs("LSTM", batch, hidden_size, hidden_size),
                "LSTM, inputs 32 wide": torchs("LSTM", batch, hidden_size, EMBEDDING_SIZE),
                "GRU": torchs("GRU", batch, hidden_size, hidden_size),
            }
            cells = {cell_name(*kind): ours(kind, batch, hidden_size) for kind in KINDS}
            steps = {**rivals, **cells, "product": large_product()}
            seconds = seconds_each(steps, rounds)
            rate = 2.0 * LARGE**3 / seconds["product"]
            print(
                f"\n1x{hidden_size}, batch {batch}, windows of {STEPS}, {torch.get_num_threads()} threads; "
                f"a large product makes {rate / 1e9:.0f} GFLOP/s"
            )
            speeds = {name: STEPS * batch / seconds[name] for name in (*rivals, *cells)}
            print_headings(("", "tokens/s", *(f"times torch.nn.{name}" for name in rivals), "of the limit"))
            for name in rivals:
                print_row((f"torch.nn.{name}", f"{speeds[name]:,.0f}", "", "", "", ""))
            for kind in KINDS:
                name = cell_name(*kind)
                limit = rate / operations(kind[0], hidden_size)
                ratios = [f"{speeds[name] / speeds[rival]:.2f}" for rival in rivals]
                print_row((name, f"{speeds[name]:,.0f}", *ratios, f"{speeds[name] / limit:.2f}"))


def drawing(rounds: int) -> None:
    """Prints characters per second of sampling on each engine, each in a process of its own."""
    print_headings(("model", "threads", "engine", "chars/s"))
    for layers, hidden_size in ((1, 256), (1, 512), (2, 512), (1, 1024)):
        for threads in ("1", "2"):
            for engine in ("native", "plain"):
                rates = [_rate(layers, hidden_size, threads, engine) for _ in range(rounds)]
                print_row((f"{layers}x{hidden_size}", threads, engine, f"{statistics.median(rates):,.0f}"))


def _rate(layers: int, hidden_size: int, threads: str, engine: str) -> float:
    variables = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), threads)
    variables[library.VARIABLE] = "1" if engine == "native" else "0"
    command = [sys.executable, "-m", "benchmarks.sampling", "--rate", f"{layers}x{hidden_size}"]
    done = subprocess.run(
        [*command, "--threads", threads],
        env=os.environ | variables,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def _train(corpus: Path, name: str, *flags: str) -> list[str]:
    return [
        *(sys.executable, "-m", "charrnn", "train", str(corpus), "--seed", "1", "-q", "--force"),
        *("--name", name, *flags),
    ]


def _log(folder: Path, name: str) -> list[dict[str, Any]]:
    lines = (folder / "checkpoints" / name / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def together(corpus: Path, steps: int = 600) -> None:
    """Prints how fast each of two trainings at once is, as a share of one alone."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)

        def speed(name: str) -> float:
            stepped = [line for line in _log(folder, name) if line["event"] == "stepped"]
            first, last = stepped[1], stepped[-1]
            return float((last["step"] - first["step"]) / (last["seconds"] - first["seconds"]))

        flags = ("--hidden", "256", "--steps", str(steps))
        subprocess.run(_train(corpus, "alone", *flags), cwd=folder, check=True)
        both = [subprocess.Popen(_train(corpus, name, *flags), cwd=folder) for name in ("one", "two")]
        assert [process.wait() for process in both] == [0, 0]
        shares = [speed(name) / speed("alone") for name in ("one", "two")]
    print(f"\nTwo trainings at once: {shares[0]:.2f} and {shares[1]:.2f} of the speed alone", flush=True)


def command(corpus: Path, steps: int = 2500) -> None:
    """Prints the same training with and without the library: losses on the way, and the time they took."""
    print_headings(("cell", "engine", "nats/token at a fifth, two fifths, … of the steps", "seconds"))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for cell in ("gru", "lstm"):
            taken = {}
            for engine in ("native", "plain"):
                flags = ("--cell", cell, "--hidden", "384", "--steps", str(steps), "--engine", engine)
                subprocess.run(_train(corpus, engine, *flags), cwd=folder, check=True)
                losses = [line for line in _log(folder, engine) if line["event"] == "evaluated"]
                fifths = losses[len(losses) // 5 - 1 :: len(losses) // 5]
                taken[engine] = losses[-1]["seconds"]
                shown = ", ".join(f"{line['validation']['nats_per_token']:.3f}" for line in fifths)
                print_row((cell, engine, shown, f"{taken[engine]:.1f}"))
            print_row((cell, "ratio", "", f"{taken['native'] / taken['plain']:.2f}"))


def main() -> None:
    parser = place.parser((__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    print(place.heading())
    print(f"engine: {library.engine()}")
    if "training" in asked.parts:
        training(asked.rounds)
    if "sampling" in asked.parts:
        drawing(min(asked.rounds, 3))
    if "together" in asked.parts:
        together(place.data(asked) / "tinyshakespeare.txt")
    if "command" in asked.parts:
        command(place.data(asked) / "tinyshakespeare.txt")


if __name__ == "__main__":
    main()
