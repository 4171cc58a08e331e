"""A server that has imported torch and forks a process for each command, which then starts at once.

Reads requests as lines of JSON, writes the status of each command as a line. What a process of its own
would have, each has: its folder, its streams (files), its arguments, its end.
"""

import gc
import json
import os
import sys

import torch

import charrnn.cli.models
import charrnn.inference.language_model
import charrnn.terminal.closing
import charrnn.training.start
from charrnn.cli.app import main


def serve() -> None:
    # Which imports torch's compiler, the half of torch that was still missing.
    torch.optim.LBFGS([torch.zeros(1, requires_grad=True)])
    gc.freeze()  # what nobody looks at need not be copied
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            become(**request)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


def become(words: list[str], folder: str, cache: str, given: str, stdout: str, stderr: str) -> None:
    """Turns this process into the program; does not return."""
    files = (given, os.O_RDONLY), (stdout, os.O_WRONLY), (stderr, os.O_WRONLY)
    for descriptor, (path, flags) in enumerate(files):
        os.dup2(os.open(path, flags), descriptor)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    os.chdir(folder)
    os.environ["XDG_CACHE_HOME"] = cache
    sys.argv = [f"{os.path.dirname(charrnn.__file__)}/__main__.py", *words]  # noqa: PTH120
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        # At once: to take down torch takes longer than most commands.
        os._exit(end.code if isinstance(end.code, int) else 1)


if __name__ == "__main__":
    serve()
