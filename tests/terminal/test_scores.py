"""Scores of both tasks in words."""

import math

from charrnn.checkpoint.classifier import Calibration
from charrnn.evaluation.classification import Figures, Verdict
from charrnn.evaluation.metrics import Foresight, Validation
from charrnn.terminal.scores import best_of, figures_line, score_cells

NET = Figures(nats=0.25, accuracy=0.9, macro_f1=0.8951, calibration_error=0.02)
ANSWER = Figures(nats=0.2, accuracy=0.925, macro_f1=0.925, calibration_error=0.01)
VERDICT = Verdict(NET, NET, ANSWER, Calibration(net=1.0, linear=1.0, mixed_net=1.0, mixed_linear=0.0), 40)


def test_a_verdict_names_net_and_answer() -> None:
    assert score_cells(VERDICT, "text") == (
        "validation 0.2500 nats/text",
        "net 90.00% (F1 .895)",
        "answer 92.50% (F1 .925)",
    )
    assert best_of(VERDICT) == "answer 92.50%, net 90.00%"


def test_a_language_models_score_has_both_units() -> None:
    validation = Validation(nats_per_token=1.5, bits_per_byte=2.1641, tokens=9)
    assert score_cells(validation, "char") == ("validation 1.5000 nats/char", "2.1641 bits/byte")
    assert best_of(validation) == "1.500 = 2.164 bits/byte"


def test_foresight_of_words_has_a_perplexity() -> None:
    foresight = Foresight(nats_per_token=math.log(250.0), tokens=9)
    assert score_cells(foresight, "token") == ("validation 5.5215 nats/token", "perplexity 250.0")
    assert best_of(foresight) == "5.521, perplexity 250.0"


def test_the_figures_of_answers_stand_in_a_line() -> None:
    assert figures_line(NET) == "90.00% right, macro F1 0.895, calibration error 0.020"
