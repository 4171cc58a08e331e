"""Every flag once: its name, its help, its range.

Those of `train` are in `train_options`, `net_options` and `classifier_options`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from charrnn.cli.values import TEXTS, name_of, number, one_of, text_encoding, whole
from charrnn.config import DEVICES, ENGINES, LIKELIEST, MAX_SEED, MAX_THREADS, MODEL_VARIABLE, UNKNOWNS, VIEWS

MAX_COUNT = 10**18
NEWEST = f"[default: ${MODEL_VARIABLE}, else the newest that fits]"

# Everywhere
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors on stderr.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        parser=whole("--threads", 1, MAX_THREADS),
        metavar="N",
        help="CPU threads. [default: all cores]",
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
SampleDevice = Annotated[
    str,
    typer.Option(
        "--device",
        parser=one_of("--device", tuple(device for device in DEVICES if device != "auto")),
        metavar="NAME",
        help="Where to compute: cpu, or cuda or mps by torch.",
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        parser=one_of("--engine", ENGINES),
        metavar="NAME",
        help="What computes on the CPU: auto, native (the C library), plain (torch and NumPy).",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", parser=whole("--seed", 0, MAX_SEED), metavar="N", help="Of all randomness. [default: drawn]"
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        parser=name_of("-m", "a model"),
        metavar="MODEL",
        help=f"Name of a run or path of a model. {NEWEST}",
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
        "--top-k", parser=whole("--top-k", 1, MAX_COUNT), metavar="K", help="Draw from the K likeliest only."
    ),
]
TopP = Annotated[
    float,
    typer.Option(
        "--top-p",
        parser=number("--top-p", 0, 1, above=True),
        metavar="P",
        help="Draw from the likeliest that make up P.",
    ),
]
MinP = Annotated[
    float,
    typer.Option(
        "--min-p",
        parser=number("--min-p", 0, 1),
        metavar="P",
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

# classify
Classified = Annotated[
    list[str] | None,
    typer.Argument(
        parser=name_of("INPUTS", TEXTS),
        metavar="[INPUTS]...",
        help="Files, folders, or - for the lines of stdin. [default: stdin]",
        show_default=False,
    ),
]
EveryLine = Annotated[bool, typer.Option("--lines", help="Every line of a file is a text of its own.")]
Top = Annotated[
    int,
    typer.Option(
        "--top", parser=whole("--top", 1, MAX_COUNT), metavar="K", help="Show the K likeliest labels."
    ),
]
Abstain = Annotated[
    float | None,
    typer.Option(
        "--abstain",
        parser=number("--abstain", 0, 1),
        metavar="P",
        help="Answer ? where no label has this probability.",
    ),
]
Explain = Annotated[bool, typer.Option("--explain", help="Show what each word did to the answer.")]
Evaluate = Annotated[
    str | None,
    typer.Option(
        "--eval",
        parser=name_of("--eval", TEXTS),
        metavar="FILE",
        help="Measure on texts whose labels are known; - for those on stdin.",
    ),
]
FailIf = Annotated[
    str | None, typer.Option("--fail-if", metavar="LABEL", help="Exit with 8 if a text has this label.")
]
FailUnder = Annotated[
    float | None,
    typer.Option(
        "--fail-under",
        parser=number("--fail-under", 0, 1),
        metavar="P",
        help="Exit with 8 if an answer has less than this probability.",
    ),
]
TextEncoding = Annotated[
    str, typer.Option("--encoding", parser=text_encoding, metavar="NAME", help="Of the texts.")
]

# inspect
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        parser=name_of("-m", "a model"),
        metavar="MODEL",
        help=f"Name of a run or path of a model; several for gradients. {NEWEST}",
    ),
]
Target = Annotated[
    str | None,
    typer.Argument(
        parser=name_of("VIEW|NAME", "a view or a model"),
        metavar="[VIEW|NAME]",
        help=f"{', '.join(VIEWS)}, or a model.",
        show_default=False,
    ),
]
Subject = Annotated[
    str | None,
    typer.Argument(metavar="[TEXT|FILE]", help="What the view looks at.", show_default=False),
]
Likeliest = Annotated[
    int | None,
    typer.Option(
        "-k",
        parser=whole("-k", 1, 1000),
        metavar="N",
        help=f"next: how many tokens. [default: {LIKELIEST}]",
    ),
]
Each = Annotated[bool, typer.Option("--each", help="next: at every position of the text.")]
Sentence = Annotated[
    int | None,
    typer.Option(
        "--sentence",
        parser=whole("--sentence", 1, 2),
        metavar="N",
        help="gradients: the short (1) or the long (2) sentence about Jane and John.",
    ),
]
Untrained = Annotated[
    bool, typer.Option("--untrained", help="gradients: beside each net one like it before training.")
]
Svg = Annotated[
    str | None,
    typer.Option(
        "--svg",
        parser=name_of("--svg", "a file"),
        metavar="FILE",
        help="gradients: a picture of what is shown.",
    ),
]
