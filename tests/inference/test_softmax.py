"""Logarithms of probabilities against torch's, and scores that are no numbers."""

import numpy as np
import pytest
import torch

from charrnn.errors import CheckpointError
from charrnn.inference.softmax import finite, log_softmax


def test_it_is_torchs_along_the_last_dimension_in_double_precision() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32) * 500
    expected = torch.from_numpy(scores).double().log_softmax(-1).numpy()
    np.testing.assert_allclose(log_softmax(scores), expected, rtol=1e-12, atol=1e-12)
    assert finite(scores) is scores


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_no_answer_comes_from_scores_that_are_no_numbers(score: float) -> None:
    with pytest.raises(CheckpointError, match="the model gives no probabilities"):
        finite(np.array([0.0, score]))
