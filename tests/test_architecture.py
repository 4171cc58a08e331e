"""The layers of docs/architecture.md, and what a quick answer may import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import charrnn

PACKAGE = Path(charrnn.__file__).parent
# From the top down; a part may import what stands below it, and itself. Parts of one row are strangers.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("terminal",),
    ("training",),
    ("evaluation", "inspection"),
    ("inference", "models"),
    ("checkpoint",),
    ("text", "cells", "native"),
    ("storage",),
    ("config", "errors"),
)
DEPTH = {part: depth for depth, parts in enumerate(LAYERS) for part in parts}
MAY_PRINT = ("terminal", "cli")
FREE_OF_TORCH = (
    "text",
    "checkpoint",
    "inference",
    "inspection",
    "native",
    "cells",
    "config",
    "errors",
    "storage",
    "terminal",
)
NEEDS_AUTOGRAD = PACKAGE / "inspection" / "gradients.py"


# Every module with the part of the package it belongs to.
MODULES = [
    (path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path)
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
]


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every imported module, and whether it is imported as soon as this one is."""
    tree = ast.parse(path.read_text("utf-8"))
    lazy = {
        node
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef)
        or (isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.dump(outer.test))
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node not in lazy
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node not in lazy


@pytest.mark.parametrize(("part", "path"), MODULES, ids=lambda value: str(value).rpartition("charrnn/")[2])
def test_imports_go_down_only(part: str, path: Path) -> None:
    for name, _ in imports(path):
        if not name.startswith("charrnn."):
            continue
        other = name.split(".")[1]
        if other not in DEPTH:
            assert name == "charrnn.__version__" or other in ("cells", "load"), f"{path}: unknown part {name}"
            continue
        assert other == part or DEPTH[other] > DEPTH[part], f"{path.name} of {part} imports {name}"


@pytest.mark.parametrize(("part", "path"), MODULES, ids=lambda value: str(value).rpartition("charrnn/")[2])
def test_nothing_below_the_terminal_prints_or_knows_it(part: str, path: Path) -> None:
    if part in MAY_PRINT:
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    assert not [
        name for name, _ in imports(path) if name.split(".")[0] in ("rich", "tqdm", "plotext", "typer")
    ]


@pytest.mark.parametrize(("part", "path"), MODULES, ids=lambda value: str(value).rpartition("charrnn/")[2])
def test_only_what_trains_imports_torch(part: str, path: Path) -> None:
    names = {name.split(".")[0] for name, _ in imports(path)}
    assert "torch" not in names or part not in FREE_OF_TORCH or path == NEEDS_AUTOGRAD


def test_only_its_own_view_imports_the_one_inspection_that_needs_torch() -> None:
    importing = [
        (path.relative_to(PACKAGE).as_posix(), at_once)
        for _, path in MODULES
        for name, at_once in imports(path)
        if name.startswith("charrnn.inspection.gradients")
    ]
    assert {path for path, at_once in importing if at_once} == set()
    assert {path for path, _ in importing} == {"cli/gradients.py", "terminal/gradient_view.py"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["train", "--help"], ["sample", "--help"], ["inspect", "--help"]]
)
def test_help_and_version_import_neither_torch_nor_numpy(arguments: list[str]) -> None:
    assert _imported(arguments, {}).isdisjoint({"torch", "numpy", "rich"})


def test_completion_imports_neither_torch_nor_numpy() -> None:
    completing = {"_CHARRNN_COMPLETE": "complete_bash", "COMP_WORDS": "charrnn tr", "COMP_CWORD": "1"}
    assert _imported([], completing).isdisjoint({"torch", "numpy"})


def _imported(arguments: list[str], environment: dict[str, str]) -> set[str]:
    """The top-level modules a command has imported by its end."""
    code = (
        "import sys, atexit; sys.argv = ['charrnn', *sys.argv[1:]];"
        "atexit.register(lambda: print('\\nIMPORTED', *{name.split('.')[0] for name in sys.modules}));"
        "from charrnn.cli.app import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=environment | {"PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("IMPORTED ")[2].split())
