"""The card of a file, against what the file has."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from charrnn.checkpoint import classifier as classifiers
from charrnn.checkpoint import model as model_files
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import ModelConfig
from charrnn.inspection.card import card, classifier_card
from charrnn.models.language_model import LanguageModel
from charrnn.models.places import tensors_of
from charrnn.text.byte import ByteTokenizer
from tests.checkpoint.handmade import small_classifier

PATH = Path("model.safetensors")
CONFIG = ModelConfig(vocab_size=257, hidden_size=4, embedding_size=2, cell="rnn", zoneout=0.1)


def saved() -> Checkpoint:
    torch.manual_seed(0)
    history = {"validation": {"bits_per_byte": 1.5}, "name": "an older name"}
    tensors = tensors_of(LanguageModel(CONFIG))
    model_files.save(
        PATH,
        Checkpoint(
            config=CONFIG, tokenizer=ByteTokenizer(), tensors=tensors, has_endings=False, card=history
        ),
    )
    return model_files.load(PATH)


def test_the_card_says_what_the_file_is_and_passes_on_its_history() -> None:
    loaded = saved()
    findings = card(PATH, "one", loaded)
    assert findings["name"] == "one"
    assert findings["validation"] == {"bits_per_byte": 1.5}
    assert findings["parameters"] == sum(tensor.size for tensor in loaded.tensors.values())
    assert (findings["task"], findings["level"], findings["cell"]) == ("language-model", "byte", "rnn")
    assert findings["backward"] is False
    assert findings["digest"] == loaded.digest
    assert findings["non_finite"] == {}
    assert {name: findings[name] for name in asdict(CONFIG)} == asdict(CONFIG)


def test_a_classifiers_card_says_what_its_file_has() -> None:
    classifiers.save(PATH, small_classifier({"validation": "kept", "name": "an older name"}, 2))
    loaded = classifiers.load(PATH)
    findings = classifier_card(PATH, "one", loaded)
    linear = {name: tensor for name, tensor in loaded.tensors.items() if name.startswith("ngrams.")}
    assert len(linear) == 3
    everything = sum(tensor.size for tensor in loaded.tensors.values())
    assert findings["parameters"] == everything - sum(tensor.size for tensor in linear.values())
    assert findings["ngrams"] == len(linear["ngrams.keys"])
    assert findings["labels"] == list(loaded.labels)
    assert findings["calibration"] == asdict(loaded.calibration)
    assert {name: findings[name] for name in asdict(loaded.config)} == asdict(loaded.config)
    assert (findings["name"], findings["validation"]) == ("one", "kept")
    assert (findings["digest"], findings["non_finite"]) == (loaded.digest, {})


def test_a_card_names_the_tensors_that_have_values_which_are_no_numbers() -> None:
    loaded = saved()
    tensors = loaded.tensors | {"model.output.bias": np.full(257, np.nan, np.float32)}
    assert card(PATH, "one", replace(loaded, tensors=tensors))["non_finite"] == {"model.output.bias": 257}
