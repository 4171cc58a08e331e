"""A model card in words."""

from __future__ import annotations

from typing import Any

from charrnn.cells import cell_name
from charrnn.terminal.cards import Fact
from charrnn.terminal.units import duration, short

MISSING: dict[str, Any] = {}


def facts(card: dict[str, Any]) -> list[Fact]:
    """The rows of a card; what a file does not say is left out."""
    corpus, trained = card.get("corpus", MISSING), card.get("trained", MISSING)
    validation, yardstick = card.get("validation", MISSING), card.get("yardstick")
    versions, settings = card.get("versions", MISSING), card.get("settings", MISSING)
    rows: list[Fact] = [
        ("name", card["name"]),
        ("file", card["path"]),
        (
            "model",
            f"{cell_name(card['cell'], card['nonlinearity'])} {card['num_layers']}×{card['hidden_size']}, "
            f"embedding {card['embedding_size']}, "
            f"{short(card['parameters'])} parameters",
        ),
        ("vocabulary", f"{card['vocab_size']} ids at level {card['level']}"),
    ]
    if corpus:
        sources = " ".join(corpus["sources"]) or "pydoc topics"
        units = "bytes" if card["level"] == "byte" else "characters"
        documents = f"{corpus['documents']:,} document{'' if corpus['documents'] == 1 else 's'}"
        rows.append(("corpus", f"{sources}: {corpus['characters']:,} {units} in {documents}"))
        rows.append(("", f"sha256 {corpus['digest']}"))
    if card.get("from"):
        rows.append(("started from", card["from"]))
    if trained:
        state = "" if trained["finished"] else ", not finished"
        rows.append(
            (
                "trained",
                f"{duration(trained['seconds'])}, {trained['steps']:,} steps, "
                f"{short(trained['tokens'])} tokens, {trained['epochs']:.2f} epochs{state}",
            )
        )
    if validation:
        part = "" if validation["tokens"] >= validation["of"] else f" of {validation['of']:,}"
        rows.append(
            (
                "validation",
                f"{validation['bits_per_byte']:.4f} bits/byte, "
                f"{validation['nats_per_token']:.4f} nats/token, on {validation['tokens']:,}{part} tokens",
            )
        )
    if yardstick:
        rows.append(("yardstick", f"{yardstick['bits_per_byte']:.4f} bits/byte by {yardstick['name']}"))
    if settings:
        rows.append(("settings", ", ".join(f"{key} {value}" for key, value in settings.items())))
    rows.append(("created", card["created"]))
    if versions:
        rows.append(("versions", ", ".join(f"{key} {value}" for key, value in versions.items())))
    rows.append(("digest", card["digest"]))
    for name, count in card["non_finite"].items():
        rows.append(("damaged", f"{count} non-finite values in {name}"))
    return rows
