"""Steps of training by the native library and by torch, each in a process of its own.

torch's threads wait busily for the next product unless they are told to sleep. `charrnn train` tells them,
for they would take the cores from the library's, and has freed memory kept; torch's own modules are faster
the way torch comes. So both are measured the way they are used, in turns: this program starts itself once for
each and asks one by one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.cells import KINDS
from benchmarks.tables import print_headings, print_row
from charrnn.cells import CELLS, cell_name
from charrnn.cli.memory import keep_freed_memory
from charrnn.cli.threads import SLEEPING
from charrnn.models.initialise import initialise
from charrnn.models.losses import next_token_loss, output_loss
from charrnn.models.recurrent import RecurrentLayer
from charrnn.native import library

STEPS = 64
BATCHES = (8, 16, 32)
HIDDEN = (256, 512)
VOCAB_SIZE = 67
EMBEDDING_SIZE = 32
LARGE = 1536  # rows and columns of the large product
PRODUCT = "product"
OUTPUT = "output over"  # and how many tokens
VOCABULARIES = (VOCAB_SIZE, 500, 2260, 10_000, 30_000)
NARROW, ONE_HOT = "LSTM, inputs 32 wide", "LSTM, one-hot"
OURS, THEIRS = "ours", "theirs"  # whose steps a process takes
RIVALS = ("LSTM", NARROW, ONE_HOT, "GRU")
QUIET = 0.03  # seconds after which no thread of the other process still waits busily
# Steps before those that count, for so many seconds: after a pause threads meet on one core at first.
WARM_SECONDS = 0.1
TIMED_STEPS = 4
Step = Callable[[], object]


def as_in_training(parameters: Iterable[Tensor], step: Step) -> Step:
    """The step without the gradients of the one before, which would be added to."""
    learning = list(parameters)

    def taken() -> None:
        for parameter in learning:
            parameter.grad = None
        step()

    return taken


def ours(kind: tuple[str, str], batch: int, hidden_size: int) -> Step:
    """Ids to outputs and back by a layer of the product, which looks up every token's product."""
    embedding = nn.Embedding(VOCAB_SIZE, EMBEDDING_SIZE)
    layer = RecurrentLayer(kind[0], EMBEDDING_SIZE, hidden_size, nonlinearity=kind[1])
    initialise(layer, "orthogonal", STEPS)
    ids, gradient = torch.randint(VOCAB_SIZE, (STEPS, batch)), torch.randn(STEPS, batch, hidden_size)
    return as_in_training(
        [*embedding.parameters(), *layer.parameters()],
        lambda: layer.read(ids, embedding.weight)[0].backward(gradient),
    )


def torchs(rival: str, batch: int, hidden_size: int) -> Step:
    """Ids to outputs and back by torch's module.

    Over embeddings as wide as the hidden state, or as ours, or over rows of zeros with a single one.
    """
    input_size = {NARROW: EMBEDDING_SIZE, ONE_HOT: VOCAB_SIZE}.get(rival, hidden_size)
    module: nn.Module = getattr(nn, rival.partition(",")[0])(input_size, hidden_size)
    ids, gradient = torch.randint(VOCAB_SIZE, (STEPS, batch)), torch.randn(STEPS, batch, hidden_size)
    if rival == ONE_HOT:
        return as_in_training(
            module.parameters(),
            lambda: module(functional.one_hot(ids, VOCAB_SIZE).float())[0].backward(gradient),
        )
    embedding = nn.Embedding(VOCAB_SIZE, input_size)
    return as_in_training(
        [*embedding.parameters(), *module.parameters()],
        lambda: module(embedding(ids))[0].backward(gradient),
    )


def output_layer(whose: str, vocab_size: int, batch: int, hidden_size: int) -> Step:
    """Outputs to the loss of the next token and back, by the product or by torch's functions."""
    vectors = torch.randn(STEPS, batch, hidden_size, requires_grad=True)
    output = nn.Linear(hidden_size, vocab_size)
    targets = torch.randint(vocab_size, (STEPS, batch))

    def loss() -> Tensor:
        if whose == OURS:
            return output_loss(vectors, output.weight, output.bias, targets)
        return next_token_loss(output(vectors), targets)

    return as_in_training([vectors, *output.parameters()], lambda: loss().backward())


def large_product() -> Step:
    """A product of torch's that is large enough to show what the processor can do."""
    left, right = torch.randn(LARGE, LARGE), torch.randn(LARGE, LARGE)
    out: Tensor = torch.empty(LARGE, LARGE)
    return lambda: torch.mm(left, right, out=out)


def operations(cell: str, hidden_size: int) -> float:
    """Of a token, forward and back: three products with every recurrent weight."""
    shapes = CELLS[cell].shapes(1, hidden_size)
    weights = sum(shape[0] * shape[1] for part, shape in shapes.items() if part in ("recurrent", "peephole"))
    return 6.0 * weights


