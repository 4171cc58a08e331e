"""Training in view: a live panel on a terminal, plain lines elsewhere, nothing if quiet."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from charrnn.terminal import charts
from charrnn.terminal.clean import clean
from charrnn.terminal.console import for_talk
from charrnn.terminal.heat import has_colours
from charrnn.terminal.scores import best_of, score_cells
from charrnn.terminal.units import duration, short
from charrnn.training.events import Evaluated, Event, Saved, Stepped
from charrnn.training.progress import Point

REFRESH_SECONDS = 0.2
PANEL_WIDTH = 100
PLOT_ROWS = 9
SAMPLE_ROWS = 4
# Below this a plot and a sample would push the numbers off the screen.
FULL_HEIGHT = 24
SMOOTHING = 0.95  # of the speed shown


class Screen(Protocol):
    """Somebody who is told what happens."""

    def show(self, event: Event) -> None:
        """Shows one event, if it is worth showing."""


class Silence:
    """Shows nothing."""

    def show(self, event: Event) -> None:
        """Does nothing."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above it all."""

    name: str
    model: str  # one line: cell, size, parameters
    tokens: str  # "chars", "bytes" or "tokens"
    scored: str  # what losses are a mean of: "char", "byte", "token" or "text"
    seconds: float | None  # at which the last step is taken, if the budget is one of seconds
    history: tuple[Point, ...] = ()


class Speed:
    """Tokens per second, smoothed over the last steps."""

    def __init__(self) -> None:
        self.rate = 0.0
        self._seconds: float | None = None

    def update(self, event: Stepped) -> None:
        """Takes one step into account."""
        if self._seconds is not None and event.seconds > self._seconds:
            rate = event.tokens / (event.seconds - self._seconds)
            self.rate = rate if not self.rate else SMOOTHING * self.rate + (1 - SMOOTHING) * rate
        self._seconds = event.seconds


class Lines:
    """One plain line per evaluation, for logs and pipes."""

    def __init__(self, console: Console, heading: Heading) -> None:
        self._console = console
        self._heading = heading
        self._speed = Speed()

    def show(self, event: Event) -> None:
        """Prints a line if this was an evaluation."""
        if isinstance(event, Stepped):
            self._speed.update(event)
        elif isinstance(event, Evaluated):
            tokens = self._heading.tokens
            cells = (
                f"{duration(event.seconds):>7}",
                f"{event.share:4.0%}",
                f"step {event.step:,}",
                f"epoch {event.epoch:.2f}",
                f"training {event.training_loss:.4f}",
                *score_cells(event.validation, self._heading.scored),
                f"{short(self._speed.rate)} {tokens}/s" if self._speed.rate else "",
                "best" if event.is_best else "",
            )
            self._console.print("  ".join(cell for cell in cells if cell), soft_wrap=True)


