"""The flags that classifiers alone have."""

from __future__ import annotations

from typing import Annotated

import typer

from charrnn.cli.values import TEXTS, chosen, name_of, number, whole
from charrnn.config import CLASS_WEIGHTS, MAX_MEMBERS, PRETRAINING_SHARE, ClassifierConfig, LabelledConfig

# Under the names of what they set.
OF_CLASSIFIERS = (
    *("valid", "label_column", "text_column", "class_weights"),
    *("unlabelled", "pretrain", "members"),
)

Valid = Annotated[
    str | None,
    typer.Option(
        "--valid",
        parser=name_of("--valid", TEXTS),
        metavar="FILE",
        help="classifier: labelled texts to validate on. [default: a share of the input]",
    ),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label-column",
        metavar="NAME|N",
        help="labelled texts: column of the labels, by name or number. [default: found out]",
    ),
]
TextColumn = Annotated[
    str | None,
    typer.Option(
        "--text-column",
        metavar="NAME|N",
        help="labelled texts: column of the texts, by name or number. [default: found out]",
    ),
]
ClassWeights = Annotated[
    str | None,
    typer.Option(
        "--class-weights",
        **chosen("--class-weights", CLASS_WEIGHTS),
        help="classifier: none, or balanced, which makes texts of rare labels count more. "
        f"[default: {LabelledConfig.class_weights}]",
    ),
]
Unlabelled = Annotated[
    list[str] | None,
    typer.Option(
        "--unlabelled",
        parser=name_of("--unlabelled", TEXTS),
        metavar="FILE",
        help="classifier: text without labels, from which to learn words first; again for more.",
    ),
]
Pretrain = Annotated[
    float | None,
    typer.Option(
        "--pretrain",
        parser=number("--pretrain", 0, 0.95),
        metavar="X",
        help="classifier: share of the budget for learning to foresee words before any label is seen; "
        f"0 = none. [default: {PRETRAINING_SHARE} with --unlabelled, else 0]",
    ),
]
Members = Annotated[
    int | None,
    typer.Option(
        "--members",
        parser=whole("--members", 1, MAX_MEMBERS),
        metavar="N",
        help="classifier: how many nets learn side by side and answer together. "
        f"[default: fits --time; else {ClassifierConfig.members}]",
    ),
]
