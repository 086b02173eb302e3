"""What machine code is found by on the disk: the module's text, and the compiler that read it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from workbench.ir.module import Module
from workbench.ir.stmt import ForTask
from workbench.ir.text import text
from workbench.ir.traverse import walk
from workbench.mapping.factor import UserFunction

_ROOT = Path(__file__).parents[1]
_ROOMS = ("base", "mapping", "ir", "passes", "codegen", "driver", "runtime")


def content(module: Module) -> str | None:
    """The module's text, when it says all; None when a Python function gives its tasks."""
    for function in module.functions:
        for node in walk(function):
            if isinstance(node, ForTask) and any(
                isinstance(factor, UserFunction) for factor in node.mapping.factors
            ):
                return None
    return text(module)


def fingerprint(folders: tuple[Path, ...]) -> str | None:
    """Of the files under `folders` as they lie on the disk; None when there are none.

    Their place, size and time of change: who edits a pass gets other machine code, without having
    to think of a version number.
    """
    digest = hashlib.sha256()
    count = 0
    for folder in folders:
        for entry in sorted(_files(folder), key=lambda e: e.path):
            status = entry.stat()
            digest.update(f"{entry.path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
            count += 1
    return digest.hexdigest() if count else None


def _files(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return  # imported from an archive
    for entry in entries:
        if entry.name.endswith(".py"):
            yield entry
        elif entry.is_dir() and entry.name != "__pycache__":
            yield from _files(entry.path)


COMPILER = fingerprint(tuple(_ROOT / room for room in _ROOMS))
"""Of this compiler, taken when it is imported: what runs is what was there then."""
