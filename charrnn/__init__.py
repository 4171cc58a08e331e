"""charrnn: small recurrent networks on your own text.

From Python: `charrnn.load("shakespeare")` gives a model with `generate` and `next` (docs/python.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charrnn.inference.language_model import LanguageModel

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(model: str) -> LanguageModel:
    """The language model of a run's name, a folder or a file, ready to sample on NumPy.

    Raises:
        CheckpointError: if the file cannot be used.
        UsageError: if there is no such model.
    """
    # Imported here: `charrnn --help` must not wait for NumPy.
    from charrnn.inference.language_model import LanguageModel

    return LanguageModel.load(model)
