"""The words around a classifier's first stage."""

from __future__ import annotations

from charrnn.evaluation.metrics import Foresight
from charrnn.terminal.cards import print_card
from charrnn.terminal.classifier_closing import describe
from charrnn.terminal.console import for_talk
from charrnn.terminal.notes import command, note
from charrnn.terminal.screen import Heading
from charrnn.training.events import Finished
from charrnn.training.pretraining_run import PretrainingRun
from charrnn.training.progress import Progress


def heading(run: PretrainingRun, progress: Progress) -> Heading:
    """What stands above the live screen."""
    segment = progress.segment
    return Heading(
        name=f"{run.folder.name}: words first",
        model=describe(run.recipe.model),
        tokens="tokens",
        scored="token",
        seconds=segment.end if segment.unit == "seconds" else None,
        history=progress.history,
    )


def show(finished: Finished) -> None:
    """A line at the end, before labels are learnt."""
    note(f"the net foresees words with {_said(finished)}; now it learns labels")


def show_stopped(run: PretrainingRun, finished: Finished) -> None:
    """How to go on with what was stopped before labels were learnt."""
    facts = [
        ("stopped", f"before labels: {_said(finished)}"),
        ("go on", command("train", "--resume", run.folder.name)),
    ]
    print_card(for_talk(), facts)


def _said(finished: Finished) -> str:
    score = finished.validation
    assert isinstance(score, Foresight)
    return f"{score.nats_per_token:.3f} nats/token, perplexity {score.perplexity:.1f}"
