"""A model card in words."""

from __future__ import annotations

from typing import Any

from charrnn.cells import cell_name
from charrnn.terminal.cards import Fact
from charrnn.terminal.scores import CALLED
from charrnn.terminal.units import duration, short

MISSING: dict[str, Any] = {}


def classifier_facts(card: dict[str, Any]) -> list[Fact]:
    """The rows of a classifier's card; what a file does not say is left out."""
    corpus, validation = card.get("corpus", MISSING), card.get("validation", MISSING)
    ways = "both ways" if card["bidirectional"] else "one way"
    several = f"{card['members']} nets: " if card["members"] > 1 else ""
    counts = corpus.get("labels", MISSING) if corpus else MISSING
    labels = [f"{label} ({counts[label]:,})" if label in counts else label for label in card["labels"]]
    rows: list[Fact] = [
        ("name", card["name"]),
        ("file", card["path"]),
        (
            "net",
            f"{several}{cell_name(card['cell'], card['nonlinearity'])} "
            f"{card['num_layers']}×{card['hidden_size']} {ways}, "
            f"embedding {card['embedding_size']}, {short(card['parameters'])} parameters",
        ),
        ("beside it", f"a linear model of {card['ngrams']:,} n-grams"),
        ("vocabulary", f"{card['vocab_size']} ids at level {card['level']}"),
        ("labels", ", ".join(labels)),
    ]
    if corpus:
        sources = " ".join(corpus["sources"])
        rows.append(("corpus", f"{sources}: {corpus['documents']:,} training texts ({corpus['form']})"))
        rows.append(("", f"sha256 {corpus['digest']}"))
    if card.get("from"):
        rows.append(("started from", card["from"]))
    if words := card.get("pretraining"):
        foreseen = f"{words['epochs']:.2f} epochs, {words['nats_per_token']:.3f} nats/token"
        rows.append(("before", f"learnt words first: {foreseen}"))
    rows += _trained(card)
    for name, called in CALLED.items() if validation else ():
        row = validation[name]
        rows.append(
            (
                f"  {called}" if name != "answer" else "validation",
                f"{row['accuracy']:.2%} right, macro F1 {row['macro_f1']:.3f}, "
                f"calibration error {row['calibration_error']:.3f}, {row['nats']:.4f} nats/text",
            )
        )
    return rows + _ending(card)


def facts(card: dict[str, Any]) -> list[Fact]:
    """The rows of a card; what a file does not say is left out."""
    corpus, validation = card.get("corpus", MISSING), card.get("validation", MISSING)
    yardstick = card.get("yardstick")
    way = " backwards" if card["backward"] else ""
    rows: list[Fact] = [
        ("name", card["name"]),
        ("file", card["path"]),
        (
            "model",
            f"{cell_name(card['cell'], card['nonlinearity'])} {card['num_layers']}×{card['hidden_size']}"
            f"{way}, embedding {card['embedding_size']}, "
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
    rows += _trained(card)
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
    return rows + _ending(card)


def _trained(card: dict[str, Any]) -> list[Fact]:
    trained = card.get("trained", MISSING)
    if not trained:
        return []
    state = "" if trained["finished"] else ", not finished"
    return [
        (
            "trained",
            f"{duration(trained['seconds'])}, {trained['steps']:,} steps, "
            f"{short(trained['tokens'])} tokens, {trained['epochs']:.2f} epochs{state}",
        )
    ]


def _ending(card: dict[str, Any]) -> list[Fact]:
    versions, settings = card.get("versions", MISSING), card.get("settings", MISSING)
    rows: list[Fact] = []
    if settings:
        rows.append(("settings", ", ".join(f"{key} {value}" for key, value in settings.items())))
    rows.append(("created", card["created"]))
    if versions:
        rows.append(("versions", ", ".join(f"{key} {value}" for key, value in versions.items())))
    rows.append(("digest", card["digest"]))
    if card.get("engine"):
        rows.append(("engine", card["engine"]))
    for name, count in card["non_finite"].items():
        rows.append(("damaged", f"{count} non-finite values in {name}"))
    return rows
