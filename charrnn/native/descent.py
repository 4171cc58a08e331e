"""Parameters on their way downhill as the library sees them: pointers and sizes; knows no arrays' library."""

from __future__ import annotations

import ctypes

from charrnn.native.library import Native, check

SETS = 2  # of parameters whose gradients have a norm together


class Parameter(ctypes.Structure):
    """`struct parameter` of descent.h, where its fields are described."""

    _fields_ = (
        ("count", ctypes.c_int64),
        ("set", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("value", "mean", "mean_square", "average", "gradient")),
        ("kept", ctypes.c_double),
        ("rate", ctypes.c_double),
    )


class Descent(ctypes.Structure):
    """`struct descent` of descent.h, where its fields are described."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("threads", "count", "may_move")),
        ("parameters", ctypes.POINTER(Parameter)),
        *((name, ctypes.c_double) for name in ("beta1", "beta2", "scale", "epsilon", "old", "limit")),
        ("norms", ctypes.c_double * SETS),
    )


def descend(native: Native, descent: Descent) -> None:
    """Takes a step and fills the norms of the gradients; unless all are finite nothing moves.

    Raises:
        MemoryError: if there is none for the sums.
    """
    check(native.library.charrnn_descend(ctypes.byref(descent), native.road.index))
