"""A path holds the old content or the new: under failing calls, kills, and cuts of the power."""

import errno
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from charrnn import storage
from charrnn.errors import StorageError
from charrnn.storage import atomic_writer, remove_leftovers, write_atomically, write_named

OLD = b"what was there before"
NEW = bytes(range(256)) * 20
ROOT = Path(storage.__file__).parents[1]
KINDS = ("open", "write", "fchmod", "fsync", "fstat", "close", "replace")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EINTR)

# The number of an error that the k-th call of a kind gets instead of its answer.
Fault = Callable[[str, int], int | None]


class Call(NamedTuple):
    kind: str
    path: Path
    data: bytes = b""  # what a write wrote
    failed: bool = False


class Calls:
    """Stands between `charrnn.storage` and the system: notes what is asked, and lets some of it fail."""

    def __init__(self, patch: pytest.MonkeyPatch, fault: Fault = lambda *_: None) -> None:
        self.log: list[Call] = []
        self.counts: Counter[str] = Counter()
        self._fault = fault
        self._paths: dict[int, Path] = {}
        patch.setattr(storage, "PAUSE_SECONDS", 0.0)
        for kind in KINDS:
            patch.setattr(os, kind, self._between(kind, getattr(os, kind)))

    def _between(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(subject: Any, *rest: Any, **named: Any) -> Any:
            path = self._paths[subject] if isinstance(subject, int) else Path(subject)
            self.counts[kind] += 1
            if number := self._fault(kind, self.counts[kind]):
                self.log.append(Call(kind, path, failed=True))
                if kind == "close":  # the descriptor is gone all the same
                    real(subject)
                raise OSError(number, os.strerror(number))
            answer = real(subject, *rest, **named)
            if kind == "open":
                self._paths[answer] = path
            self.log.append(Call(kind, path, bytes(rest[0])[:answer] if kind == "write" else b""))
            return answer

        return call


def after_a_power_cut(log: list[Call], old: bytes | None) -> set[bytes | None]:
    """Every content a target may have if the power fails after these calls.

    A file is sure to hold what was written before its last successful fsync, and nothing is sure of a file
    whose fsync ever failed; a rename is sure once its folder was synced. Whatever is not sure may have
    happened, may not have happened, and may have happened by halves (Pillai et al. 2014, "ALICE").
    """
    written: dict[Path, bytes] = {}
    synced: dict[Path, bytes] = {}
    distrusted: set[Path] = set()
    shown: list[Path | None] = [None]  # the files that the target may be; none for the old one
    for kind, path, data, failed in log:
        if kind == "write":
            written[path] = written.get(path, b"") + data
        elif kind == "fsync" and path.is_dir():
            shown = shown if failed else shown[-1:]
        elif kind == "fsync" and failed:
            distrusted.add(path)
        elif kind == "fsync":
            synced[path] = written.get(path, b"")
        elif kind == "replace" and not failed:
            shown.append(path)
    contents: set[bytes | None] = set()
    for file in shown:
        if file is None:
            contents.add(old)
            continue
        sure = b"" if file in distrusted else synced.get(file, b"")
        whole = written.get(file, b"")
        contents |= {sure, whole, whole[: (len(sure) + len(whole)) // 2], sure.ljust(len(whole), b"\0")}
    return contents


@pytest.fixture(params=[OLD, None], ids=["over an old file", "a new file"])
def target(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Where to write, in a folder with nothing else in it."""
    path = tmp_path / "folder" / "model"
    path.parent.mkdir()
    if request.param is not None:
        path.write_bytes(request.param)
    return path


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def assert_nothing_beside(path: Path) -> None:
    assert {item.name for item in path.parent.iterdir()} <= {path.name}


@pytest.mark.parametrize("data", [b"", b"x", NEW], ids=len)
def test_what_was_written_is_there(target: Path, data: bytes) -> None:
    write_atomically(target, data)
    assert target.read_bytes() == data
    assert_nothing_beside(target)


def test_at_no_moment_a_power_cut_leaves_anything_but_old_or_new(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = content(target)
    with monkeypatch.context() as patch:
        calls = Calls(patch)
        write_atomically(target, NEW)
    for moment in range(len(calls.log) + 1):
        assert after_a_power_cut(calls.log[:moment], old) <= {old, NEW}
    assert after_a_power_cut(calls.log, old) == {NEW}


# Kind, k, and whether every later call of that kind fails too: for all calls of one good save.
TWICE = ("open", "fsync", "close")  # once for the file, once for its folder
FAULTS = [
    (kind, k, for_ever)
    for kind in KINDS
    for k in range(1, 3 if kind in TWICE else 2)
    for for_ever in (False, True)
]


def test_the_faults_below_meet_every_call_of_a_save(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        calls = Calls(patch)
        write_atomically(target, NEW)
    assert dict(calls.counts) == Counter(kind for kind, _, for_ever in FAULTS if for_ever)


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize(("kind", "k", "for_ever"), FAULTS)
def test_a_failing_call_leaves_old_or_new_and_never_claims_what_is_not_durable(
    target: Path, kind: str, k: int, for_ever: bool, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(called: str, count: int) -> int | None:
        return number if called == kind and (count >= k if for_ever else count == k) else None

    old, complaint = content(target), None
    with monkeypatch.context() as patch:
        calls = Calls(patch, fault)
        try:
            write_atomically(target, NEW)
        except StorageError as error:
            complaint = error.message
    assert_nothing_beside(target)
    assert content(target) in (old, NEW)
    for moment in range(len(calls.log) + 1):
        assert after_a_power_cut(calls.log[:moment], old) <= {old, NEW}
    is_durable = after_a_power_cut(calls.log, old) == {NEW}
    assert complaint == (None if is_durable else f"{target}: {os.strerror(number)}")
    # What another try may mend is tried again, a missing permission is not; and nothing hangs on the
    # close of a folder that is synced.
    is_mendable = not for_ever and number != errno.EACCES
    assert is_durable == (is_mendable or (kind, k) == ("close", 2))


def test_a_file_whose_fsync_failed_is_thrown_away_not_synced_again(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        calls = Calls(patch, lambda kind, k: errno.EIO if (kind, k) == ("fsync", 1) else None)
        write_atomically(target, NEW)
    (failed,) = [call.path for call in calls.log if call.failed]
    renamed = [call.path for call in calls.log if call.kind == "replace"]
    assert len(renamed) == 1
    assert failed not in renamed
    assert [call.kind for call in calls.log if call.path == failed].count("fsync") == 1


def test_three_tries_and_no_fourth(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with monkeypatch.context() as patch:
        calls = Calls(patch, lambda kind, _: errno.ENOSPC if kind == "write" else None)
        patch.setattr(storage, "PAUSE_SECONDS", 0.05)
        with pytest.raises(StorageError):
            write_atomically(target, NEW)
    assert calls.counts["write"] == 3
    assert pauses == [0.05, 0.1]


def test_a_folder_that_knows_no_fsync_is_no_error(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        calls = Calls(patch, lambda kind, k: errno.EINVAL if kind == "fsync" and k % 2 == 0 else None)
        write_atomically(target, NEW)
    assert [call.path for call in calls.log if call.failed] == [target.parent]
    assert target.read_bytes() == NEW


@pytest.mark.parametrize("at_most", [1, 7, 5119])
def test_short_writes_are_completed(target: Path, at_most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real, lengths = os.write, []

    def short(descriptor: int, data: memoryview) -> int:
        lengths.append(real(descriptor, data[:at_most]))
        return lengths[-1]

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short)
        write_atomically(target, NEW)
    assert target.read_bytes() == NEW
    assert len(lengths) == -(-len(NEW) // at_most)


def test_a_file_shorter_than_what_was_written_is_not_taken(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, real = content(target), os.write

    def boasting(descriptor: int, data: memoryview) -> int:
        return real(descriptor, data[:-1]) + 1

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", boasting)
        patch.setattr(storage, "PAUSE_SECONDS", 0.0)
        with pytest.raises(StorageError) as caught:
            write_atomically(target, NEW)
    assert caught.value.message == f"{target}: the file is shorter than what was written"
    assert content(target) == old
    assert_nothing_beside(target)


def test_a_real_limit_on_the_size_of_files_leaves_the_old(target: Path) -> None:
    old = content(target)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from pathlib import Path; from charrnn.errors import StorageError; from charrnn import storage\n"
        "try: storage.write_atomically(Path('model'), bytes(5000))\n"
        "except StorageError as error: print(error.message, end='')"
    )
    assert python(code, target.parent) == "model: File too large"
    assert content(target) == old
    assert_nothing_beside(target)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [("missing/model", "No such file or directory"), ("file/model", "Not a directory")],
)
def test_a_folder_that_is_none_is_named_at_once(
    path: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").touch()
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("tried again"))
    with pytest.raises(StorageError) as caught:
        write_atomically(Path(path), NEW)
    assert caught.value.message == f"{path}: {complaint}"


def test_a_folder_in_the_way_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "PAUSE_SECONDS", 0.0)
    (tmp_path / "model").mkdir()
    with pytest.raises(StorageError) as caught:
        write_atomically(tmp_path / "model", NEW)
    assert caught.value.message == f"{tmp_path / 'model'}: Is a directory"
    assert [item.name for item in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o027, 0o077], ids=oct)
def test_the_mode_honours_the_umask_and_leaves_it(target: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_atomically(target, NEW)
        assert target.stat().st_mode & 0o7777 == 0o666 & ~umask
    finally:
        assert os.umask(before) == umask


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_bytes(OLD)
    link.symlink_to(other)
    write_atomically(link, NEW)
    assert (other.read_bytes(), link.read_bytes(), link.is_symlink()) == (OLD, NEW, False)


@pytest.mark.parametrize("is_there", [True, False])
def test_what_a_person_names_is_written_behind_a_link(tmp_path: Path, *, is_there: bool) -> None:
    real, link = tmp_path / "elsewhere" / "real", tmp_path / "link"
    real.parent.mkdir()
    if is_there:
        real.write_bytes(OLD)
    link.symlink_to("elsewhere/real")
    write_named(link, NEW)
    assert link.is_symlink()
    assert real.read_bytes() == NEW


def test_what_a_person_names_is_written_into_a_pipe_which_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_named(pipe, NEW)
        assert os.read(reader, len(NEW) + 1) == NEW
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_what_a_person_names_is_written_whole_or_not_at_all(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(target)
    with monkeypatch.context() as patch:
        Calls(patch, lambda kind, _: errno.ENOSPC if kind == "write" else None)
        with pytest.raises(StorageError) as caught:
            write_named(target, NEW)
    assert caught.value.message == f"{target}: No space left on device"
    assert content(target) == before
    assert_nothing_beside(target)


def test_a_folder_that_a_person_names_is_no_place_to_write(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        write_named(tmp_path, NEW)
    assert caught.value.message == f"{tmp_path}: Is a directory"


def test_the_temporary_file_lies_beside_its_target(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    with monkeypatch.context() as patch:
        calls = Calls(patch)
        write_atomically(target, NEW)
    (renamed,) = [call.path for call in calls.log if call.kind == "replace"]
    assert renamed.parent == target.parent


@pytest.mark.parametrize("character", [b"x", "é".encode(), "字".encode(), "🙂".encode(), b"\xff"])
def test_a_name_as_long_as_the_file_system_has_them_is_written(tmp_path: Path, character: bytes) -> None:
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    for shift in range(4):  # the cut falls at every byte of a character
        name = b"y" * shift + character * ((longest - shift) // len(character))
        target = tmp_path / os.fsdecode(name)
        write_atomically(target, b"whole")
        assert list(tmp_path.iterdir()) == [target]
        target.unlink()


def test_a_name_that_is_too_long_is_said_in_the_words_of_the_system(tmp_path: Path) -> None:
    name = "x" * (os.pathconf(tmp_path, "PC_NAME_MAX") + 1)
    with pytest.raises(StorageError) as caught:
        write_atomically(tmp_path / name, b"")
    assert caught.value.message == f"{tmp_path / name}: File name too long"
    assert list(tmp_path.iterdir()) == []


def test_pieces_are_joined_in_order(target: Path) -> None:
    with atomic_writer(target) as write:
        for start in range(0, len(NEW), 1000):
            write(memoryview(NEW)[start : start + 1000])
    assert target.read_bytes() == NEW


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_raises_leaves_the_old(target: Path, kind: type[BaseException]) -> None:
    old = content(target)
    with pytest.raises(kind), atomic_writer(target) as write:  # noqa: PT012 (the block is what is tested)
        write(NEW)
        raise kind
    assert content(target) == old
    assert_nothing_beside(target)


def test_no_descriptor_stays_open(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened() -> int:
        probe = os.open(target.parent, os.O_RDONLY)  # the lowest number that is free
        os.close(probe)
        return probe

    before = opened()
    for kind in KINDS:
        with monkeypatch.context() as patch:
            Calls(patch, lambda called, _, kind=kind: errno.EIO if called == kind else None)  # type: ignore[misc]
            with pytest.raises(StorageError):
                write_atomically(target, NEW)
        assert opened() == before, kind


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    names = (".model-abc.tmp", ".last-x.tmp", "model", "notes.tmp", ".lock", ".tmp.txt")
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / ".folder.tmp").mkdir()
    remove_leftovers(tmp_path)
    assert {item.name for item in tmp_path.iterdir()} == {*names[2:], ".folder.tmp"}
    remove_leftovers(tmp_path / "missing")


def test_leftovers_that_are_still_young_stay(tmp_path: Path) -> None:
    young, old = tmp_path / ".young.tmp", tmp_path / ".old.tmp"
    for path, age in ((young, 50), (old, 150)):
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    remove_leftovers(tmp_path, older_than=100)
    assert [item.name for item in tmp_path.iterdir()] == [".young.tmp"]


SAVE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from charrnn.storage import write_atomically
write_atomically(Path("model"), bytes(range(256)) * 20)
"""
# A question mark lets strace pass over calls that this processor's kernel does not have.
TRACED = ("openat", "write", "fchmod", "fsync", "close", "?rename", "?renameat", "?renameat2")


def test_killed_at_any_call_of_a_save_old_or_new_remains(target: Path) -> None:
    old, folder = content(target), target.parent
    trace = folder.parent / "trace"
    strace("-o", str(trace), "-e", f"trace={','.join(TRACED)}", cwd=folder)
    assert target.read_bytes() == NEW
    crash_points = list(calls_of_the_save(trace.read_text()))
    assert {"openat", "write", "fchmod", "fsync", "close"} < {name for name, _ in crash_points}
    assert [name for name, _ in crash_points].count("fsync") == 2
    seen = set()
    for name, k in crash_points:
        target.unlink(missing_ok=True) if old is None else target.write_bytes(old)
        killed = strace("-o", os.devnull, "-e", f"trace={name}", *kill(name, k), cwd=folder)
        assert killed.returncode in (-9, 137), f"not killed at {name} {k}"
        assert content(target) in (old, NEW), f"neither old nor new after a kill at {name} {k}"
        seen.add(content(target))
        remove_leftovers(folder)
        assert_nothing_beside(target)
    assert seen == {old, NEW}  # the kills fell on both sides of the rename


def calls_of_the_save(trace: str) -> Iterator[tuple[str, int]]:
    """Name and number of every call from the creation of the temporary file to the folder's close."""
    counts: Counter[str] = Counter()
    is_saving, syncs = False, 0
    for line in trace.splitlines():
        name = re.sub(r"^\d+ +", "", line).partition("(")[0]
        counts[name] += 1
        is_saving |= ".tmp" in line
        if is_saving:
            yield name, counts[name]
        syncs += name == "fsync"
        if syncs == 2 and name == "close":
            return


def kill(name: str, k: int) -> tuple[str, str]:
    return "-e", f"inject={name}:signal=SIGKILL:when={k}"


def strace(*options: str, cwd: Path) -> "subprocess.CompletedProcess[bytes]":
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    may = subprocess.run([program, "-o", os.devnull, "true"], capture_output=True)
    if may.returncode:
        pytest.skip(f"strace may not trace: {may.stderr.decode(errors='replace').strip()}")
    # -I -S -B: the same calls every time, whatever lies around.
    saver = (sys.executable, "-I", "-S", "-B", "-c", SAVE)
    return subprocess.run([program, "-f", "-qq", *options, *saver], cwd=cwd, capture_output=True)


def python(code: str, cwd: Path) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
