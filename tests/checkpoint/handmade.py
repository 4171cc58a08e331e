"""A small model, and files put together by hand: what the tests of checkpoints share."""

import hashlib
import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np

from charrnn.checkpoint import weights
from charrnn.checkpoint.classifier import Calibration, ClassifierCheckpoint
from charrnn.checkpoint.container import Tensors
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import ClassifierConfig, ModelConfig
from charrnn.text.char import CharTokenizer
from charrnn.text.folded import FoldedWordTokenizer
from charrnn.text.tokenizer import Tokenizer

# Numbers and letters that JSON can spell in more than one way.
CARD = {"name": "caf\u00e9", "learning_rate": 5e-05, "bits_per_byte": 2.345678901234567, "steps": 1000}


def small(
    tokenizer: Tokenizer | None = None, card: dict[str, Any] = CARD, seed: int = 0, **shape: Any
) -> Checkpoint:
    """A language model of about a kilobyte, with random weights."""
    tokenizer = tokenizer or CharTokenizer.from_codepoints([10, 97, 98, 0x1F600])
    sizes: dict[str, Any] = {"hidden_size": 4, "embedding_size": 3, "cell": "rnn"}
    config = ModelConfig(vocab_size=tokenizer.vocab_size, **sizes | shape)
    return Checkpoint(
        config=config,
        tokenizer=tokenizer,
        tensors=random_tensors(weights.shapes(config), seed),
        has_endings=True,
        card=card,
    )


def small_classifier(card: dict[str, Any] = CARD, members: int = 1) -> ClassifierCheckpoint:
    """A classifier of three labels, with random weights and five n-grams."""
    config = ClassifierConfig(vocab_size=4, classes=3, hidden_size=2, embedding_size=3, members=members)
    tensors = random_tensors(weights.classifier_shapes(config) | weights.ngram_shapes(5, 3))
    tensors[weights.NGRAM_KEYS] = np.array([1, 5, 7, 8, 2**32 - 1], np.uint32)
    return ClassifierCheckpoint(
        config=config,
        tokenizer=FoldedWordTokenizer(["the", "a"]),
        labels=("no", "so", "yes"),
        tensors=tensors,
        calibration=Calibration(net=1.5, linear=0.5, mixed_net=1.0, mixed_linear=0.25),
        card=card,
    )


def of_many_minds() -> ClassifierCheckpoint:
    """The same, but for its answers, which differ: to "the" it says no, to "the a" so, to "a a" yes."""
    classifier = small_classifier()
    weight = 5 * classifier.tensors["model.output.weight"]
    bias = np.array([-0.5, -3.0, 3.7], np.float32)
    return replace(
        classifier,
        tensors=classifier.tensors | {"model.output.weight": weight, "model.output.bias": bias},
    )


def random_tensors(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> Tensors:
    draw = np.random.default_rng(seed)
    return {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def frame(header: bytes | dict[str, Any], data: bytes = b"", length: int | None = None) -> bytes:
    """A file of the safetensors layout, or nearly: a length, a header, the data."""
    if isinstance(header, dict):
        header = json.dumps(header).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def parts(file: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and data of a file that is well made."""
    (length,) = struct.unpack("<Q", file[:8])
    return json.loads(file[8 : 8 + length]), file[8 + length :]


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def signed(metadata: dict[str, Any], tensors: Tensors) -> str:
    """Metadata as it stands in a header: with the digest, computed by the words of its description."""
    said = canonical(metadata).encode()
    for name, tensor in sorted(tensors.items()):
        said += f"\0{name}\0<f4\0{tensor.shape}\0".encode() + tensor.astype("<f4").tobytes()
    return canonical(metadata | {"digest": f"sha256:{hashlib.sha256(said).hexdigest()}"})


def equal(ours: Tensors, theirs: Tensors) -> bool:
    """Whether both have the same names, shapes, types and bits."""

    def bits(tensors: Tensors) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
        return {name: (item.dtype.str, item.shape, item.tobytes()) for name, item in tensors.items()}

    return bits(ours) == bits(theirs)
