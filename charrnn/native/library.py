"""Finds the compiled library and the road it takes on this processor, or says why there is none."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from charrnn.errors import UsageError

# 0 forbids the library, 1 demands it, as --engine plain and --engine native do.
VARIABLE = "CHARRNN_NATIVE"
NO_ROW = -2  # a status: an id has no row in its table
INTERFACE = 1  # as in roads.c, where it is described
FILE = Path(__file__).with_name("libcharrnn.so")


@dataclass(frozen=True, slots=True)
class Road:
    """The library's code for one set of instructions."""

    name: str
    index: int
    is_passable: bool  # worth taking on this processor


@dataclass(frozen=True, slots=True)
class Native:
    """The library, and the road taken."""

    library: ctypes.CDLL
    road: Road

    def __str__(self) -> str:
        return f"native ({self.road.name})"


@dataclass(frozen=True, slots=True)
class Plain:
    """No library: torch trains and NumPy runs."""

    reason: str

    def __str__(self) -> str:
        return f"plain ({self.reason})"


OF_ANOTHER_VERSION = Plain("the library is of another version: install charrnn again")


@functools.cache
def engine() -> Native | Plain:
    """What computes in this process.

    Raises:
        UsageError: if the library is demanded and not there, or the variable says neither 0 nor 1.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in ("", "0", "1"):
        raise UsageError(f"{VARIABLE}={wanted}: must be 0, 1 or empty")
    if wanted == "0":
        return Plain(f"{VARIABLE}=0 or --engine plain")
    found = _best()
    if isinstance(found, Plain) and wanted == "1":
        raise UsageError(
            f"--engine native or {VARIABLE}=1: {found.reason}", "leave it out to do without the library"
        )
    return found


def native() -> Native | None:
    """The library, if this process computes with it."""
    chosen = engine()
    return chosen if isinstance(chosen, Native) else None


def roads(library: ctypes.CDLL) -> Iterator[Road]:
    """All roads that are compiled in, the best first."""
    index = 0
    while name := library.charrnn_road_name(index):
        yield Road(name.decode(), index, bool(library.charrnn_road_is_passable(index)))
        index += 1


def open_library() -> ctypes.CDLL:
    """The library with its functions declared.

    Raises:
        OSError: if it was not compiled, or not for this machine.
        AttributeError: if it lacks a function, being of another version.
    """
    library = ctypes.CDLL(str(FILE))
    library.charrnn_interface.restype = ctypes.c_int32
    library.charrnn_road_name.restype = ctypes.c_char_p
    library.charrnn_sampler.restype = ctypes.c_void_p
    library.charrnn_size.restype = ctypes.c_int64
    return library


def check(status: int) -> None:
    """Raises what a function of the library says by its status.

    Raises:
        MemoryError: if memory ran out.
        IndexError: if an id has no row in the table where it is looked up.
    """
    if status == NO_ROW:
        raise IndexError("an id has no row in its table")
    if status:
        raise MemoryError


def _best() -> Native | Plain:
    if not FILE.exists():
        return Plain("not compiled when charrnn was installed: was there a C compiler?")
    try:
        library = open_library()
    except OSError as error:
        return Plain(f"the library cannot be loaded: {error}")
    except AttributeError:
        return OF_ANOTHER_VERSION
    if library.charrnn_interface() != INTERFACE or not _has_our_structures(library):
        return OF_ANOTHER_VERSION
    for road in roads(library):
        if road.is_passable:
            return Native(library, road)
    return Plain("this processor lacks AVX2 and FMA")


def _has_our_structures(library: ctypes.CDLL) -> bool:
    # Here, for they need this module.
    from charrnn.native.adamw import Moving, Step
    from charrnn.native.prediction import Prediction
    from charrnn.native.sampler import LayerWeights, Net, Reading, States, Writing
    from charrnn.native.window import Window

    structures = (Window, LayerWeights, Net, States, Reading, Writing, Prediction, Moving, Step)
    ours = [ctypes.sizeof(structure) for structure in structures]
    return [library.charrnn_size(index) for index in range(len(ours) + 1)] == [*ours, 0]
