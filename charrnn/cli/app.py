"""The program: commands, and the one place where errors become a line on stderr and an exit code."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

import charrnn
from charrnn.cli import classify, inspect, sample, train
from charrnn.cli.command import Command
from charrnn.errors import CharrnnError, ExitCode, OutOfMemoryError, Signalled, StorageError, UsageError

app = typer.Typer(
    name="charrnn",
    help="Train a small recurrent network on your own text, sample and classify with it, look inside it.",
    epilog="charrnn train corpus.txt  ·  charrnn sample --temp 0.8  ·  "
    "charrnn classify review.txt  ·  charrnn inspect next 'hell'",
    invoke_without_command=True,
    rich_markup_mode=None,  # plain help comes in a third of the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# In torch's RuntimeErrors.
ALLOCATORS_SAY = (
    "can't allocate memory",  # on the CPU
    "out of memory",  # on CUDA and MPS
    "STATUS_ALLOC_FAILED",  # in cuBLAS and cuDNN
    "Invalid buffer size",  # on MPS
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"charrnn {charrnn.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 (the callback has done its work)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    if debug:
        os.environ["CHARRNN_DEBUG"] = "1"
    if context.invoked_subcommand is None:
        from charrnn.terminal.streams import talk

        talk().write(context.get_help() + "\n")
        raise typer.Exit(ExitCode.USAGE)


@contextlib.contextmanager
def _ctrl_c_raised() -> Iterator[None]:
    """Turns a Ctrl-C that would end the process into a KeyboardInterrupt: a command may have things to save.

    Only around the command itself: Typer would answer it by exiting with 130, and a shell's loop would go on.
    """
    ends = signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    if ends:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if ends:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command, raising nothing but our errors: Typer would end on an EPIPE or Ctrl-C by itself."""

    @functools.wraps(command)
    def guarded(**options: Any) -> None:
        try:
            with _ctrl_c_raised():
                command(**options)
        except KeyboardInterrupt:
            raise Signalled(signal.SIGINT) from None
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            raise StorageError(f"{name}{error.strerror or error}") from error
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, MemoryError) or any(words in str(error) for words in ALLOCATORS_SAY):
                is_new = command is train.train and not options.get("resume")
                hint = "a smaller --hidden, --batch or --seq" if is_new else None
                raise OutOfMemoryError("out of memory", hint) from error
            raise

    return guarded


for _command in (train.train, sample.sample, classify.classify, inspect.inspect):
    app.command(cls=Command)(_guarded(_command))


def main() -> NoReturn:
    """Runs the command line and ends the process."""
    _fill_closed_streams()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # a library's warnings are meant for us, not for the person
    try:
        status = _run()
    except CharrnnError as error:
        status = _end(error)
    except typer.TyperException as error:
        message = str(getattr(error, "format_message", error.__str__)())
        status = _end(UsageError(message.rstrip("."), _usage_hint()))
    except KeyboardInterrupt:
        status = _end(Signalled(signal.SIGINT))
    except SystemExit:
        raise
    except BaseException as error:
        kind = type(error).__name__
        status = _end(
            CharrnnError(f"a bug: {kind}: {error}", "run again with `charrnn --debug …` and report it")
        )
    sys.exit(status)


def _run() -> int:
    """The command's status, once all that it wrote to stdout has gone out."""
    try:
        code = app(obj=time.monotonic(), standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # Commands raise nothing but our errors: this is the text of --help or --version that failed.
        _give_up_stdout(error)
    except SystemExit as error:
        # What Typer makes of a broken pipe.
        if isinstance(error.__context__, BrokenPipeError):
            _give_up_stdout(error.__context__)
        raise
    return code if isinstance(code, int) else ExitCode.DONE


def _give_up_stdout(error: OSError) -> NoReturn:
    from charrnn.terminal.streams import give_up_stdout

    give_up_stdout(error)


def _fill_closed_streams() -> None:
    """Opens /dev/null as each standard stream that is closed, or the next file opened would become it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _usage_hint() -> str:
    """Where to read on; or how to give a file whose name looks like a flag."""
    for word in sys.argv[1:]:
        with contextlib.suppress(OSError):  # a word longer than any name
            if word.startswith("-") and Path(word).is_file():
                return f"if you mean the file of this name: ./{word}"
    return "charrnn --help, and charrnn VERB --help, list what there is"


def _end(error: CharrnnError) -> int:
    """Shows an error and gives its code; a signal ends the process here."""
    if isinstance(error, Signalled):
        from charrnn.training.interrupt import die

        die(error.signal_number)
    from charrnn.terminal.notes import show_error

    if os.environ.get("CHARRNN_DEBUG", "") not in ("", "0"):
        traceback.print_exc()
    show_error(error)
    return error.exit_code
