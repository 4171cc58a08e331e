"""Signals set a flag; handlers are put back."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Any

import pytest

from charrnn.errors import Signalled
from charrnn.training.interrupt import SIGNALS, raised, watched


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_only_sets_the_flag(number: signal.Signals) -> None:
    # Whoever started the tests may have had it ignored, as `nohup` does.
    inherited = signal.signal(number, signal.SIG_DFL)
    try:
        with watched() as interrupt:
            assert not interrupt.requested
            os.kill(os.getpid(), number)
            assert interrupt.requested
            assert interrupt.signal_number == number
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, inherited)


def test_the_second_signal_ends_the_process_by_it() -> None:
    code = (
        "import os, signal\n"
        # A shell has what it starts in the background ignore this.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from charrnn.training.interrupt import watched\n"
        "with watched():\n"
        "    os.kill(os.getpid(), signal.SIGINT); print('first', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT); print('second', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "first\n"
    assert done.returncode == -signal.SIGINT


@pytest.mark.parametrize("number", SIGNALS)
def test_work_of_which_nothing_is_saved_ends_where_it_is(number: signal.Signals) -> None:
    def work() -> None:
        with raised():
            os.kill(os.getpid(), number)
            pytest.fail("it went on")

    inherited = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(Signalled) as caught:
            work()
        assert caught.value.signal_number == number
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, inherited)


DYING = "import sys; from charrnn.training.interrupt import die; die(int(sys.argv[1])); print('alive')"
IN_A_CONTAINER = ("unshare", "--fork", "--pid", "--user", "--map-root-user")


def test_a_signal_that_does_not_come_through_ends_the_process_all_the_same() -> None:
    code = f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); {DYING}"
    done = subprocess.run([sys.executable, "-c", code, str(int(signal.SIGTERM))], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGTERM, b"", b"")


@pytest.mark.parametrize("number", [*SIGNALS, signal.SIGPIPE])
def test_the_first_process_of_a_container_ends_with_the_status_of_a_signal(number: signal.Signals) -> None:
    can_try = (
        shutil.which("unshare")
        and not subprocess.run([*IN_A_CONTAINER, "true"], capture_output=True).returncode
    )
    if not can_try:
        pytest.skip("no container can be made here")
    done = subprocess.run(
        [*IN_A_CONTAINER, sys.executable, "-c", DYING, str(int(number))], capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, b"", b"")


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with watched() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupt.requested
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_closed_terminal_may_say_so_twice() -> None:
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with watched() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
            assert interrupt.signal_number == signal.SIGHUP
    finally:
        signal.signal(signal.SIGHUP, inherited)


def test_what_is_to_be_done_before_dying_is_done() -> None:
    code = (
        "import os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from charrnn.training.interrupt import watched\n"
        "with watched(lambda: print('cursor', flush=True)):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("cursor\n", -signal.SIGINT)


ECHOING = (
    "import signal, sys\n"
    "signal.signal(signal.SIGTSTP, signal.SIG_DFL)\n"
    "from charrnn.training.interrupt import watched\n"
    "with watched(lambda: print('cursor', flush=True)):\n"
    "    print('ready', flush=True)\n"
    "    for line in iter(sys.stdin.readline, ''): print(line, end='', flush=True)\n"
)


@contextlib.contextmanager
def echoing(**options: Any) -> Iterator[tuple[subprocess.Popen[str], IO[str], IO[str]]]:
    """A process that repeats what it is told, its ear and its mouth."""
    with subprocess.Popen(
        [sys.executable, "-c", ECHOING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process, process.stdin, process.stdout
        finally:
            process.kill()  # it may have stopped where it should not


def test_what_waits_after_a_ctrl_z_goes_on() -> None:
    # In a group of its own with its parent beside it, as a shell starts it: somebody can have it go on.
    with echoing(process_group=0) as (process, told, said):
        for _ in range(2):
            process.send_signal(signal.SIGTSTP)
            assert said.readline() == "cursor\n"
            assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
            process.send_signal(signal.SIGCONT)
            print("on", file=told, flush=True)
            assert said.readline() == "on\n"


def test_what_nobody_could_have_go_on_does_not_stop_at_a_ctrl_z() -> None:
    with echoing(start_new_session=True) as (process, told, said):
        process.send_signal(signal.SIGTSTP)
        assert said.readline() == "cursor\n"
        print("on", file=told)
        told.close()
        assert os.WIFEXITED(os.waitpid(process.pid, os.WUNTRACED)[1])
        assert said.read() == "on\n"
