"""Which engine computes, and why."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest

from charrnn.errors import UsageError
from charrnn.native import library
from charrnn.native.library import Native, Plain
from tests.native.compiled import needs_library


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(library.VARIABLE, raising=False)
    library.engine.cache_clear()
    yield
    library.engine.cache_clear()


@needs_library
def test_the_first_passable_road_is_taken() -> None:
    found = library.engine()
    passable = [road for road in library.roads(library.open_library()) if road.is_passable]
    if not passable:
        assert found == Plain("this processor lacks AVX2 and FMA")
    else:
        assert isinstance(found, Native)
        assert found.road == passable[0]


def test_zero_forbids_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(library.VARIABLE, "0")
    assert library.engine() == Plain("CHARRNN_NATIVE=0 or --engine plain")
    assert library.native() is None


def test_without_the_file_there_is_a_reason_and_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(library, "FILE", tmp_path / "libcharrnn.so")
    assert library.engine() == Plain("not compiled when charrnn was installed: was there a C compiler?")


def test_a_file_for_another_machine_is_a_reason_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "libcharrnn.so").write_bytes(b"not a library")
    monkeypatch.setattr(library, "FILE", tmp_path / "libcharrnn.so")
    found = library.engine()
    assert isinstance(found, Plain)
    assert found.reason.startswith("the library cannot be loaded: ")


@needs_library
def test_a_library_of_another_version_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = library.open_library()
    sizes = [opened.charrnn_size(index) for index in range(32)]
    assert sizes[0] > 0
    assert sizes[-1] == 0

    class Smaller:
        """One whose window lacked its last field."""

        @staticmethod
        def charrnn_interface() -> int:
            return library.INTERFACE

        @staticmethod
        def charrnn_size(index: int) -> int:
            return int(sizes[index]) - 8 * (index == 0)

    class Older:
        """One whose structures are as large, but of which one means something else."""

        charrnn_size = opened.charrnn_size

        @staticmethod
        def charrnn_interface() -> int:
            return library.INTERFACE - 1

    def lacking() -> ctypes.CDLL:
        raise AttributeError("undefined symbol: charrnn_size")

    for another in (Smaller, Older, lacking):
        monkeypatch.setattr(library, "open_library", another)
        library.engine.cache_clear()
        assert library.engine() == Plain("the library is of another version: install charrnn again")


def test_a_demanded_library_that_is_missing_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(library, "FILE", tmp_path / "libcharrnn.so")
    monkeypatch.setenv(library.VARIABLE, "1")
    with pytest.raises(UsageError, match="--engine native or CHARRNN_NATIVE=1: not compiled when"):
        library.engine()


@needs_library
def test_a_road_past_the_last_has_no_name() -> None:
    opened = library.open_library()
    count = len(list(library.roads(opened)))
    assert isinstance(opened, ctypes.CDLL)
    assert opened.charrnn_road_name(count) is None
