"""The ids that the right one is told from."""

import numpy as np
import torch

from charrnn.config import SAMPLED
from charrnn.training.pair_learner import Noise
from tests.single_precision import DEVICE, SinglePrecision

COUNTS = np.array([100_000, 3000, 50, 0, *[7] * 2000])


def test_an_id_is_in_the_sample_as_often_as_its_chance_says() -> None:
    noise = Noise(COUNTS, torch.device("cpu"))
    found = np.zeros(len(COUNTS))
    for seed in range(400):
        sample = noise.sample(np.random.default_rng(seed)).numpy()
        assert len(sample) <= SAMPLED
        assert (np.diff(sample) > 0).all()
        found[sample] += 1
    chances = np.exp(noise.log_chances.double().numpy())
    flattened = (COUNTS + 1.0) ** 0.75
    np.testing.assert_allclose(chances, 1 - (1 - flattened / flattened.sum()) ** SAMPLED, rtol=1e-5)
    np.testing.assert_allclose(found[:4] / 400, chances[:4], atol=4 * np.sqrt(0.25 / 400))
    np.testing.assert_allclose(found[4:].mean() / 400, chances[4:].mean(), rtol=0.02)


def test_a_device_without_double_precision_is_given_what_it_has() -> None:
    with SinglePrecision():
        noise = Noise(COUNTS, DEVICE)
        sample = noise.sample(np.random.default_rng(0))
    assert sample.device == noise.log_chances.device == DEVICE
