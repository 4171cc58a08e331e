"""Vectors and their next tokens as the library sees them: pointers and sizes; knows no arrays' library."""

from __future__ import annotations

import ctypes

from charrnn.native.library import Native, check


class Prediction(ctypes.Structure):
    """`struct prediction` of prediction.h, where its fields are described."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("threads", "count", "size", "vocab_size")),
        *(
            (name, ctypes.c_void_p)
            for name in ("vectors", "weight", "bias", "targets", "d_vectors", "d_weight", "d_bias")
        ),
        ("loss", ctypes.c_double),
    )


def predict(native: Native, prediction: Prediction) -> None:
    """Fills the loss and the gradients of a prediction with a vector, a number in it and a token at least.

    Raises:
        MemoryError: if there is none for scores and packed weights.
        IndexError: if a target is no token.
    """
    check(native.library.charrnn_predict(ctypes.byref(prediction), native.road.index))
