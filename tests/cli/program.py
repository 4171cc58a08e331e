"""charrnn as a person runs it: in a process of its own, in a pipe or on a terminal."""

import fcntl
import functools
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROGRAM = (sys.executable, "-m", "charrnn")
# How the program calls itself in the commands it prints.
CALLED = f"{Path(sys.executable).name} -m charrnn"
# What could change the output, or make a stream other than it is for most.
UNSET = ("CHARRNN_", "COLUMNS", "FORCE_COLOR", "LC_", "LINES", "NO_COLOR", "PYTHON", "TERM", "TQDM_", "TTY_")
PATIENCE = 60.0
# Escape sequences of Rich and tqdm: attributes and colours (never 5, blinking), cursor up, erase, hide, show.
OURS = re.compile(r"\x1b\[(?!5m)[0-9;]*m|\x1b\[[0-9]*[AK]|\x1b\[\?25[lh]")


@dataclass(frozen=True)
class Answer:
    """What came back: the status (negative for a signal) and both streams."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()

    @property
    def lines(self) -> list[str]:
        """The lines on stderr."""
        return self.stderr.splitlines()


def environment(**changes: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(UNSET)}
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    settled = {"LANG": "C.UTF-8", "TERM": "xterm-256color", "PATH": path}
    # Trainings side by side would otherwise spin on each other's cores, ten times as long.
    return {**inherited, **settled, "OMP_NUM_THREADS": "1", **changes}


def start(*words: str | Path | bytes, **options: Any) -> subprocess.Popen[bytes]:
    """The program, started; streams are pipes, and stdin is empty, unless told otherwise."""
    changes = options.pop("env", {})
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    streams: dict[str, Any] = pipes | options
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [*PROGRAM, *words], env=environment(**changes), **streams
    )
    return process


def run(*words: str | Path | bytes, given: bytes | None = None, **options: Any) -> Answer:
    """The program's answer; `given` is piped into it."""
    if given is not None:
        options["stdin"] = subprocess.PIPE
    return ended(start(*words, **options), given)


def ended(process: subprocess.Popen[bytes], given: bytes | None = None) -> Answer:
    """What a started program says until its end."""
    with process:
        try:
            stdout, stderr = process.communicate(given, timeout=PATIENCE)
        except BaseException:
            process.kill()
            raise
    return Answer(process.returncode, stdout or b"", (stderr or b"").decode())


def in_shell(script: str, *words: str | Path, **options: Any) -> Answer:
    """The answer of a shell script that calls the program as "$@": `"$@" >&-`, `"$@" | head -c 1`."""
    changes = options.pop("env", {})
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL} | options
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *PROGRAM, *words],
        env=environment(**changes),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        **streams,
    )
    return Answer(done.returncode, done.stdout, done.stderr.decode())


class _Warm:
    """A process that has imported everything, or everything but torch, and forks one for each command."""

    def __init__(self, *, has_torch: bool) -> None:
        self._folder = tempfile.TemporaryDirectory()  # for the streams
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.warm", *(["torch"] if has_torch else [])],
            cwd=Path(__file__).parents[2],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def answer(self, words: Sequence[str], given: bytes | None) -> Answer:
        streams = {name: self._file(name) for name in ("given", "stdout", "stderr")}
        for stream in streams.values():
            stream.write_bytes(b"")
        if given is None:
            streams["given"] = Path(os.devnull)
        else:
            streams["given"].write_bytes(given)
        request = {name: str(path) for name, path in streams.items()} | {
            "words": words,
            "folder": str(Path.cwd()),
            "cache": os.environ["XDG_CACHE_HOME"],
            "imported": str(self._file("imported")),
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request).encode() + b"\n")
        self._server.stdin.flush()
        status = int(self._server.stdout.readline())
        return Answer(status, streams["stdout"].read_bytes(), streams["stderr"].read_text())

    def imported(self) -> set[str]:
        """The modules of the last command."""
        return set(self._file("imported").read_text().split())

    def close(self) -> None:
        self._server.communicate()
        self._folder.cleanup()

    def _file(self, name: str) -> Path:
        return Path(self._folder.name, name)


@functools.cache
def _with_torch() -> _Warm:
    return _Warm(has_torch=True)


@functools.cache
def _without_torch() -> _Warm:
    return _Warm(has_torch=False)


def warm(*words: str, given: bytes | None = None) -> Answer:
    """The program's answer in a tenth of the time: from a process forked off one that is up already.

    All its streams are files; `given` is what stands in the one on stdin.
    """
    return _with_torch().answer(words, given)


def lukewarm(*words: str, given: bytes | None = None) -> tuple[Answer, set[str]]:
    """The same from a process that has not imported torch; and which modules there were in the end."""
    server = _without_torch()
    return server.answer(words, given), server.imported()


def cool_down() -> None:
    """Ends the processes that are forked from."""
    for server in (_with_torch, _without_torch):
        if server.cache_info().currsize:
            server().close()


class Terminal:
    """A terminal with the program in its foreground."""

    def __init__(self, *words: str, rows: int = 40, columns: int = 120, **options: Any) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        streams = {"stdin": slave, "stdout": slave, "stderr": slave} | options
        self.process = start(
            *words,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
            **streams,
        )
        os.close(slave)
        self._bytes = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, text: str) -> None:
        """Reads on until this has been shown."""
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self._bytes:
            assert self._read(deadline), f"no {text!r} in {self._bytes!r}"

    def finish(self) -> tuple[int, str]:
        """The status, and all that was shown, once the program has ended."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        # The terminal's echo of what was typed may fall between the bytes of a character.
        return self.process.wait(PATIENCE), self._bytes.decode(errors="replace")

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing more after {self._bytes!r}"
        try:
            more = os.read(self._master, 65_536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self._bytes += more
        return bool(more)


def shown(*words: str, **options: Any) -> str:
    """All that a command shows on a terminal, once it has ended well."""
    with Terminal(*words, **options) as terminal:
        status, text = terminal.finish()
    assert status == 0, text
    return text


def live_bytes(text: str) -> set[str]:
    """What a terminal would obey in a text, or hide, besides our own drawing and line ends."""
    rest = OURS.sub("", text)
    hidden = {
        "\x7f",
        *map(chr, range(0x80, 0xA0)),
        *map(chr, range(0x202A, 0x202F)),
        *map(chr, range(0x2066, 0x206A)),
    }
    return {
        character
        for character in rest
        if (character < " " and character not in "\r\n") or character in hidden
    }
