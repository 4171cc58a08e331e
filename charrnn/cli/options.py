"""Every flag once: its name, its help, its range. Defaults are those of `config`."""

from __future__ import annotations

from typing import Annotated

import typer

from charrnn.cells import CELLS
from charrnn.cli.values import duration, number, one_of, whole
from charrnn.config import (
    DEVICES,
    INITS,
    LEVELS,
    MAX_HIDDEN,
    MAX_LAYERS,
    MAX_SEED,
    MAX_VOCABULARY,
    NEWLINES,
    NONLINEARITIES,
    SUBWORDS,
    TIED_EMBEDDING,
    UNKNOWNS,
    WORDS,
    Budget,
    CorpusConfig,
    ModelConfig,
    TrainingConfig,
)

MAX_COUNT = 10**18

# Everywhere
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors on stderr.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads", parser=whole("--threads", 1, 1024), metavar="N", help="CPU threads. [default: all cores]"
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        parser=one_of("--device", DEVICES),
        metavar="NAME",
        help="Where to compute: auto, cpu, cuda or mps.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", metavar="MODEL", help="Name of a run or path of a model. [default: the newest run's]"
    ),
]

# train: input
Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[INPUTS]...",
        help="Text files, folders, patterns, or - for stdin. [default: text that Python carries]",
        show_default=False,
    ),
]
Level = Annotated[
    str | None,
    typer.Option(
        "--level",
        parser=one_of("--level", LEVELS),
        metavar="NAME",
        help=f"What a token is: {', '.join(LEVELS)}. [default: {CorpusConfig.level}]",
    ),
]
Vocab = Annotated[
    int | None,
    typer.Option(
        "--vocab",
        parser=whole("--vocab", 2, MAX_VOCABULARY),
        metavar="N",
        help=f"word, subword: how many at most. [default: {WORDS:,} words; pieces by the text's length]",
    ),
]
Subword = Annotated[
    str | None,
    typer.Option(
        "--subword",
        parser=one_of("--subword", SUBWORDS),
        metavar="NAME",
        help=f"How pieces are found: {' or '.join(SUBWORDS)}. [default: {CorpusConfig.subword}]",
    ),
]
Lines = Annotated[bool | None, typer.Option("--lines", help="Every line is a document of its own.")]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help=f"Of the text. [default: {CorpusConfig.encoding}]"),
]
Newline = Annotated[
    str | None,
    typer.Option(
        "--newline",
        parser=one_of("--newline", NEWLINES),
        metavar="NAME",
        help=f"Line ends: {' or '.join(NEWLINES)}. [default: {CorpusConfig.newline}]",
    ),
]
ValFraction = Annotated[
    float | None,
    typer.Option(
        "--val-fraction",
        parser=number("--val-fraction", 0, 0.5, above=True),
        metavar="X",
        help=f"Share of the text, at its end, that is not trained on. [default: {CorpusConfig.val_fraction}]",
    ),
]

