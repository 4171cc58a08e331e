"""Pieces of words as tokens, found by SentencePiece; what it has no piece for is spelled in bytes.

SentencePiece's ids are ours: its `<unk>`, which nothing becomes, is 0, the boundary, and its byte pieces
follow. Knows no file; its library is imported only where text is really cut into pieces.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from charrnn.config import DEFAULT_UNKNOWN, SUBWORDS
from charrnn.errors import CheckpointError, TextError
from charrnn.text import subword_model
from charrnn.text.byte import FIRST_BYTE, spelled
from charrnn.text.tokenizer import Ids, id_type

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

FIRST_PIECE = FIRST_BYTE + 256
SPACE = "\u2581"  # how SentencePiece writes a space, so that it cannot stand for itself
NEVER_IN_A_PIECE = re.compile(f"([\0\n{SPACE}]+)")
# SentencePiece takes at most 4,192 bytes at a time; a character has at most four.
LONGEST = 1_000
TRAINING_CHARACTERS = 10_000_000  # of the training text, at most, decide on the pieces
SMALLEST = 500  # pieces besides bytes and single characters
MOST_PIECES = 32_000  # where nobody asks for more


class SubwordTokenizer:
    """The tokenizer of `--level subword`."""

    level = "subword"
    unknown = None

    def __init__(self, model: bytes) -> None:
        """Makes a tokenizer of a trained model.

        Raises:
            CheckpointError: if the bytes are not a model such as `train` makes.
        """
        self._model = model
        self._bytes = [b"", *(bytes([byte]) for byte in range(256))]
        self._bytes += [piece.replace(SPACE, " ").encode() for piece in subword_model.pieces(model)]
        self.vocab_size = len(self._bytes)
        self._dtype = id_type(self.vocab_size)

    @classmethod
    def from_text(cls, model: Any) -> SubwordTokenizer:
        """The tokenizer of a model as a file holds it.

        Raises:
            CheckpointError: if it is not one.
        """
        try:
            return cls(base64.b64decode(model, validate=True))
        except (TypeError, ValueError, binascii.Error):
            raise CheckpointError("tokenizer: the SentencePiece model is not base64") from None

    @cached_property
    def _processor(self) -> SentencePieceProcessor:
        from sentencepiece import SentencePieceProcessor

        processor = SentencePieceProcessor()
        try:
            processor.LoadFromSerializedProto(self._model)
        except RuntimeError:  # it finds faults that `pieces` does not look for
            raise CheckpointError("tokenizer: SentencePiece cannot use its model") from None
        return processor

    def encode(self, text: str, unknown: str = DEFAULT_UNKNOWN) -> Ids:  # noqa: ARG002 (no text is unknown)
        """The ids of a text's pieces."""
        found: list[int] = []
        for index, part in enumerate(NEVER_IN_A_PIECE.split(text)):
            if index % 2:
                found += spelled(part)
                continue
            for begin in range(0, len(part), LONGEST):
                chunk = part[begin : begin + LONGEST]
                ids = self._processor.encode(chunk)
                # No text is lost to a surprise in somebody else's library.
                is_lossless = b"".join([self._bytes[token] for token in ids]) == chunk.encode()
                found += ids if is_lossless else spelled(chunk)
        return np.array(found, self._dtype)

    def token_bytes(self, token: int) -> bytes:
        """The bytes of a piece; nothing for the boundary."""
        return self._bytes[token]

    def bytes_of(self, ids: Ids) -> bytes:
        """The bytes of many ids; boundaries are nothing."""
        return b"".join([self._bytes[token] for token in ids.tolist()])

    def safe_end(self, text: str) -> int:
        """How much of a text can be encoded before it is known what follows."""
        return safe_end(text)

    def describe(self) -> dict[str, Any]:
        """The level and SentencePiece's model, which is all there is to know."""
        return {"level": self.level, "model": base64.b64encode(self._model).decode()}


def safe_end(text: str) -> int:
    r"""Where the part that more text might change begins: lines are cut into pieces one by one.

    Example:
        >>> safe_end("to be,\nor not"), safe_end("to be")
        (7, 0)
    """
    end = max(text.rfind(character) for character in ("\n", "\0", SPACE)) + 1
    return end + (len(text) - end) // LONGEST * LONGEST


def train(
    texts: Iterable[str], distinct: int, characters: int, kind: str, pieces: int | None
) -> SubwordTokenizer:
    """The tokenizer that SentencePiece finds for a text.

    Args:
        texts: the text, in parts.
        distinct: how many different characters it has.
        characters: how long it is.
        kind: `unigram` or `bpe`.
        pieces: how many to find, at most; `None` for what suits the length.

    Raises:
        TextError: if it finds none.
    """
    from sentencepiece import SentencePieceTrainer

    assert kind in SUBWORDS
    wanted = pieces or min(MOST_PIECES, int(2 * characters**0.5))
    model = io.BytesIO()
    try:
        SentencePieceTrainer.train(
            sentence_iterator=(
                part[begin : begin + LONGEST]
                for text in texts
                for part in NEVER_IN_A_PIECE.split(text)[::2]
                for begin in range(0, len(part), LONGEST)
            ),
            model_writer=model,
            model_type=kind,
            # It ends the process with fewer than this, even where it is told not to mind.
            vocab_size=max(wanted, SMALLEST + distinct) + FIRST_PIECE,
            hard_vocab_limit=False,
            character_coverage=1.0,
            byte_fallback=True,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            allow_whitespace_only_pieces=True,
            unk_id=0,
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            num_threads=1,
            minloglevel=3,
        )
    except (RuntimeError, OSError) as error:
        raise TextError(
            "the text is too short or too uniform to be cut into pieces of words",
            "--level char or --level byte need none",
        ) from error
    return SubwordTokenizer(model.getvalue())
