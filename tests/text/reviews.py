"""Nonsense reviews whose label a few words tell, the same every time."""

import random

from charrnn.text.labelled import Example, Labelled

PRAISE, BLAME = ("fine", "lovely", "great", "warm"), ("dull", "awful", "cold", "boring")
REST = [
    "the",
    "film",
    "was",
    "a",
    "very",
    "long",
    "story",
    "of",
    "two",
    "people",
    "in",
    "a",
    "house",
    "by",
    "the",
    "sea",
]


def reviews(count: int = 120, seed: int = 1) -> list[tuple[str, str]]:
    """Labels and texts."""
    drawn = random.Random(seed)
    made = []
    for number in range(count):
        label, words = (("good", PRAISE), ("bad", BLAME))[number % 2]
        text = drawn.choices(REST, k=drawn.randint(3, 14)) + drawn.choices(words, k=2)
        drawn.shuffle(text)
        made.append((label, " ".join(text)))
    return made


def tsv(rows: list[tuple[str, str]]) -> str:
    return "".join(f"{label}\t{text}\n" for label, text in rows)


def labelled_reviews() -> Labelled:
    """The same as if read from a file."""
    return Labelled([Example(text, label, "reviews") for label, text in reviews()], "made")
