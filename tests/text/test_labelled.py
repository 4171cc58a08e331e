"""Labelled texts in the five forms, and what is wrong with those that are none."""

import gzip
import json
from pathlib import Path

import pytest

from charrnn.errors import CharrnnError, TextError, UsageError
from charrnn.text import labelled
from charrnn.text.document import Document
from charrnn.text.labelled import Labelled
from charrnn.text.sources import find
from charrnn.text.tables import Columns

ROWS = [("good", 'A fine film, "truly" fine'), ("bad", "Dull; I slept"), ("good", "Loved it"), ("bad", "No")]
PAIRS = [(label, text) for label, text in ROWS]


def read(*paths: Path, columns: Columns | None = None) -> Labelled:
    folder = paths[0] if paths[0].is_dir() else None
    return labelled.read(find([str(path) for path in paths]), folder, "utf-8", columns)


def looks(*paths: Path) -> bool:
    folder = paths[0] if paths[0].is_dir() else None
    return labelled.looks_labelled(find([str(path) for path in paths]), folder, "utf-8")


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def pairs(found: Labelled) -> list[tuple[str, str]]:
    return [(example.label, example.text) for example in found.examples]


def csv_cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


FORMS = {
    "tab.tsv": "".join(f"{label}\t{text}\n" for label, text in ROWS),
    "headed.tsv": "text\tlabel\n" + "".join(f"{text}\t{label}\n" for label, text in ROWS),
    "numbered.tsv": "id\treview\tSentiment\n" + "".join(f"{n}\t{t}\t{y}\n" for n, (y, t) in enumerate(ROWS)),
    "comma.csv": "".join(f"{csv_cell(text)},{label}\r\n" for label, text in ROWS),
    "objects.jsonl": "".join(json.dumps({"id": 1, "text": t, "label": y}) + "\n" for y, t in ROWS),
    "fasttext.txt": "".join(f"__label__{label} {text}\n" for label, text in ROWS),
    "plain.txt": "\n".join(f"{label}\t{text}" for label, text in ROWS),
    "objects": "\n\n".join(json.dumps({"y": label, "x": text}) for label, text in ROWS),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_examples_and_is_recognised(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, FORMS[name])
    assert looks(path)
    assert pairs(read(path)) == PAIRS


def test_a_row_says_where_it_stood(tmp_path: Path) -> None:
    text = 'label,text\ngood,"two\nlines"\n\nbad,x\n'
    found = read(written(tmp_path / "a.csv", text))
    assert [example.source for example in found.examples] == [f"{tmp_path}/a.csv:2", f"{tmp_path}/a.csv:5"]
    assert found.form == 'comma-separated, label in "label", text in "text"'


@pytest.mark.parametrize(
    ("name", "text", "is_headless"),
    [
        ("a.tsv", "".join(f"{'good' if n % 2 else 'bad'}\tfilm {n}\n" for n in range(9)), True),
        ("a.csv", "label,text\ngood,fine\nbad,dull\ngood,new\n", False),
        ("a.jsonl", '{"label": "good", "text": "fine"}\n{"label": "bad", "text": "dull"}\n', False),
        ("a.txt", "__label__good fine\n__label__bad dull\n", False),
    ],
)
def test_a_table_without_a_heading_is_known_as_such(
    tmp_path: Path, name: str, text: str, *, is_headless: bool
) -> None:
    assert read(written(tmp_path / name, text)).is_headless == is_headless


@pytest.mark.parametrize(("name", "form"), [("a.tsv.gz", "tab.tsv"), ("A.CSV.gz", "comma.csv")])
def test_gzip_is_unpacked_and_its_name_says_what_is_in_it(tmp_path: Path, name: str, form: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(FORMS[form].encode()))
    assert looks(path)
    assert pairs(read(path)) == PAIRS


@pytest.mark.parametrize("name", ["rows.tsv", "rows.txt", "rows.csv"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_end_with_line_feeds_if_there_are_any_and_then_a_lone_cr_is_part_of_a_text(
    tmp_path: Path, name: str, end: str
) -> None:
    texts = ["fine\rfilm" if end != "\r" else "fine film", "dull", "good", "bad"]
    form = {"rows.tsv": "{}\t{}", "rows.txt": "__label__{} {}", "rows.csv": '{},"{}"'}[name]
    lines = [form.format("ab"[index % 2], text) for index, text in enumerate(texts)]
    (tmp_path / name).write_bytes((end.join(lines) + end).encode())
    assert looks(tmp_path / name)
    assert pairs(read(tmp_path / name)) == [("ab"[index % 2], text) for index, text in enumerate(texts)]


def test_blanks_around_a_label_are_no_part_of_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", "label\ttext\ngood \tone\n good\ttwo\nbad\tthree\n")
    assert read(path).labels == ("bad", "good")


def test_a_folder_for_every_label(tmp_path: Path) -> None:
    for number, (label, text) in enumerate(ROWS):
        written(tmp_path / "reviews" / label / f"{number}.txt", text)
    found = read(tmp_path / "reviews")
    assert looks(tmp_path / "reviews")
    assert sorted(pairs(found)) == sorted(PAIRS)
    assert found.labels == ("bad", "good")
    assert found.examples[0].source == f"{tmp_path}/reviews/bad/1.txt"


def test_the_label_is_the_uppermost_of_several_folders(tmp_path: Path) -> None:
    for name in ("good/2025/1.txt", "good/2.txt", "bad/2025/1.txt"):
        written(tmp_path / name, "some words")
    assert [example.label for example in read(tmp_path).examples] == ["bad", "good", "good"]


def test_a_text_beside_the_folders_makes_them_no_labels(tmp_path: Path) -> None:
    for name in ("a/1.txt", "b/1.txt", "README.txt"):
        written(tmp_path / name, "some words")
    assert not looks(tmp_path)


def test_a_text_beside_the_folders_is_named_and_a_table_there_is_read(tmp_path: Path) -> None:
    for name in ("a/1.txt", "b/1.txt", "README.txt"):
        written(tmp_path / name, "some words")
    with pytest.raises(TextError) as raised:
        read(tmp_path)
    assert raised.value.message == (
        f"{tmp_path}/README.txt: lies in no label's folder, and has no label in itself"
    )


def test_texts_in_a_folder_without_folders_are_said_to_lack_labels_not_a_folder(tmp_path: Path) -> None:
    for name in ("1.txt", "2.txt"):
        written(tmp_path / name, "some words")
    with pytest.raises(TextError, match="has 1 column, expected a label and a text in every row"):
        read(tmp_path)


def test_folders_named_one_by_one_have_what_is_above_them_in_common(tmp_path: Path) -> None:
    for label in ("good", "bad"):
        written(tmp_path / "reviews" / label / "1.txt", label)
    documents = find([str(tmp_path / "reviews" / label) for label in ("good", "bad")])
    folder = labelled.common_folder(documents)
    assert folder == tmp_path / "reviews"
    assert pairs(labelled.read(documents, folder, "utf-8")) == [("good", "good"), ("bad", "bad")]
    assert labelled.common_folder(documents[:1]) is None


def test_a_folder_in_which_the_texts_do_not_lie_has_no_labels(tmp_path: Path) -> None:
    table = written(tmp_path / "tab.tsv", FORMS["tab.tsv"])
    found = labelled.read(find([str(table)]), tmp_path / "elsewhere", "utf-8")
    assert pairs(found) == pairs(read(table))


@pytest.mark.parametrize("labels", [("y", "n"), ("question", "statement")], ids=str)
def test_a_first_row_whose_label_is_known_is_no_heading(tmp_path: Path, labels: tuple[str, str]) -> None:
    one, other = labels
    written(tmp_path / "given.tsv", f"{one}\tgreat\n{other}\tbad\n{other}\tawful\n")
    found = labelled.read(find([str(tmp_path / "given.tsv")]), None, "utf-8", known=labels)
    assert pairs(found) == [(one, "great"), (other, "bad"), (other, "awful")]
    written(tmp_path / "headed.tsv", f"label\ttext\n{one}\tgreat\n{other}\tbad\n")
    headed = labelled.read(find([str(tmp_path / "headed.tsv")]), None, "utf-8", known=labels)
    assert len(headed.examples) == 2


def test_a_single_folder_inside_is_no_label(tmp_path: Path) -> None:
    written(tmp_path / "only" / "1.txt", "some words")
    written(tmp_path / "only" / "2.txt", "other words")
    assert not looks(tmp_path)
    known = labelled.read(find([str(tmp_path)]), tmp_path, "utf-8", known=("only", "other"))
    assert [example.label for example in known.examples] == ["only", "only"]


@pytest.mark.parametrize(
    "text",
    [
        "Once upon a time.\n\tIt was late.\n",
        "",
        "{ brace\nof a poem }\n",
        "{ one\n{ two\n",
        "a\tb\nc\td\te\n",
        "__label__x a\nb",
    ],
)
def test_prose_is_not_taken_for_labelled(tmp_path: Path, text: str) -> None:
    assert not looks(written(tmp_path / "a.txt", text))


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", "kind\tlabel\tbody\nx\tgood\tfine\ny\tbad\tdull\n")
    assert pairs(read(path, columns=Columns("kind", "body"))) == [("x", "fine"), ("y", "dull")]
    assert pairs(read(path, columns=Columns("1", "2"))) == [("x", "good"), ("y", "bad")]


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        # Headings that no list has, but a flag.
        (
            "a.csv",
            "id,airline_sentiment,what\n1,good,A fine flight\n2,bad,Late\n",
            ("airline_sentiment", "what"),
        ),
        ("a.tsv", "stars\tbody\ngood\tA fine flight\nbad\tLate\n", ("stars", None)),
        # A heading of the text alone.
        ("a.csv", "stars,review\ngood,A fine flight\nbad,Late\ngood,On time\nbad,No\n", (None, None)),
        # Labels that could be headings.
        ("a.tsv", "y\tA fine flight\nn\tLate\ny\tOn time\nn\tNo\n", (None, None)),
        # What nobody asked for may be missing, or no text.
        (
            "a.jsonl",
            '{"label": "good", "text": "A fine flight", "title": "x"}\n'
            '{"text": "Late", "label": "bad", "score": 0.5, "tags": []}\n',
            (None, None),
        ),
        # As Amazon's reviews are published.
        (
            "a.jsonl",
            '{"overall": 5.0, "reviewText": "A fine flight"}\n{"overall": 1.0, "reviewText": "Late"}\n',
            ("overall", "reviewText"),
        ),
    ],
)
def test_tables_as_they_are_found_outside(
    tmp_path: Path, name: str, text: str, columns: tuple[str | None, str | None]
) -> None:
    path = written(tmp_path / name, text)
    found = read(path, columns=Columns(*columns))
    assert looks(path)
    assert [example.text for example in found.examples][:2] == ["A fine flight", "Late"]
    assert [example.label for example in found.examples][:2] in (["good", "bad"], ["y", "n"], ["5.0", "1.0"])
    assert len(found.examples) in (2, 4)


def test_commas_are_found_without_a_name_that_says_so_but_not_in_prose(tmp_path: Path) -> None:
    copy = written(tmp_path / "corpus", 'label,text\ngood,"Fine, truly\nfine"\nbad,No\n')
    assert looks(copy)
    assert pairs(read(copy)) == [("good", "Fine, truly\nfine"), ("bad", "No")]
    assert not looks(written(tmp_path / "prose", "Well, I said,\nlabel, or text?\nNo, no, no.\n"))


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.csv", '"{}",good\nNo,bad\n'), ("a.tsv", "{}\tgood\nNo\tbad\n")],
)
def test_a_first_text_may_be_longer_than_a_look(tmp_path: Path, name: str, form: str) -> None:
    long = "word " * 40_000
    path = written(tmp_path / name, form.format(long))
    assert looks(path)
    assert pairs(read(path, columns=Columns("2"))) == [("good", long), ("bad", "No")]


