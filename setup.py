"""Compiles the optional native library where there is a C compiler; pyproject.toml has everything else.

It is plain C, loaded by ctypes: one file serves every Python and every torch, so it bears no tag of either.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = sorted(str(path) for path in Path("charrnn/native").glob("*.c"))
HEADERS = sorted(str(path) for path in Path("charrnn/native").glob("*.h"))
LIBRARY = "charrnn.native.libcharrnn"


class BuildLibrary(build_ext):
    """Builds the library, or leaves it out without a word where nothing can compile it."""

    def run(self) -> None:
        """Builds after what an earlier version left is gone: where nothing compiles, it must not stay."""
        for extension in self.extensions:  # in the source tree, where that is to have the library
            self._remove(extension)
        super().run()

    def build_extension(self, extension: Extension) -> None:
        """Compiles if the compiler that Python names is there."""
        self._remove(extension)
        compiler = getattr(self.compiler, "compiler_so", None) or ["cc"]
        if shutil.which(compiler[0]):
            super().build_extension(extension)

    def _remove(self, extension: Extension) -> None:
        Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)

    def get_ext_filename(self, name: str) -> str:
        """A file name without Python's version, for a library that does not know it."""
        return f"{name.replace('.', '/')}.so"

    def get_export_symbols(self, _: Extension) -> list[str]:
        """None of Python's: this is no module."""
        return []


setup(
    ext_modules=[
        Extension(
            LIBRARY,
            SOURCES,
            depends=HEADERS,
            # -falign-loops: where two threads share a core, a product whose loop straddles lines of
            # instructions takes a fifth longer. -Wno-psabi: vectors go from function to function within
            # the library alone.
            extra_compile_args=shlex.split(
                "-std=gnu11 -O3 -falign-loops=64 -g0 -fvisibility=hidden -pthread -Wno-psabi"
            ),
            extra_link_args=["-pthread", "-lm"],
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLibrary},
)
