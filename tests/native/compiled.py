"""The roads of the compiled library that can be taken on this machine; none where it was not compiled."""

import pytest

from charrnn.native import library
from charrnn.native.library import Road


def _roads() -> list[Road]:
    if not library.FILE.exists():
        return []
    # A road that is not worth taking (the portable one) runs everywhere; others need their instructions.
    return [
        road for road in library.roads(library.open_library()) if road.is_passable or road.name == "portable"
    ]


ROADS = _roads()
needs_library = pytest.mark.skipif(not ROADS, reason="the native library was not compiled")
