"""Where encoded corpora live, and what is remembered of files so that they need not be read again."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from charrnn.errors import StorageError
from charrnn.storage import remove_leftovers, write_atomically
from charrnn.text.document import Document

# A file changed within this time before now may change again without a new time stamp.
SETTLED_SECONDS = 2.0
ABANDONED_SECONDS = 86_400.0
MAX_REMEMBERED = 10_000  # files, if no corpus has more: 2 MB, read in a hundredth of a second
ELSEWHERE = "XDG_CACHE_HOME=/some/folder names another place for the cache"

Signature = tuple[int, int, int]


def folder() -> Path:
    """The cache's folder, `$XDG_CACHE_HOME/charrnn`, made if need be.

    Raises:
        StorageError: if it cannot be made.
    """
    root = os.environ.get("XDG_CACHE_HOME", "")
    try:
        path = (Path(root) if root.startswith("/") else Path.home() / ".cache") / "charrnn"
        path.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path, older_than=ABANDONED_SECONDS)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home folder
        raise StorageError(f"no folder for the cache: {error}", ELSEWHERE) from error
    return path


def signature(path: Path | None) -> Signature | None:
    """What changes whenever a file does: size, inode and time of the last change, in ns.

    Nothing for what is no file, or may change again without a new time stamp.
    """
    if path is None:
        return None
    now = time.time()
    status = path.stat()
    is_settled = now - status.st_mtime_ns / 1e9 > SETTLED_SECONDS
    return (status.st_size, status.st_ino, status.st_mtime_ns) if is_settled else None


def remembered(documents: Sequence[Document]) -> list[str] | None:
    """The digests of documents that have not changed since they were read; `None` if any may have."""
    known = _load()
    digests = []
    for document in documents:
        entry = known.get(_name(document))
        if document.path is None or entry is None or tuple(entry[:3]) != signature(document.path):
            return None
        digests.append(str(entry[3]))
    return digests


def remember(
    documents: Sequence[Document], signatures: Sequence[Signature | None], digests: Sequence[str]
) -> None:
    """Notes the digests of documents whose files had these signatures when they were read, if it can.

    The files longest unread are forgotten, but none of these, or a large corpus would be read every time.
    """
    known = _load()
    for document, before, digest in zip(documents, signatures, digests, strict=True):
        if before is not None:
            known.pop(_name(document), None)  # so that it goes to the end, away from being forgotten
            known[_name(document)] = [*before, digest]
    kept = dict(list(known.items())[-max(MAX_REMEMBERED, len(documents)) :])
    with contextlib.suppress(StorageError):  # without it they are only read once more
        write_atomically(folder() / "digests.json", json.dumps(kept).encode())


def _name(document: Document) -> str:
    return str(Path(document.path or "").absolute())


def _load() -> dict[str, Any]:
    try:
        known = json.loads((folder() / "digests.json").read_bytes())
    except (OSError, ValueError):
        return {}  # a cache may be lost at any time
    if not isinstance(known, dict):
        return {}
    return {name: entry for name, entry in known.items() if isinstance(entry, list) and len(entry) == 4}
