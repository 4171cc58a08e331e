"""A server that has imported everything and forks a process for each command, which then starts at once.

    python -m tests.cli.warm        (everything but torch)
    python -m tests.cli.warm torch

Reads requests as lines of JSON, writes the status of each command as a line. What a process of its own
would have, each has: its folder, its streams (files), its arguments, its end.
"""

import gc
import json
import os
import sys
from pathlib import Path

import charrnn.cli.models
import charrnn.inference.language_model
import charrnn.terminal.closing
from charrnn.cli.app import main


def import_torch() -> None:
    import torch

    import charrnn.training.start  # noqa: F401 (for whoever is forked off)

    # Which imports torch's compiler, the half of torch that was still missing.
    torch.optim.LBFGS([torch.zeros(1, requires_grad=True)])


def serve() -> None:
    gc.freeze()  # what nobody looks at need not be copied
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            become(**request)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


def become(
    words: list[str], folder: str, cache: str, given: str, stdout: str, stderr: str, imported: str
) -> None:
    """Turns this process into the program, which leaves in `imported` what it has; does not return."""
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
        Path(imported).write_text("\n".join(sys.modules))
        # At once: to take down torch takes longer than most commands.
        os._exit(end.code if isinstance(end.code, int) else 1)


if __name__ == "__main__":
    if sys.argv[1:] == ["torch"]:
        import_torch()
    serve()
