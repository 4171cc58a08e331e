"""How far back can a recurrent net be taught to look? Every cell and every cure on tasks of rising length.

    python -m benchmarks.long_memory adding copy digits permuted     (each about twenty minutes on one core)
    python -m benchmarks.long_memory reference                      (adding at T = 600 with 70k weights)

The nets are the product's own layers with a linear output, all of about the same number of weights. A budget
is a number of steps, so the results do not depend on how busy the machine is. A kind of net goes on to the
next length as long as it solves the one before.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import place
from charrnn.cells import CELLS
from charrnn.models.initialise import initialise
from charrnn.models.recurrent import RecurrentLayer

BATCH = 32
CHECK_EVERY = 50
CHECKED = 512  # fresh examples in a check
CLIP = 1.0
SEED = 1
SYMBOLS, RECALLED = 8, 5  # of the copy task
BLANK, DELIMITER = SYMBOLS, SYMBOLS + 1


class Kind(NamedTuple):
    """A cell with its cures."""

    name: str
    cell: str
    nonlinearity: str = "tanh"
    init: str = "orthogonal"
    clips: bool = True

    @property
    def learning_rate(self) -> float:
        """Found on the shortest lengths, one for all nets without gates and one for all with."""
        return 5e-3 if CELLS[self.cell].gates > 1 else 1e-3


KINDS = (
    Kind("rnn, small random weights", "rnn", init="uniform"),
    Kind("rnn, small random weights, unclipped", "rnn", init="uniform", clips=False),
    Kind("rnn, orthogonal", "rnn"),
    Kind("rnn, orthogonal, unclipped", "rnn", clips=False),
    Kind("rnn, relu, orthogonal", "rnn", "relu"),
    Kind("rnn, relu, identity", "rnn", "relu", "identity"),
    Kind("rnn, relu, identity, unclipped", "rnn", "relu", "identity", clips=False),
    Kind("lstm", "lstm"),
    Kind("lstm, chrono", "lstm", init="chrono"),
    Kind("lstm-peephole", "lstm-peephole"),
    Kind("gru", "gru"),
    Kind("gru, chrono", "gru", init="chrono"),
    Kind("gru-after", "gru-after"),
)


class Examples(NamedTuple):
    """Sequences with what is to be said about them."""

    inputs: Tensor  # [T, B, I]
    targets: Tensor  # of the task's own shape


@dataclass(frozen=True)
class Task:
    """A task at every length, and what counts as solved."""

    input_size: int
    output_size: int
    lengths: tuple[int, ...]
    steps: int
    draw: Callable[[int, int, torch.Generator], Examples]  # length, how many
    loss: Callable[[Tensor, Examples], Tensor]
    score: Callable[[Tensor, Examples], float]
    is_solved: Callable[[float], bool]


def adding(length: int, count: int, generator: torch.Generator) -> Examples:
    """Two numbers of a sequence are marked, one in each half; their sum is wanted at the end."""
    values = torch.rand(length, count, generator=generator)
    marks = torch.zeros(length, count)
    first = torch.randint(length // 2, (count,), generator=generator)
    second = length // 2 + torch.randint(length - length // 2, (count,), generator=generator)
    lanes = torch.arange(count)
    marks[first, lanes] = marks[second, lanes] = 1.0
    return Examples(torch.stack((values, marks), -1), (values * marks).sum(0))


def copying(length: int, count: int, generator: torch.Generator) -> Examples:
    """A few symbols, so many blanks, a delimiter: then the symbols are wanted again."""
    symbols = torch.randint(SYMBOLS, (RECALLED, count), generator=generator)
    blanks = torch.full((length, count), BLANK)
    delimiter = torch.full((1, count), DELIMITER)
    waiting = torch.full((RECALLED, count), BLANK)
    inputs = torch.cat((symbols, blanks, delimiter, waiting))
    return Examples(functional.one_hot(inputs, SYMBOLS + 2).float(), symbols)


def digits(is_permuted: bool) -> Callable[[int, int, torch.Generator], Examples]:
    """scikit-learn's 8x8 digits pixel by pixel: 1500 to train on, the other 297 to check with."""

    def draw(_: int, count: int, generator: torch.Generator) -> Examples:
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        pixels = torch.tensor(images, dtype=torch.float32).div_(16.0).T  # [64, 1797]
        if is_permuted:
            pixels = pixels[torch.randperm(64, generator=torch.Generator().manual_seed(SEED))]
        is_check = count == CHECKED
        chosen = torch.arange(1500, 1797) if is_check else torch.randint(1500, (count,), generator=generator)
        return Examples(pixels[:, chosen, None].contiguous(), torch.tensor(labels)[chosen])

    return draw


def _at_end(outputs: Tensor) -> Tensor:
    return outputs[-1]


def _share_right(logits: Tensor, examples: Examples) -> float:
    return float((logits.argmax(-1) == examples.targets).float().mean())


def _copy_loss(outputs: Tensor, examples: Examples) -> Tensor:
    return functional.cross_entropy(outputs[-RECALLED:].flatten(0, 1), examples.targets.flatten())


def _digits_task(is_permuted: bool) -> Task:
    return Task(
        input_size=1,
        output_size=10,
        lengths=(64,),
        steps=4000,
        draw=digits(is_permuted),
        loss=lambda outputs, examples: functional.cross_entropy(_at_end(outputs), examples.targets),
        score=lambda outputs, examples: _share_right(_at_end(outputs), examples),
        is_solved=lambda score: score >= 0.995,
    )