# train: the run
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Of the run. [default: after the input]")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a run of the same name.")]
Resume = Annotated[str | None, typer.Option("--resume", metavar="NAME", help="Go on with a run.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="MODEL", help="Start from a model's weights and vocabulary.")
]
Time = Annotated[
    Budget | None,
    typer.Option(
        "--time",
        parser=duration("--time"),
        metavar="TIME",
        help=f"Budget: 90s, 5m, 2h of wall clock. [default: {Budget.amount:.0f}s]",
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(
        "--epochs",
        parser=number("--epochs", 0, 1e6, above=True),
        metavar="X",
        help="Budget: passes over the text.",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps", parser=whole("--steps", 1, 10**9), metavar="N", help="Budget: steps of the optimiser."
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", parser=whole("--seed", 0, MAX_SEED), metavar="N", help="Of all randomness. [default: drawn]"
    ),
]

# train: the net and its recipe
Cell = Annotated[
    str | None,
    typer.Option(
        "--cell",
        parser=one_of("--cell", tuple(CELLS)),
        metavar="NAME",
        help=f"{', '.join(CELLS)}. [default: {ModelConfig.cell}]",
    ),
]
Nonlinearity = Annotated[
    str | None,
    typer.Option(
        "--nonlinearity",
        parser=one_of("--nonlinearity", NONLINEARITIES),
        metavar="NAME",
        help=f"Of the cell rnn: {', '.join(NONLINEARITIES)}. [default: {ModelConfig.nonlinearity}]",
    ),
]
Bidirectional = Annotated[
    bool, typer.Option("--bidirectional", help="Refused: a language model reads in one direction.")
]
Init = Annotated[
    str | None,
    typer.Option(
        "--init",
        parser=one_of("--init", INITS),
        metavar="NAME",
        help="Of the recurrent weights: orthogonal, identity (for rnn) or chrono (for gates). "
        f"[default: {TrainingConfig.init}]",
    ),
]
Layers = Annotated[
    int | None,
    typer.Option(
        "--layers",
        parser=whole("--layers", 1, MAX_LAYERS),
        metavar="N",
        help=f"Recurrent layers. [default: {ModelConfig.num_layers}]",
    ),
]
Hidden = Annotated[
    int | None,
    typer.Option(
        "--hidden",
        parser=whole("--hidden", 1, MAX_HIDDEN),
        metavar="N",
        help="Units a layer. [default: fits the budget]",
    ),
]
Embedding = Annotated[
    int | None,
    typer.Option(
        "--embedding",
        parser=whole("--embedding", 1, MAX_HIDDEN),
        metavar="N",
        help=f"Dimensions of a token. [default: {ModelConfig.embedding_size}; {TIED_EMBEDDING} for words]",
    ),
]
Dropout = Annotated[
    float | None,
    typer.Option(
        "--dropout",
        parser=number("--dropout", 0, 0.95),
        metavar="X",
        help="Share of units left out. [default: by epochs]",
    ),
]
DropoutInput = Annotated[
    float | None,
    typer.Option(
        "--dropout-input",
        parser=number("--dropout-input", 0, 0.95),
        metavar="X",
        help=f"Share of the inputs' dimensions left out. [default: {TrainingConfig.dropout_input:g}]",
    ),
]
WeightDrop = Annotated[
    float | None,
    typer.Option(
        "--weight-drop",
        parser=number("--weight-drop", 0, 0.95),
        metavar="X",
        help=f"Share of the recurrent weights left out. [default: {TrainingConfig.weight_drop:g}]",
    ),
]
Zoneout = Annotated[
    float | None,
    typer.Option(
        "--zoneout",
        parser=number("--zoneout", 0, 0.95),
        metavar="X",
        help=f"Share of the state that stays as it was at a step. [default: {ModelConfig.zoneout:g}]",
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        "--batch",
        parser=whole("--batch", 1, 65_536),
        metavar="N",
        help=f"Streams side by side. [default: {TrainingConfig.batch_size}]",
    ),
]
Seq = Annotated[
    int | None,
    typer.Option(
        "--seq",
        parser=whole("--seq", 1, 65_536),
        metavar="N",
        help=f"Characters of a window. [default: {TrainingConfig.seq_len}]",
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--lr",
        parser=number("--lr", 0, 1e12, above=True),
        metavar="X",
        help="Peak learning rate. [default: by size]",
    ),
]
Clip = Annotated[
    float | None,
    typer.Option(
        "--clip",
        parser=number("--clip", 0, 1e12, above=True),
        metavar="X",
        help=f"Limit of the gradient's norm. [default: {TrainingConfig.clip:g}]",
    ),
]
ClipValue = Annotated[
    float | None,
    typer.Option(
        "--clip-value",
        parser=number("--clip-value", 0, 1e12, above=True),
        metavar="X",
        help="Limit of each number of the gradient, before its norm's. [default: none]",
    ),
]
WeightDecay = Annotated[
    float | None,
    typer.Option(
        "--weight-decay",
        parser=number("--weight-decay", 0, 1e3),
        metavar="X",
        help=f"AdamW's. [default: {TrainingConfig.weight_decay:g}]",
    ),
]

# sample
Prompt = Annotated[
    str | None, typer.Option("--prompt", "-p", metavar="TEXT", help="What the text begins with.")
]
Length = Annotated[
    int,
    typer.Option(
        "--length",
        "-l",
        parser=whole("--length", 0, MAX_COUNT),
        metavar="N",
        help="Characters; 0 = until stopped.",
    ),
]
Count = Annotated[
    int,
    typer.Option("-n", "--count", parser=whole("-n", 1, MAX_COUNT), metavar="N", help="How many samples."),
]
Temperature = Annotated[
    float,
    typer.Option(
        "--temp",
        "-t",
        parser=number("--temp", 0, 100),
        metavar="X",
        help="Boldness: 0 = always the likeliest, 1 = as learned.",
    ),
]
TopK = Annotated[
    int | None,
    typer.Option(
        "--top-k", parser=whole("--top-k", 1, MAX_COUNT), metavar="N", help="Draw from the K likeliest only."
    ),
]
TopP = Annotated[
    float,
    typer.Option(
        "--top-p",
        parser=number("--top-p", 0, 1, above=True),
        metavar="X",
        help="Draw from the likeliest that make up P.",
    ),
]
MinP = Annotated[
    float,
    typer.Option(
        "--min-p",
        parser=number("--min-p", 0, 1),
        metavar="X",
        help="Leave out what is less likely than P times the best.",
    ),
]
Stop = Annotated[str | None, typer.Option("--stop", metavar="TEXT", help="End before this text.")]
Unknown = Annotated[
    str,
    typer.Option(
        "--unknown",
        parser=one_of("--unknown", UNKNOWNS),
        metavar="NAME",
        help="Unseen characters of a prompt: unk, skip or error.",
    ),
]
NoEcho = Annotated[bool, typer.Option("--no-echo", help="Do not print the prompt.")]

# inspect
Target = Annotated[
    str | None,
    typer.Argument(metavar="[VIEW|NAME]", help="next, surprise, runs, or a model.", show_default=False),
]
Subject = Annotated[
    str | None,
    typer.Argument(metavar="[TEXT|FILE]", help="What the view looks at.", show_default=False),
]
Likeliest = Annotated[
    int, typer.Option("-k", parser=whole("-k", 1, 1000), metavar="N", help="next: how many tokens.")
]
Each = Annotated[bool, typer.Option("--each", help="next: at every position of the text.")]