class LivePanel:
    """A panel that redraws itself a few times a second."""

    def __init__(self, live: Live, console: Console, heading: Heading) -> None:
        self._live = live
        self._console = console
        self._heading = heading
        self._speed = Speed()
        self._first: Stepped | None = None
        self._step: Stepped | None = None
        self._best: Evaluated | None = None
        self._points = list(heading.history)
        self._sample = ""
        self._saved = ""
        self._drawn = 0.0
        self._plot: RenderableType = Text("curves begin with the second evaluation", style="dim")

    def show(self, event: Event) -> None:
        """Takes an event in, and redraws if the last time was long enough ago."""
        if isinstance(event, Stepped):
            self._first = self._first or event
            self._step = event
            self._speed.update(event)
        elif isinstance(event, Evaluated):
            self._take(event)
        elif isinstance(event, Saved):
            self._saved = f" saved at step {event.step:,} · Ctrl-C saves and stops "
        now = time.monotonic()
        if now - self._drawn >= REFRESH_SECONDS or not isinstance(event, Stepped):
            self._live.update(self._panel(), refresh=True)
            self._drawn = now

    def _take(self, event: Evaluated) -> None:
        loss = event.validation.loss
        self._points.append(Point(event.step, event.seconds, event.training_loss, loss))
        self._sample = event.sample
        if event.is_best:
            self._best = event
        if len(self._points) > 1:
            self._plot = charts.curves(
                [point.seconds for point in self._points],
                [
                    [point.training_loss for point in self._points],
                    [point.validation_loss for point in self._points],
                ],
                self._width() - 4,
                PLOT_ROWS,
                in_colour=has_colours(self._console),
            )

    def _width(self) -> int:
        return min(PANEL_WIDTH, self._console.width)

    def _panel(self) -> Panel:
        rows: list[RenderableType] = [self._bar(), self._numbers()]
        if self._console.height >= FULL_HEIGHT:
            rows += [Rule(style="dim"), self._plot, self._legend()]
            if self._sample:
                shown = clean(self._sample, keep_newlines=True, strict=False).splitlines()[:SAMPLE_ROWS]
                sample = Text("\n".join(shown), style="italic", no_wrap=True, overflow="ellipsis")
                rows += [Rule(style="dim"), sample]
        else:
            rows.append(self._legend())
        return Panel(
            Group(*rows),
            title=Text(f" {clean(self._heading.name)} · {self._heading.model} "),
            title_align="left",
            subtitle=Text(self._saved, "dim") if self._saved else None,
            subtitle_align="right",
            width=self._width(),
            border_style="cyan",
        )

    def _bar(self) -> RenderableType:
        step = self._step
        share = min(1.0, step.share) if step else 0.0
        spent = step.seconds if step else 0.0
        ends = [self._heading.seconds - spent] if self._heading.seconds else []
        # From the first step here: what was spent before may be no part of the share.
        if step and self._first and share > self._first.share:
            pace = (spent - self._first.seconds) / (share - self._first.share)
            ends.append(pace * (1 - share))
        left = min(ends, default=None)
        grid = Table.grid(expand=True, padding=(0, 1))
        grid.add_column(ratio=1)
        grid.add_column(justify="right", no_wrap=True)
        eta = f"{duration(left)} left" if left is not None else ""
        grid.add_row(
            ProgressBar(total=1.0, completed=share, complete_style="cyan", finished_style="cyan"),
            Text(f"{share:4.0%}  {duration(spent)} spent  {eta}"),
        )
        return grid

    def _numbers(self) -> Text:
        step = self._step
        if step is None:
            return Text("")
        cells = (
            f"{short(self._speed.rate)} {self._heading.tokens}/s",
            f"step {step.step:,}",
            f"epoch {step.epoch:.2f}",
            f"loss {step.loss:.3f}",
            f"rate {step.learning_rate:.1e}",
            f"gradient {step.grad_norm:.2f}",
        )
        return Text(" · ".join(cells), no_wrap=True, overflow="ellipsis")

    def _legend(self) -> Text:
        if not self._points:
            return Text("")
        text = self._scores(f" nats/{self._heading.scored}")
        return text if text.cell_len <= self._width() - 4 else self._scores("")

    def _scores(self, unit: str) -> Text:
        point = self._points[-1]
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"━ training {point.training_loss:.3f}", charts.COLOURS[0])
        text.append(f"  ━ validation {point.validation_loss:.3f}", charts.COLOURS[1])
        text.append(unit)
        if self._best:
            text.append(f" · best {best_of(self._best.validation)}", "bold")
        return text


def give_back() -> None:
    """Lets a terminal show its cursor again, which the panel hides, before the process ends at once."""
    if for_talk().is_terminal:
        with suppress(OSError):
            os.write(2, b"\x1b[?25h\n")


@contextmanager
def opened(heading: Heading, *, quiet: bool) -> Iterator[Screen]:
    """The screen that fits where stderr goes."""
    console = for_talk()
    if quiet:
        yield Silence()
    elif not console.is_terminal:
        yield Lines(console, heading)
    else:
        # redirect_*: stdout is the product and none of the panel's business.
        with Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
            yield LivePanel(live, console, heading)
