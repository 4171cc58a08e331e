"""Both directions are scored, each over all of the text in the order in which it reads."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from charrnn.config import ClassifierConfig
from charrnn.evaluation.evaluator import WINDOW
from charrnn.evaluation.pair_evaluator import PairEvaluator
from charrnn.models.pair import LanguageModelPair

V = 11
CPU = torch.device("cpu")
# Whoever reads a text that counts up from its end sees it count down.
IDS = np.concatenate(([0], 1 + np.arange(400) % (V - 1)))


def pair(*, bidirectional: bool) -> LanguageModelPair:
    torch.manual_seed(1)
    both = LanguageModelPair(
        ClassifierConfig(
            vocab_size=V, classes=2, hidden_size=5, embedding_size=4, bidirectional=bidirectional
        )
    )
    with torch.no_grad():
        for parameter in both.parameters():
            parameter.mul_(2)  # so that the state matters
        both.output_bias.copy_(torch.arange(V) / V)
    return both


def nats(both: LanguageModelPair, direction: int, ids: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> float:
    """What a token costs in one pass over a text."""
    read = torch.from_numpy(ids.copy())[:, None]
    with torch.no_grad():
        vectors, _ = both.read(direction, read[:-1])
        return float(functional.cross_entropy(both.logits(vectors)[:, 0], read[1:, 0]))


def test_a_score_is_the_mean_of_both_directions() -> None:
    both = pair(bidirectional=True)
    found = PairEvaluator(IDS, both.config, CPU).score(both)
    each = nats(both, 0, IDS), nats(both, 1, IDS[::-1])
    assert abs(each[0] - each[1]) > 0.01
    assert found.nats_per_token == pytest.approx(sum(each) / 2, abs=1e-5)
    assert found.tokens == 2 * (len(IDS) - 1)


def test_a_net_that_reads_one_way_is_scored_that_way() -> None:
    both = pair(bidirectional=False)
    found = PairEvaluator(IDS, both.config, CPU).score(both)
    assert found.nats_per_token == pytest.approx(nats(both, 0, IDS), abs=1e-5)
    assert found.tokens == len(IDS) - 1


def test_a_part_is_scored_and_between_windows_somebody_may_end_it() -> None:
    both, asked = pair(bidirectional=True), []
    evaluator = PairEvaluator(IDS, both.config, CPU)
    assert evaluator.score(both, 100, lambda: asked.append(1)).tokens == 200
    assert len(asked) == 2
    assert len(IDS) > WINDOW  # a whole pass is two windows
    evaluator.score(both, None, lambda: asked.append(1))
    assert len(asked) == 6
