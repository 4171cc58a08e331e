"""What the native library is worth: training, sampling, two trainings at once, and a whole command.

    python -m benchmarks.native                          (everything, about twenty minutes)
    python -m benchmarks.native --parts training --rounds 9

What is compared is taken in turns and the medians of the turns are printed, for on a shared machine a figure
alone says little, ratios more. The limit of a training step is what its products would take at the rate of
one large product of torch's, measured in the same turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import place, sampling
from benchmarks.native_training import outputs, training
from benchmarks.tables import print_headings, print_row
from charrnn.checkpoint import model as model_files
from charrnn.inference.native_net import NativeNet
from charrnn.inference.softmax import log_softmax
from charrnn.inference.stepper import Output
from charrnn.native import library
from charrnn.native.library import native

PARTS = ("training", "output", "sampling", "quantized", "together", "command")
READ_TOKENS = 50_000


def drawing(rounds: int) -> None:
    """Prints characters per second of sampling on each engine, each in a process of its own."""
    print_headings(("model", "threads", "engine", "chars/s"))
    for layers, hidden_size in ((1, 256), (1, 512), (2, 512), (1, 1024)):
        for threads in ("1", "2"):
            for engine in ("native", "plain"):
                rates = [_rate(layers, hidden_size, threads, engine) for _ in range(rounds)]
                print_row((f"{layers}x{hidden_size}", threads, engine, f"{statistics.median(rates):,.0f}"))


def starts(rounds: int) -> None:
    """Prints how soon a 1x512 model's first character is there, with and without the library, in turns."""
    found: dict[str, list[float]] = {engine: [] for engine in ("native", "plain")}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "checkpoints", "model", "model.safetensors")
        path.parent.mkdir(parents=True)
        model_files.save(path, sampling.checkpoint(512))
        program = [sys.executable, "-m", "charrnn", "sample", "--seed", "1", "-q", "--engine"]
        for _ in range(rounds):
            for engine, seconds in found.items():
                seconds.append(sampling.first_byte([*program, engine], folder))
    shown = ", ".join(f"{engine} {statistics.median(of) * 1e3:.0f} ms" for engine, of in found.items())
    print(f"\nFirst character of a 1x512 model, medians of {rounds}: {shown}", flush=True)


def quantized(corpus: Path) -> None:
    """Prints a trained model's loss on the end of its corpus, in single precision and quantized."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        flags = ("--hidden", "512", "--time", "30s")
        subprocess.run(_train(corpus, "model", *flags), cwd=folder, check=True)
        checkpoint = model_files.load(folder / "checkpoints" / "model" / "model.safetensors")
    found = native()
    assert found is not None
    ids = checkpoint.tokenizer.encode(corpus.read_text("utf-8"))[-READ_TOKENS:].astype(np.int64)
    logits = Output(checkpoint.config, checkpoint.tensors).logits
    nats = []
    for is_quantized in (False, True):
        net = NativeNet(found, checkpoint.config, checkpoint.tensors, is_quantized=is_quantized)
        outputs = np.empty((len(ids) - 1, checkpoint.config.hidden_size), np.float32)
        net.read(net.start(), ids[:-1], outputs)
        nats.append(-float(log_softmax(logits(outputs))[np.arange(len(outputs)), ids[1:]].mean()))
    print(
        f"\nLoss of a trained model, nats: {nats[0]:.7f} in single precision, {nats[1]:.7f} quantized",
        flush=True,
    )


def _rate(layers: int, hidden_size: int, threads: str, engine: str) -> float:
    variables = sampling.limited_to(threads)
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


def command(corpus: Path, rounds: int, steps: int = 1000) -> None:
    """Prints the same training with and without the library, in turns: losses on the way, median seconds."""
    print_headings(("cell", "engine", "nats/token at a fifth, two fifths, … of the steps", "seconds"))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for cell in ("gru", "lstm"):
            taken: dict[str, list[float]] = {engine: [] for engine in ("native", "plain")}
            losses = {}
            for _ in range(rounds):
                for engine, seconds in taken.items():
                    flags = ("--cell", cell, "--hidden", "384", "--steps", str(steps), "--engine", engine)
                    subprocess.run(_train(corpus, engine, *flags), cwd=folder, check=True)
                    losses[engine] = [line for line in _log(folder, engine) if line["event"] == "evaluated"]
                    seconds.append(losses[engine][-1]["seconds"])
            for engine, seconds in taken.items():
                fifths = losses[engine][len(losses[engine]) // 5 - 1 :: len(losses[engine]) // 5]
                shown = ", ".join(f"{line['validation']['nats_per_token']:.3f}" for line in fifths)
                print_row((cell, engine, shown, f"{statistics.median(seconds):.1f}"))
            ratios = [native / plain for native, plain in zip(*taken.values(), strict=True)]
            by_turns = f"by turns {', '.join(f'{ratio:.2f}' for ratio in ratios)}"
            print_row((cell, "ratio", by_turns, f"{statistics.median(ratios):.2f}"))


def main() -> None:
    parser = place.parser((__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    print(place.heading())
    print(f"engine: {library.engine()}")
    if "training" in asked.parts:
        training(asked.rounds)
    if "output" in asked.parts:
        outputs(asked.rounds)
    if "sampling" in asked.parts:
        drawing(min(asked.rounds, 3))
        starts(3 * asked.rounds)
    if "quantized" in asked.parts:
        quantized(place.data(asked) / "tinyshakespeare.txt")
    if "together" in asked.parts:
        together(place.data(asked) / "tinyshakespeare.txt")
    if "command" in asked.parts:
        command(place.data(asked) / "tinyshakespeare.txt", min(asked.rounds, 3))


if __name__ == "__main__":
    main()
