"""What a shell offers to complete a word with; an import here is one more thing a person waits for at Tab."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from charrnn.config import VIEWS


def of(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """One of a few words."""

    def complete(incomplete: str) -> list[str]:
        return _beginning(incomplete, choices)

    return complete


def models(incomplete: str) -> list[str]:
    """The runs that have a model."""
    from charrnn.checkpoint import runs

    return _beginning(incomplete, (path.parent.name for path in runs.models_on_disk()))


def views_and_models(incomplete: str) -> list[str]:
    """What `inspect` shows."""
    return _beginning(incomplete, VIEWS) + models(incomplete)


def runs_to_resume(incomplete: str) -> list[str]:
    """The runs that can go on."""
    from charrnn.checkpoint import runs

    return _beginning(incomplete, (path.parent.name for path in runs.states_on_disk()))


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
