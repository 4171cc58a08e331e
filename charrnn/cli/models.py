"""The model that a command is about, and a word about it where it was not named."""

from __future__ import annotations

from charrnn.checkpoint import model as model_files
from charrnn.checkpoint import runs
from charrnn.checkpoint.model import Checkpoint
from charrnn.checkpoint.runs import FoundModel
from charrnn.config import MODEL_VARIABLE
from charrnn.terminal.notes import note


def announce(argument: str | None, *, kind: str | None = model_files.KIND, quiet: bool) -> FoundModel:
    """Finds the model, and says on stderr which one it is unless the person named it.

    Args:
        argument: what the person named, if anything.
        kind: of which kind the newest is looked for; of any if `None`.
        quiet: say nothing.

    Raises:
        UsageError: if there is no such model.
        CheckpointError, StorageError: if none was named and the only ones cannot be read.
    """
    found = runs.find(argument, kind)
    if found.by != "argument":
        reason = f"${MODEL_VARIABLE}" if found.by == "environment" else "the newest run"
        state = ", still training" if found.is_training else ""
        note(f"model {found.name} ({reason}{state})", quiet=quiet)
    return found


def load(found: FoundModel) -> Checkpoint:
    """The model itself, to ask it what comes next.

    Raises:
        CheckpointError: if the file cannot be used, or its model reads backwards.
    """
    return model_files.load_forward(found.path, found.name)
