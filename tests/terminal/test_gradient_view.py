"""The drawing of gradients: what stands where, in which colour, and that it is safe to look at."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.inspection.gradients import Gradients, LayerGradients
from charrnn.terminal.gradient_view import (
    CHART_ROWS,
    Net,
    coloured,
    figure,
    print_gradients,
    rows,
)
from charrnn.terminal.heat import AGAINST, FOR, style
from tests.terminal.drawing import console
from tests.terminal.test_tables import HOSTILE


def layer(rate: float = 0.5, steps: int = 60) -> LayerGradients:
    norms = tuple(rate**distance for distance in range(steps))
    return LayerGradients(norms, {1: 2.0, 10: 1e-9}, {"tanh": 0.25}, {10: 0.5, 50: 0.001, 100: 0.0})


def drawn(name: str = "plain", tokens: tuple[str, ...] = ("", "a", "b", "c"), layers: int = 1) -> Net:
    influence = (0.0, 1.0, -0.5, 0.01)
    return Net(name, Gradients(1.25, (layer(),) * layers, influence), tokens, "x")


def test_the_figures_of_every_layer_stand_in_the_tables() -> None:
    screen, file = console(width=110)
    print_gradients(screen, [drawn(), drawn("other", layers=2)])
    lines = [line.split() for line in file.getvalue().splitlines()]
    assert ["plain", "1", "3.32", "0.500", "9.8e-04", "8.9e-16", "-", "2", "1.0e-09", "-", "-"] in lines
    assert ["other", "2", "25.0%", "50.0%", "0.1%", "0.0%"] in lines
    assert ["━", "plain", "━", "other", "layer", "1", "━", "other", "layer", "2"] in lines
    assert ["abcx"] in lines


@pytest.mark.parametrize("width", [30, 40, 60])
def test_on_a_narrow_terminal_rows_are_told_apart_and_figures_are_whole(width: int) -> None:
    screen, file = console(width=width)
    print_gradients(screen, [drawn("winter-tale"), drawn("summer")])
    lines = [line.split() for line in file.getvalue().splitlines()]
    headings = [line for line in lines if line[:2] == ["net", "layer"]]
    assert [line[2:4] for line in headings] == [["tenfold", "in"], ["flat", "tanh"]]
    for name in ("winter-tale", "summer"):
        norms, shares = ([word for word in line if word != "-"] for line in lines if line[:2] == [name, "1"])
        assert norms[2] == "3.32"
        assert set(norms[3:]) <= {"0.500", "9.8e-04", "8.9e-16", "2", "1.0e-09"}
        assert shares[2] == "25.0%"


def test_what_speaks_for_and_against_is_coloured_by_its_strength() -> None:
    text = coloured(drawn())
    assert text.plain == "abcx"
    backgrounds = {
        text.plain[span.start : span.end]: style.bgcolor.triplet
        for span in text.spans
        if not isinstance(style := span.style, str) and style.bgcolor
    }
    assert backgrounds["a"] == FOR
    assert set(backgrounds) == {"a", "b"}
    half = backgrounds["b"]
    assert half is not None
    assert all(0.3 <= part / whole <= 0.7 for part, whole in zip(half, AGAINST, strict=True))


def test_without_colours_the_tokens_have_figures() -> None:
    screen, file = console()
    print_gradients(screen, [drawn(tokens=("", " ", "\n", "c"))])
    heading, *text, header, space, line_feed, last = file.getvalue().splitlines()[-7:]
    assert heading == 'plain  1.250 nats; what each token says for (+) or against (-) "x":'
    assert text == [" ⏎", "cx"]
    assert header.split() == ["says", "t", "-", "k", "token"]
    assert space.split() == ["+1", "2", '"', '"']
    assert line_feed.split() == ["-0.500", "1", "⏎"]
    assert last.split() == ["+0.010", "0", "c"]


def test_colours_say_it_without_figures() -> None:
    screen, file = console(terminal=True)
    print_gradients(screen, [drawn()])
    assert re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()).splitlines()[-1] == "abcx"
    assert "(+)" not in file.getvalue()


def test_tokens_that_say_nothing_have_no_figures_and_are_shown_all_the_same() -> None:
    strange = Gradients(1.25, (layer(),), (0.7, 0.0, math.nan, 0.5))
    screen, file = console()
    print_gradients(screen, [Net("n", strange, ("", "a", "b", "c"), "x")])
    heading, text, _, row = file.getvalue().splitlines()[-4:]
    assert "what each token says" in heading
    assert (text, row.split()) == ("abcx", ["+0.500", "0", "c"])
    silent = Gradients(1.25, (layer(),), (0.0, 0.0))
    assert coloured(Net("n", silent, ("a", "b"), "x")).plain == "abx"


def test_the_strongest_may_be_against() -> None:
    text = coloured(Net("n", Gradients(1.25, (layer(),), (-2.0, 1.0)), ("a", "b"), "x"))
    assert [span.style for span in text.spans[:2]] == [style(-1.0), style(0.5)]


def test_of_more_tokens_than_lines_the_most_telling_come_first() -> None:
    influence = tuple(1.0 + place for place in range(100))
    net = Net("n", Gradients(1.25, (layer(),), influence), ("a",) * 100, "x")
    screen, file = console(height=40)
    print_gradients(screen, [net])
    lines = file.getvalue().splitlines()
    assert 'what the 12 most telling of 100 tokens say for (+) or against (-) "x":' in lines[-16]
    assert [line.split() for line in lines[-12:]] == [
        [f"+{100 - distance}", str(distance), "a"] for distance in range(12)
    ]


def test_a_line_feed_is_seen_and_ends_the_line() -> None:
    assert coloured(drawn(tokens=("", "a", "\n", "c"))).plain == "a⏎\ncx"


def test_curves_of_many_layers_are_those_of_the_last() -> None:
    screen, file = console(width=110)
    print_gradients(screen, [drawn(str(index), layers=4) for index in range(3)])
    assert "━ 0 layer 4  ━ 1 layer 4  ━ 2 layer 4" in file.getvalue()


def chart(*nets: Net, width: int = 110) -> list[str]:
    """The chart, without what stands above and below it."""
    screen, file = console(width=width)
    print_gradients(screen, nets)
    lines = file.getvalue().splitlines()
    above = next(index for index, line in enumerate(lines) if "┌" in line or "│" in line)
    return lines[above : above + CHART_ROWS]


def of_rates(name: str, *rates: float, steps: int = 60) -> Net:
    """A net whose layers' gradients fall at these rates."""
    layers = tuple(layer(rate, steps) for rate in rates)
    return Net(name, Gradients(1.25, layers, (0.0, 1.0)), ("a", "b"), "x")