TASKS = {
    "adding": Task(
        input_size=2,
        output_size=1,
        lengths=(25, 50, 100, 200, 400),
        steps=4000,
        draw=adding,
        loss=lambda outputs, examples: functional.mse_loss(_at_end(outputs)[:, 0], examples.targets),
        score=lambda outputs, examples: float(functional.mse_loss(_at_end(outputs)[:, 0], examples.targets)),
        is_solved=lambda score: score < 0.01,
    ),
    "copy": Task(
        input_size=SYMBOLS + 2,
        output_size=SYMBOLS,
        lengths=(5, 10, 20, 50, 100, 200),
        steps=4000,
        draw=copying,
        loss=_copy_loss,
        score=lambda outputs, examples: _share_right(outputs[-RECALLED:], examples),
        is_solved=lambda score: score >= 0.99,
    ),
    "digits": _digits_task(is_permuted=False),
    "permuted": _digits_task(is_permuted=True),
}


def hidden_size(cell: str, input_size: int, parameters: int) -> int:
    """The width at which a layer of this cell has about so many weights."""
    sizes = range(1, 1000)
    return min(
        sizes,
        key=lambda size: abs(
            parameters - sum(math.prod(shape) for shape in CELLS[cell].shapes(input_size, size).values())
        ),
    )


def layer_of(kind: Kind, input_size: int, length: int, parameters: int) -> RecurrentLayer:
    """The recurrent layer of a kind, initialised for memories of this length."""
    layer = RecurrentLayer(
        kind.cell,
        input_size,
        hidden_size(kind.cell, input_size, parameters),
        nonlinearity=kind.nonlinearity,
    )
    if kind.init == "uniform":  # what torch's own modules start from
        for part in layer.parts.values():
            nn.init.uniform_(part, -(layer.hidden_size**-0.5), layer.hidden_size**-0.5)
    else:
        initialise(layer, kind.init, length)
    return layer


def train(kind: Kind, task: Task, length: int, steps: int, parameters: int) -> tuple[int, float]:
    """Trains until the task is solved or the steps are used up: how many it took, and the best score."""
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    layer = layer_of(kind, task.input_size, length, parameters)
    head = nn.Linear(layer.hidden_size, task.output_size)
    learning = [*layer.parameters(), *head.parameters()]
    optimiser = torch.optim.Adam(learning, kind.learning_rate)
    scores: list[float] = []
    for step in range(1, steps + 1):
        examples = task.draw(length, BATCH, generator)
        loss = task.loss(head(layer(examples.inputs)[0]), examples)
        if not loss.isfinite():
            return step, scores[-1] if scores else math.nan
        optimiser.zero_grad()
        loss.backward()
        if kind.clips:
            nn.utils.clip_grad_norm_(learning, CLIP)
        optimiser.step()
        if step % CHECK_EVERY == 0:
            with torch.no_grad():
                fresh = task.draw(length, CHECKED, generator)
                scores.append(task.score(head(layer(fresh.inputs)[0]), fresh))
            if task.is_solved(scores[-1]):
                return step, scores[-1]
    return steps, scores[-1]


def rising(name: str, kind: Kind, parameters: int) -> Iterator[dict[str, object]]:
    """The results of a kind at the lengths of a task, up to the first that it does not solve."""
    task = TASKS[name]
    for length in task.lengths:
        found = result(name, task, kind, length, task.steps, parameters)
        yield found
        if not found["solved"]:
            return


def result(name: str, task: Task, kind: Kind, length: int, steps: int, parameters: int) -> dict[str, object]:
    """What became of one training, under the name of its task."""
    started = time.monotonic()
    taken, score = train(kind, task, length, steps, parameters)
    return {
        "task": name,
        "kind": kind.name,
        "length": length,
        "steps": taken,
        "score": round(score, 5),
        "solved": task.is_solved(score),
        "seconds": round(time.monotonic() - started, 1),
    }


def reference(steps: int) -> Iterator[dict[str, object]]:
    """The adding problem as in Bai, Kolter & Koltun (2018, arXiv:1803.01271): T = 600, 70k weights."""
    for kind in KINDS:
        if kind.name in (
            "gru",
            "gru, chrono",
            "lstm",
            "lstm, chrono",
            "rnn, orthogonal",
            "rnn, relu, identity",
        ):
            yield result("adding, T = 600, 70k", TASKS["adding"], kind, 600, steps, 70_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="+", choices=(*TASKS, "reference"))
    parser.add_argument("--parameters", type=int, default=17_000)
    parser.add_argument("--steps", type=int, default=3000, help="of the reference")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, help="where to add results as JSON lines")
    parser.add_argument("--kind", help="only kinds whose name begins so", default="")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(place.heading())
    for name in asked.tasks:
        kinds = [kind for kind in KINDS if kind.name.startswith(asked.kind)]
        results = (
            reference(asked.steps)
            if name == "reference"
            else (found for kind in kinds for found in rising(name, kind, asked.parameters))
        )
        for found in results:
            line = json.dumps(found)
            print(line)
            sys.stdout.flush()
            if asked.output:
                with asked.output.open("a") as file:
                    file.write(line + "\n")


if __name__ == "__main__":
    main()
