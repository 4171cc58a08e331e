"""Lines that are documents: what of a text a model of them knows, and its ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import AnyStr

import numpy as np

from charrnn.text.tokenizer import BOUNDARY, Ids

EMPTY_LINES = re.compile(r"^\n+|(?<=\n)\n+")


def without_empty(text: str) -> str:
    r"""A text without its empty lines: a document has a token at least.

    Example:
        >>> without_empty("\n\na\n\n\nb\n")
        'a\nb\n'
    """
    return EMPTY_LINES.sub("", text)


def ids_of_lines(encode: Callable[[AnyStr], Ids], lines: Sequence[AnyStr]) -> Ids:
    """The ids of lines, one at least, with a boundary for the line feed between two of them.

    Example:
        >>> ids_of_lines(lambda line: np.array([len(line)]), ["a", "the", ""]).tolist()
        [1, 0, 3, 0, 0]
    """
    first, *others = [encode(line) for line in lines]
    boundary: Ids = np.array([BOUNDARY], first.dtype)
    return np.concatenate([first, *(part for line in others for part in (boundary, line))])
