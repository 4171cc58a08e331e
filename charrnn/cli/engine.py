"""Which engine computes: the native library, or torch and NumPy alone."""

from __future__ import annotations

import os

from charrnn.config import ENGINES
from charrnn.native.library import VARIABLE

# The variable's values for `config.ENGINES`.
VALUES = dict(zip(ENGINES, ("", "1", "0"), strict=True))


def choose(engine: str | None) -> None:
    """Decides for this process and the ones it starts; `None` leaves it to the environment."""
    if engine is not None:
        os.environ[VARIABLE] = VALUES[engine]
