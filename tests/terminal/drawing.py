"""A console whose drawing can be looked at."""

import io

from rich.console import Console


def console(*, terminal: bool = False, width: int = 100, height: int = 40) -> tuple[Console, io.StringIO]:
    """A console as `charrnn.terminal.console` makes them, on a file in memory."""
    file = io.StringIO()
    settings = {"markup": False, "emoji": False, "highlight": False}
    return (
        Console(
            file=file,
            width=width,
            height=height,
            force_terminal=terminal,
            color_system="standard" if terminal else None,
            **settings,  # type: ignore[arg-type]  # mypy takes the names for those of other parameters
        ),
        file,
    )
