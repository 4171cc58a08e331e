"""What `charrnn train` makes of tiny Shakespeare in 60 and 180 seconds, beside nanoGPT's recipe for a CPU.

Split: the first 90 % of the characters are trained on, the last 10 % scored, each once, with the state
carried; and once more in windows of 256 from a state of zeros, as transformers are scored. The rival is
nanoGPT's published CPU recipe (4 layers of 4 heads, 128 wide, context 64, batch 12, 2000 steps) as a plain
torch transformer, trained here in the same run; both race to its published validation loss.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import place
from charrnn.checkpoint import model as model_files
from charrnn.models.language_model import LanguageModel
from charrnn.models.losses import next_token_loss
from charrnn.models.places import assign

RIVAL_LOSS = 1.886  # as nanoGPT publishes it
WINDOW = 256


class Block(nn.Module):
    """A transformer block: attention and a wide layer, each normalised before and added after."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_wide = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, W] -> [B, T, W]."""
        batch, length, width = x.shape
        parts = self.query_key_value(self.norm_attention(x)).chunk(3, -1)
        query, key, value = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.join(mixed.transpose(1, 2).reshape(batch, length, width))
        wide: Tensor = self.wide(self.norm_wide(x))
        return x + wide


class Transformer(nn.Module):
    """nanoGPT's shape for a CPU."""

    def __init__(
        self, vocab_size: int, width: int = 128, layers: int = 4, heads: int = 4, context: int = 64
    ) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocab_size, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm, self.output = nn.LayerNorm(width), nn.Linear(width, vocab_size, bias=False)
        self.output.weight = self.tokens.weight
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, 0.0, 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Ids [B, T] -> logits [B, T, V]."""
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        logits: Tensor = self.output(self.norm(self.blocks(x)))
        return logits


def rival(text: str, steps: int) -> Iterator[tuple[float, float]]:
    """Trains nanoGPT's recipe; yields seconds of training and validation loss every 250 steps."""
    characters = sorted(set(text))
    ids = torch.tensor([characters.index(c) for c in text])
    cut = int(0.9 * len(ids))
    training, validation = ids[:cut], ids[cut:]
    context, batch, warmup = 64, 12, 100
    torch.manual_seed(1337)
    model = Transformer(len(characters))
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=True)
    seconds, started = 0.0, time.perf_counter()
    for step in range(steps):
        along = max(0.0, (step - warmup) / (steps - warmup))
        rate = (
            1e-3 * (step + 1) / warmup
            if step < warmup
            else 1e-4 + 9e-4 * 0.5 * (1 + math.cos(math.pi * along))
        )
        for group in optimiser.param_groups:
            group["lr"] = rate
        starts = torch.randint(len(training) - context - 1, (batch,)).tolist()
        window = torch.stack([training[start : start + context + 1] for start in starts])
        loss = functional.cross_entropy(model(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % 250 == 0:
            seconds += time.perf_counter() - started
            yield seconds, rival_loss(model, validation, context)
            started = time.perf_counter()


@torch.no_grad()
def rival_loss(model: Transformer, validation: Tensor, context: int) -> float:
    """Mean over all whole windows of the validation text."""
    windows = (len(validation) - 1) // context
    inputs = validation[: windows * context].view(windows, context)
    targets = validation[1 : windows * context + 1].view(windows, context)
    total = sum(
        functional.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="sum").item()
        for x, y in zip(inputs.split(64), targets.split(64), strict=True)
    )
    return total / (windows * context)


@torch.no_grad()
def windowed_loss(model_file: Path, validation: str) -> float:
    """Nats per character in windows of 256, each from a state of zeros."""
    checkpoint = model_files.load(model_file)
    model = LanguageModel(checkpoint.config)
    assign(model, checkpoint.tensors)
    ids = torch.from_numpy(checkpoint.tokenizer.encode(validation).astype(np.int64))
    windows = (len(ids) - 1) // WINDOW
    inputs = ids[: windows * WINDOW].view(windows, WINDOW).T
    targets = ids[1 : windows * WINDOW + 1].view(windows, WINDOW).T
    logits, _ = model(inputs)
    return next_token_loss(logits, targets).item()


def train(corpus: Path, seconds: int, seed: int, folder: Path) -> tuple[float, Path]:
    """A run of charrnn by the clock on the wall: how long it took, and where it lies."""
    name = f"t{seconds}s{seed}"
    started = time.perf_counter()
    place.run(
        "train",
        str(corpus),
        "--time",
        f"{seconds}s",
        "--seed",
        str(seed),
        "--name",
        name,
        "-q",
        folder=folder,
    )
    return time.perf_counter() - started, folder / "checkpoints" / name


def seconds_to_pass(run: Path, loss: float) -> float | None:
    """Wall clock from the command's start to the first evaluation at or below a loss."""
    for line in (run / "log.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "evaluated" and event["validation"]["nats_per_token"] <= loss:
            return float(event["seconds"])
    return None


def report(run: Path, validation: str, seconds: int, took: float, passed_at: float | None) -> str:
    """What became of a run, in one line."""
    card = json.loads(place.run("inspect", run.name, "--json", folder=run.parents[1]).stdout)
    cells = (
        f"--time {seconds}s --seed {card['settings']['seed']}",
        f"{card['validation']['nats_per_token']:.4f} nats/char, state carried",
        f"{card['validation']['tokens']:,} scored",
        f"{windowed_loss(run / 'model.safetensors', validation):.4f} in windows of {WINDOW}",
        f"{card['cell']} {card['num_layers']}x{card['hidden_size']}",
        f"{card['trained']['epochs']:.1f} epochs",
        f"{took:.1f} s in all",
        f"{RIVAL_LOSS} passed after {passed_at:.1f} s" if passed_at else f"{RIVAL_LOSS} never passed",
    )
    return "charrnn: " + "; ".join(cells)


def main() -> None:
    parser = place.parser(__doc__)
    parser.add_argument("--times", type=int, nargs="+", default=[60, 180], help="budgets in seconds")
    parser.add_argument("--seeds", type=int, default=1, help="how many runs of each")
    parser.add_argument(
        "--rival-steps", type=int, default=2000, help="steps of the transformer; 0 = leave it out"
    )
    arguments: argparse.Namespace = parser.parse_args()
    corpus = place.data(arguments) / "tinyshakespeare.txt"
    text = corpus.read_text("utf-8")
    print(place.heading())
    passed: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        place.run("--version", folder=Path(folder))
        for seconds in arguments.times:
            for seed in range(1, arguments.seeds + 1):
                took, run = train(corpus, seconds, seed, Path(folder))
                at = seconds_to_pass(run, RIVAL_LOSS)
                passed += [at] if at else []
                print(report(run, text[int(0.9 * len(text)) :], seconds, took, at), flush=True)
    if not arguments.rival_steps:
        return
    reached = None
    for seconds, loss in rival(text, arguments.rival_steps):
        reached = reached or (seconds if loss <= RIVAL_LOSS else None)
        print(f"transformer: {loss:.4f} after {seconds:.1f} s of training", flush=True)
    needed, state = (reached, "") if reached else (seconds, " and has not passed it yet")
    print(f"transformer: {RIVAL_LOSS} after {needed:.1f} s of training{state}")
    if passed:
        best = min(passed)
        print(f"charrnn: {RIVAL_LOSS} after {best:.1f} s of wall clock, {needed / best:.1f} times sooner")


if __name__ == "__main__":
    main()
