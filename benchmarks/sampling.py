"""How fast `charrnn sample` writes, beside the bare product and a loop over torch.nn.LSTM; and how soon.

Everything in one run, interleaved, medians of rounds. One thread for the comparison with the bare product:
the program starts itself anew with the thread count set before NumPy is imported.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks import place
from charrnn.checkpoint import model as model_files
from charrnn.checkpoint.model import Checkpoint
from charrnn.cli.threads import PATIENCE, VARIABLES
from charrnn.config import ModelConfig
from charrnn.inference.language_model import LanguageModel
from charrnn.models.language_model import LanguageModel as TorchModel
from charrnn.models.places import tensors_of
from charrnn.text.char import CharTokenizer

SECONDS = 1.0


def checkpoint(hidden_size: int, num_layers: int = 1) -> Checkpoint:
    """An untrained model with the cell of the rival, over as many characters as tiny Shakespeare has."""
    tokenizer = CharTokenizer.from_codepoints(list(range(32, 97)))
    torch.manual_seed(0)
    config = ModelConfig(
        vocab_size=tokenizer.vocab_size, hidden_size=hidden_size, num_layers=num_layers, cell="lstm"
    )
    tensors = tensors_of(TorchModel(config))
    return Checkpoint(config=config, tokenizer=tokenizer, tensors=tensors, has_endings=False)


def rate(step: Callable[[], int]) -> float:
    """What a step counts, per second."""
    count, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < SECONDS:
        for _ in range(20):
            count += step()
    return count / passed


def limited_to(threads: str) -> dict[str, str]:
    """The variables that hold everything to so many threads, for a program that is started later."""
    return dict.fromkeys((*VARIABLES, "MKL_NUM_THREADS", "OMP_NUM_THREADS"), threads) | PATIENCE


def product(hidden_size: int) -> Callable[[], int]:
    """The bare product h @ W of one LSTM step."""
    draw = np.random.default_rng(0)
    h = draw.normal(size=hidden_size).astype(np.float32)
    w = draw.normal(size=(hidden_size, 4 * hidden_size)).astype(np.float32)

    def step() -> int:
        h @ w
        return 1

    return step


def charrnn(hidden_size: int, num_layers: int = 1) -> Callable[[], int]:
    """A piece of generated text, with everything that belongs to it; tells how many characters it has."""
    pieces: Iterator[str] = LanguageModel(checkpoint(hidden_size, num_layers)).generate(length=0, seed=1)
    next(pieces)  # which prepares the weights; how soon it is there is measured by `starts`
    return lambda: len(next(pieces))


def torch_loop(hidden_size: int) -> Callable[[], int]:
    """One character by torch.nn.LSTM with a batch of one."""
    lstm, output, embedding = nn.LSTM(32, hidden_size), nn.Linear(hidden_size, 67), nn.Embedding(67, 32)
    state: tuple[torch.Tensor, torch.Tensor] | None = None
    token = torch.zeros(1, 1, dtype=torch.long)

    @torch.inference_mode()
    def step() -> int:
        nonlocal state, token
        hidden, state = lstm(embedding(token), state)
        token = torch.multinomial(torch.softmax(output(hidden)[0], -1), 1)
        return len(token)

    return step


def rates(hidden_size: int, rounds: int) -> None:
    """Prints the medians of interleaved rounds."""
    roads = {
        "h @ W": product(hidden_size),
        "charrnn": charrnn(hidden_size),
        "torch.nn.LSTM": torch_loop(hidden_size),
    }
    found: dict[str, list[float]] = {name: [] for name in roads}
    for _ in range(rounds):
        for name, step in roads.items():
            found[name].append(rate(step))
    medians = {name: statistics.median(values) for name, values in found.items()}
    threads = torch.get_num_threads()
    print(
        f"1x{hidden_size}, {threads} thread{'s' if threads > 1 else ''}: "
        + ", ".join(f"{name} {median:,.0f}/s" for name, median in medians.items())
        + f"; charrnn is {medians['charrnn'] / medians['h @ W']:.2f} of the product and "
        f"{medians['charrnn'] / medians['torch.nn.LSTM']:.0f} times the loop",
        flush=True,
    )


def starts(rounds: int) -> None:
    """Prints how soon commands answer: medians of wall clock from the call on."""
    program = [sys.executable, "-m", "charrnn"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "checkpoints", "model", "model.safetensors")
        path.parent.mkdir(parents=True)
        model_files.save(path, checkpoint(512))
        first = [first_byte([*program, "sample", "--seed", "1", "-q"], folder) for _ in range(rounds)]
        print(f"first character of a 1x512 model: {statistics.median(first):.2f} s")
        for arguments in (["--help"], ["train", "--help"], ["sample", "--help"], ["inspect", "--help"]):
            times = [_whole([*program, *arguments], folder) for _ in range(rounds)]
            print(f"charrnn {' '.join(arguments)}: {statistics.median(times):.2f} s")
        times = [_whole([sys.executable, "-c", "import torch"], folder) for _ in range(rounds)]
        print(f"import torch alone: {statistics.median(times):.2f} s")


def first_byte(command: list[str], folder: str) -> float:
    """Seconds from the call to the first byte on stdout."""
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        took = time.perf_counter() - started
        process.kill()
    return took


def _whole(command: list[str], folder: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = place.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--rate", help=argparse.SUPPRESS)  # of LAYERSxHIDDEN, for benchmarks.native
    arguments = parser.parse_args()
    if arguments.rate:
        num_layers, _, hidden_size = arguments.rate.partition("x")
        print(rate(charrnn(int(hidden_size), int(num_layers))))
        return
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
        for hidden_size in (256, 512):
            rates(hidden_size, arguments.rounds)
        return
    print(place.heading(), flush=True)
    starts(arguments.rounds)
    for threads in ("1", "2"):
        command = [sys.executable, "-m", "benchmarks.sampling", "--threads", threads]
        subprocess.run(
            [*command, "--rounds", str(arguments.rounds)], env=os.environ | limited_to(threads), check=True
        )


if __name__ == "__main__":
    main()
