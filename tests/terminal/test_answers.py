"""What a classifier says, as tables that a person can read on any terminal."""

from collections.abc import Sequence
from typing import Any

import pytest

from charrnn.inference.answering import Piece
from charrnn.terminal.answers import (
    COMMONEST,
    PIPE_WIDTH,
    coloured,
    print_answers,
    print_evaluation,
    print_explained,
)
from charrnn.terminal.console import ENDLESS
from charrnn.terminal.heat import style
from tests.terminal.drawing import console
from tests.terminal.test_tables import HOSTILE, INERT

WIDTHS = (20, 40, 60, 80, 120)


@pytest.mark.parametrize("width", WIDTHS)
def test_label_and_probability_can_be_read_at_any_width(width: int) -> None:
    screen, file = console(width=width)
    print_answers(screen, [("review.txt", [("good", 0.9863), ("bad", 0.0137)])])
    _, good, bad = file.getvalue().splitlines()
    assert good.startswith("good ")
    assert good[:18].strip().endswith(" 98.63%") or good.endswith("  98.63%  review.txt")
    assert bad.startswith("bad ")
    assert max(map(len, file.getvalue().splitlines())) <= width
    assert " 1.37%" in bad
    assert "review.txt" not in bad  # it is of the same text
    assert ("█" in good) == (width >= 40)
    assert ("review.txt" in good) == (width >= 40)


def test_a_long_label_is_cut_and_not_the_probability() -> None:
    screen, file = console(width=40)
    print_answers(screen, [("folder/review.txt", [("a label of sixty characters" * 2, 0.5)])])
    (row,) = file.getvalue().splitlines()[1:]
    assert row.startswith("a label of sixty")
    assert "…  " in row
    assert " 50.00%" in row


def test_where_no_text_could_be_answered_there_is_no_table() -> None:
    screen, file = console()
    print_answers(screen, [])
    assert file.getvalue() == ""


LOVELY = (Piece("lovely", 0.0329), Piece(" ", 0.0), Piece("a\x1b", -0.01234), Piece("film", 0.0))


def explained(pieces: Sequence[Piece], **kind: Any) -> list[str]:
    screen, file = console(**kind)
    print_explained(screen, "review.txt", "good", pieces)
    return file.getvalue().splitlines()


def test_without_colours_the_words_of_an_explanation_have_figures() -> None:
    assert explained(LOVELY) == [
        'review.txt: what each word says for (+) or against (-) "good":',
        "+0.0329  lovely",
        "-0.0123  a^[",
    ]


def test_on_colours_an_explanation_is_the_text() -> None:
    heading, text = explained(LOVELY, terminal=True)
    assert " (+)" not in heading
    assert "lovely" in text
    assert "0329" not in text


def test_a_word_s_colour_is_as_strong_as_what_it_says_beside_the_strongest() -> None:
    text = coloured((Piece("for", 0.02), Piece("\n", 0.0), Piece("against", -0.04)))
    assert text.plain == "for\nagainst"
    backgrounds = {text.plain[span.start : span.end]: span.style for span in text.spans}
    assert backgrounds == {"for": style(0.5), "against": style(-1.0)}


