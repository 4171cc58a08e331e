"""The words around a training: what will be trained, and what has become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charrnn.cells import cell_name
from charrnn.checkpoint import weights
from charrnn.config import ModelConfig
from charrnn.evaluation.metrics import Validation
from charrnn.evaluation.score import Score
from charrnn.terminal.cards import Fact, print_card
from charrnn.terminal.console import for_talk
from charrnn.terminal.notes import command
from charrnn.terminal.screen import Heading
from charrnn.terminal.units import UNITS, duration, exact, short
from charrnn.text.beginning import beginning
from charrnn.text.corpus import Corpus
from charrnn.text.document import EMBEDDED
from charrnn.training.events import Finished
from charrnn.training.progress import Progress
from charrnn.training.run import Run

if TYPE_CHECKING:
    # It imports torch, and errors about the text come before that.
    from charrnn.training.plan import Plan

LOOKED_THROUGH = 50_000  # tokens, for a prompt to begin with
# So much worse all validation text may be than the part that evaluations read; texts are not even.
FLATTERED_BY = 1.15


def plan_lines(plan: Plan, run: Run, batch_size: int) -> tuple[str, ...]:
    """What the plan comes to, and the flags that would ask for it.

    Args:
        plan: what was decided.
        run: whose it is.
        batch_size: how many streams were wanted; a small text has fewer.
    """
    model, settings = plan.model, plan.settings
    unit = UNITS[run.recipe.corpus.level]
    speed = f", {short(plan.tokens_per_second)} {unit}/s here" if plan.tokens_per_second else ""
    size = f"{short(run.corpus.characters)} {'bytes' if unit == 'bytes' else 'chars'}"
    if unit == "tokens":
        tokens = len(run.corpus.training) + len(run.corpus.validation)
        size += f", {short(tokens)} tokens of {model.vocab_size:,} kinds"
    size += f", {short(weights.parameters(model))} parameters"
    nonlinearity = f"--nonlinearity {model.nonlinearity} " if model.cell == "rnn" else ""
    backward = "--backward " if model.backward else ""
    flags = (
        f"--cell {model.cell} {nonlinearity}{backward}--layers {model.num_layers} "
        f"--hidden {model.hidden_size} --embedding {model.embedding_size} "
        f"--dropout {exact(settings.dropout)} --batch {settings.batch_size} --seq {settings.seq_len} "
        f"--lr {exact(settings.learning_rate)} --seed {settings.seed}"
    )
    comes_to = f"{size}{speed}: about {plan.epochs:.1f} epochs"
    if settings.batch_size == batch_size:
        return comes_to, f"as flags: {flags}"
    why = f"streams would be shorter than --seq {settings.seq_len}"
    fewer = f"--batch {settings.batch_size}, not {batch_size}: {why}"
    return comes_to, fewer, f"as flags: {flags}"


def describe(model: ModelConfig) -> str:
    """A model in one line."""
    way = " backwards" if model.backward else ""
    size = f"{model.num_layers}×{model.hidden_size}{way} · {short(weights.parameters(model))} parameters"
    return f"{cell_name(model.cell, model.nonlinearity)} {size}"


def heading(run: Run, progress: Progress) -> Heading:
    """What stands above the live screen."""
    segment = progress.segment
    return Heading(
        name=run.folder.name,
        model=describe(run.recipe.model),
        tokens=UNITS[run.recipe.corpus.level],
        scored=UNITS[run.recipe.corpus.level][:-1],
        seconds=segment.end if segment.unit == "seconds" else None,
        history=progress.history,
    )


def show(run: Run, progress: Progress, finished: Finished) -> None:
    """The card at the end: where the model is, how good it is, and what to type next."""
    console = for_talk()
    assert isinstance(finished.validation, Validation)
    everything = len(run.corpus.validation) - 1
    facts: list[Fact] = [
        ("model", str(run.model_file)),
        ("trained", trained(progress, finished)),
        ("validation", _validation(finished.validation, everything, run)),
    ]
    facts += part_that_flatters(progress.best, finished.validation)
    if finished.yardstick is not None:
        facts.append(("yardstick", f"{finished.yardstick:.3f} bits/byte by xz on the same split"))
    facts += [
        (
            "corpus",
            f"{' '.join(run.recipe.shown_sources) or EMBEDDED.name}, sha256 {run.corpus.digest[:12]}",
        ),
        ("cache", f"{run.corpus.files[0]} (rm it to free {short(run.corpus.nbytes)}B)"),
    ]
    if finished.reason == "stopped":
        facts.append(("go on", command("train", "--resume", run.folder.name)))
    print_card(console, facts + _next(run))


def part_that_flatters(best: Score | None, final: Validation) -> list[Fact]:
    """What to say where the best model is far worse on all validation text than where it was chosen."""
    if not isinstance(best, Validation) or final.bits_per_byte <= FLATTERED_BY * best.bits_per_byte:
        return []
    advice = "more --time, or another --seed, may help"
    return [("", f"the part of it that evaluations read: {best.bits_per_byte:.3f}; {advice}")]


def _next(run: Run) -> list[Fact]:
    """What to type next."""
    name = run.folder.name
    if run.recipe.model.backward:
        return [
            ("reads", "backwards: it predicts what came before"),
            ("made for", command("train", "reviews/", "--from", "FORWARD", "--from", name)),
            ("next", command("inspect", name)),
        ]
    return [
        ("next", command("sample", "-m", name)),
        ("", command("inspect", "next", *_prompt(run.corpus), "-m", name)),
    ]


def _prompt(corpus: Corpus) -> list[str]:
    """What to begin with, as an argument of a command; none if the text has nothing that suits."""
    text = corpus.bytes_of(corpus.training[:LOOKED_THROUGH]).decode("utf-8", "replace")
    return [found] if (found := beginning(text)) else []


def trained(progress: Progress, finished: Finished) -> str:
    """For how long, as the model's card has it: without the last scoring; and why no longer."""
    reason = {"budget": "", "turned": ", ended early: validation had turned", "stopped": ", stopped"}
    return f"{duration(progress.seconds)}, {progress.step:,} steps{reason[finished.reason]}"


def _validation(validation: Validation, everything: int, run: Run) -> str:
    unit = UNITS[run.recipe.corpus.level]
    scored = (
        f"{validation.tokens:,} {unit}"
        if validation.tokens >= everything
        else (f"{validation.tokens:,} of {everything:,} {unit}")
    )
    nats = f"{validation.nats_per_token:.4f} nats/{unit[:-1]}"
    return f"{validation.bits_per_byte:.3f} bits/byte, {nats}, on {scored}"