def test_half_a_character_of_two_is_replaced(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        '{"label": "x", "text": "cut \\ud83d"}\n{"label": "y", "text": "\\ud83d\\ude00"}\n',
    )
    assert pairs(read(path)) == [("x", "cut \ufffd"), ("y", "\U0001f600")]


def test_a_label_of_fasttext_may_end_with_a_tab(tmp_path: Path) -> None:
    assert pairs(read(written(tmp_path / "a", "__label__x\tA film\n__label__y\n"))) == [
        ("x", "A film"),
        ("y", ""),
    ]


def test_the_column_with_few_values_is_the_label(tmp_path: Path) -> None:
    rows = "".join(f"{number}\tthe text {number}\t{'ab'[number % 2]}\n" for number in range(8))
    found = read(written(tmp_path / "a.tsv", rows))
    assert pairs(found)[:2] == [("a", "the text 0"), ("b", "the text 1")]


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("a.tsv", "good\tx\nbad\n", TextError, "a.tsv: line 2: columns: 1, expected 2 as in line 1"),
        ("a.tsv", "label\ttext\ngood\tx\n \ty\n", TextError, 'a.tsv: line 3: has no label in "label"'),
        ("a.tsv", "label\ttext\n", TextError, "a.tsv: has no rows"),
        (
            "a.tsv",
            "words\nwords\n",
            TextError,
            "a.tsv: has 1 column, expected a label and a text in every row",
        ),
        ("a.tsv", "a\tb\nc\td\n", TextError, "a.tsv: no column has few distinct values, as labels have"),
        ("a.csv", 'label,text\nx,"y\n', TextError, "a.csv: line 2: not CSV: unexpected end of data"),
        ("a.jsonl", '{"label": "x", "text": "y"}\n{\n', TextError, "a.jsonl: line 2: not JSON: "),
        ("a.jsonl", "[1]\n", TextError, "a.jsonl: line 1: not a JSON object"),
        ("a.jsonl", '{"text": ["x"]}\n', TextError, "a.jsonl: has 0 columns, expected a label and a text"),
        (
            "a.jsonl",
            '{"label": "x", "text": "y"}\n{"label": "x"}',
            TextError,
            'line 2: has no text in "text"',
        ),
        (
            "a.txt",
            "__label__x a\nb\n",
            TextError,
            "a.txt: line 2: has no label: it does not begin with __label__",
        ),
        ("a.txt", "__label__x a\n__label__ b\n", TextError, "a.txt: line 2: has no label"),
        (
            "a.txt",
            "__label__x __label__y a\n",
            TextError,
            "a.txt: line 1: has several labels, expected one a text",
        ),
        (
            "a.txt",
            "__label__x\x1b[1m a\n__label__x b\n",
            TextError,
            "has a character that cannot be shown: U+001B",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, name: str, text: str, error: type[CharrnnError], message: str
) -> None:
    with pytest.raises(error) as raised:
        read(written(tmp_path / name, text))
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (Columns("kind"), "--label-column kind: {} has no such column"),
        (Columns("label", "3"), "--text-column 3: {} has no such column"),
        (Columns("label", "label"), '{}: label and text cannot both be "label"'),
    ],
)
def test_columns_that_are_not_there_are_refused(tmp_path: Path, columns: Columns, message: str) -> None:
    path = written(tmp_path / "a.tsv", "label\ttext\ngood\tfine\nbad\tdull\n")
    with pytest.raises(UsageError) as raised:
        read(path, columns=columns)
    assert raised.value.message == message.format(path)


