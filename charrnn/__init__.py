"""charrnn: small recurrent networks on your own text.

From Python: `charrnn.load("shakespeare")` gives a model with `generate` and `next`, and
`charrnn.load_classifier("reviews")` one with `probabilities` and `explain` (docs/python.md).
"""

from __future__ import annotations

TYPE_CHECKING = False  # not typing's: until `__main__` runs, Python answers Ctrl-C with a traceback
if TYPE_CHECKING:
    from pathlib import Path

    from charrnn.inference.answering import Classifier
    from charrnn.inference.language_model import LanguageModel

__version__ = "0.1.0"
__all__ = ["__version__", "load", "load_classifier"]


def load(model: str | Path) -> LanguageModel:
    """The language model of a run's name, a folder or a file, ready to sample without torch.

    Raises:
        CheckpointError: if the file cannot be used, or its model reads backwards.
        UsageError: if there is no such model.
    """
    # Imported here: `charrnn --help` must not wait for NumPy.
    from charrnn.inference.language_model import LanguageModel

    return LanguageModel.load(model)


def load_classifier(model: str | Path) -> Classifier:
    """The classifier of a run's name, a folder or a file, ready to answer without torch.

    Raises:
        CheckpointError: if the file cannot be used.
        UsageError: if there is no such model.
    """
    from charrnn.inference.answering import Classifier

    return Classifier.load(model)
