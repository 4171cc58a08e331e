"""A model card in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from charrnn.cells import cell_name
from charrnn.terminal.cards import Fact
from charrnn.terminal.scores import CALLED
from charrnn.terminal.units import duration, short
from charrnn.text.document import EMBEDDED
from charrnn.training.kinds import fits

# What stands in the parts of a card that charrnn writes; a file from elsewhere may have anything there.
TEXTS = {"sources": list[str], "documents": int, "digest": str}
CORPUS = TEXTS | {"characters": int}
LABELLED_CORPUS = TEXTS | {"form": str, "labels": dict[str, int]}
TRAINED = {"seconds": float, "steps": int, "tokens": int, "epochs": float, "finished": bool}
VALIDATION = {"tokens": int, "of": int, "bits_per_byte": float, "nats_per_token": float}
YARDSTICK = {"name": str, "bits_per_byte": float}
PRETRAINING = {"epochs": float, "nats_per_token": float}
FIGURES = {"accuracy": float, "macro_f1": float, "calibration_error": float, "nats": float}
VERDICT = dict.fromkeys(CALLED, dict[str, Any])


def classifier_facts(card: dict[str, Any]) -> list[Fact]:
    """The rows of a classifier's card; what a file does not say is left out.

    Raises:
        KeyError, TypeError: if a part of it lacks something, or has something of another kind than it should.
    """
    corpus = _part(card, "corpus", LABELLED_CORPUS)
    ways = "both ways" if card["bidirectional"] else "one way"
    several = f"{card['members']} nets: " if card["members"] > 1 else ""
    counts = corpus["labels"] if corpus else {}
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
    rows += _origin(card)
    if words := _part(card, "pretraining", PRETRAINING):
        foreseen = f"{words['epochs']:.2f} epochs, {words['nats_per_token']:.3f} nats/token"
        rows.append(("before", f"learnt words first: {foreseen}"))
    rows += _trained(card)
    if verdict := _part(card, "validation", VERDICT):
        rows += [_figures(verdict, name) for name in CALLED]
    return rows + _ending(card)


def facts(card: dict[str, Any]) -> list[Fact]:
    """The rows of a card; what a file does not say is left out.

    Raises:
        KeyError, TypeError: if a part of it lacks something, or has something of another kind than it should.
    """
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
    if corpus := _part(card, "corpus", CORPUS):
        sources = " ".join(corpus["sources"]) or EMBEDDED.name
        units = "bytes" if card["level"] == "byte" else "characters"
        documents = f"{corpus['documents']:,} document{'' if corpus['documents'] == 1 else 's'}"
        rows.append(("corpus", f"{sources}: {corpus['characters']:,} {units} in {documents}"))
        rows.append(("", f"sha256 {corpus['digest']}"))
    rows += _origin(card) + _trained(card)
    if validation := _part(card, "validation", VALIDATION):
        part = "" if validation["tokens"] >= validation["of"] else f" of {validation['of']:,}"
        rows.append(
            (
                "validation",
                f"{validation['bits_per_byte']:.4f} bits/byte, "
                f"{validation['nats_per_token']:.4f} nats/token, on {validation['tokens']:,}{part} tokens",
            )
        )
    if yardstick := _part(card, "yardstick", YARDSTICK):
        rows.append(("yardstick", f"{yardstick['bits_per_byte']:.4f} bits/byte by {yardstick['name']}"))
    return rows + _ending(card)


def _said(card: Mapping[str, Any], name: str, kind: Any) -> Any:
    """What a card says under a name, if anything, of the kind that it should be."""
    value = card.get(name)
    if value is not None and not fits(value, kind):
        raise TypeError(f"{name} is of the wrong kind")
    return value


def _part(card: Mapping[str, Any], name: str, kinds: Mapping[str, Any]) -> dict[str, Any] | None:
    """A part of a card, if it has that, with all that should be there."""
    part: dict[str, Any] | None = _said(card, name, dict[str, Any])
    if part is not None:
        for key, kind in kinds.items():
            if not fits(part[key], kind):
                raise TypeError(f"{key} is of the wrong kind")
    return part


def _origin(card: dict[str, Any]) -> list[Fact]:
    origin = _said(card, "from", str)
    return [("started from", origin)] if origin else []


def _figures(verdict: dict[str, Any], name: str) -> Fact:
    row = _part(verdict, name, FIGURES)
    assert row is not None
    return (
        f"  {CALLED[name]}" if name != "answer" else "validation",
        f"{row['accuracy']:.2%} right, macro F1 {row['macro_f1']:.3f}, "
        f"calibration error {row['calibration_error']:.3f}, {row['nats']:.4f} nats/text",
    )


def _trained(card: dict[str, Any]) -> list[Fact]:
    trained = _part(card, "trained", TRAINED)
    if trained is None:
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
    versions, settings = (_said(card, name, dict[str, Any]) for name in ("versions", "settings"))
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