def test_columns_are_refused_where_there_are_none(tmp_path: Path) -> None:
    for label in ("good", "bad"):
        written(tmp_path / "texts" / label / "1.txt", label)
    lines = written(tmp_path / "lines.txt", FORMS["fasttext.txt"])
    table = written(tmp_path / "tab.tsv", FORMS["tab.tsv"])
    for paths, form in (
        ((tmp_path / "texts",), "a folder for every label"),
        ((lines,), "lines of __label__x text"),
    ):
        with pytest.raises(UsageError) as raised:
            labelled.refuse_idle_columns(read(*paths), Columns("1"))
        assert raised.value.message == f"--label-column and --text-column: there are no columns in {form}"
        labelled.refuse_idle_columns(read(*paths), Columns())
    labelled.refuse_idle_columns(read(lines, table, columns=Columns("1")), Columns("1"))


def test_a_large_text_comes_in_pieces_that_end_with_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled, "PIECE", 10)
    text = "a line\n" * 5 + "x" * 30 + "\nthe end"
    Path("text").write_text(text)
    pieces = list(labelled.pieces_of(Document("text", Path("text")), "utf-8"))
    assert "".join(pieces) == text
    monkeypatch.setattr("charrnn.text.document.CHUNK_BYTES", 4)
    small = list(labelled.pieces_of(Document("text", Path("text")), "utf-8"))
    assert "".join(small) == text
    assert small[0] == "a line\n"
    assert max(map(len, small)) <= 14
