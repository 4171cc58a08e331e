"""Folders that may not be looked into: as they are for anybody but root, whom no mode keeps out."""

import os
from pathlib import Path

import pytest


def keep_from_listing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses to list folders of this name, as if they lacked the r permission."""
    scandir = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)


def keep_from_looking(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets files in folders of this name be listed but not looked at, as without the x permission."""
    real = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        if path.parent.name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
