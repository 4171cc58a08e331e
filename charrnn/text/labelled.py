"""Labelled texts, recognised in files as people keep them. Knows no ids and no network.

Five forms: a folder for every label, fastText's `__label__x text`, JSON lines, and tables whose columns tabs
or commas part. The column of the labels goes by its heading, or is the one with few distinct values.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from charrnn.errors import TextError, UsageError
from charrnn.text.decoding import decode
from charrnn.text.document import Document
from charrnn.text.tables import (
    JSON,
    LONGEST_LABEL,
    Columns,
    called,
    choose,
    fault_of,
    is_headed_by_commas,
    parse,
)

FASTTEXT = "__label__"
OF_FASTTEXT = f"lines of {FASTTEXT}x text"
SUFFIXES = {".tsv": "\t", ".tab": "\t", ".csv": ",", ".jsonl": JSON, ".ndjson": JSON}
# A look at so much of a file tells what it is; a corpus of a gigabyte is not read to find out.
LOOK_CHARACTERS = 1 << 16
MAX_LABELS = 10_000
PIECE = 1 << 20  # characters of a text without labels that are read together


class Example(NamedTuple):
    """A text with its label, and where both stood."""

    text: str
    label: str
    source: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """All examples of the input, in its order, and the form in which they were found."""

    examples: list[Example]
    form: str
    folder: Path | None = None  # the one whose folders are called as the labels
    has_columns: bool = False  # some of it, at least
    is_headless: bool = False  # its first row is a text, in a table whose columns have no names

    @property
    def labels(self) -> tuple[str, ...]:
        """The distinct labels, in alphabetical order."""
        return tuple(sorted({example.label for example in self.examples}))


def looks_labelled(documents: Sequence[Document], folder: Path | None, encoding: str) -> bool:
    """Whether documents are labelled texts, by their places, names and first lines.

    Args:
        documents: what to look at.
        folder: the folder that they were found in, if a single one was named.
        encoding: a canonical name, as `decoding.check_encoding` gives it.
    """
    if not documents or documents[0].path is None:
        return False
    if folder is not None and _folder_labels(documents, folder):
        return True
    try:
        return all(_may_be_rows(document, _beginning(document, encoding)) for document in documents)
    except TextError:
        return False  # whoever reads it in earnest says what is wrong


def read(
    documents: Sequence[Document],
    folder: Path | None,
    encoding: str,
    columns: Columns | None = None,
    known: Collection[str] = (),
) -> Labelled:
    """The labelled texts of documents.

    Args:
        documents: what to read, in this order.
        folder: the folder that they were found in, whose folders may be the labels.
        encoding: a canonical name, as `decoding.check_encoding` gives it.
        columns: which columns of a table are meant.
        known: the labels there are, if that is known: a few texts of one label are then found as well.

    Raises:
        TextError: if a text has no label, there are too many, or one cannot be shown.
        UsageError: if there is no such column.
    """
    columns = columns or Columns()
    in_folders = _folder_labels(documents, folder, known) if folder is not None else None
    if in_folders:
        pairs = zip(documents, in_folders, strict=True)
        examples = [Example(text_of(document, encoding), label, document.name) for document, label in pairs]
        labelled = Labelled(examples, "a folder for every label", folder)
    else:
        _refuse_stray(documents, folder, encoding)
        parts = [
            _rows(document, _in_rows("".join(_decoded(document, encoding, "keep"))), columns, known)
            for document in documents
        ]
        labelled = Labelled(
            [example for part in parts for example in part.examples],
            parts[-1].form,
            has_columns=any(part.form != OF_FASTTEXT for part in parts),
            is_headless=parts[0].is_headless,
        )
    _check_labels(documents[0].name if len(documents) == 1 else "the texts", labelled)
    return labelled


def refuse_idle_columns(labelled: Labelled, columns: Columns) -> None:
    """Refuses names of columns where there are none.

    Raises:
        UsageError: saying what there is.
    """
    if columns.named and not labelled.has_columns:
        raise UsageError(
            f"--label-column and --text-column: there are no columns in {labelled.form}", "leave them out"
        )


def common_folder(documents: Sequence[Document]) -> Path | None:
    """The folder above those in which documents lie, if they lie in several."""
    folders = {document.path.absolute().parent for document in documents if document.path}
    return Path(os.path.commonpath(folders)) if len(folders) > 1 else None


def pieces_of(document: Document, encoding: str) -> Iterator[str]:
    """A document's text in pieces of about a million characters, each of which ends with a line.

    Args:
        document: what to read.
        encoding: of its bytes.

    Raises:
        TextError: if it is no text.
    """
    held = ""
    for text in _decoded(document, encoding):
        held += text
        if len(held) >= PIECE:
            end = held.rfind("\n") + 1 or len(held)
            yield held[:end]
            held = held[end:]
    if held:
        yield held


def text_of(document: Document, encoding: str) -> str:
    """The whole text of a document, its line ends made one."""
    return "".join(_decoded(document, encoding))


def _decoded(document: Document, encoding: str, newline: str = "lf") -> Iterator[str]:
    """The text of a document, in pieces, its line ends made one, or kept with `newline="keep"`."""
    return decode(document.name, document.chunks(), encoding, newline, is_piped=document.is_piped)


def _in_rows(text: str) -> str:
    """A text with a LF after every row; a lone CR ends one only where there is no LF, else it is within."""
    return text.replace("\r\n", "\n") if "\n" in text else text.replace("\r", "\n")


def _beginning(document: Document, encoding: str) -> str:
    """The first lines of a document, the last of them whole unless it is the only one."""
    pieces: list[str] = []
    for piece in _decoded(document, encoding, "keep"):
        pieces.append(piece)
        if sum(map(len, pieces)) > LOOK_CHARACTERS:
            break
    return _first_lines(_in_rows("".join(pieces)))


def _first_lines(text: str) -> str:
    if len(text) <= LOOK_CHARACTERS:
        return text
    start = text[:LOOK_CHARACTERS]
    return start[: start.rfind("\n") + 1] or start


def _folder_labels(
    documents: Sequence[Document], folder: Path, known: Collection[str] = ()
) -> list[str] | None:
    """The label of every document if all lie in two or more folders of this one, or in known labels'."""
    whole = folder.absolute()
    paths = [document.path.absolute() for document in documents if document.path]
    if any(whole not in path.parent.parents for path in paths):
        return None
    labels = [path.relative_to(whole).parts[0] for path in paths]
    return labels if len(set(labels)) >= 2 or set(labels) <= set(known) else None


