"""What a plain compressor makes of the same validation text, to see what a net's figure is worth."""

from __future__ import annotations

import lzma

MAX_TRAINING_BYTES = 4 << 20
MAX_VALIDATION_BYTES = 1 << 19
MIN_VALIDATION_BYTES = 500  # a file of xz is a multiple of four bytes long, which is much of a few
# One xz pass over this many bytes takes about a second on a laptop; two passes are made.
BYTES_PER_SECOND = 2_500_000


def xz_bits_per_byte(training: bytes, validation: bytes) -> float | None:
    """Bits per byte that `xz` needs for the beginning of a text after it has seen the end of another.

    `None` if that is too short for a figure.

    Measured as the growth of the compressed training text when the validation text is appended, over at
    most 512 KiB of validation text.
    """
    training, validation = training[-MAX_TRAINING_BYTES:], validation[:MAX_VALIDATION_BYTES]
    if len(validation) < MIN_VALIDATION_BYTES:
        return None
    growth = len(lzma.compress(training + validation)) - len(lzma.compress(training))
    return 8.0 * growth / len(validation)
