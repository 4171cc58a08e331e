"""What the tests of text share: a verse, documents of given bytes, bytes in pieces, work run to its end."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from hypothesis import settings

from charrnn.config import CorpusConfig
from charrnn.text import corpus
from charrnn.text.corpus import Corpus
from charrnn.text.document import Document
from charrnn.text.tokenizer import Tokenizer

Result = TypeVar("Result")

VERSE = "the cat sat on the mat; a dog ate the log.\n"

# No deadline: a busy machine is no reason to fail.
moderate = settings(max_examples=60, deadline=None)
few = settings(max_examples=30, deadline=None)  # where every example writes files


def finish(work: Generator[object, None, Result]) -> Result:
    while True:
        try:
            next(work)
        except StopIteration as done:
            return cast(Result, done.value)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[begin : begin + size] for begin in range(0, len(data), size))


def document(name: str, data: bytes) -> Document:
    path = Path(name)
    path.write_bytes(data)
    return Document(name, path)


def documents(*texts: bytes) -> list[Document]:
    return [document(f"{index}.txt", data) for index, data in enumerate(texts)]


def prepared(sources: Sequence[Document], tokenizer: Tokenizer | None = None, **config: Any) -> Corpus:
    return finish(corpus.prepare(sources, CorpusConfig(**config), tokenizer))
