"""The flags of `train` for what to train on, for how long, and where it is kept."""

from __future__ import annotations

from typing import Annotated

import typer

from charrnn.cli import completion
from charrnn.cli.values import TEXTS, chosen, duration, name_of, number, text_encoding, whole
from charrnn.config import (
    LEVELS,
    MAX_VOCABULARY,
    NEWLINES,
    READ_WORDS,
    SUBWORDS,
    TASKS,
    WORDS,
    Budget,
    CorpusConfig,
    LabelledConfig,
)

# Under the names of the fields that they set.
OF_CORPUS = ("level", "lines", "encoding", "newline", "vocab_size", "subword", "val_fraction")

# Input
Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        parser=name_of("INPUTS", TEXTS),
        metavar="[INPUTS]...",
        help="Text files, folders, patterns, or - for standard input. [default: English prose that Python "
        "carries]",
        show_default=False,
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        **chosen("--task", TASKS),
        help=f"What to train: {' or '.join(TASKS)}. [default: by the input]",
    ),
]
Level = Annotated[
    str | None,
    typer.Option(
        "--level",
        **chosen("--level", LEVELS),
        help=f"What a token is: {', '.join(LEVELS)}. "
        f"[default: {CorpusConfig.level}; {LabelledConfig.level} for classifiers]",
    ),
]
Vocab = Annotated[
    int | None,
    typer.Option(
        "--vocab",
        parser=whole("--vocab", 2, MAX_VOCABULARY),
        metavar="N",
        help=f"word, subword: how many words or pieces at most. [default: {WORDS:,} words, {READ_WORDS:,} "
        "for classifiers; pieces by the text's length, never fewer than 500 besides its characters]",
    ),
]
Subword = Annotated[
    str | None,
    typer.Option(
        "--subword",
        **chosen("--subword", SUBWORDS),
        help=f"subword: how pieces are found, {' or '.join(SUBWORDS)}. [default: {CorpusConfig.subword}]",
    ),
]
Lines = Annotated[
    bool | None, typer.Option("--lines", help="language model: take every line for a document of its own.")
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        parser=text_encoding,
        metavar="NAME",
        help=f"Encoding of the text. [default: {CorpusConfig.encoding}]",
    ),
]
Newline = Annotated[
    str | None,
    typer.Option(
        "--newline",
        **chosen("--newline", NEWLINES),
        help="language model: keep line ends as they are, or make lf of them all. "
        f"[default: {CorpusConfig.newline}]",
    ),
]
ValFraction = Annotated[
    float | None,
    typer.Option(
        "--val-fraction",
        parser=number("--val-fraction", 0, 0.5, above=True),
        metavar="X",
        help="Share kept for validation and not trained on: the end of the text, or a part of each label's "
        "texts. "
        f"[default: {CorpusConfig.val_fraction}]",
    ),
]

# The run
Name = Annotated[
    str | None,
    typer.Option(
        "--name",
        parser=name_of("--name", "a run"),
        metavar="NAME",
        help="Name of the run, a folder in checkpoints/. [default: after the input]",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a run of the same name.")]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        parser=name_of("--resume", "a run"),
        autocompletion=completion.runs_to_resume,
        metavar="NAME",
        help="Go on with this run.",
    ),
]
From = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        parser=name_of("--from", "a model"),
        autocompletion=completion.models,
        metavar="MODEL",
        help="Start from the weights and vocabulary of this model; again for a second one (a classifier may "
        "start from two, one of them --backward).",
    ),
]
Time = Annotated[
    Budget | None,
    typer.Option(
        "--time",
        parser=duration("--time"),
        metavar="TIME",
        help=f"Budget: wall-clock time such as 90s, 5m or 2h. [default: {Budget.amount:.0f}s]",
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(
        "--epochs",
        parser=number("--epochs", 0, 1e6, above=True),
        metavar="X",
        help="Budget instead of --time: passes over the text.",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        parser=whole("--steps", 1, 10**9),
        metavar="N",
        help="Budget instead of --time: steps of the optimiser.",
    ),
]
