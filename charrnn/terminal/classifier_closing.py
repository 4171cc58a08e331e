"""The words around a classifier's training: what will be trained, and what has become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charrnn.cells import cell_name
from charrnn.checkpoint import weights
from charrnn.config import ClassifierConfig
from charrnn.evaluation.classification import Verdict
from charrnn.terminal.cards import Fact, print_card
from charrnn.terminal.closing import trained
from charrnn.terminal.console import for_talk
from charrnn.terminal.notes import command
from charrnn.terminal.scores import CALLED, figures_line
from charrnn.terminal.screen import Heading
from charrnn.terminal.units import exact, short
from charrnn.training.classifier_run import ClassifierRun
from charrnn.training.events import Finished
from charrnn.training.progress import Progress

if TYPE_CHECKING:
    # It imports torch, and errors about the text come before that.
    from charrnn.training.classifier_plan import ClassifierPlan


def plan_lines(plan: ClassifierPlan, run: ClassifierRun) -> tuple[str, ...]:
    """What the plan comes to, and the flags that would ask for it."""
    model, settings, corpus = plan.model, plan.settings, run.corpus
    speed = f", {short(plan.tokens_per_second)} tokens/s here" if plan.tokens_per_second else ""
    nonlinearity = f"--nonlinearity {model.nonlinearity} " if model.cell == "rnn" else ""
    one_way = "" if model.bidirectional else "--no-bidirectional "
    together = f" in {model.members} nets" if model.members > 1 else ""
    return (
        f"linear model of {short(len(run.answering.keys))} n-grams in {plan.linear_seconds:.1f}s",
        f"{len(corpus.training):,} texts to learn from, {len(corpus.validation):,} to be measured on, "
        f"{short(len(corpus.training.ids))} tokens of {model.vocab_size:,} kinds, "
        f"{short(weights.parameters(model))} parameters{together}{speed}: about {plan.epochs:.1f} epochs",
        f"as flags: --members {model.members} --cell {model.cell} {nonlinearity}{one_way}"
        f"--layers {model.num_layers} --hidden {model.hidden_size} --embedding {model.embedding_size} "
        f"--dropout {exact(settings.dropout)} --batch {settings.batch_size} "
        f"--lr {exact(settings.learning_rate)} --seed {settings.seed}",
    )


def describe(model: ClassifierConfig) -> str:
    """A classifier's net in one line."""
    ways = "both ways" if model.bidirectional else "one way"
    several = f"{model.members} nets: " if model.members > 1 else ""
    size = f"{model.num_layers}×{model.hidden_size} {ways} · {short(weights.parameters(model))} parameters"
    return f"{several}{cell_name(model.cell, model.nonlinearity)} {size}"


def heading(run: ClassifierRun, progress: Progress) -> Heading:
    """What stands above the live screen."""
    return Heading(
        name=run.folder.name,
        model=describe(run.recipe.model),
        tokens="tokens",
        scored="text",
        seconds=progress.segment.within[1] if progress.segment.within else None,
        history=progress.history,
    )


def show(run: ClassifierRun, progress: Progress, finished: Finished) -> None:
    """The card at the end: where the model is, how good it is, and what to type next."""
    verdict, name = finished.validation, run.folder.name
    assert isinstance(verdict, Verdict)
    everything = len(run.corpus.validation)
    of = "" if verdict.documents >= everything else f" of {everything:,}"
    is_mixed = verdict.calibration.mixed_linear > 0
    facts: list[Fact] = [
        ("model", str(run.model_file)),
        ("trained", trained(progress, finished)),
        ("answer", f"{figures_line(verdict.answer)}, on {verdict.documents:,}{of} validation texts"),
        ("net", figures_line(verdict.net) + ("" if is_mixed else ": answers alone")),
        (CALLED["linear"], figures_line(verdict.linear)),
        ("corpus", f"{' '.join(run.recipe.texts.shown)}, sha256 {run.corpus.digest[:12]}"),
    ]
    if finished.reason == "stopped":
        facts.append(("go on", command("train", "--resume", name)))
    facts += [
        ("next", f"echo 'A text.' | {command('classify', '-m', name)}"),
        ("", command("inspect", name)),
    ]
    print_card(for_talk(), facts)
