"""What xz makes of a text."""

import lzma
import random

import pytest

from charrnn.evaluation import yardstick
from charrnn.evaluation.yardstick import xz_bits_per_byte


def test_a_text_seen_before_costs_next_to_nothing_and_noise_costs_eight_bits() -> None:
    noise = random.Random(0).randbytes(20_000)
    other = random.Random(1).randbytes(20_000)
    seen, new = xz_bits_per_byte(noise, noise), xz_bits_per_byte(noise, other)
    assert seen is not None
    assert new is not None
    assert seen < 0.2
    assert 8.0 <= new < 8.2


def test_it_is_the_growth_of_the_compressed_text() -> None:
    training, validation = (
        b"to be or not to be, that is the question. " * 50,
        b"to be or not to sleep: the rub. " * 40,
    )
    growth = len(lzma.compress(training + validation)) - len(lzma.compress(training))
    assert xz_bits_per_byte(training, validation) == 8 * growth / len(validation)


@pytest.mark.parametrize("length", [0, 12, 499])
def test_of_a_few_bytes_there_is_no_figure(length: int) -> None:
    assert xz_bits_per_byte(b"to be or not to be" * 50, b"x" * length) is None


def test_of_long_texts_it_takes_what_is_next_to_the_split(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(1).randbytes(3000)
    monkeypatch.setattr(yardstick, "MIN_VALIDATION_BYTES", 50)
    known, new = noise[2000:2050], noise[2700:]
    near = xz_bits_per_byte(noise[2000:2700], known)
    monkeypatch.setattr(yardstick, "MAX_TRAINING_BYTES", 700)
    monkeypatch.setattr(yardstick, "MAX_VALIDATION_BYTES", 50)
    assert xz_bits_per_byte(noise[:2700], known + new) == near
