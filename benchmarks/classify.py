"""Classifiers on real labelled texts: net, n-grams, their answer, and fastText, on test texts read once.

    python -m benchmarks.classify imdb --time 2m --seeds 1 2 3
    python -m benchmarks.classify sms_spam trec6 agnews_small --time 60s

Trained with `charrnn train`, measured with `charrnn classify --eval` on one thread, as a person would.
fastText learns from the same texts with five settings, and the one that does best *on the test texts* is the
rival: that favours it, for charrnn chooses nothing by them. The last column is the answer's macro F1 less
that of the better of fastText and the n-grams.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import place, rivals
from benchmarks.tables import Column, means, print_headings, print_row

# Where a set's training and test texts lie below the folder of real texts.
SETS = {"imdb": ("imdb/train.tsv.gz", "imdb/test_public.tsv.gz")} | {
    name: (f"cls/{name}/train.tsv.gz", f"cls/{name}/test.tsv.gz")
    for name in ("sms_spam", "trec6", "agnews_small", "rt_polarity", "names18")
}
EFFORT = (
    Column("trained, s", "seconds", ".0f"),
    Column("nets", "members", ".0f"),
    Column("epochs", "epochs", ".1f"),
)
ACCURACY = (
    Column("net", "net.accuracy", ".4f"),
    Column("n-grams", "linear.accuracy", ".4f"),
    Column("**answer**", "answer.accuracy", ".4f"),
)
MACRO_F1 = (
    Column("macro F1: net", "net.macro_f1", ".4f"),
    Column("n-grams", "linear.macro_f1", ".4f"),
    Column("**answer**", "answer.macro_f1", ".4f"),
)
CALIBRATION = Column("calibration error", "answer.calibration_error", ".4f")
RATE = Column("texts/s", "texts_per_second", ",.0f")
COLUMNS = (*EFFORT, *ACCURACY, *MACRO_F1, CALIBRATION, RATE)
FASTTEXT = (
    Column("fastText, macro F1", "fasttext.macro_f1", ".4f"),
    Column("accuracy", "fasttext.accuracy", ".4f"),
    Column("trained, s", "fasttext.seconds", ".1f"),
    Column("texts/s", "fasttext.texts_per_second", ",.0f"),
)
LEAD = Column("answer's lead, macro F1", "lead", "+.4f")


def parser(description: str) -> argparse.ArgumentParser:
    """An argument parser with what every program that trains classifiers takes."""
    made = place.parser(description)
    made.add_argument("--seeds", nargs="+", type=int, default=[1])
    made.add_argument("--flags", default="", help="more flags for `charrnn train`, as one word")
    made.add_argument("--skip-rivals", action="store_true", help="measure charrnn alone")
    return made


def paths(name: str, data: Path) -> tuple[Path, Path]:
    """The files of a set's training and test texts."""
    training, test = SETS[name]
    return data / training, data / test


def measured(name: str, flags: Sequence[str], seed: int, data: Path, folder: Path) -> dict[str, Any]:
    """Trains a classifier and says how right it is on the test texts."""
    training, test = paths(name, data)
    run = f"{name}-{seed}"
    begun = time.monotonic()
    asked = ("--seed", str(seed), "--name", run, "--force", "-q")
    place.run("train", str(training), *flags, *asked, folder=folder)
    seconds = time.monotonic() - begun
    card = json.loads(place.run("inspect", run, "--json", folder=folder).stdout)
    told = place.run("classify", "-m", run, "--eval", str(test), "--json", "--threads", "1", folder=folder)
    found: dict[str, Any] = json.loads(told.stdout)
    return found | {
        "seconds": seconds,
        "members": card["members"],
        "epochs": card["trained"]["epochs"],
        "texts_per_second": 1000 / found["seconds_per_1000"],
    }


def beside(found: dict[str, Any], rival: rivals.Result | None) -> dict[str, Any]:
    """A measurement with fastText's, if there is one, and the answer's lead on the better yardstick."""
    theirs = {"fasttext": rival._asdict()} if rival else {}
    yardsticks = (found["linear"], *theirs.values())
    lead = found["answer"]["macro_f1"] - max(one["macro_f1"] for one in yardsticks)
    return found | theirs | {"lead": lead}


def best_rivals(names: Sequence[str], data: Path) -> dict[str, rivals.Result]:
    """Prints what fastText makes of some sets with every setting; the best result on each."""
    best = {}
    rivals.print_headings()
    for name in names:
        results = []
        for result in rivals.fasttext(rivals.read(*paths(name, data)), rivals.SETTINGS):
            rivals.print_result(name, result)
            results.append(result)
        best[name] = max(results, key=lambda result: result.macro_f1)
    return best


def main() -> None:
    options = parser((__doc__ or "").splitlines()[0])
    options.add_argument("sets", nargs="+", choices=tuple(SETS))
    options.add_argument("--time", default="60s", help="budget of each training")
    asked = options.parse_args()
    data = place.data(asked)
    print(place.heading())
    is_compared = not asked.skip_rivals and rivals.find_fasttext()
    best = best_rivals(asked.sets, data) if is_compared else {}
    columns = (*COLUMNS, *(FASTTEXT if best else ()), LEAD)
    print_headings(("texts", "seed", *(column.heading for column in columns)))
    flags = ("--time", asked.time, *asked.flags.split())
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.sets:
            all_found = []
            for seed in asked.seeds:
                found = measured(name, flags, seed, data, Path(folder))
                all_found.append(beside(found, best.get(name)))
                print_row((name, str(seed), *means(columns, all_found[-1:])))
            if len(all_found) > 1:
                print_row((name, "mean", *means(columns, all_found)))


if __name__ == "__main__":
    main()