def _refuse_stray(documents: Sequence[Document], folder: Path | None, encoding: str) -> None:
    """Refuses a text beside a folder for every label, unless it has labels in itself."""
    whole = folder.absolute() if folder else None
    beside = [
        document for document in documents if document.path and document.path.absolute().parent == whole
    ]
    if beside and len(beside) < len(documents) and not looks_labelled(beside[:1], None, encoding):
        raise TextError(
            f"{beside[0].name}: lies in no label's folder, and has no label in itself",
            "move it away, or into the folder of its label",
        )


def _may_be_rows(document: Document, text: str) -> bool:
    """Whether a text's name or first lines are those of labelled rows."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return False
    return (
        _named_delimiter(document) is not None
        or all(line.startswith(FASTTEXT) for line in lines)
        or all(line.startswith("{") and line.rstrip().endswith("}") for line in lines)
        or (all("\t" in line for line in lines) and len({line.count("\t") for line in lines}) == 1)
        or is_headed_by_commas(text)
    )


def _named_delimiter(document: Document) -> str | None:
    return SUFFIXES.get(Path(document.name.removesuffix(".gz")).suffix.lower())


class _Rows(NamedTuple):
    """What is found in a document."""

    examples: list[Example]
    form: str
    is_headless: bool  # as in `Labelled`


def _rows(document: Document, text: str, columns: Columns, known: Collection[str]) -> _Rows:
    name = document.name
    delimiter = _named_delimiter(document)
    start = text.lstrip()
    if start.startswith(FASTTEXT):
        return _Rows(list(_fasttext(name, text)), OF_FASTTEXT, is_headless=False)
    if delimiter is None:
        if start.startswith("{"):
            delimiter = JSON
        else:
            delimiter = "," if is_headed_by_commas(_first_lines(text)) else "\t"
    table = parse(name, text, delimiter, columns.named, known)
    if not table.rows:
        raise TextError(f"{name}: has no rows", "a label and a text in every row make a classifier")
    label, content = choose(name, table, columns, known)
    examples = [
        # `choose` has seen that both are there.
        Example(str(row[content]), str(row[label]).strip(), f"{name}:{line}")
        for row, line in zip(table.rows, table.lines, strict=True)
    ]
    kind = {"\t": "tab-separated", ",": "comma-separated", JSON: "JSON lines"}[delimiter]
    form = f"{kind}, label in {called(table, label)}, text in {called(table, content)}"
    return _Rows(examples, form, is_headless=table.headings is None)


def _fasttext(name: str, text: str) -> Iterator[Example]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        label, rest = [*line.split(None, 1), ""][:2]
        if not label.startswith(FASTTEXT) or label == FASTTEXT:
            raise TextError(f"{name}: line {number}: has no label: it does not begin with {FASTTEXT}")
        if rest.lstrip().startswith(FASTTEXT):
            raise TextError(f"{name}: line {number}: has several labels, expected one a text")
        yield Example(rest, label.removeprefix(FASTTEXT), f"{name}:{number}")


def _check_labels(name: str, labelled: Labelled) -> None:
    for example in labelled.examples:
        if fault := fault_of(label := example.label):
            shown = label if len(label) <= LONGEST_LABEL else label[:LONGEST_LABEL] + "…"
            raise TextError(f'{example.source}: the label "{shown}" {fault}')
    if len(labelled.labels) > MAX_LABELS:
        raise TextError(f"{name}: {len(labelled.labels):,} distinct labels, limit {MAX_LABELS:,}")
