"""The stories have the form of the sentences, and only one place that tells the last name."""

import itertools
import random
import re

from benchmarks.stories import DECK, FILLERS, NAMES, corpus, filler, story
from charrnn.inspection.sentences import BLANK, SENTENCES


def test_a_story_ends_where_the_name_of_the_second_person_belongs() -> None:
    draw = random.Random(1)
    for _ in range(100):
        text, name = story(draw, filler(draw))
        found = re.fullmatch(r"(\w+) walked into the room. (\w+) walked in too. .*(\w{4}) said hi to ", text)
        assert found is not None
        first, second, speaker = found.groups()
        assert (first, second) == (speaker, name)
        assert first != second
        assert text.count(name) == 1


def test_the_sentences_are_stories() -> None:
    names = f"Jane walked into the room. {BLANK} walked in too. "
    assert (f"{names}Jane said hi to ", f"{names}{DECK}Jane said hi to ") == SENTENCES


def test_fillers_grow_by_about_twenty_characters_and_name_nobody() -> None:
    assert not [name for name in NAMES for text in FILLERS if name in text]
    *passages, deck = FILLERS
    assert deck == DECK
    for shorter, longer in itertools.pairwise(passages):
        assert longer.startswith(shorter)
        assert 18 <= len(longer) - len(shorter) <= 22


def test_the_corpus_is_the_same_every_time() -> None:
    first, second = corpus(), corpus()
    assert first == second
    assert corpus(seed=2) != first
