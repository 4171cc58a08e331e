"""Which tensors a model has: names and shapes, computed from its configuration alone."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from charrnn.cells import CELLS
from charrnn.checkpoint.container import MAX_TENSORS, Tensors
from charrnn.config import POOLED, ClassifierConfig, ModelConfig
from charrnn.errors import CheckpointError

EMBEDDING = "model.embedding"
LAYERS = "model.layers."
MEMBER = "member."  # and its number, before the names of any but the first
OUTPUT_WEIGHT = "model.output.weight"
OUTPUT_PROJECTION = "model.output.projection"  # where embedding and output share a matrix
OUTPUT_BIAS = "model.output.bias"
AVERAGE = "train.average."
FIRST_MOMENT = "train.first."
SECOND_MOMENT = "train.second."
# Of the linear model beside a classifier's net
NGRAM_KEYS = "ngrams.keys"  # the only whole numbers in a file
NGRAM_WEIGHT = "ngrams.weight"
NGRAM_BIAS = "ngrams.bias"
FORWARDS, BACKWARDS = "forwards.", "backwards."  # before a part's name, in a layer of two directions
MOST_OF_A_NET = MAX_TENSORS - 3  # tensors of a classifier's net: the linear model has the others
WHAT_IS_SHOWN = 3  # of many wrong tensors


def layer(index: int, part: str) -> str:
    """The name of a recurrent layer's part, one of `Cell.shapes`."""
    return f"{LAYERS}{index}.{part}"


def shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name to shape of all tensors of a model; rows are gates times hidden units.

    Example:
        >>> shapes(ModelConfig(vocab_size=6, hidden_size=8, cell="rnn"))["model.layers.0.input"]
        (8, 32)
    """
    cell, hidden = CELLS[config.cell], config.hidden_size
    table: dict[str, tuple[int, ...]] = {EMBEDDING: (config.vocab_size, config.embedding_size)}
    for index in range(config.num_layers):
        width = config.embedding_size if index == 0 else hidden
        table |= {layer(index, part): shape for part, shape in cell.shapes(width, hidden).items()}
    if config.tied:
        table[OUTPUT_PROJECTION] = (config.embedding_size, hidden)
    else:
        table[OUTPUT_WEIGHT] = (config.vocab_size, hidden)
    return table | {OUTPUT_BIAS: (config.vocab_size,)}


def classifier_shapes(config: ClassifierConfig) -> dict[str, tuple[int, ...]]:
    """Name to shape of all tensors of a classifier's net, those of every member.

    Example:
        >>> list(classifier_shapes(ClassifierConfig(vocab_size=9, classes=3, members=2)))[-1]
        'member.1.model.output.bias'
    """
    one = member_shapes(config)
    return {of_member(index, name): shape for index in range(config.members) for name, shape in one.items()}


def of_member(index: int, name: str) -> str:
    """The name of a member's tensor; the first one's are those of a net that is alone."""
    return f"{MEMBER}{index}.{name}" if index else name


def most_members(config: ClassifierConfig) -> int:
    """How many members a net of this shape can have, at least one: a file has a limit."""
    return max(1, MOST_OF_A_NET // len(descent_shapes(member_shapes(config))))


def member_shapes(config: ClassifierConfig) -> dict[str, tuple[int, ...]]:
    """Name to shape of the tensors of one member of a classifier's net; every unit is pooled twice.

    Example:
        >>> member_shapes(ClassifierConfig(vocab_size=9, classes=3, hidden_size=8))["model.output.weight"]
        (3, 32)
    """
    cell, hidden = CELLS[config.cell], config.hidden_size
    names = directions(config)
    table: dict[str, tuple[int, ...]] = {EMBEDDING: (config.vocab_size, config.embedding_size)}
    for index in range(config.num_layers):
        width = config.embedding_size if index == 0 else len(names) * hidden
        for direction in names:
            for part, shape in cell.shapes(width, hidden).items():
                table[layer(index, direction + part)] = shape
    pooled = len(POOLED) * len(names) * hidden
    return table | {OUTPUT_WEIGHT: (config.classes, pooled), OUTPUT_BIAS: (config.classes,)}


def pair_shapes(config: ClassifierConfig) -> dict[str, tuple[int, ...]]:
    """Name to shape of a member as language models: its lowest layer, and what they predict with.

    Example:
        >>> sorted(pair_shapes(ClassifierConfig(vocab_size=9, classes=3, bidirectional=False)))[-2:]
        ['model.output.bias', 'model.output.projection.forwards']
    """
    names = directions(config)
    lowest = layer(0, "")
    table = {
        name: shape
        for name, shape in member_shapes(config).items()
        if name == EMBEDDING or name.startswith(lowest)
    }
    table |= {projection(name): (config.embedding_size, config.hidden_size) for name in names}
    return table | {OUTPUT_BIAS: (config.vocab_size,)}


def directions(config: ClassifierConfig) -> tuple[str, ...]:
    """The directions in which a net reads, as the prefixes of its parts' names."""
    return (FORWARDS, BACKWARDS) if config.bidirectional else (FORWARDS,)


