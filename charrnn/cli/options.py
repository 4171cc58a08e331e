"""Every flag once: its name, its help, its range.

Those of `train` are in `train_options`, `net_options` and `classifier_options`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from charrnn.cli import completion
from charrnn.cli.values import TEXTS, chosen, name_of, number, text_encoding, whole
from charrnn.config import DEVICES, ENGINES, LIKELIEST, MAX_SEED, MAX_THREADS, MODEL_VARIABLE, UNKNOWNS, VIEWS

MAX_COUNT = 10**18
NEWEST = f"[default: ${MODEL_VARIABLE}, else the newest that fits]"

# Everywhere
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors on stderr.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        parser=whole("--threads", 1, MAX_THREADS),
        metavar="N",
        help="CPU threads to use. [default: all cores]",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        **chosen("--device", DEVICES),
        help="Where to compute: auto (a CUDA GPU if there is one, else the CPU), cpu, cuda or mps.",
    ),
]
SampleDevice = Annotated[
    str,
    typer.Option(
        "--device",
        **chosen("--device", tuple(device for device in DEVICES if device != "auto")),
        help="Where to compute: cpu, or, by torch, cuda or mps.",
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        **chosen("--engine", ENGINES),
        help="What computes on the CPU: native (the C library), plain (torch and NumPy), or auto: native "
        "where it was compiled. [default: auto]",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        parser=whole("--seed", 0, MAX_SEED),
        metavar="N",
        help="Seed of all random numbers. [default: drawn]",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        parser=name_of("-m", "a model"),
        autocompletion=completion.models,
        metavar="MODEL",
        help=f"A run's name, or the path of a model. {NEWEST}",
    ),
]

# sample
Prompt = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        "-p",
        metavar="TEXT",
        help="What the text begins with.",
    ),
]
Length = Annotated[
    int,
    typer.Option(
        "--length",
        "-l",
        parser=whole("--length", 0, MAX_COUNT),
        metavar="N",
        help="Characters to write after the prompt; 0 = until stopped.",
    ),
]
Count = Annotated[
    int,
    typer.Option(
        "-n", "--count", parser=whole("-n", 1, MAX_COUNT), metavar="N", help="How many texts to write."
    ),
]
Temperature = Annotated[
    float,
    typer.Option(
        "--temp",
        "-t",
        parser=number("--temp", 0, 100),
        metavar="X",
        help="Temperature, or boldness: 0 = always the likeliest token, 1 = as often as learned.",
    ),
]
TopK = Annotated[
    int | None,
    typer.Option(
        "--top-k",
        parser=whole("--top-k", 1, MAX_COUNT),
        metavar="K",
        help="Draw from the K likeliest tokens only.",
    ),
]
TopP = Annotated[
    float,
    typer.Option(
        "--top-p",
        parser=number("--top-p", 0, 1, above=True),
        metavar="P",
        help="Draw from the likeliest tokens that together have the probability P.",
    ),
]
MinP = Annotated[
    float,
    typer.Option(
        "--min-p",
        parser=number("--min-p", 0, 1),
        metavar="P",
        help="Leave out tokens less likely than P times the likeliest.",
    ),
]
Stop = Annotated[
    str | None,
    typer.Option("--stop", metavar="TEXT", help="End before this text would be written."),
]
Unknown = Annotated[
    str,
    typer.Option(
        "--unknown",
        **chosen("--unknown", UNKNOWNS),
        help="What to do with characters of the prompt that the model does not know: read them as <unk>, "
        "skip them, or end with an error (unk, skip, error).",
    ),
]
NoEcho = Annotated[bool, typer.Option("--no-echo", help="Leave the prompt out of the output.")]

# classify
Classified = Annotated[
    list[str] | None,
    typer.Argument(
        parser=name_of("INPUTS", TEXTS),
        metavar="[INPUTS]...",
        help="Files, folders, or - for the lines of standard input. [default: what is piped in]",
        show_default=False,
    ),
]
EveryLine = Annotated[bool, typer.Option("--lines", help="Take every line of a file for a text of its own.")]
Top = Annotated[
    int,
    typer.Option(
        "--top",
        parser=whole("--top", 1, MAX_COUNT),
        metavar="K",
        help="Show the K likeliest labels of each text.",
    ),
]
Abstain = Annotated[
    float | None,
    typer.Option(
        "--abstain",
        parser=number("--abstain", 0, 1),
        metavar="P",
        help="Answer ? where no label is at least this probable.",
    ),
]
Explain = Annotated[bool, typer.Option("--explain", help="Show what each word did to the answer.")]
Evaluate = Annotated[
    str | None,
    typer.Option(
        "--eval",
        parser=name_of("--eval", TEXTS),
        metavar="FILE",
        help="Measure how good the answers are on texts whose labels are known; - for standard input.",
    ),
]
FailIf = Annotated[
    str | None,
    typer.Option("--fail-if", metavar="LABEL", help="Exit with status 8 if a text gets this label."),
]
FailUnder = Annotated[
    float | None,
    typer.Option(
        "--fail-under",
        parser=number("--fail-under", 0, 1),
        metavar="P",
        help="Exit with status 8 if an answer is less probable than this.",
    ),
]
TextEncoding = Annotated[
    str, typer.Option("--encoding", parser=text_encoding, metavar="NAME", help="Encoding of the texts.")
]

# inspect
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        parser=name_of("-m", "a model"),
        autocompletion=completion.models,
        metavar="MODEL",
        help=f"A run's name, or the path of a model; for gradients, again for each further model. {NEWEST}",
    ),
]
Target = Annotated[
    str | None,
    typer.Argument(
        parser=name_of("VIEW|NAME", "a view or a model"),
        autocompletion=completion.views_and_models,
        metavar="[VIEW|NAME]",
        help=f"A view ({', '.join(VIEWS)}), or, for its card, a model.",
        show_default=False,
    ),
]
Subject = Annotated[
    str | None,
    typer.Argument(
        metavar="[TEXT|FILE]",
        help="What the view looks at: a text for next and gradients, a file for surprise. "
        "[default: what is piped in]",
        show_default=False,
    ),
]
Likeliest = Annotated[
    int | None,
    typer.Option(
        "-k",
        parser=whole("-k", 1, 1000),
        metavar="N",
        help=f"next: how many tokens to show. [default: {LIKELIEST}]",
    ),
]
Each = Annotated[bool, typer.Option("--each", help="next: show them at every position of the text.")]
Sentence = Annotated[
    int | None,
    typer.Option(
        "--sentence",
        parser=whole("--sentence", 1, 2),
        metavar="N",
        help="gradients: look at a built-in sentence about Jane and John, the short (1) or the long (2) one.",
    ),
]
Untrained = Annotated[
    bool, typer.Option("--untrained", help="gradients: show beside each net one like it before training.")
]
Svg = Annotated[
    str | None,
    typer.Option(
        "--svg",
        parser=name_of("--svg", "a file"),
        metavar="FILE",
        help="gradients: write what is shown to this file, as a picture.",
    ),
]
