"""The flags of `train` for the net and its recipe."""

from __future__ import annotations

from typing import Annotated

import typer

from charrnn.cells import CELLS
from charrnn.cli.values import chosen, number, whole
from charrnn.config import (
    INITS,
    MAX_DROPPED,
    MAX_HIDDEN,
    MAX_LAYERS,
    NONLINEARITIES,
    TIED_EMBEDDING,
    ClassifierConfig,
    FineTuningConfig,
    ModelConfig,
    TrainingConfig,
)

# Under the names of the fields that they set.
OF_NET = (
    *("cell", "nonlinearity", "init", "num_layers", "hidden_size", "embedding_size"),
    *("dropout", "dropout_input", "weight_drop", "zoneout", "bidirectional", "backward"),
    *("batch_size", "seq_len", "learning_rate", "clip", "clip_value", "weight_decay", "seed"),
)


def _default(value: object, of_classifiers: object) -> str:
    """How help tells of a default.

    Example:
        >>> _default(16, 16), _default(0.25, 1.0)
        ('[default: 16]', '[default: 0.25; 1 for classifiers]')
    """
    shown, other = (f"{one:g}" if isinstance(one, float) else str(one) for one in (value, of_classifiers))
    return f"[default: {shown}]" if shown == other else f"[default: {shown}; {other} for classifiers]"


Cell = Annotated[
    str | None,
    typer.Option(
        "--cell",
        **chosen("--cell", tuple(CELLS)),
        help=f"Recurrent cell: {', '.join(CELLS)}. {_default(ModelConfig.cell, ClassifierConfig.cell)}",
    ),
]
Nonlinearity = Annotated[
    str | None,
    typer.Option(
        "--nonlinearity",
        **chosen("--nonlinearity", NONLINEARITIES),
        help=f"Of --cell rnn: {', '.join(NONLINEARITIES)}. [default: {ModelConfig.nonlinearity}]",
    ),
]
Bidirectional = Annotated[
    bool | None,
    typer.Option(
        "--bidirectional/--no-bidirectional",
        help="classifier: read in both directions, or in one. [default: both]",
    ),
]
Backward = Annotated[
    bool | None,
    typer.Option(
        "--backward",
        help="language model: read from the end to the beginning, for the backward direction of classifiers "
        "(--from).",
    ),
]
Init = Annotated[
    str | None,
    typer.Option(
        "--init",
        **chosen("--init", INITS),
        help="How recurrent weights start: orthogonal, identity (for rnn) or chrono (for cells with gates). "
        f"[default: {TrainingConfig.init}]",
    ),
]
Layers = Annotated[
    int | None,
    typer.Option(
        "--layers",
        parser=whole("--layers", 1, MAX_LAYERS),
        metavar="N",
        help=f"Number of recurrent layers. {_default(ModelConfig.num_layers, ClassifierConfig.num_layers)}",
    ),
]
Hidden = Annotated[
    int | None,
    typer.Option(
        "--hidden",
        parser=whole("--hidden", 1, MAX_HIDDEN),
        metavar="N",
        help=f"Units of a layer. [default: fits the budget; {ClassifierConfig.hidden_size} for classifiers]",
    ),
]
Embedding = Annotated[
    int | None,
    typer.Option(
        "--embedding",
        parser=whole("--embedding", 1, MAX_HIDDEN),
        metavar="N",
        help=f"Dimensions of a token. [default: {ModelConfig.embedding_size}; {TIED_EMBEDDING} for words and "
        f"pieces; {ClassifierConfig.embedding_size} for classifiers]",
    ),
]
Dropout = Annotated[
    float | None,
    typer.Option(
        "--dropout",
        parser=number("--dropout", 0, MAX_DROPPED),
        metavar="X",
        help="Share of units left out at random in training. "
        f"[default: by epochs; from {FineTuningConfig.dropout:g} up for classifiers]",
    ),
]
DropoutInput = Annotated[
    float | None,
    typer.Option(
        "--dropout-input",
        parser=number("--dropout-input", 0, MAX_DROPPED),
        metavar="X",
        help="language model: the same for the dimensions of the inputs. "
        f"[default: {TrainingConfig.dropout_input:g}]",
    ),
]
WeightDrop = Annotated[
    float | None,
    typer.Option(
        "--weight-drop",
        parser=number("--weight-drop", 0, MAX_DROPPED),
        metavar="X",
        help="Share of the recurrent weights left out at random in training. "
        f"[default: {TrainingConfig.weight_drop:g}]",
    ),
]
Zoneout = Annotated[
    float | None,
    typer.Option(
        "--zoneout",
        parser=number("--zoneout", 0, MAX_DROPPED),
        metavar="X",
        help=f"Share of the state that a step leaves as it was. [default: {ModelConfig.zoneout:g}]",
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        "--batch",
        parser=whole("--batch", 1, 65_536),
        metavar="N",
        help="Streams, or a classifier's texts, that a step learns from side by side. "
        f"{_default(TrainingConfig.batch_size, FineTuningConfig.batch_size)}",
    ),
]
Seq = Annotated[
    int | None,
    typer.Option(
        "--seq",
        parser=whole("--seq", 1, 65_536),
        metavar="N",
        help="language model: tokens of each stream that a step learns from. "
        f"[default: {TrainingConfig.seq_len}]",
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--lr",
        parser=number("--lr", 0, 1e12, above=True),
        metavar="X",
        help=f"Peak learning rate. [default: by size; {FineTuningConfig.learning_rate:g} for classifiers]",
    ),
]
Clip = Annotated[
    float | None,
    typer.Option(
        "--clip",
        parser=number("--clip", 0, 1e12, above=True),
        metavar="X",
        help=f"Limit of the gradient's norm. {_default(TrainingConfig.clip, FineTuningConfig.clip)}",
    ),
]
ClipValue = Annotated[
    float | None,
    typer.Option(
        "--clip-value",
        parser=number("--clip-value", 0, 1e12, above=True),
        metavar="X",
        help="Limit of each single number of the gradient, applied before --clip. [default: none]",
    ),
]
WeightDecay = Annotated[
    float | None,
    typer.Option(
        "--weight-decay",
        parser=number("--weight-decay", 0, 1e3),
        metavar="X",
        help=f"Weight decay of AdamW, the optimiser. [default: {TrainingConfig.weight_decay:g}]",
    ),
]
