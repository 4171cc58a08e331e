"""A description gives the tokenizer back, and nothing else does."""

import json
from typing import Any

import pytest

from charrnn.errors import CheckpointError
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CharTokenizer
from charrnn.text.tokenizer import Tokenizer, restore


@pytest.mark.parametrize(
    "tokenizer", [ByteTokenizer(), CharTokenizer.from_codepoints([10, 97, 0xE9, 0x1F600])]
)
def test_a_description_that_went_through_json_gives_the_tokenizer_back(tokenizer: Tokenizer) -> None:
    restored = restore(json.loads(json.dumps(tokenizer.describe())))
    assert type(restored) is type(tokenizer)
    assert restored.vocab_size == tokenizer.vocab_size
    every_id = range(tokenizer.vocab_size)
    assert [restored.token_bytes(token) for token in every_id] == [
        tokenizer.token_bytes(token) for token in every_id
    ]


@pytest.mark.parametrize(
    ("description", "keys"),
    [
        ({}, "[]"),
        ({"level": "word"}, "['level']"),
        ({"level": "byte", "codepoints": [97]}, "['codepoints', 'level']"),
        ({"level": "char"}, "['level']"),
        ({"level": "char", "codepoints": "ab"}, "['codepoints', 'level']"),
        ({"level": "char", "codepoints": [97, 98], "extra": 1}, "['codepoints', 'extra', 'level']"),
    ],
)
def test_a_foreign_description_is_refused(description: dict[str, Any], keys: str) -> None:
    with pytest.raises(CheckpointError) as refusal:
        restore(description)
    assert refusal.value.message == f"tokenizer: unknown description with the keys {keys}"
    assert refusal.value.hint is None
