"""The program's start, for `charrnn` and for `python -m charrnn`."""

import signal


def main() -> None:
    """Runs the command line and ends the process; until a command can hear it, Ctrl-C does so at once."""
    # Unless it is ignored, as a shell has it in the background of a script.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Only now: imports take most of a short command's time.
    from charrnn.cli import app

    app.main()


if __name__ == "__main__":
    main()
