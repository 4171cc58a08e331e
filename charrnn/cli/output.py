"""Findings for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from charrnn.terminal.streams import Product


def write_json(product: Product, value: dict[str, Any]) -> None:
    """One value on a line of its own, at once."""
    import json

    product.write(json.dumps(value, allow_nan=False) + "\n")
    product.flush()
