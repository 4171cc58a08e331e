"""A terminal's screen as an SVG picture, from the escape sequences it was painted with.

For example, with the program running in tmux:
`tmux capture-pane -p -e | python -m benchmarks.picture -o docs/train.svg`
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def svg(screen: str, title: str) -> str:
    """The picture; without the links to a font host that Rich puts in."""
    text = Text.from_ansi(screen.rstrip())
    width = max(len(line) for line in text.plain.splitlines())
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(text)
    return re.sub(r"@font-face \{.*?\}\n?", "", console.export_svg(title=title), flags=re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--title", default="charrnn")
    arguments = parser.parse_args()
    arguments.output.write_text(svg(sys.stdin.read(), arguments.title), "utf-8")


if __name__ == "__main__":
    main()
