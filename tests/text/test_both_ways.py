"""Windows of a stream and of the same stream from its end."""

import numpy as np

from charrnn.text.both_ways import BatchesBothWays

IDS = np.arange(100) * 7 % 97


def seen(batches: BatchesBothWays, way: int) -> list[int]:
    """Inputs and last targets of the lanes, one after the other."""
    windows = [batches.at(step).windows[way] for step in range(batches.windows)]
    lanes = np.concatenate([window.inputs for window in windows]).T
    return [int(token) for lane in lanes for token in lane][: len(IDS) - 1]


def test_each_way_reads_every_id_the_second_from_the_end() -> None:
    batches = BatchesBothWays(IDS, batch_size=3, seq_len=11, both=True)
    assert seen(batches, 0) == IDS[:-1].tolist()
    assert seen(batches, 1) == IDS[:0:-1].tolist()


def test_tokens_are_those_of_both() -> None:
    batches = BatchesBothWays(IDS, batch_size=3, seq_len=11, both=True)
    assert batches.tokens == 2 * 99
    assert sum(batches.at(step).tokens for step in range(batches.windows)) == batches.tokens


def test_a_net_of_one_direction_reads_one_way() -> None:
    batches = BatchesBothWays(IDS, batch_size=3, seq_len=11, both=False)
    assert len(batches.at(0).windows) == 1
    assert batches.tokens == 99
