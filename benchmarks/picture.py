"""A terminal's screen as an SVG picture, from the escape sequences it was painted with.

For example, with the program running in tmux:
`tmux capture-pane -p -e | python -m benchmarks.picture -o docs/train.svg`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.text import Text

from charrnn.terminal import picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--title", default="charrnn")
    arguments = parser.parse_args()
    screen = Text.from_ansi(sys.stdin.read().rstrip())
    canvas = picture.canvas(max(len(line) for line in screen.plain.splitlines()))
    canvas.print(screen)
    arguments.output.write_text(picture.svg(canvas, arguments.title), "utf-8")


if __name__ == "__main__":
    main()
