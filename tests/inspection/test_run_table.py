"""Runs in a table: the best first, the damaged named."""

from pathlib import Path
from typing import Any

import torch

from charrnn.checkpoint import classifier as classifiers
from charrnn.checkpoint import model as model_files
from charrnn.checkpoint import runs
from charrnn.checkpoint.lock import locked
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import ModelConfig
from charrnn.inspection.run_table import rows
from charrnn.models.language_model import LanguageModel
from charrnn.models.places import tensors_of
from charrnn.text.byte import ByteTokenizer
from tests.checkpoint.handmade import small_classifier


def save(name: str, history: dict[str, Any], *, backward: bool = False) -> Checkpoint:
    torch.manual_seed(0)
    config = ModelConfig(vocab_size=257, hidden_size=4, embedding_size=2, cell="rnn", backward=backward)
    tensors = tensors_of(LanguageModel(config))
    checkpoint = Checkpoint(
        config=config, tokenizer=ByteTokenizer(), tensors=tensors, has_endings=False, card=history
    )
    path = Path("checkpoints", name, "model.safetensors")
    path.parent.mkdir(parents=True)
    model_files.save(path, checkpoint)
    return checkpoint


def test_runs_are_sorted_by_bits_per_byte_and_those_without_come_last() -> None:
    for name, bits in (("fair", 2.0), ("great", 1.5), ("bad", 2.5)):
        save(name, {"validation": {"bits_per_byte": bits}, "trained": {"seconds": 7}})
    save("silent", {"validation": "none"})
    damaged = Path("checkpoints/damaged/model.safetensors")
    damaged.parent.mkdir()
    damaged.write_bytes(b"PK\x03\x04" + b"\xff" * 30)
    found = rows(runs.models_on_disk())
    assert [row.name for row in found] == ["great", "fair", "bad", "damaged", "silent"]
    assert found[0].model == "byte rnn (tanh) 1x4"
    assert found[0].seconds == 7
    # 257 x 2 embedding, 4 x 2 + 4 x 4 + 4 recurrent, 257 x 4 + 257 output.
    assert found[0].parameters == 514 + 28 + 1285
    assert found[3].error == (
        "checkpoints/damaged/model.safetensors: is a zip or PyTorch file; "
        "charrnn never loads pickle (it can run code)"
    )


def test_classifiers_come_after_language_models_the_most_accurate_first() -> None:
    save("text", {"validation": {"bits_per_byte": 2.0}})
    for name, accuracy, members in (("poor", 0.5, 2), ("good", 0.9, 1)):
        path = Path("checkpoints", name, "model.safetensors")
        path.parent.mkdir(parents=True)
        classifiers.save(path, small_classifier({"validation": {"answer": {"accuracy": accuracy}}}, members))
    found = rows(runs.models_on_disk())
    assert [row.name for row in found] == ["text", "good", "poor"]
    assert (found[1].accuracy, found[1].bits_per_byte) == (0.9, None)
    assert found[1].model == "word lstm 1x2, 3 labels"
    assert found[2].model == "word lstm 1x2, 2 nets, 3 labels"


def test_a_model_that_was_cut_short_has_no_place_in_the_ranking() -> None:
    save("whole", {"validation": {"bits_per_byte": 2.0}})
    save("cut", {"validation": {"bits_per_byte": 1.0}})
    path = Path("checkpoints/cut/model.safetensors")
    path.write_bytes(path.read_bytes()[:-40])
    whole, cut = rows(runs.models_on_disk())
    assert (whole.name, cut.name, cut.bits_per_byte) == ("whole", "cut", None)
    assert cut.error
    assert "the data does not match the header" in cut.error


def test_a_model_that_reads_backwards_is_listed_as_one() -> None:
    save("back", {"validation": {"bits_per_byte": 2.0}}, backward=True)
    (row,) = rows(runs.models_on_disk())
    assert (row.model, row.bits_per_byte) == ("byte rnn (tanh) 1x4 backwards", 2.0)


def test_a_run_without_a_model_says_how_to_go_on() -> None:
    state = runs.folder("my run") / runs.LAST
    state.parent.mkdir(parents=True)
    state.touch()
    (row,) = rows([], ["my run"])
    assert (row.name, row.error) == (
        "my run",
        "no model yet: charrnn train --resume 'my run' goes on with it",
    )
    assert not row.is_training
    with locked(runs.folder("my run")):
        (row,) = rows([], ["my run"])
    assert (row.is_training, row.error) == (True, "no model yet: it is being trained")
