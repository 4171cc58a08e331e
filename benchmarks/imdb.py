"""Film reviews (Maas et al. 2011): what a classifier makes of a budget, and what others make of the texts.

    python -m benchmarks.imdb --rows 2m 10m 60m --seeds 1 2 3
    python -m benchmarks.imdb --rows                            (the rivals alone)
    python -m benchmarks.imdb --rows 10m --skip-rivals          (one budget alone)

The rivals first: fastText on pairs of words, scikit-learn's logistic regression on naive Bayes weights, and
charrnn's linear model by itself. Then a table for each budget, a row for each seed, all of them measured as
`benchmarks.classify` does it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import place, rivals
from benchmarks.classify import ACCURACY, CALIBRATION, EFFORT, RATE, measured, parser, paths
from benchmarks.tables import means, print_headings, print_row, spreads

SET = "imdb"
ROWS = ("2m", "10m", "60m")
FIRST_SEED_ONLY = ("60m",)  # an hour each
COLUMNS = (*ACCURACY, CALIBRATION, RATE, *EFFORT)


def print_rivals(data: Path) -> None:
    """A table of what others make of the reviews."""
    has_fasttext = rivals.find_fasttext()
    task = rivals.read(*paths(SET, data))
    rivals.print_headings()
    rivals.print_result(SET, rivals.linear_alone(task))
    rivals.print_result(SET, rivals.naive_bayes(task))
    if has_fasttext:
        for result in rivals.fasttext(task, rivals.PAIRS):
            rivals.print_result(SET, result)


def print_budget(budget: str, seeds: Sequence[int], flags: Sequence[str], data: Path, folder: Path) -> None:
    """A table of what classifiers that were trained for so long make of the reviews."""
    print_headings(("budget", "seed", *(column.heading for column in COLUMNS)))
    all_found = []
    for seed in seeds:
        all_found.append(measured(SET, ("--time", budget, *flags), seed, data, folder))
        print_row((budget, str(seed), *means(COLUMNS, all_found[-1:])))
    if len(all_found) > 1:
        print_row((budget, "mean", *means(COLUMNS, all_found)))
        print_row((budget, "range", *spreads(COLUMNS, all_found)))


def main() -> None:
    options = parser((__doc__ or "").splitlines()[0])
    options.add_argument("--rows", nargs="*", default=ROWS, help="budgets of training, a table each")
    asked = options.parse_args()
    data = place.data(asked)
    print(place.heading())
    if not asked.skip_rivals:
        print_rivals(data)
    with tempfile.TemporaryDirectory() as folder:
        for budget in asked.rows:
            seeds = asked.seeds[:1] if budget in FIRST_SEED_ONLY else asked.seeds
            print_budget(budget, seeds, asked.flags.split(), data, Path(folder))


if __name__ == "__main__":
    main()
