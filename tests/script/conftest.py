"""Functions made from text, as a notebook cell would make them."""

from __future__ import annotations

import linecache
import textwrap
from collections.abc import Callable
from types import FunctionType

import numpy as np
import pytest

import workbench.lang
from workbench.interp import run
from workbench.ir.verify import verify
from workbench.script import Script

CELL = "<ipython-input-7-0123456789ab>"


def define(text: str, name: str = "", filename: str = CELL) -> Script:
    """The script `name` (the last one if empty) of a cell with this text.

    Every function of the cell becomes a script, under its own name, in the order of the text.
    """
    source = textwrap.dedent(text).lstrip("\n")
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    space: dict[str, object] = {"__name__": "cell", "script": Script.from_function}
    for word in workbench.lang.__all__:
        space[word] = getattr(workbench.lang, word)
    exec("import math", space)
    exec(compile(source, filename, "exec", dont_inherit=True), space)
    made = [v for v in space.values() if isinstance(v, FunctionType | Script)]
    own = [v for v in made if isinstance(v, Script) or v.__code__.co_filename == filename]
    found = space[name] if name else own[-1]
    return found if isinstance(found, Script) else Script.from_function(found)


@pytest.fixture(name="define")
def _define() -> Callable[..., Script]:
    return define


@pytest.fixture
def interpret() -> Callable[..., None]:
    """Translate, verify and interpret; any fault fails the test."""

    def go(script: Script, *args: np.ndarray | float, **dims: int) -> None:
        module = script.translate(dims)
        verify(module)
        report = run(module, args)
        assert report.ok, report.faults[0].message

    return go
