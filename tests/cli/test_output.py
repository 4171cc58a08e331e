"""Findings for programs go out one by one."""

import json
import sys
from typing import Any

import pytest

from charrnn.cli.output import write_json
from charrnn.terminal.streams import Product
from tests.terminal.test_streams import Stream


def test_every_value_is_a_line_and_goes_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    product = Product()
    values: list[dict[str, Any]] = [{"text": "é\n"}, {"text": "\ud83d"}, {"nats": None}]
    for count, value in enumerate(values, 1):
        write_json(product, value)
        assert [json.loads(line) for line in stream.flushed.decode("ascii").splitlines()] == values[:count]


def test_what_json_cannot_say_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(Product(), {"nats": float("nan")})
    assert stream.flushed == b""
