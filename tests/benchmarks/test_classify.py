"""What stands in the rows of classifiers: the numbers of a measurement, and who is ahead of whom."""

from typing import Any

import pytest

from benchmarks.classify import ACCURACY, FASTTEXT, LEAD, beside
from benchmarks.rivals import Result
from benchmarks.tables import means, spreads


def measurement(net: float, linear: float, answer: float) -> dict[str, Any]:
    parts = {"net": net, "linear": linear, "answer": answer}
    return {name: {"accuracy": value, "macro_f1": value} for name, value in parts.items()}


@pytest.mark.parametrize(("rival", "lead"), [(None, "+0.0200"), (0.85, "+0.0200"), (0.95, "-0.0300")])
def test_the_lead_is_on_the_better_of_fasttext_and_the_ngrams(rival: float | None, lead: str) -> None:
    theirs = None if rival is None else Result("fastText", 0.5, rival, 1.0, 2000.0)
    found = beside(measurement(0.8, 0.9, 0.92), theirs)
    assert means([LEAD], [found]) == [lead]


def test_fasttext_has_its_own_columns() -> None:
    found = beside(measurement(0.8, 0.9, 0.92), Result("fastText", 0.5, 0.85, 1.0, 2000.0))
    assert means(FASTTEXT, [found]) == ["0.8500", "0.5000", "1.0", "2,000"]


def test_seeds_are_summed_up_by_their_mean_and_range() -> None:
    found = [measurement(0.8, 0.9, 0.92), measurement(0.7, 0.9, 0.96), measurement(0.75, 0.9, 0.91)]
    assert means(ACCURACY, found) == ["0.7500", "0.9000", "0.9300"]
    assert spreads(ACCURACY, found) == ["0.7000 to 0.8000", "0.9000 to 0.9000", "0.9100 to 0.9600"]
    assert spreads(ACCURACY, found[:1])[0] == "0.8000 to 0.8000"
