"""The stories have the form of the sentences, and only one place that tells the last name."""

import random
import re

from benchmarks.stories import FILLERS, LENGTHS, MAX_FILLER, NAMES, corpus, filler, filler_of, story
from charrnn.inspection.sentences import BLANK, SENTENCES


def test_a_story_ends_where_the_name_of_the_second_person_belongs() -> None:
    draw = random.Random(1)
    for _ in range(100):
        text, name = story(draw, filler(draw, MAX_FILLER))
        found = re.fullmatch(r"(\w+) walked into the room. (\w+) walked in too. .*(\w{4}) said hi to ", text)
        assert found is not None
        first, second, speaker = found.groups()
        assert (first, second) == (speaker, name)
        assert first != second
        assert text.count(name) == 1


def test_the_sentences_are_stories() -> None:
    names = f"Jane walked into the room. {BLANK} walked in too. "
    assert (f"{names}Jane said hi to ", f"{names}{FILLERS[-1]}Jane said hi to ") == SENTENCES


def test_no_filler_names_anybody_or_is_longer_than_it_should_be() -> None:
    assert not [name for name in NAMES for text in FILLERS if name in text]
    draw = random.Random(1)
    lengths = [len(filler(draw, MAX_FILLER)) for _ in range(500)]
    assert max(lengths) <= MAX_FILLER
    assert len(set(lengths)) > 50
    for length in LENGTHS:
        assert abs(len(filler_of(draw, length)) - length) <= 20


def test_the_corpus_is_the_same_every_time() -> None:
    first, second = corpus(), corpus()
    assert first == second
    assert corpus(seed=2) != first
