"""The same text at every level, each with the same time: what a token may be, in figures that compare.

python -m benchmarks.levels --time 60s
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

from benchmarks import place
from charrnn.config import LEVELS, SUBWORDS

# A level with its flags.
KINDS = [(level, ("--level", level)) for level in LEVELS if level != "subword"] + [
    (f"subword, {kind}", ("--level", "subword", "--subword", kind)) for kind in SUBWORDS
]

COLUMNS = (
    "level",
    "tokens known",
    "bytes/token",
    "net",
    "parameters",
    "bytes/s",
    "epochs",
    "nats/token",
    "bits/byte",
)


def row(name: str, flags: tuple[str, ...], corpus: Path, budget: str, folder: Path) -> str:
    """Trains at a level and says what became of it, as the row of a table."""
    asked = ("--time", budget, "--seed", "1", "--name", "net", "--force", "-q")
    place.run("train", str(corpus), *flags, *asked, folder=folder)
    card = json.loads(place.run("inspect", "net", "--json", folder=folder).stdout)
    trained, validation = card["trained"], card["validation"]
    bytes_a_token = validation["nats_per_token"] / validation["bits_per_byte"] / math.log(2)
    cells = (
        name,
        f"{card['vocab_size']:,}",
        f"{bytes_a_token:.2f}",
        f"{card['cell']} {card['num_layers']}x{card['hidden_size']}",
        f"{card['parameters']:,}",
        f"{trained['tokens'] * bytes_a_token / trained['seconds']:,.0f}",
        f"{trained['epochs']:.1f}",
        f"{validation['nats_per_token']:.4f}",
        f"**{validation['bits_per_byte']:.3f}**",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = place.parser(__doc__)
    parser.add_argument("--time", default="60s", help="budget of each level")
    asked = parser.parse_args()
    corpus = place.data(asked) / "tinyshakespeare.txt"
    print(place.heading())
    print(f"\n`charrnn train {corpus.name} --level X --time {asked.time} --seed 1`\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    with tempfile.TemporaryDirectory() as folder:
        for name, flags in KINDS:
            print(row(name, flags, corpus, asked.time, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