def test_as_many_curves_as_there_are_colours_have_one_each() -> None:
    screen, file = console(width=140)
    print_gradients(screen, [drawn(str(index), layers=2) for index in range(3)])
    names = [f"━ {net} layer {number}" for net in range(3) for number in (1, 2)]
    assert "  ".join(names) in file.getvalue()


def test_the_last_layer_is_drawn_where_there_are_too_many() -> None:
    several = [of_rates(str(index), 0.3, 0.5, 0.9) for index in range(3)]
    assert chart(*several) == chart(*[of_rates(str(index), 0.9) for index in range(3)])


def test_a_chart_reaches_as_far_back_as_the_longest_curve_and_is_no_wider_than_the_terminal() -> None:
    for width in (40, 110):
        lines = chart(of_rates("short", 0.5, steps=10), of_rates("long", 0.9), width=width)
        assert max(map(len, lines)) <= width
        assert 45 < float(lines[-1].split()[-1]) <= 59


def test_figures_that_a_net_does_not_have_are_dashes() -> None:
    flat = LayerGradients((1.0,) * 50, {1: 2.0}, {"tanh": 0.25, "sigmoid": 0.5}, {10: 0.5})
    screen, file = console(width=140)
    nets = [Net("flat", Gradients(1.25, (flat,), (0.0,)), ("a",), "x"), of_rates("falling", 0.5)]
    print_gradients(screen, nets)
    lines = [" ".join(line.split()) for line in file.getvalue().splitlines()]
    assert "net layer tenfold in ∂ 1 ∂ 10 ∂ 50 ∂ 100 Π 1 Π 10 Π 50 Π 100" in lines
    assert "flat 1 no fall 1 1 - - 2 - - -" in lines
    assert "net layer flat sigmoid flat tanh ∂E/∂U >10 ∂E/∂U >50 ∂E/∂U >100" in lines
    assert "flat 1 50.0% 25.0% 50.0% - -" in lines
    assert "falling 1 - 25.0% 50.0% 0.1% 0.0%" in lines


def test_a_long_name_is_cut_before_figures_are_left_out() -> None:
    screen, file = console(width=80)
    print_gradients(screen, [drawn("n" * 70)])
    (norms,) = (line for line in file.getvalue().splitlines() if "3.32" in line)
    assert "…" in norms
    assert "8.9e-16" in norms


def test_nothing_foreign_escapes() -> None:
    screen, file = console()
    hostile = drawn(HOSTILE, tokens=("", HOSTILE, "b", "c"))
    print_gradients(screen, [Net(hostile.name, hostile.found, hostile.tokens, HOSTILE)])
    assert "\x1b" not in file.getvalue()
    assert not set("\x07\x9b\u202e") & set(file.getvalue())
    assert (
        coloured(drawn(tokens=("", "\u06a9\u200c\u0647", "b", "c"))).plain == "\u06a9\u200c\u0647bcx"
    )  # as Persian is written


def test_gradients_that_are_no_numbers_or_nothing_are_drawn_too() -> None:
    norms = (1.0, math.nan, math.inf, 0.0)
    strange = Gradients(math.nan, (LayerGradients(norms, {}, {}, {}),), (math.nan,))
    screen, file = console()
    print_gradients(screen, [Net("n", strange, ("a",), "x")])
    assert "nan nats" in file.getvalue()


def test_the_chart_as_numbers_has_a_row_a_distance() -> None:
    found = rows([drawn(layers=2)])
    assert len(found) == 2 * 60
    assert found[61] == ("plain", 2, 1, 0.5)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.000"),
        (0.25, "0.250"),
        (1e-3, "0.001"),
        (9e-4, "9.0e-04"),
        (999.0, "999"),
        (1234.5, "1.2e+03"),
        (math.inf, "-"),
    ],
)
def test_a_figure_is_short_and_says_how_large_a_number_is(value: float, shown: str) -> None:
    assert figure(value) == shown


@given(st.floats(1e-99, 9e99) | st.floats(1e-4, 1e5))
def test_a_figure_fits_its_column_and_is_near_the_number(value: float) -> None:
    assert len(figure(value)) <= 7
    assert float(figure(value)) == pytest.approx(value, rel=0.05, abs=0.0005 if value >= 1e-3 else 0.0)
