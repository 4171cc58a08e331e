"""A classifier's net as two language models: each reads by itself; what they learn fits the classifier."""

import numpy as np
import torch

from charrnn.checkpoint import weights
from charrnn.config import ClassifierConfig, ModelConfig, TrainingConfig
from charrnn.models.classifier import Member
from charrnn.models.language_model import LanguageModel
from charrnn.models.pair import LanguageModelPair
from charrnn.models.places import assign, tensors_of

CONFIG = ClassifierConfig(vocab_size=11, classes=3, hidden_size=5, embedding_size=4)
INPUTS = torch.randint(11, (9, 2), generator=torch.Generator().manual_seed(0))


def pair(config: ClassifierConfig = CONFIG) -> LanguageModelPair:
    torch.manual_seed(1)
    return LanguageModelPair(config).double()


def test_each_direction_is_a_language_model_whose_embedding_is_its_output() -> None:
    both = pair()
    with torch.no_grad():
        both.output_bias.normal_()
    tensors = tensors_of(both)
    for index, direction in enumerate((weights.FORWARDS, weights.BACKWARDS)):
        alone = LanguageModel(
            ModelConfig(vocab_size=11, hidden_size=5, embedding_size=4, cell=CONFIG.cell, tied=True)
        ).double()
        places = {name: name for name in (weights.EMBEDDING, weights.OUTPUT_BIAS)}
        places[weights.OUTPUT_PROJECTION] = weights.projection(direction)
        for name in alone.places():
            if name.startswith(weights.LAYERS):
                places[name] = weights.layer(0, direction + name.rpartition(".")[2])
        assign(alone, {name: tensors[place] for name, place in places.items()})
        vectors, _ = both.read(index, INPUTS)
        torch.testing.assert_close(both.logits(vectors), alone(INPUTS)[0], rtol=0, atol=1e-12)


def test_what_a_direction_says_does_not_depend_on_the_other() -> None:
    both = pair()
    vectors, _ = both.read(0, INPUTS)
    with torch.no_grad():
        for parameter in both.readers[1].parameters():
            parameter.add_(1.0)
    torch.testing.assert_close(both.read(0, INPUTS)[0], vectors)


def test_the_lowest_layer_of_a_classifier_with_these_weights_says_what_they_say() -> None:
    both = pair()
    net = Member(CONFIG).double()
    known = {name: tensor for name, tensor in tensors_of(both).items() if name in net.places()}
    known.pop(weights.OUTPUT_BIAS)
    assign(net, tensors_of(net) | known)
    outputs = net.layers[0](net.embedding(INPUTS))
    for reader, way, found in zip(both.readers, (INPUTS, INPUTS.flip(0)), outputs, strict=True):
        said, _ = reader(both.embedding(way))
        torch.testing.assert_close(found, said, rtol=0, atol=1e-12)


def test_what_is_dropped_lacks_at_every_step_of_a_window_on_both_sides_of_the_layer() -> None:
    torch.manual_seed(1)
    settings = TrainingConfig(
        seed=1, learning_rate=0.0, evaluation_tokens=0, dropout=0.5, weight_drop=0.25, seq_len=9
    )
    both = LanguageModelPair(CONFIG, settings).double()
    assert bool((both.read(1, INPUTS)[0] == pair().read(1, INPUTS)[0]).all())  # no generator, nothing dropped
    before = both.read(1, INPUTS)[1]
    found, after = both.read(1, INPUTS, before, torch.Generator().manual_seed(2))

    draws = torch.Generator().manual_seed(2)

    def mask(size: int) -> torch.Tensor:
        return torch.empty(2, size, dtype=torch.float64).bernoulli_(0.5, generator=draws) * 2

    embedded = both.embedding(INPUTS) * mask(4)
    hidden, expected = both.readers[1](embedded, before, draws)
    torch.testing.assert_close(found, both.projections[1](hidden * mask(5)))
    torch.testing.assert_close(after, expected)


def test_its_tensors_have_the_names_and_shapes_that_its_file_is_checked_for() -> None:
    for bidirectional in (True, False):
        config = ClassifierConfig(vocab_size=11, classes=3, num_layers=2, bidirectional=bidirectional)
        found = {name: tensor.shape for name, tensor in tensors_of(pair(config)).items()}
        assert found == weights.pair_shapes(config)
        assert np.prod(found[weights.projection(weights.FORWARDS)]) == 64 * 64
