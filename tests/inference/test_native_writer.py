"""Texts that the library writes: drawn as `draw` says, the same alone and side by side."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.checkpoint import weights
from charrnn.config import ModelConfig, SamplingConfig
from charrnn.errors import CheckpointError
from charrnn.inference import native_writer
from charrnn.inference.draw import draw, generator, probabilities
from charrnn.inference.generate import generate, generate_each
from charrnn.inference.native_net import NativeNet
from charrnn.inference.native_writer import NativeWriter
from charrnn.inference.softmax import log_softmax
from charrnn.inference.stepper import NumpyStepper
from charrnn.inference.writer import Drawn, Place, StepWriter, Texts
from charrnn.native.library import Road
from charrnn.native.sampler import MOST_ROWS
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CharTokenizer
from tests.inference.test_native_net import SMALL, drawn, native
from tests.native.compiled import ROADS

pytestmark = pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
LETTERS = CharTokenizer.from_codepoints([ord(c) for c in "abcdefghi"])
PROMPT = LETTERS.encode("abba")
SAMPLING = SamplingConfig(length=300, temperature=1.0)


def writer(road: Road, config: ModelConfig = SMALL, threads: int = 1) -> NativeWriter:
    made = NativeWriter(native(road), config, drawn(config))
    made._net.threads = threads
    return made


def texts_of(of: NativeWriter | StepWriter, seeds: Sequence[int], sampling: SamplingConfig) -> list[str]:
    each = generate_each(of, LETTERS, PROMPT, sampling, seeds, has_endings=True)
    return ["".join(piece.text for piece in pieces) for pieces in each]


def fixed(road: Road, scores: NDArray[np.float32]) -> NativeWriter:
    """A writer whose scores are these at every step."""
    config = ModelConfig(vocab_size=len(scores), hidden_size=2, embedding_size=1, cell="rnn")
    tensors = {name: np.zeros(shape, np.float32) for name, shape in weights.shapes(config).items()}
    return NativeWriter(native(road), config, tensors | {weights.OUTPUT_BIAS: scores})


def write(texts: Texts, forbidden: NDArray[np.bool_], count: int) -> Drawn:
    """So many tokens of the first text, none of which is turning."""
    found = Drawn([], [])
    while (missing := count - len(found.tokens)) > 0:
        (more,) = texts.write([Place(0, forbidden, np.zeros_like(forbidden))], missing)
        found = Drawn([*found.tokens, *more.tokens], [*found.nats, *more.nats])
    return found


def test_more_texts_than_there_is_room_for_and_ids_that_there_are_not_never_reach_the_library(
    road: Road,
) -> None:
    made = writer(road)
    nothing = np.zeros(SMALL.vocab_size, np.bool_)
    texts = made.begin(PROMPT, SAMPLING, range(MOST_ROWS + 1))
    with pytest.raises(AssertionError):
        texts.write([Place(text, nothing, nothing) for text in range(MOST_ROWS + 1)], 1)
    for token in (-1, SMALL.vocab_size):
        with pytest.raises(AssertionError):
            made._net.read(made._net.start(), np.array([token], np.int64))


FILTERS: tuple[dict[str, float], ...] = (
    {},
    {"temperature": 0.0},
    {"temperature": 0.3},
    {"temperature": 30.0},
    {"top_k": 1},
    {"top_k": 7},
    {"top_k": 10**9},
    {"top_p": 0.5},
    {"top_p": 0.97},
    {"top_p": 1e-9},
    {"min_p": 0.2},
    {"top_k": 20, "top_p": 0.8, "min_p": 0.05, "temperature": 1.3},
)


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_tokens_are_drawn_as_numpy_draws_them(road: Road, filters: dict[str, float]) -> None:
    # Of equal scores there are many: which of them a filter keeps must be the same.
    scores = np.random.default_rng(0).integers(-6, 4, 40).astype(np.float32)
    forbidden = np.random.default_rng(1).random(40) < 0.2
    forbidden[scores.argmax()] = True
    sampling = SamplingConfig(**({"temperature": 1.0} | filters))  # type: ignore[arg-type]  # a mixed bag of fields
    found = write(fixed(road, scores).begin(PROMPT, sampling, [5], scored=True), forbidden, 500)
    p, uniforms = probabilities(scores, forbidden, sampling), generator(5)
    assert found.tokens == [draw(p, uniforms.random()) for _ in range(500)]
    np.testing.assert_allclose(found.nats, -log_softmax(scores)[list(found.tokens)], rtol=1e-12)


@pytest.mark.parametrize("cell", ["lstm", "gru", "gru-after", "rnn"])
@pytest.mark.parametrize("tied", [True, False])
def test_texts_are_those_of_numpy(road: Road, cell: str, tied: bool) -> None:
    config = dataclasses.replace(SMALL, cell=cell, tied=tied)
    by_numpy = StepWriter(NumpyStepper(config, drawn(config)))
    assert texts_of(writer(road, config), range(3), SAMPLING) == texts_of(by_numpy, range(3), SAMPLING)


@pytest.mark.parametrize("cell", ["lstm-peephole", "gru"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_text_is_the_same_alone_and_among_others(road: Road, cell: str, threads: int) -> None:
    config = dataclasses.replace(SMALL, cell=cell, hidden_size=70)
    together = texts_of(writer(road, config, threads), range(70), SAMPLING)
    assert len({len(text) for text in together}) > 10, "they end at different times"
    for seed in (0, 1, 33, 69):
        assert texts_of(writer(road, config), [seed], SAMPLING) == [together[seed]]


def test_blocks_of_any_length_give_the_same_text(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = texts_of(writer(road), range(5), SAMPLING)
    monkeypatch.setattr(native_writer, "MOST_STEPS", 3)
    assert texts_of(writer(road), range(5), SAMPLING) == whole
    shorter = dataclasses.replace(SAMPLING, length=20)
    assert texts_of(writer(road), range(5), shorter) == [text[:20] for text in whole]


def test_a_stop_text_ends_each_text_where_it_stands(road: Road) -> None:
    whole = texts_of(writer(road), range(5), SAMPLING)
    stopped = texts_of(writer(road), range(5), dataclasses.replace(SAMPLING, stop="ab"))
    assert stopped == [text.split("ab")[0] for text in whole]


def test_the_first_piece_is_one_character_written_by_one_step(road: Road) -> None:
    (pieces,) = generate_each(writer(road), LETTERS, PROMPT, SAMPLING, [1], has_endings=False)
    assert len(next(pieces).text) == 1
    texts = writer(road).begin(PROMPT, SAMPLING, [1])
    mask = np.zeros(SMALL.vocab_size, np.bool_)
    assert len(texts.write([Place(0, mask, mask)], 100)[0].tokens) == 1


def test_a_text_pauses_after_a_token_that_turns(road: Road) -> None:
    scores = np.zeros(6, np.float32)
    texts = fixed(road, scores).begin(PROMPT, SAMPLING, [1, 2])
    never, turning = np.zeros(6, np.bool_), np.arange(6) == 4
    places = [Place(text, never, turning) for text in (0, 1)]
    tokens: list[list[int]] = [[], []]
    for _ in range(100):
        for own, more in zip(tokens, texts.write(places, 50), strict=True):
            assert 4 not in list(more.tokens)[:-1]
            own += more.tokens
    p = probabilities(scores, never, SAMPLING)
    for seed, own in zip((1, 2), tokens, strict=True):
        uniforms = generator(seed)
        assert own == [draw(p, uniforms.random()) for _ in own]


@pytest.mark.parametrize("seed", range(3))
def test_bytes_make_whole_characters(road: Road, seed: int) -> None:
    config = dataclasses.replace(SMALL, vocab_size=257)
    of, bytes_ = writer(road, config), ByteTokenizer()
    pieces = generate(of, bytes_, bytes_.encode("é"), SAMPLING, seed, has_endings=False)
    whole = "".join(piece.text for piece in pieces)
    assert len(whole) == 300
    assert "\ufffd" not in whole
    assert max(len(character.encode()) for character in whole) > 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_an_error(road: Road, value: float) -> None:
    scores = np.zeros(5, np.float32)
    scores[3] = value
    texts = fixed(road, scores).begin(PROMPT, SAMPLING, [1])
    with pytest.raises(CheckpointError, match="the model gives no probabilities: its weights are too large"):
        write(texts, np.zeros(5, np.bool_), 1)


def test_what_was_drawn_before_scores_overflow_is_given(road: Road) -> None:
    # h doubles at every step, until its score is infinite.
    config = ModelConfig(vocab_size=4, hidden_size=1, embedding_size=1, cell="rnn", nonlinearity="relu")
    tensors = {name: np.zeros(shape, np.float32) for name, shape in weights.shapes(config).items()}
    tensors[weights.layer(0, "bias")][:] = tensors[weights.OUTPUT_WEIGHT][2] = 1.0
    tensors[weights.layer(0, "recurrent")][:] = 2.0
    of = NativeWriter(native(road), config, tensors)
    texts = of.begin(np.array([], np.int64), SAMPLING, [1])
    mask = np.zeros(4, np.bool_)
    assert len(write(texts, mask, 127).tokens) == 127
    with pytest.raises(CheckpointError):
        write(texts, mask, 1)


def test_numbers_of_16_bits_cost_no_hundred_thousandth_of_a_nat(road: Road) -> None:
    # Text of the net's own: what it has learned to expect, as far as a net with random weights has.
    config = dataclasses.replace(SMALL, hidden_size=60)
    draws = np.random.default_rng(2)
    shapes = weights.shapes(config).items()
    tensors = {name: (draws.normal(size=shape) * 0.3).astype(np.float32) for name, shape in shapes}
    nats = []
    for is_quantized in (True, False):
        net = NativeNet(native(road), config, tensors, is_quantized=is_quantized)
        if is_quantized:
            texts = NativeWriter(native(road), config, tensors).begin(PROMPT, SAMPLING, [1])
            tokens = np.array(write(texts, np.zeros(11, np.bool_), 3000).tokens)
        outputs = np.empty((len(tokens), 60), np.float32)
        net.read(net.start(), tokens, outputs)
        scores = log_softmax(NumpyStepper(config, tensors).logits(outputs))
        nats.append(-scores[np.arange(len(tokens) - 1), tokens[1:]].mean())
    assert abs(nats[0] - nats[1]) < 1e-5
