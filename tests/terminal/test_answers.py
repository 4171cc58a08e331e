"""What a classifier says, as tables that a person can read on any terminal."""

import pytest

from charrnn.terminal.answers import print_answers
from tests.terminal.drawing import console

WIDTHS = (20, 40, 60, 80, 120)


@pytest.mark.parametrize("width", WIDTHS)
def test_label_and_probability_can_be_read_at_any_width(width: int) -> None:
    screen, file = console(width=width)
    print_answers(screen, [("review.txt", [("good", 0.9863), ("bad", 0.0137)])])
    _, good, bad = file.getvalue().splitlines()
    assert good.startswith("good ")
    assert good[:18].strip().endswith(" 98.63%") or good.endswith("  98.63%  review.txt")
    assert bad.startswith("bad ")
    assert max(map(len, file.getvalue().splitlines())) <= width
    assert " 1.37%" in bad
    assert ("█" in good) == (width >= 40)
    assert ("review.txt" in good) == (width >= 40)


def test_a_long_label_is_cut_and_not_the_probability() -> None:
    screen, file = console(width=40)
    print_answers(screen, [("folder/review.txt", [("a label of sixty characters" * 2, 0.5)])])
    (row,) = file.getvalue().splitlines()[1:]
    assert row.startswith("a label of sixty")
    assert "…  " in row
    assert " 50.00%" in row