class Worker:
    """A process that takes steps, of ours or of torch's modules, when it is asked to."""

    def __init__(self, whose: str, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.native_training", "--worker", whose],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, name: str, batch: int, hidden_size: int) -> float:
        """What a step takes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        time.sleep(QUIET)
        self._process.stdin.write(f"{batch}\t{hidden_size}\t{name}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def serve(whose: str) -> None:
    """Answers requests on standard input with the seconds of a step each."""
    kinds = {cell_name(*kind): kind for kind in KINDS}
    made: dict[str, Step] = {}
    for line in sys.stdin:
        batch, hidden_size, name = line.rstrip("\n").split("\t")
        if line not in made:
            size = int(batch), int(hidden_size)
            if name == PRODUCT:
                made[line] = large_product()
            elif name.startswith(OUTPUT):
                made[line] = output_layer(whose, int(name.removeprefix(OUTPUT)), *size)
            else:
                made[line] = torchs(name, *size) if name in RIVALS else ours(kinds[name], *size)
        warm = time.perf_counter() + WARM_SECONDS
        while time.perf_counter() < warm:
            made[line]()
        started = time.perf_counter()
        for _ in range(TIMED_STEPS):
            made[line]()
        print((time.perf_counter() - started) / TIMED_STEPS, flush=True)


def training(rounds: int) -> None:
    """Prints tokens per second of every cell beside torch's modules and beside the limit."""
    cells = [cell_name(*kind) for kind in KINDS]
    with Worker(THEIRS, {}) as theirs, Worker(OURS, SLEEPING | {library.VARIABLE: "1"}) as own:
        for hidden_size in HIDDEN:
            for batch in BATCHES:
                found: dict[str, list[float]] = {name: [] for name in (*RIVALS, *cells, PRODUCT)}
                for _ in range(rounds):
                    for name, values in found.items():
                        worker = own if name in cells else theirs
                        values.append(worker.seconds(name, batch, hidden_size))
                _print(found, batch, hidden_size)


def outputs(rounds: int, batch: int = 16, hidden_size: int = 256) -> None:
    """Prints tokens per second of the output layer and its loss, forward and back, by vocabulary."""
    print(f"\nThe output layer of {hidden_size} units, batch {batch}, windows of {STEPS}")
    print_headings(("vocabulary", "torch, tokens/s", "charrnn, tokens/s", "times", "of the limit"))
    with Worker(THEIRS, {}) as theirs, Worker(OURS, SLEEPING | {library.VARIABLE: "1"}) as own:
        for vocab_size in VOCABULARIES:
            found: dict[Worker, list[float]] = {theirs: [], own: []}
            products = []
            for _ in range(rounds):
                for worker, values in found.items():
                    values.append(worker.seconds(f"{OUTPUT} {vocab_size}", batch, hidden_size))
                products.append(theirs.seconds(PRODUCT, batch, hidden_size))
            torchs, ours = found[theirs], found[own]
            tokens, times = STEPS * batch, median_ratio(torchs, ours)
            of_the_limit = (
                median_ratio(products, ours) * 6.0 * tokens * vocab_size * hidden_size / (2.0 * LARGE**3)
            )
            rates = [f"{tokens / statistics.median(values):,.0f}" for values in (torchs, ours)]
            print_row((f"{vocab_size:,}", *rates, f"{times:.2f}", f"{of_the_limit:.2f}"))


def median_ratio(seconds: list[float], of: list[float]) -> float:
    """Ratios are made within a round, for from one to another the machine changes."""
    return statistics.median(one / other for one, other in zip(seconds, of, strict=True))


def _print(seconds: dict[str, list[float]], batch: int, hidden_size: int) -> None:
    """Medians of the rounds."""

    def ratio(name: str, other: str) -> float:
        return median_ratio(seconds[other], seconds[name])

    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(
        f"\n1x{hidden_size}, batch {batch}, windows of {STEPS}, {torch.get_num_threads()} threads; "
        f"a large product makes {2.0e-9 * LARGE**3 / medians[PRODUCT]:.0f} GFLOP/s"
    )
    tokens = STEPS * batch
    print_headings(("", "tokens/s", *(f"times {rival}" for rival in RIVALS), "of the limit"))
    for rival in RIVALS:
        print_row((f"torch.nn.{rival}", f"{tokens / medians[rival]:,.0f}", *[""] * (len(RIVALS) + 1)))
    for kind in KINDS:
        name = cell_name(*kind)
        ratios = [f"{ratio(name, rival):.2f}" for rival in RIVALS]
        of_the_limit = ratio(name, PRODUCT) * tokens * operations(kind[0], hidden_size) / (2.0 * LARGE**3)
        print_row((name, f"{tokens / medians[name]:,.0f}", *ratios, f"{of_the_limit:.2f}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worker", choices=(OURS, THEIRS), help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    if asked.worker:
        if asked.worker == OURS:
            keep_freed_memory()
        serve(asked.worker)
    else:
        training(asked.rounds)
        outputs(asked.rounds)


if __name__ == "__main__":
    main()
