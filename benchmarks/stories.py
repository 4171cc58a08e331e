"""At which distance does a net forget a name? Nets learn stories like the sentences of `inspect gradients`.

    python -m benchmarks.stories --folder stories        (about a quarter of an hour on two cores)

In every story two people walk into a room, some time passes, and the first says hi to the second:
"Jane walked into the room. John walked in too. … Jane said hi to John". The names and how much happens
meanwhile are random, so the last name can only be known from the one time that it stood there. Nets of about
the same number of weights learn the same stories with `charrnn train`; then each has to name the person in
fresh ones, which it reads on NumPy as `charrnn sample` would. The table has a column for every filler, by
its length in characters; who only knows that nobody greets himself is right in one case of seven. The runs
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

NAMES = ("Jane", "John", "Mary", "Bill", "Sara", "Paul", "Emma", "Carl")
# What passes the time, in this order: sentences of about twenty characters, and nobody's name among them.
PASSAGE = (
    "The day was so long. ",
    "A clock went tick. ",
    "Some tea was poured. ",
    "It rained outside. ",
    "No one said a word. ",
    "The light was warm. ",
    "A dog slept nearby. ",
    "The news was on tv. ",
    "An hour went by so. ",
    "The fire went out. ",
)
DECK = "It was late in the day, and everyone was walking home after a long day at work. "
FILLERS = (*("".join(PASSAGE[:count]) for count in range(len(PASSAGE) + 1)), DECK)
# Name of the run to its flags; about 80,000 weights each.
NETS = {
    "rnn": "--cell rnn --hidden 256",
    "gru": "--cell gru --hidden 144",
    "gru-chrono": "--cell gru --hidden 144 --init chrono",
    "lstm": "--cell lstm --hidden 124",
    "lstm-chrono": "--cell lstm --hidden 124 --init chrono",
}
STORIES = 60_000


def story(draw: random.Random, meanwhile: str) -> tuple[str, str]:
    """A story up to the last name, and that name."""
    first, second = draw.sample(NAMES, 2)
    return f"{first} walked into the room. {second} walked in too. {meanwhile}{first} said hi to ", second


def filler(draw: random.Random) -> str:
    """None for half of the stories, or nets would have nothing easy to begin with; else any."""
    return draw.choice(FILLERS) if draw.random() < 0.5 else ""


def corpus(stories: int = STORIES, seed: int = 1) -> str:
    """All the stories to learn, one a line."""
    draw = random.Random(seed)
    return "".join("".join(story(draw, filler(draw))) + ".\n" for _ in range(stories))


def named_rightly(model: LanguageModel, meanwhile: str, stories: int, seed: int = 2) -> float:
    """In what share of fresh stories the likeliest continuation is the right name."""
    draw = random.Random(seed)
    right = 0
    for _ in range(stories):
        text, name = story(draw, meanwhile)
        right += "".join(model.generate(text, length=len(name), temperature=0)) == name
    return right / stories


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where stories and runs are kept")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--stories", type=int, default=STORIES, help="to learn from")
    parser.add_argument("--tested", type=int, default=200, help="stories of each length")
    parser.add_argument("--nets", nargs="+", choices=tuple(NETS), default=tuple(NETS))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    (asked.folder / "stories.txt").write_text(corpus(asked.stories), "utf-8")
    print(place.heading())
    print(
        f"\n| net | {' | '.join(map(str, map(len, FILLERS)))} | seconds |\n|{' --- |' * (len(FILLERS) + 2)}"
    )
    for name in asked.nets:
        started = time.monotonic()
        flags = f"{NETS[name]} --lines --seq 256 --dropout 0 --steps {asked.steps} --seed 1"
        words = ("stories.txt", *flags.split(), "--name", name, "--force", "-q")
        place.run("train", *words, folder=asked.folder)
        seconds = time.monotonic() - started
        model = charrnn.load(asked.folder / "checkpoints" / name / "model.safetensors")
        shares = " | ".join(f"{named_rightly(model, each, asked.tested):.0%}" for each in FILLERS)
        print(f"| `{NETS[name]}` | {shares} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