def projection(direction: str) -> str:
    """The name of what takes a direction's output to where it is compared with embeddings."""
    return f"{OUTPUT_PROJECTION}.{direction.removesuffix('.')}"


def ngram_shapes(ngrams: int, classes: int) -> dict[str, tuple[int, ...]]:
    """Name to shape of the tensors of a linear model over so many n-grams."""
    columns = 1 if classes == 2 else classes
    return {NGRAM_KEYS: (ngrams,), NGRAM_WEIGHT: (ngrams, columns), NGRAM_BIAS: (columns,)}


def state(index: int, part: str) -> str:
    """The name of a recurrent layer's carried state, `hidden` or `cell`; of a pair, a direction's."""
    return f"train.state.{index}.{part}"


def training_shapes(config: ModelConfig, batch_size: int, step: int) -> dict[str, tuple[int, ...]]:
    """Name to shape of all that resuming needs after so many steps."""
    table = descent_shapes(shapes(config))
    if step:  # before the first step no state is carried
        for index in range(config.num_layers):
            for part in CELLS[config.cell].state._fields:
                table[state(index, part)] = (batch_size, config.hidden_size)
    return table


def pair_training_shapes(config: ClassifierConfig, batch_size: int, step: int) -> dict[str, tuple[int, ...]]:
    """As `training_shapes`, of the language models that a classifier's net is at first."""
    table = descent_shapes(pair_shapes(config))
    if step:
        for direction in range(len(directions(config))):
            for part in CELLS[config.cell].state._fields:
                table[state(direction, part)] = (batch_size, config.hidden_size)
    return table


def descent_shapes(model: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Name to shape of a model's tensors and of what its optimiser has for each of them."""
    table = dict(model)
    for prefix in (AVERAGE, FIRST_MOMENT, SECOND_MOMENT):
        table |= {prefix + name: shape for name, shape in model.items()}
    return table


def parameters(config: ModelConfig | ClassifierConfig) -> int:
    """How many numbers a model has to learn."""
    table = shapes(config) if isinstance(config, ModelConfig) else classifier_shapes(config)
    return sum(math.prod(shape) for shape in table.values())


def check(source: object, tensors: Tensors, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Refuses tensors that are not exactly those expected.

    Raises:
        CheckpointError: naming up to three that are missing, superfluous or of another shape or kind.
    """
    for name, tensor in tensors.items():
        if (tensor.dtype == np.uint32) != (name == NGRAM_KEYS):
            raise CheckpointError(f"{source}: {name}: numbers of the kind {tensor.dtype} do not belong there")
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if found == dict(expected):
        return
    wrong = [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]
    listed = "; ".join(
        f"{name}: expected {_shape(expected.get(name))}, found {_shape(found.get(name))}"
        for name in wrong[:WHAT_IS_SHOWN]
    )
    more = f"; and {len(wrong) - WHAT_IS_SHOWN} more" if len(wrong) > WHAT_IS_SHOWN else ""
    raise CheckpointError(f"{source}: the tensors do not fit the configuration: {listed}{more}")


def non_finite(tensors: Tensors) -> dict[str, int]:
    """How many numbers of each tensor are infinite or not numbers; names only those that have any."""
    counts = {name: int(tensor.size - np.isfinite(tensor).sum()) for name, tensor in tensors.items()}
    return {name: count for name, count in counts.items() if count}


def _shape(shape: tuple[int, ...] | None) -> str:
    return "none" if shape is None else str(list(shape))
