"""A step of AdamW as the library sees it: pointers and sizes; knows no arrays' library."""

from __future__ import annotations

import ctypes

from charrnn.native.library import Native, check

SETS = 2  # of parameters whose gradients have a norm together


class Moving(ctypes.Structure):
    """`struct moving` of adamw.h, where its fields are described."""

    _fields_ = (
        ("count", ctypes.c_int64),
        ("set", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("value", "mean", "mean_square", "average", "gradient")),
        ("kept", ctypes.c_double),
        ("rate", ctypes.c_double),
    )


class Step(ctypes.Structure):
    """`struct adamw` of adamw.h, where its fields are described."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("threads", "count", "may_move")),
        ("moving", ctypes.POINTER(Moving)),
        *((name, ctypes.c_double) for name in ("beta1", "beta2", "scale", "epsilon", "old", "limit")),
        ("norms", ctypes.c_double * SETS),
    )


def take(native: Native, step: Step) -> None:
    """Fills the norms of the gradients and, if it may and all are finite, moves parameters and averages.

    Raises:
        MemoryError: if there is none for the sums.
    """
    check(native.library.charrnn_adamw(ctypes.byref(step), native.road.index))
