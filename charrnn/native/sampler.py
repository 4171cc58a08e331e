"""A net that reads and writes text as the library sees it: pointers and sizes; knows no arrays' library."""

from __future__ import annotations

import ctypes
import weakref

from charrnn.native.library import Native, check

MOST_ROWS = 64  # texts that are written side by side, as MOST_ROWS of net.h: there is room for no more


class LayerWeights(ctypes.Structure):
    """`struct layer_weights` of sampler.h, where its fields are described."""

    _fields_ = tuple(
        (name, ctypes.c_void_p) for name in ("input", "bias", "recurrent", "peephole", "inner_bias")
    )


class Net(ctypes.Structure):
    """`struct net` of sampler.h."""

    _fields_ = (
        ("cell", ctypes.c_int32),
        ("is_quantized", ctypes.c_int32),
        ("vocab_size", ctypes.c_int64),
        ("embedding_size", ctypes.c_int64),
        ("layer_count", ctypes.c_int64),
        ("hidden_size", ctypes.c_int64),
        ("zoneout", ctypes.c_float),
        *((name, ctypes.c_void_p) for name in ("table", "embedding", "projection", "output", "output_bias")),
        ("layers", ctypes.POINTER(LayerWeights)),
    )


class States(ctypes.Structure):
    """`struct states` of sampler.h."""

    _fields_ = (("lanes", ctypes.c_int64), ("hidden", ctypes.c_void_p), ("memory", ctypes.c_void_p))


class Reading(ctypes.Structure):
    """`struct reading` of sampler.h."""

    _fields_ = (
        ("threads", ctypes.c_int64),
        ("steps", ctypes.c_int64),
        ("lane", ctypes.c_int64),
        ("tokens", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p),
    )


class Writing(ctypes.Structure):
    """`struct writing` of sampler.h."""

    _fields_ = (
        ("threads", ctypes.c_int64),
        ("steps", ctypes.c_int64),
        ("rows", ctypes.c_int64),
        ("lanes", ctypes.c_void_p),
        ("forbidden", ctypes.c_void_p),
        ("turning", ctypes.c_void_p),
        ("uniforms", ctypes.c_void_p),
        ("temperature", ctypes.c_double),
        ("top_p", ctypes.c_double),
        ("min_p", ctypes.c_double),
        ("top_k", ctypes.c_int64),
        ("tokens", ctypes.c_void_p),
        ("nats", ctypes.c_void_p),
        ("drawn", ctypes.c_void_p),
    )


class Sampler:
    """A net with its weights packed, in the library's memory for as long as this object lives."""

    def __init__(self, native: Native, net: Net) -> None:
        """Packs the weights.

        Args:
            native: the library.
            net: whose biases, table and embedding must outlive this object; the rest is copied.

        Raises:
            MemoryError: if there is none for the packed weights.
        """
        address = native.library.charrnn_sampler(ctypes.byref(net), native.road.index)
        if not address:
            raise MemoryError
        self._library = native.library
        self._net = net
        self._address = ctypes.c_void_p(address)
        weakref.finalize(self, native.library.charrnn_sampler_free, self._address)

    def read(self, states: States, reading: Reading) -> None:
        """Reads tokens into a lane's state.

        Raises:
            MemoryError: if there is none to work in.
        """
        check(self._library.charrnn_read(self._address, ctypes.byref(states), ctypes.byref(reading)))

    def write(self, states: States, writing: Writing) -> None:
        """Writes tokens after the states of some lanes, at most `MOST_ROWS`.

        Raises:
            MemoryError: if there is none to work in.
        """
        assert 1 <= writing.rows <= MOST_ROWS  # the library would write beyond its room
        check(self._library.charrnn_write(self._address, ctypes.byref(states), ctypes.byref(writing)))
