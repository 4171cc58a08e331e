"""How it is shown what speaks for something and what against it."""

import math

import pytest
from rich.text import Text

from charrnn.terminal.heat import AGAINST, FOR, LEVELS, MOST_TELLING, most_telling, sides, style
from tests.terminal.drawing import console


def background(value: float) -> tuple[int, ...] | None:
    colour = style(value).bgcolor
    return tuple(colour.triplet) if colour and colour.triplet else None


def test_the_words_for_and_against_have_their_colours_or_their_signs() -> None:
    coloured = sides(console(terminal=True)[0])
    assert coloured.plain == "for or against"
    assert coloured == Text.assemble(("for", style(1.0)), " or ", ("against", style(-1.0)))
    assert (background(1.0), background(-1.0)) == (FOR, AGAINST)
    assert sides(console()[0]).plain == "for (+) or against (-)"


@pytest.mark.parametrize("value", [0.0, 0.5 / LEVELS, -0.5 / LEVELS, math.nan, math.inf, -math.inf])
def test_what_is_faint_or_no_number_has_no_colour(value: float) -> None:
    assert background(value) is None


def test_what_is_stronger_is_brighter_in_as_many_levels() -> None:
    values = [place / 1000 for place in range(1001)]
    greens = [colour[1] if (colour := background(value)) else 0 for value in values]
    assert greens == sorted(greens)
    assert len(set(greens)) == LEVELS + 1


@pytest.mark.parametrize(("height", "fit"), [(40, 38), (15, 13), (10, MOST_TELLING)])
def test_all_parts_are_shown_that_a_screen_has_lines_for(height: int, fit: int) -> None:
    parts = [(-1) ** place * place for place in range(1, fit + 2)]
    screen, _ = console(height=height)
    assert most_telling(screen, parts[:-1], float) == parts[:-1]
    assert most_telling(screen, parts, float) == sorted(parts, key=abs, reverse=True)[:MOST_TELLING]
