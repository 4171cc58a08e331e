"""The laws of batches: every id is learned once, in order, the same at any time."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from charrnn.config import IGNORED, MAX_SEED
from charrnn.errors import TextError
from charrnn.text.batches import Batch, Batches, UnknownRule, check_length, check_validation, uniform
from tests.text.reading import moderate

UNKNOWN = 1
TOKENS = st.integers(2, 400)
LANES = st.integers(1, 20)
LENGTHS = st.integers(1, 50)


def epoch(batches: Batches, number: int = 0) -> list[Batch]:
    return [batches.at(number * batches.windows + window) for window in range(batches.windows)]


def numbered(tokens: int, batch_size: int, seq_len: int) -> Batches:
    """Batches of ids that say where they stand."""
    return Batches(np.arange(tokens), batch_size, seq_len)


def test_the_drawing_at_the_top_of_the_file_is_true() -> None:
    letters = np.frombuffer(b"abcdefghijklm", np.uint8)
    first, second = epoch(Batches(letters, batch_size=3, seq_len=2))
    assert [bytes(lane.tolist()) for lane in first.inputs.T] == [b"ab", b"ef", b"ij"]
    assert [bytes(lane.tolist()) for lane in first.targets.T] == [b"bc", b"fg", b"jk"]
    assert [bytes(lane.tolist()) for lane in second.inputs.T] == [b"cd", b"gh", b"kl"]
    assert [bytes(lane.tolist()) for lane in second.targets.T] == [b"de", b"hi", b"lm"]


@moderate
@given(TOKENS, LANES, LENGTHS)
def test_every_id_but_the_first_is_a_target_once_an_epoch(tokens: int, lanes: int, length: int) -> None:
    batches = numbered(tokens, lanes, length)
    for number in (0, 1):
        targets = np.concatenate([batch.targets.ravel() for batch in epoch(batches, number)])
        assert sorted(targets[targets != IGNORED].tolist()) == list(range(1, tokens))
    assert batches.tokens == tokens - 1


def test_a_reversed_view_of_ids_on_disk_is_read_like_any_ids() -> None:
    ids = np.random.default_rng(0).integers(9, size=500).astype(np.uint16)
    ids.tofile("ids")
    rule = UnknownRule(UNKNOWN, np.bincount(ids, minlength=9), seed=3)
    mapped = Batches(np.memmap("ids", np.uint16, "r")[::-1], 4, 16, rule)
    copied = Batches(ids[::-1].copy(), 4, 16, rule)
    for ours, theirs in zip(epoch(mapped), epoch(copied), strict=True):
        np.testing.assert_array_equal(ours.inputs, theirs.inputs)
        np.testing.assert_array_equal(ours.targets, theirs.targets)


@moderate
@given(TOKENS, LANES, LENGTHS)
def test_targets_are_the_inputs_shifted_by_one_across_windows(tokens: int, lanes: int, length: int) -> None:
    windows = epoch(numbered(tokens, lanes, length))
    inputs = np.concatenate([batch.inputs for batch in windows])
    targets = np.concatenate([batch.targets for batch in windows])
    is_scored = targets != IGNORED
    assert (targets[:-1] == inputs[1:])[is_scored[:-1]].all()
    # On numbered ids the next one is one more; and the last target of a lane is the first input of the next.
    assert (targets == inputs + 1)[is_scored].all()
    assert targets.max(axis=0)[:-1].tolist() == inputs[0, 1:].tolist()


@moderate
@given(TOKENS, LANES, LENGTHS)
def test_windows_are_even_and_never_longer_than_asked(tokens: int, lanes: int, length: int) -> None:
    windows = epoch(numbered(tokens, lanes, length))
    sizes = [len(batch.inputs) for batch in windows]
    assert max(sizes) <= length
    assert max(sizes) - min(sizes) <= 1
    assert all(batch.inputs.shape == batch.targets.shape for batch in windows)


@moderate
@given(TOKENS, LANES, LENGTHS)
def test_only_the_end_of_a_shorter_lane_is_ignored(tokens: int, lanes: int, length: int) -> None:
    windows = epoch(numbered(tokens, lanes, length))
    ignored = [int((batch.targets == IGNORED).sum()) for batch in windows]
    assert not any(ignored[:-1])
    assert not (windows[-1].targets[:-1] == IGNORED).any()
    assert [batch.tokens for batch in windows] == [
        batch.targets.size - count for batch, count in zip(windows, ignored, strict=True)
    ]


@moderate
@given(TOKENS, LANES, LENGTHS)
def test_there_are_fewer_lanes_where_lanes_would_be_shorter_than_a_window(
    tokens: int, lanes: int, length: int
) -> None:
    batches = numbered(tokens, lanes, length)
    fitting = [count for count in range(1, lanes + 1) if count * length <= tokens - 1]
    assert batches.batch_size == max(fitting, default=1)
    assert batches.at(0).inputs.shape[1] == batches.batch_size


@moderate
@given(st.integers(1, 12), st.integers(1, 9), st.integers(20, 60))
def test_the_lanes_take_turns_to_start_a_stream(lanes: int, stream_windows: int, windows: int) -> None:
    batches = Batches(np.arange(lanes * windows + 1), lanes, 1, stream_windows=stream_windows)
    starts = np.stack([batch.starts for batch in epoch(batches)])  # [W, B]
    assert starts.shape == (windows, lanes)
    assert starts[0].all()
    for lane in starts.T:
        later = (1 + np.flatnonzero(lane[1:])).tolist()
        assert later[0] <= stream_windows
        assert all(after - before == stream_windows for before, after in itertools.pairwise(later))
    at_once = starts[1:].sum(axis=1)
    assert at_once.max() - at_once.min() <= 1
    assert batches.at(windows).starts.all()


@moderate
@given(TOKENS, LANES, LENGTHS, st.integers(0, 500))
def test_any_step_can_be_had_at_any_time(tokens: int, lanes: int, length: int, step: int) -> None:
    batches = numbered(tokens, lanes, length)
    wanted = [(batch.inputs.tolist(), batch.targets.tolist()) for batch in epoch(batches)]
    batch = batches.at(step)
    assert (batch.inputs.tolist(), batch.targets.tolist()) == wanted[step % batches.windows]


def test_ids_are_read_and_never_written() -> None:
    ids = np.array([0, 2, 3, 2, 3, 2], np.uint16)
    ids.flags.writeable = False
    rule = UnknownRule(UNKNOWN, np.bincount(ids), seed=1)
    assert epoch(Batches(ids, 2, 2, rule))[0].inputs[0, 0] == 0


@pytest.mark.parametrize(
    ("tokens", "seq_len", "val_fraction", "message"),
    [
        (9, 64, 0.1, "poem.txt: has about 10 characters; --seq 64 needs at least 73"),
        (64, 64, 0.1, "poem.txt: has about 71 characters; --seq 64 needs at least 73"),
        (1, 64, 0.1, "poem.txt: has about 1 character; --seq 64 needs at least 73"),
        (-1, 1, 0.1, "poem.txt: has about 1 character; --seq 1 needs at least 3"),  # all of it for validation
        (3, 4, 0.0, "poem.txt: has about 3 characters; --seq 4 needs at least 5"),
        (999, 1999, 0.5, "poem.txt: has about 1,998 characters; --seq 1999 needs at least 4,000"),
    ],
)
def test_text_without_a_single_window_is_refused(
    tokens: int, seq_len: int, val_fraction: float, message: str
) -> None:
    with pytest.raises(TextError) as caught:
        check_length("poem.txt", "character", tokens, seq_len, val_fraction)
    assert caught.value.message == message
    assert caught.value.hint == "give more text, or a smaller --seq"


def test_a_corpus_that_leaves_nothing_to_validate_on_is_refused() -> None:
    check_validation("poem.txt", 1, 1e-300)
    with pytest.raises(TextError) as caught:
        check_validation("poem.txt", 0, 1e-300)
    assert caught.value.message == "poem.txt: --val-fraction 1e-300 leaves nothing to validate on"
    assert caught.value.hint == "give more text, or a larger --val-fraction"


@moderate
@given(st.integers(1, 500), st.sampled_from([0.0, 0.1, 0.25, 0.5]))
def test_as_many_characters_as_are_asked_for_are_enough(seq_len: int, val_fraction: float) -> None:
    with pytest.raises(TextError) as caught:
        check_length("poem.txt", "character", 0, seq_len, val_fraction)
    asked_for = int(caught.value.message.rpartition(" ")[2].replace(",", ""))
    check_length("poem.txt", "character", int(asked_for * (1 - val_fraction)), seq_len, val_fraction)


def some_ids(tokens: int) -> NDArray[np.uint16]:
    """A boundary now and then, an `<unk>`, and characters rare and common."""
    return np.random.default_rng(5).choice(
        np.arange(8, dtype=np.uint16), tokens, p=[0.02, 0.02, 0.5, 0.3, 0.1, 0.04, 0.015, 0.005]
    )


def replaced(ids: NDArray[np.uint16], seed: int, number: int, lanes: int = 1, length: int = 64) -> list[int]:
    """Where a character is read as `<unk>` in an epoch, as input and as target alike."""
    tokens = len(ids)
    # Counts far below the true ones: many replacements in little text.
    rule = UnknownRule(UNKNOWN, np.array([1, 1, 9, 7, 5, 3, 2, 1]), seed)
    seen: dict[int, set[int]] = {position: set() for position in range(tokens)}
    batches, places = Batches(ids, lanes, length, rule), numbered(tokens, lanes, length)
    for batch, place in zip(epoch(batches, number), epoch(places, number), strict=True):
        for read, where in ((batch.inputs, place.inputs), (batch.targets, place.targets)):
            for token, position in zip(read.ravel().tolist(), where.ravel().tolist(), strict=True):
                assert (token == IGNORED) == (position == IGNORED)
                if position != IGNORED:
                    seen[position].add(token)
    assert all(len(tokens) == 1 for tokens in seen.values())  # the same draw wherever it is met
    read_as = [seen[position].pop() for position in range(tokens)]
    changed = [position for position in range(tokens) if read_as[position] != ids[position]]
    assert all(read_as[position] == UNKNOWN for position in changed)
    return changed


@moderate
@given(LANES, LENGTHS, st.integers(0, 3))
def test_what_is_read_as_unknown_depends_on_neither_lanes_nor_windows(
    lanes: int, length: int, number: int
) -> None:
    ids = some_ids(200)
    assert replaced(ids, 7, number, lanes, length) == replaced(ids, 7, number)


def test_what_is_read_as_unknown_is_another_for_every_seed_and_epoch() -> None:
    ids = some_ids(300)
    seen = {tuple(replaced(ids, seed, number)) for seed in (0, 1, 2, MAX_SEED) for number in range(4)}
    assert len(seen) == 16
    assert replaced(ids, 1, 2) == replaced(ids, 1, 2)


def test_boundaries_are_never_read_as_unknown() -> None:
    ids = some_ids(3000)
    changed = np.array([position for number in range(4) for position in replaced(ids, 3, number)])
    assert set(ids[changed].tolist()) == {2, 3, 4, 5, 6, 7}


@pytest.mark.parametrize("seed", [0, 42, MAX_SEED])
def test_a_character_seen_c_times_is_read_as_unknown_at_a_rate_of_1_to_1_plus_c(seed: int) -> None:
    ids = np.array([0, *[2] * 15, 3, *[4] * 7, *[5] * 3, 2, 1])
    counts = np.bincount(ids)
    batches = Batches(ids, 1, len(ids), UnknownRule(UNKNOWN, counts, seed))
    epochs = 4000
    read = np.concatenate([batches.at(number).inputs for number in range(epochs)], axis=1)  # [T, epochs]
    assert batches.windows == 1
    for token in (2, 3, 4, 5):
        occurrences = read[ids[:-1] == token]
        p = 1 / (1 + counts[token])
        rate = float((occurrences == UNKNOWN).mean())
        assert abs(rate - p) < 4 * (p * (1 - p) / occurrences.size) ** 0.5
        # Now one, now another: no occurrence is spared or drawn always.
        assert ((occurrences == UNKNOWN).any(axis=1) & (occurrences == token).any(axis=1)).all()


def test_without_a_rule_nothing_is_replaced() -> None:
    ids = some_ids(300)
    targets = np.concatenate([batch.targets.ravel() for batch in epoch(Batches(ids, 1, 50))])
    assert targets.tolist() == ids[1:].tolist()


def test_uniform_numbers_are_those_of_splitmix64() -> None:
    # The first five outputs for the seed 1234567, as the reference implementation gives them
    # (rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64).
    reference = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    # The seed of ours at which epoch 0 begins there; both constants are odd, so there is one.
    seed = (1234567 - 0x94D049BB133111EB) * pow(0xBF58476D1CE4E5B9, -1, 2**64) % 2**64
    drawn = uniform(np.arange(1, 6), seed, 0)
    assert drawn.tolist() == [(output >> 11) / 2**53 for output in reference]


@moderate
@given(st.integers(0, 2**40), st.integers(0, MAX_SEED), st.integers(0, 10_000))
def test_uniform_numbers_depend_on_nothing_but_position_seed_and_epoch(
    position: int, seed: int, number: int
) -> None:
    around = uniform(np.arange(position, position + 50).reshape(5, 10), seed, number)
    assert ((around >= 0) & (around < 1)).all()
    assert around[2, 3] == uniform(np.array([position + 23]), seed, number)[0]


@pytest.mark.parametrize("seed", [0, 1, MAX_SEED])
def test_uniform_numbers_are_uniform_over_positions_and_over_epochs(seed: int) -> None:
    over_positions = uniform(np.arange(100_000), seed, 0)
    over_epochs = np.concatenate([uniform(np.arange(10), seed, number) for number in range(10_000)])
    for drawn in (over_positions, over_epochs):
        share = np.histogram(drawn, bins=10, range=(0, 1))[0] / len(drawn)
        assert np.abs(share - 0.1).max() < 5 * (0.1 * 0.9 / len(drawn)) ** 0.5
