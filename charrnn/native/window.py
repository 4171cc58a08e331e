"""A window of a recurrent layer as the library sees it: pointers and sizes; knows no arrays' library."""

from __future__ import annotations

import ctypes

from charrnn.native.library import Native, check

# As `enum cell` in window.h, by cell and nonlinearity.
CELLS = {
    ("rnn", "tanh"): 0,
    ("rnn", "logistic"): 1,
    ("rnn", "relu"): 2,
    ("lstm", "tanh"): 3,
    ("lstm-peephole", "tanh"): 4,
    ("gru", "tanh"): 5,
    ("gru-after", "tanh"): 6,
}
# Whose windows have the buffer `beside`.
HAVE_BESIDE = ("gru", "gru-after")
STATE = ("hidden", "memory")  # h, and c of the cells that have one
# Weights whose gradients have a place of their own: d_ and the name.
HAVE_GRADIENTS = ("recurrent", "peephole", "embedding", "input", "bias")


class Window(ctypes.Structure):
    """`struct window` of window.h, where its fields are described."""

    _fields_ = (
        ("cell", ctypes.c_int32),
        ("threads", ctypes.c_int32),
        ("steps", ctypes.c_int64),
        ("lanes", ctypes.c_int64),
        ("hidden_size", ctypes.c_int64),
        *(
            (name, ctypes.c_void_p)
            for name in (
                "gates",
                "hidden",
                "memory",
                "beside",
                "recurrent",
                "peephole",
                "inner_bias",
                "d_outputs",
                "d_hidden",
                "d_memory",
                "d_recurrent",
                "d_peephole",
                "ids",
                "embedding",
                "input",
                "bias",
                "table",
                "d_embedding",
                "d_input",
                "d_bias",
            )
        ),
        ("table_rows", ctypes.c_int64),
        ("input_size", ctypes.c_int64),
        ("starts", ctypes.c_void_p),
    )


def forward(native: Native, window: Window) -> None:
    """Goes through the window, which has a step and a lane at least.

    Raises:
        MemoryError: if there is none for the packed weights.
        IndexError: if an id has no embedding.
    """
    assert window.steps > 0  # the library counts on both
    assert window.lanes > 0
    check(native.library.charrnn_forward(ctypes.byref(window), native.road.index))


def backward(native: Native, window: Window) -> None:
    """Goes back through a window that `forward` filled.

    Raises:
        MemoryError: if there is none for the packed weights.
        IndexError: if an id has no embedding.
    """
    check(native.library.charrnn_backward(ctypes.byref(window), native.road.index))
