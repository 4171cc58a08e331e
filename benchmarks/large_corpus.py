"""How much memory a corpus of a gigabyte takes, and how soon a second run starts."""

from __future__ import annotations

import os
import random
import resource
import tempfile
import time
from pathlib import Path

from benchmarks import place

WORDS = 5000


def write_text(path: Path, size: int) -> None:
    """Generated text: words of random letters, commoner ones oftener, in lines of ten."""
    draw = random.Random(0)
    words = ["".join(draw.choices("etaoinshrdlucmfwypvbgkjqxz", k=draw.randint(1, 9))) for _ in range(WORDS)]
    weights = [1 / rank for rank in range(1, WORDS + 1)]
    block = "".join(" ".join(draw.choices(words, weights, k=10)) + ".\n" for _ in range(200_000)).encode()
    with path.open("wb") as file:
        while (left := size - file.tell()) > 0:
            file.write(block[:left])


def main() -> None:
    parser = place.parser(__doc__)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--time", default="20s", help="budget of each run")
    arguments = parser.parse_args()
    print(place.heading())
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "large.txt")
        write_text(corpus, arguments.bytes)
        os.utime(corpus, (time.time() - 60,) * 2)  # a file that has been at rest is remembered
        for run in ("first", "second"):
            words = ("train", str(corpus), "--name", run, "--time", arguments.time)
            started = time.perf_counter()
            place.run(*words, folder=Path(folder), XDG_CACHE_HOME=f"{folder}/cache")
            took = time.perf_counter() - started
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
            log = Path(folder, "checkpoints", run, "log.jsonl").read_text().splitlines()
            begun = log[0].partition('"seconds": ')[2].partition(",")[0]
            print(
                f"{run} run over {corpus.stat().st_size:,} bytes: training began after {float(begun):.1f} s, "
                f"{took:.1f} s in all, peak memory {peak:.2f} GB",
                flush=True,
            )


if __name__ == "__main__":
    main()
