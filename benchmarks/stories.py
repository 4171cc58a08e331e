"""At which distance does a net forget a name? Nets learn stories like the sentences of `inspect gradients`.

    python -m benchmarks.stories --folder stories        (about ten minutes on two cores)

In every story two people walk into a room, some time passes, and the first says hi to the second:
"Jane walked into the room. John walked in too. … Jane said hi to John". The names and what happens meanwhile
are random, so the last name can only be known from the one time that it stood there. A vanilla net, a GRU
and an LSTM of about the same number of weights learn the same stories with `charrnn train`; then each has
to name the person after fillers of every length, which it reads on NumPy as `charrnn sample` would. The runs
stay in the folder, for `charrnn inspect gradients`.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import charrnn
from benchmarks import place
from charrnn.inference.language_model import LanguageModel

NAMES = ("Jane", "John", "Mary", "Bill", "Sara", "Paul", "Emma", "Carl", "Lucy", "Fred", "Anna", "Hugo")
# What passes the time; all but the last about twenty characters, and nobody's name among them.
FILLERS = (
    "The day was so long. ",
    "A clock went tick. ",
    "Some tea was poured. ",
    "It rained outside. ",
    "No one said a word. ",
    "The light was warm. ",
    "A dog slept nearby. ",
    "The news was on tv. ",
    "It was late in the day, and everyone was walking home after a long day at work. ",
)
SHORT = FILLERS[:-1]
MAX_FILLER = 200  # characters
LENGTHS = (0, 20, 40, 60, 80, 120, 160, 200)
HIDDEN = {"rnn": 256, "gru": 144, "lstm": 124}  # about 80,000 weights each
STORIES = 60_000


def story(draw: random.Random, filler: str) -> tuple[str, str]:
    """A story up to the last name, and that name."""
    first, second = draw.sample(NAMES, 2)
    return f"{first} walked into the room. {second} walked in too. {filler}{first} said hi to ", second


def filler(draw: random.Random, at_most: int) -> str:
    """Sentences of random kind and number."""
    text = ""
    length = draw.randrange(at_most + 1)
    while len(text) < length:
        text += draw.choice(FILLERS)
    return text if len(text) <= at_most else ""


def filler_of(draw: random.Random, length: int) -> str:
    """Short sentences of together about so many characters."""
    text = ""
    while len(text) < length - 10:
        text += draw.choice(SHORT)
    return text


def corpus(seed: int = 1) -> str:
    """All the stories to learn, one a line."""
    draw = random.Random(seed)
    return "".join("".join(story(draw, filler(draw, MAX_FILLER))) + ".\n" for _ in range(STORIES))


def named_rightly(model: LanguageModel, length: int, stories: int, seed: int = 2) -> float:
    """In what share of fresh stories the likeliest continuation is the right name."""
    draw = random.Random(seed)
    right = 0
    for _ in range(stories):
        text, name = story(draw, filler_of(draw, length))
        right += "".join(model.generate(text, length=len(name), temperature=0)) == name
    return right / stories


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where stories and runs are kept")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--tested", type=int, default=200, help="stories of each length")
    parser.add_argument("--cells", nargs="+", choices=tuple(HIDDEN), default=tuple(HIDDEN))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    (asked.folder / "stories.txt").write_text(corpus(), "utf-8")
    print(place.heading())
    print(f"\n| cell | {' | '.join(map(str, LENGTHS))} | seconds |\n|{' --- |' * (len(LENGTHS) + 2)}")
    for cell in asked.cells:
        started = time.monotonic()
        flags = f"--lines --cell {cell} --hidden {HIDDEN[cell]} --steps {asked.steps} --seq 256 --batch 16"
        words = ("stories.txt", *flags.split(), "--dropout", "0", "--seed", "1", "--name", cell, "--force")
        place.run("train", *words, "-q", folder=asked.folder)
        seconds = time.monotonic() - started
        model = charrnn.load(asked.folder / "checkpoints" / cell / "model.safetensors")
        shares = " | ".join(f"{named_rightly(model, length, asked.tested):.0%}" for length in LENGTHS)
        print(f"| {cell} 1x{HIDDEN[cell]} | {shares} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
