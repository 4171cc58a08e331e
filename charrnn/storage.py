"""Bytes to a durable file: after a crash at any moment a path holds the old content or the new, whole."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from charrnn.errors import storage_error

TEMPORARY = ".tmp"
KEPT_BYTES = 100  # of the target's name in that of its temporary file, which must not become too long
TRIES = 3
PAUSE_SECONDS = 0.05


def write_atomically(path: Path, data: bytes) -> None:
    """Puts `data` at `path`, durably; whatever fails, what was there before stays.

    Raises:
        StorageError: if three tries failed (a full disk, say); no temporary file is left behind.
    """
    for attempt in range(TRIES):
        try:
            with atomic_writer(path) as write:
                write(data)
            return
        except OSError as error:
            if attempt == TRIES - 1 or error.errno in (
                errno.EACCES,
                errno.EROFS,
                errno.ENOENT,
                errno.ENOTDIR,
                errno.ENAMETOOLONG,
            ):
                raise storage_error(path, error) from error
            time.sleep(PAUSE_SECONDS * 2**attempt)


def write_named(path: Path, data: bytes) -> None:
    """Puts `data` where a person says: behind a link, and into a device or pipe as it is.

    Raises:
        StorageError: if it cannot be written; a file that was there before stays.
    """
    if path.exists() and not path.is_file():
        try:
            path.write_bytes(data)
        except OSError as error:
            raise storage_error(path, error) from error
        return
    write_atomically(path.resolve() if path.is_symlink() else path, data)


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[Callable[[bytes | memoryview], None]]:
    """A function that appends bytes to what becomes `path` when the block ends well.

    The temporary file lies beside its target (another disk could not be renamed from), and is renamed
    only after a successful fsync: after a failed one nobody knows what the disk holds.

    Raises:
        OSError: whatever the system says; the temporary file is gone by then.
    """
    kept = os.fsencode(path.name)[:KEPT_BYTES].decode(errors="ignore")  # no half of a character
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{kept}-", suffix=TEMPORARY)
    size = 0

    def write(data: bytes | memoryview) -> None:
        nonlocal size
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        size += len(data)

    try:
        try:
            yield write
            os.fchmod(descriptor, 0o666 & ~_umask())  # mkstemp's 0600 would keep the file from sharing
            os.fsync(descriptor)
            if os.fstat(descriptor).st_size != size:
                raise OSError(errno.EIO, "the file is shorter than what was written")
        finally:
            os.close(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes renames and deletions in a folder durable, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems know no fsync of folders
            raise
    finally:
        with contextlib.suppress(OSError):  # nothing was written through it
            os.close(descriptor)


def remove_leftovers(folder: Path, older_than: float = 0.0) -> None:
    """Deletes what killed writers left in a folder.

    Args:
        folder: where to look; the caller makes sure that nobody writes there now.
        older_than: seconds since the last change, for folders where somebody might.
    """
    for leftover in folder.glob(f".*{TEMPORARY}"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime >= older_than:
                leftover.unlink()


def _umask() -> int:
    # The only way to read it is to set it. 0o077 in between: never more open than asked for.
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
