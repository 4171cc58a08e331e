"""Classifiers on real labelled texts: net, n-grams and their answer, each on test texts read once.

    python -m benchmarks.classify imdb --time 2m --seeds 1 2 3
    python -m benchmarks.classify sms_spam trec6 agnews_small --time 60s

Trained with `charrnn train`, measured with `charrnn classify --eval` on one thread, as a person would.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import place

# Where a set's training and test texts lie below the folder of real texts.
SETS = {"imdb": ("imdb/train.tsv.gz", "imdb/test_public.tsv.gz")} | {
    name: (f"cls/{name}/train.tsv.gz", f"cls/{name}/test.tsv.gz")
    for name in ("sms_spam", "trec6", "agnews_small", "rt_polarity", "names18")
}
COLUMNS = (
    "texts",
    "seed",
    "trained, s",
    "epochs",
    "net",
    "n-grams",
    "**answer**",
    "macro F1: net",
    "n-grams",
    "**answer**",
    "calibration error",
    "texts/s",
)


def measured(name: str, flags: list[str], seed: int, data: Path, folder: Path) -> dict[str, Any]:
    """Trains a classifier and says how right it is on the test texts."""
    training, test = (data / part for part in SETS[name])
    run = f"{name}-{seed}"
    begun = time.monotonic()
    asked = ("--seed", str(seed), "--name", run, "--force", "-q")
    place.run("train", str(training), *flags, *asked, folder=folder)
    seconds = time.monotonic() - begun
    card = json.loads(place.run("inspect", run, "--json", folder=folder).stdout)
    told = place.run("classify", "-m", run, "--eval", str(test), "--json", "--threads", "1", folder=folder)
    found: dict[str, Any] = json.loads(told.stdout)
    return found | {"seconds": seconds, "epochs": card["trained"]["epochs"]}


def row(name: str, seed: object, found: list[dict[str, Any]]) -> str:
    """The means of some measurements as the row of a table."""

    def mean(*keys: str) -> float:
        values = []
        for one in found:
            for key in keys:
                one = one[key]
            values.append(float(one))  # type: ignore[arg-type]  # the last key leads to a number
        return statistics.fmean(values)

    kinds = ("net", "linear", "answer")
    cells = (
        name,
        str(seed),
        f"{mean('seconds'):.0f}",
        f"{mean('epochs'):.1f}",
        *(f"{mean(kind, 'accuracy'):.4f}" for kind in kinds),
        *(f"{mean(kind, 'macro_f1'):.4f}" for kind in kinds),
        f"{mean('answer', 'calibration_error'):.4f}",
        f"{1000 / mean('seconds_per_1000'):,.0f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = place.parser((__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="+", choices=tuple(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--time", default="60s", help="budget of each training")
    parser.add_argument("--flags", default="", help="more flags for `charrnn train`, as one word")
    asked = parser.parse_args()
    data = place.data(asked)
    print(place.heading())
    print(f"\n| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.sets:
            all_found = []
            for seed in asked.seeds:
                flags = ["--time", asked.time, *asked.flags.split()]
                all_found.append(measured(name, flags, seed, data, Path(folder)))
                print(row(name, seed, all_found[-1:]), flush=True)
            if len(all_found) > 1:
                print(row(name, "mean", all_found), flush=True)


if __name__ == "__main__":
    main()
