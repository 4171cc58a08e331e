"""What tests share: where real data lies, and a cache of their own."""

import os
import signal

# Nets of a dozen units gain nothing from a second thread, and on a busy machine two threads that wait for
# each other take fifty times as long. Set before torch is imported, here and in the programs that tests run.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import pytest

# A shell without job control starts what is sent to the background deaf to Ctrl-C, and so its children.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real texts; tests that need it are skipped where it is missing."""
    folder = Path(os.environ.get("CHARRNN_DATA", SHARED_DATA))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is missing (CHARRNN_DATA names another place)")
    return folder


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in a folder and with a cache of its own, and sees no model of the person's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CHARRNN_MODEL", raising=False)
