"""The program: commands, and the one place where errors become a line on stderr and an exit code."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

import charrnn
from charrnn.cli import inspect, sample, train
from charrnn.errors import CharrnnError, ExitCode, OutOfMemoryError, Signalled, StorageError, UsageError

app = typer.Typer(
    name="charrnn",
    help="Train a small recurrent network on your own text, sample from it, look inside it.",
    epilog="charrnn train corpus.txt  ·  charrnn sample --temp 0.8  ·  charrnn inspect next 'hell'",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help comes in a third of the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"charrnn {charrnn.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[  # noqa: ARG001 (the callback has done its work)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    if debug:
        os.environ["CHARRNN_DEBUG"] = "1"


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command, raising nothing but our errors: Typer would end on an EPIPE or Ctrl-C by itself."""

    @functools.wraps(command)
    def guarded(**options: Any) -> None:
        try:
            command(**options)
        except KeyboardInterrupt:
            raise Signalled(signal.SIGINT) from None
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            raise StorageError(f"{name}{error.strerror or error}") from error
        except (MemoryError, RuntimeError) as error:
            # torch's CPU allocator raises a RuntimeError of this wording, CUDA's a subclass of it.
            if isinstance(error, MemoryError) or "memory" in str(error):
                raise OutOfMemoryError("out of memory", "a smaller --hidden, --batch or --seq") from error
            raise

    return guarded


for _command in (train.train, sample.sample, inspect.inspect):
    app.command()(_guarded(_command))


def main() -> NoReturn:
    """Runs the command line and ends the process."""
    try:
        code = app(obj=time.monotonic(), standalone_mode=False)
        status = code if isinstance(code, int) else ExitCode.DONE
        status = _flushed(status)
    except CharrnnError as error:
        status = _end(error)
    except typer.TyperException as error:
        message = str(getattr(error, "format_message", error.__str__)())
        status = _end(
            UsageError(message.rstrip("."), "charrnn --help, and charrnn VERB --help, list what there is")
        )
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        if os.environ.get("CHARRNN_DEBUG"):
            traceback.print_exc()
        kind = type(error).__name__
        status = _end(
            CharrnnError(f"a bug: {kind}: {error}", "run again with `charrnn --debug …` and report it")
        )
    # Threads of a library must not hold up the end, nor Python complain about streams that are gone.
    sys.exit(status)


def _end(error: CharrnnError) -> int:
    """Shows an error and gives its code; a signal ends the process here."""
    from charrnn.terminal.notes import show_error

    if isinstance(error, Signalled):
        signal.signal(error.signal_number, signal.SIG_DFL)
        os.kill(os.getpid(), error.signal_number)
    if os.environ.get("CHARRNN_DEBUG"):
        traceback.print_exc()
    show_error(error)
    return error.exit_code


def _flushed(status: int) -> int:
    if sys.stdout is None:
        return status
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _end(StorageError(f"standard output: {error.strerror}"))
    return status
