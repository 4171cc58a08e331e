"""The examples in docstrings."""

import doctest
import importlib
import pkgutil

import pytest

import charrnn

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(charrnn.__path__, "charrnn.")
    if module.name.rpartition(".")[2] not in ("__main__", "libcharrnn")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_say_what_comes_out(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert not failed


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    assert any(test.examples for name in MODULES for test in finder.find(importlib.import_module(name)))