def test_a_text_of_which_no_word_says_anything_is_shown_all_the_same() -> None:
    assert explained([Piece("one", 0.0), Piece("\n", 0.0), Piece("two", 0.0)], terminal=True)[1:] == [
        "one",
        "two",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_foreign_escapes_from_answers_and_explanations(terminal: bool) -> None:
    screen, file = console(terminal=terminal, width=400)
    print_answers(screen, [(HOSTILE, [("go\u200dod", 0.5)])])
    print_explained(screen, HOSTILE, "good", [Piece(HOSTILE, 0.5)])
    print_explained(screen, "review.txt", "go\u200dod", [Piece("film", 0.5)])
    assert file.getvalue().count(INERT) == 3
    assert file.getvalue().count("go\\u{200d}od") == 2
    assert "\x1b]" not in file.getvalue()
    assert not set("\x07\x9b\u202e\u200d") & set(file.getvalue())


def test_of_more_words_than_lines_the_most_telling_come_first() -> None:
    many = [Piece(f"word{number}", (-1) ** number * number / 1000) for number in range(1, 101)]
    assert len(explained(many, height=102)) == 101
    heading, *lines = explained(many, height=101)
    assert heading == ('review.txt: what the 12 most telling of 100 words say for (+) or against (-) "good":')
    assert lines == [f"{(-1) ** number * number / 1000:+.4f}  word{number}" for number in range(100, 88, -1)]


def test_the_figure_of_words_taken_together_has_one_line() -> None:
    assert explained([Piece("two words", 0.5)])[0].startswith("review.txt: what each part says for")
    line = explained([Piece("word after word " * 9, 0.5)], width=40)[-1]
    assert line.startswith("+0.5000  word after")
    assert len(line) <= 40


def evaluated(confusion: Sequence[Sequence[int]], name: str = "label") -> dict[str, Any]:
    """What an evaluation found, the figures of each label counted from a table of confusions."""
    numbers = range(len(confusion))
    labels = [f"{name} {number}" for number in numbers]
    answered = [sum(row[number] for row in confusion) for number in numbers]
    figures = {
        name: {
            "accuracy": part + 0.05,
            "macro_f1": part + 0.06,
            "calibration_error": part + 0.07,
            "nats": part,
        }
        for name, part in {"answer": 0.9, "net": 0.8, "linear": 0.7}.items()
    }
    wrong = [
        {"label": labels[label], "answer": labels[answer], "texts": confusion[label][answer]}
        for label in numbers
        for answer in numbers
        if label != answer and confusion[label][answer]
    ]
    return {
        "texts": sum(map(sum, confusion)),
        "seconds_per_1000": 1.5,
        **figures,
        "labels": [
            {
                "label": labels[number],
                "texts": sum(confusion[number]),
                "precision": confusion[number][number] / max(1, answered[number]),
                "recall": confusion[number][number] / max(1, sum(confusion[number])),
            }
            for number in numbers
        ],
        "confused": sorted(wrong, key=lambda pair: -int(str(pair["texts"]))),
        "confusion": confusion,
    }


def taken_for_the_next(labels: int) -> list[list[int]]:
    """A thousand right answers a label, and label k is taken for the next one k times."""
    return [
        [1000 * (row == column) + row * (column == row + 1) for column in range(labels)]
        for row in range(labels)
    ]


def shown(found: dict[str, Any], width: int) -> list[str]:
    screen, file = console(width=width)
    print_evaluation(screen, "test.tsv", found)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert all(len(line) <= min(width, PIPE_WIDTH) for line in lines)
    return lines


def test_answer_net_and_n_grams_have_their_own_figures() -> None:
    lines = shown(evaluated(taken_for_the_next(2)), 80)
    assert lines[0] == "test.tsv: 2,000 texts, 1.50s per 1,000"
    assert [line.split() for line in lines[2:5]] == [
        ["answer", "95.00%", "0.9600", "0.9700", "0.9000"],
        ["net", "85.00%", "0.8600", "0.8700", "0.8000"],
        ["n-grams", "75.00%", "0.7600", "0.7700", "0.7000"],
    ]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("labels", [2, 7, 30])
def test_the_figures_of_every_label_are_whole_at_any_width(labels: int, width: int) -> None:
    found = evaluated(taken_for_the_next(labels), "a category of a name that is rather long")
    lines = shown(found, width)
    (top,) = (index for index, line in enumerate(lines) if line.startswith("label ") and "recall" in line)
    for row, line in zip(found["labels"], lines[top + 1 :], strict=False):
        assert line.split()[-1] == f"{row['recall']:.4f}"
        if width >= 40:
            assert line.split()[-3:-1] == [f"{row['texts']:,}", f"{row['precision']:.4f}"]
        assert ("…" in line) == (width < 80)


def test_a_table_of_confusions_names_its_columns_where_there_is_space() -> None:
    assert shown(evaluated(taken_for_the_next(3)), 80)[-4:] == [
        "label    → label 0  → label 1  → label 2",
        "label 0      1,000          0          0",
        "label 1          0      1,000          1",
        "label 2          0          0      1,000",
    ]


def test_a_table_of_confusions_numbers_its_columns_where_there_is_less() -> None:
    assert shown(evaluated(taken_for_the_next(3)), 39)[-4:] == [
        "   label      → 1    → 2    → 3",
        "1  label 0  1,000      0      0",
        "2  label 1      0  1,000      1",
        "3  label 2      0      0  1,000",
    ]


@pytest.mark.parametrize("width", [40, 80, 120, ENDLESS])
def test_where_there_is_no_space_for_it_the_commonest_confusions_are_listed(width: int) -> None:
    lines = shown(evaluated(taken_for_the_next(30)), width)
    assert not any("→" in line for line in lines)
    *above, header = lines[:-COMMONEST]
    assert f"the {COMMONEST} commonest of 28 confusions (--json has all):" in " ".join(above)
    assert header.split() == ["label", "answered", "texts"]
    assert [line.split() for line in lines[-COMMONEST:]] == [
        ["label", f"{number}", "label", f"{number + 1}", f"{number}"]
        for number in range(28, 28 - COMMONEST, -1)
    ]


def test_few_confusions_are_all_listed_and_none_is_said_to_be_none() -> None:
    confusion = [[10 * (row == column) for column in range(200)] for row in range(200)]
    assert shown(evaluated(confusion), ENDLESS)[-1] == "no text was taken for one of another label"
    confusion[7][3] = 2
    lines = shown(evaluated(confusion), ENDLESS)
    assert lines[-3] == "confusions:"
    assert lines[-1].split() == ["label", "7", "label", "3", "2"]
    for label in range(20, 19 + COMMONEST):
        confusion[label][label + 1] = 1
    assert shown(evaluated(confusion), ENDLESS)[-2 - COMMONEST] == "confusions:"


def test_a_pipe_has_as_much_as_a_wide_terminal() -> None:
    for labels in (2, 7, 12, 30):
        found = evaluated(taken_for_the_next(labels))
        assert shown(found, ENDLESS) == shown(found, PIPE_WIDTH)
    assert shown(evaluated(taken_for_the_next(12)), ENDLESS)[-1].split()[-1] == "1,000"


def test_more_labels_than_a_table_of_confusions_has_are_listed_too() -> None:
    found = evaluated(taken_for_the_next(30)) | {"confusion": None}
    assert shown(found, 80) == shown(evaluated(taken_for_the_next(30)), 80)
