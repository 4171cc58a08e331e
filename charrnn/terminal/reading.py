"""A bar of bytes while a large corpus is read; the one place that uses tqdm."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TypeVar, cast

from charrnn.terminal.streams import talk, use_colour
from charrnn.text.encoding import Reading

Result = TypeVar("Result")

# Small corpora are read before a bar could be seen.
SHOWN_AFTER = 0.5
PLAIN_EVERY = 10.0


def with_bar(work: Generator[Reading, None, Result], *, quiet: bool) -> Result:
    """What the generator returns; meanwhile its progress is shown, where anybody looks."""
    started = time.monotonic()
    while time.monotonic() - started < SHOWN_AFTER or quiet:
        try:
            next(work)
        except StopIteration as done:
            return cast(Result, done.value)
    # Imported here: a malformed TQDM_… variable would end even a run that shows no bar.
    from tqdm import tqdm

    stream = talk()
    live = use_colour(stream)
    with tqdm(
        desc="reading the corpus",
        unit="B",
        unit_scale=True,
        file=stream,
        leave=False,
        mininterval=0.1 if live else PLAIN_EVERY,
        dynamic_ncols=live,
    ) as bar:
        while True:
            try:
                reading = next(work)
            except StopIteration as done:
                return cast(Result, done.value)
            bar.total = reading.total or None
            bar.update(reading.done - bar.n)
