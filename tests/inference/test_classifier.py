"""The classifier's layers in the library against NumPy's, over documents of all lengths."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ClassifierConfig
from charrnn.inference import classifier
from charrnn.inference.classifier import NumpyClassifier
from charrnn.native.library import Road
from tests.inference.test_native_net import native
from tests.kinds import KINDS
from tests.native.compiled import ROADS

pytestmark = pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
CONFIG = ClassifierConfig(
    vocab_size=11, classes=3, hidden_size=21, embedding_size=4, num_layers=2, cell="gru", bidirectional=True
)
RANDOM = np.random.default_rng(0)
# The most that are read at once, one of them much longer than the rest.
DOCUMENTS = [RANDOM.integers(11, size=length) for length in [1, 2, 300, *RANDOM.integers(1, 40, 120)]]


def drawn(config: ClassifierConfig, kind: type = np.float32) -> Tensors:
    draw = np.random.default_rng(1)
    shapes = weights.classifier_shapes(config).items()
    return {name: (draw.normal(size=shape) * 0.3).astype(kind) for name, shape in shapes}


def by_numpy(config: ClassifierConfig) -> NDArray[np.float64]:
    # The library takes nothing but single precision.
    return NumpyClassifier(config, drawn(config, np.float64)).logits(DOCUMENTS)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_documents_score_as_on_numpy(
    road: Road, kind: tuple[str, str], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "native", lambda: native(road))
    monkeypatch.setattr(classifier, "threads", lambda: threads)
    config = dataclasses.replace(CONFIG, cell=kind[0], nonlinearity=kind[1])
    found = NumpyClassifier(config, drawn(config)).logits(DOCUMENTS)
    exact = by_numpy(config)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-5 * max(1.0, np.abs(exact).max()))


# Of relu 300 steps of such weights are beyond single precision.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[1] != "relu"], ids=str)
@pytest.mark.parametrize("shape", [{}, {"num_layers": 1}, {"bidirectional": False}], ids=str)
def test_a_document_in_blocks_scores_as_the_whole(
    road: Road, kind: tuple[str, str], shape: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = dataclasses.replace(CONFIG, cell=kind[0], nonlinearity=kind[1], **shape)
    exact = by_numpy(config)
    monkeypatch.setattr(classifier, "native", lambda: native(road))
    monkeypatch.setattr(classifier, "TOKENS", 37)
    found = NumpyClassifier(config, drawn(config)).logits(DOCUMENTS)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-5 * max(1.0, np.abs(exact).max()))


def test_zoneout_stays_on_numpy(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "native", lambda: native(road))
    config = dataclasses.replace(CONFIG, zoneout=0.2)
    found = NumpyClassifier(config, drawn(config)).logits(DOCUMENTS)
    np.testing.assert_allclose(found, by_numpy(config), rtol=0, atol=1e-5)


def test_a_document_alone_has_the_scores_it_has_among_many(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "native", lambda: native(road))
    net = NumpyClassifier(CONFIG, drawn(CONFIG))
    together = net.logits(DOCUMENTS)
    for place in (0, 2, 50):
        np.testing.assert_allclose(net.logits([DOCUMENTS[place]])[0], together[place], rtol=0, atol=1e-5)
