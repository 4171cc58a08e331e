"""Gradients through time as a chart, tables and coloured text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.text import Text

from charrnn.terminal import charts
from charrnn.terminal.clean import clean
from charrnn.terminal.columns import Column, print_rows
from charrnn.terminal.heat import has_colours, most_telling, says, sides, style
from charrnn.terminal.tables import quoted_space

if TYPE_CHECKING:
    from charrnn.inspection.gradients import Gradients, LayerGradients

TITLE = "log10 of ‖∂E_t/∂s_k‖ by t - k: how much the state so many steps before a prediction matters to it"
NORMS = (
    "∂: ‖∂E_t/∂s_k‖, Π: the largest singular value of the product of Jacobians ∂s_j/∂s_j-1, at so many steps"
)
SHARES = "flat: units whose slope is near 0; ∂E/∂U: the part that comes from more than so many steps before"
SHOWN = (1, 10, 50, 100)  # distances of which the figures are shown
CHART_ROWS = 16
CHART_WIDTH = 100
FAINTEST = 1e-30  # where the chart ends below
MAX_CURVES = len(charts.COLOURS)
MAX_NAME = 28
INFLUENCE = (
    Column("says", is_number=True),
    Column("t - k", "dim", is_number=True, spared=1),
    Column("token", is_elastic=True),
)


@dataclass(frozen=True, slots=True)
class Net:
    """A net that was looked into, with the text as it reads it."""

    name: str
    found: Gradients
    tokens: tuple[str, ...]  # of the last window, as many as it has influences
    target: str


def print_gradients(console: Console, nets: Sequence[Net]) -> None:
    """All findings on one text, the nets side by side."""
    curves = [
        (_curve_name(net, index), layer) for net in nets for index, layer in enumerate(net.found.layers, 1)
    ]
    if len(curves) > MAX_CURVES:
        curves = [(_curve_name(net, len(net.found.layers)), net.found.layers[-1]) for net in nets]
    console.print(Text(TITLE, "italic"))
    console.print(_chart(console, [layer for _, layer in curves]))
    legend = Text()
    for (name, _), colour in zip(curves, charts.COLOURS, strict=False):
        legend.append(f"━ {name}  ", colour)
    console.print(legend)
    console.print()
    _print_norms(console, nets)
    console.print(Text(NORMS, "dim italic"))
    console.print()
    _print_shares(console, nets)
    console.print(Text(SHARES, "dim italic"))
    for net in nets:
        console.print()
        _print_influence(console, net)


def rows(nets: Sequence[Net]) -> list[tuple[str, int, int, float]]:
    """Name, layer, distance, norm: the chart as numbers."""
    return [
        (net.name, index, distance, norm)
        for net in nets
        for index, layer in enumerate(net.found.layers, 1)
        for distance, norm in enumerate(layer.norms)
    ]


def coloured(net: Net) -> Text:
    """The text, each character on the colour of its influence on the one predicted."""
    strongest = max((abs(value) for value in net.found.influence), default=0.0) or 1.0
    text = Text()
    for token, value in zip(net.tokens, net.found.influence, strict=True):
        shown = _visible(token) + ("\n" if token.endswith("\n") else "")
        text.append(shown, style(value / strongest))
    return text.append(clean(net.target), "bold underline")


def _print_influence(console: Console, net: Net) -> None:
    """What the tokens say of the one predicted: the text, and a table of figures where it has no colours."""
    told = _told(net)
    shown = told if has_colours(console) else most_telling(console, told, lambda token: token.value)
    who_says = says(len(shown), len(told), "token")
    heading = f"  {net.found.nats:.3f} nats; what {who_says} "
    of_target = f' "{clean(net.target)}":'
    console.print(Text.assemble((_name(net), "bold"), heading, sides(console), of_target))
    console.print(coloured(net))
    if not has_colours(console):
        cells = [(signed(token.value), str(token.distance), token.text) for token in shown]
        print_rows(console, INFLUENCE, [[Text(cell) for cell in row] for row in cells])


class _Told(NamedTuple):
    text: str
    distance: int
    value: float


def _told(net: Net) -> list[_Told]:
    """The tokens that say anything."""
    last = len(net.tokens) - 1
    return [
        _Told(quoted_space(_visible(token)), last - index, value)
        for index, (token, value) in enumerate(zip(net.tokens, net.found.influence, strict=True))
        if token and value and math.isfinite(value)
    ]


def _visible(token: str) -> str:
    return clean(token.replace("\n", "⏎"), strict=False)


def figure(value: float | None) -> str:
    """A number of any size in at most seven characters, or a dash.

    Example:
        >>> figure(0.25), figure(1.5e-12), figure(12.3), figure(None)
        ('0.250', '1.5e-12', '12.3', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    if value == 0 or 1e-3 <= value < 1e3:
        return f"{value:.3g}" if value >= 1 else f"{value:.3f}"
    return f"{value:.1e}"


def signed(value: float) -> str:
    """A `figure` with its sign.

    Example:
        >>> signed(0.25), signed(-12.3)
        ('+0.250', '-12.3')
    """
    return f"{'-' if value < 0 else '+'}{figure(abs(value))}"


def _chart(console: Console, layers: Sequence[LayerGradients]) -> Text:
    longest = max(len(layer.norms) for layer in layers)
    return charts.curves(
        list(range(longest)),
        [
            [_log(norm) for norm in layer.norms] + [math.nan] * (longest - len(layer.norms))
            for layer in layers
        ],
        min(CHART_WIDTH, console.width),
        CHART_ROWS,
        in_colour=has_colours(console),
    )


def _log(norm: float) -> float:
    return math.log10(max(norm, FAINTEST))


def _print_norms(console: Console, nets: Sequence[Net]) -> None:
    rows = []
    for net in nets:
        for index, layer in enumerate(net.found.layers, 1):
            norms = [layer.norms[at] if at < len(layer.norms) else None for at in SHOWN]
            products = [layer.products.get(at) for at in SHOWN]
            fall = "no fall" if layer.tenfold is None else figure(layer.tenfold)
            rows.append(_row(net, index, fall, *map(figure, norms + products)))
    print_rows(
        console, _columns("tenfold in", *(f"{sign} {at}" for sign in ("∂", "Π") for at in SHOWN)), rows
    )


def _print_shares(console: Console, nets: Sequence[Net]) -> None:
    layers = [layer for net in nets for layer in net.found.layers]
    functions = sorted({name for layer in layers for name in layer.saturated})
    bounds = sorted({bound for layer in layers for bound in layer.far})
    rows = []
    for net in nets:
        for index, layer in enumerate(net.found.layers, 1):
            flat = [layer.saturated.get(name) for name in functions]
            far = [layer.far.get(bound) for bound in bounds]
            shares = ["-" if share is None else f"{share:.1%}" for share in flat + far]
            rows.append(_row(net, index, *shares))
    names = (*(f"flat {name}" for name in functions), *(f"∂E/∂U >{bound}" for bound in bounds))
    print_rows(console, _columns(*names), rows)


def _columns(*figures: str) -> list[Column]:
    """What tells the rows apart, and figures, of which those at the right are the first to be spared."""
    return [
        Column("net", is_elastic=True, needs=MAX_NAME),
        Column("layer", is_number=True),
        *(Column(name, is_number=True, spared=place) for place, name in enumerate(figures)),
    ]


def _row(net: Net, layer: int, *figures: str) -> list[Text]:
    return [Text(cell) for cell in (_name(net), str(layer), *figures)]


def _name(net: Net) -> str:
    return clean(net.name)


def _curve_name(net: Net, layer: int) -> str:
    return _name(net) if len(net.found.layers) == 1 else f"{_name(net)} layer {layer}"
