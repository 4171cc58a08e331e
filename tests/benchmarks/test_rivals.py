"""Every rival learns what can be learnt, and is measured in the same way."""

import random

import numpy as np
import pytest

from benchmarks.rivals import (
    LABEL_PREFIX,
    SETTINGS,
    Task,
    Texts,
    fasttext,
    lesson_lines,
    linear_alone,
    naive_bayes,
)
from charrnn.text.folded import words_of

WORDS = (("dull", "slow", "##0", "awful"), ("lovely", "warm", "Funny", "fine"))


def drawn(count: int, seed: int) -> Texts:
    """Texts of words that stand in both kinds, and of one that tells which it is."""
    draw = random.Random(seed)
    labels = [index % 2 for index in range(count)]
    texts = [" ".join([*draw.choices("abcdefgh", k=6), draw.choice(WORDS[label])]) for label in labels]
    return Texts(texts, np.array(labels, np.int64))


@pytest.fixture
def task() -> Task:
    return Task(drawn(200, seed=1), drawn(50, seed=2), 2)


def test_a_text_cannot_tell_fasttext_its_label() -> None:
    lines = list(lesson_lines(Texts(["##1 ##one\n##2"], np.array([0]))))
    assert len(lines) == 1
    first, *rest = lines[0].split(" ")
    assert first == f"{LABEL_PREFIX}0"
    assert not [word for word in rest if word.startswith(LABEL_PREFIX)]
    assert rest == words_of("##1 ##one\n##2")


def test_the_linear_models_are_right_where_a_word_tells(task: Task) -> None:
    for result in (linear_alone(task), naive_bayes(task)):
        assert (result.accuracy, result.macro_f1) == (1.0, 1.0)
        assert result.seconds > 0
        assert result.texts_per_second > 0


def test_fasttext_is_right_where_a_word_tells_and_has_a_result_for_every_setting(task: Task) -> None:
    pytest.importorskip("fasttext")
    results = list(fasttext(task, SETTINGS))
    assert [result.rival for result in results] == [str(setting) for setting in SETTINGS]
    assert max(result.accuracy for result in results) == 1.0
