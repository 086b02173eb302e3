"""A cell of plain functions as scripts, their lines those of the cell."""

# IPython's shell is untyped.
# pyright: standard

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from workbench.base.errors import ScriptError, WorkbenchError
from workbench.base.span import Span
from workbench.driver.program import Program


def cached(shell: Any, cell: str) -> tuple[str, str, str]:
    """The cell as Jupyter shows it, its first line blank: text, file name, and its own name.

    A magic gets its cell without the line of the magic. With a blank line in its place every
    line has the number that the notebook shows.
    """
    text = "\n" + cell
    number = cell_number(shell)
    return text, shell.compile.cache(text, number, raw_code=text), f"In [{number}]"


def cell_number(shell: Any) -> int:
    """The number of the cell that is running, whose code is among our callers.

    The shell's own count is that of the next cell, or of this one, by its version.
    """
    frame = sys._getframe()
    while frame is not None:
        label = shell.compile.format_code_name(frame.f_code.co_filename)
        found = re.search(r"\d+", label[1]) if label else None
        if found:
            return int(found[0])
        frame = frame.f_back
    return int(shell.execution_count)


def run_cell(shell: Any, cell: str, script: Callable[..., Program]) -> list[tuple[Program, bool]]:
    """Run a cell in the notebook's namespace; its functions become scripts of the same names.

    Parameters
    ----------
    shell : InteractiveShell
        Whose namespace.
    cell : str
        Below the line of the magic.
    script : callable
        Makes a Program of a function.

    Returns
    -------
    list of (Program, bool)
        In the order of the cell; and whether it has a launch, else it is a device function.

    Raises
    ------
    ScriptError
        When the cell is not Python, or names what is not there.
    """
    text, file, label = cached(shell, cell)
    try:
        tree = ast.parse(text, file)
        code = compile(tree, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        column = max(0, (error.offset or 1) - 1)
        place = Span(label, error.lineno or 1, column, key=file)
        raise ScriptError(f"this is not Python: {error.msg}", place) from None
    names = shell.user_ns
    try:
        exec(code, names)
    except WorkbenchError:
        raise
    except Exception as error:
        raise _at_its_line(error, file, label) from None
    found: list[tuple[Program, bool]] = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        if isinstance(names.get(node.name), FunctionType):
            names[node.name] = script(names[node.name])
        if isinstance(names.get(node.name), Program):
            found.append((names[node.name], _launches(node)))
    return found


def _launches(function: ast.FunctionDef) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(
        (isinstance(f, ast.Name) and f.id == "launch")
        or (isinstance(f, ast.Attribute) and f.attr == "launch")
        for f in calls
    )


def _at_its_line(error: Exception, file: str, label: str) -> ScriptError:
    """What the cell raised, with its line and without our stack."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    place = Span(label, line, key=file) if line else None
    name = getattr(error, "name", None)
    hint = None
    if isinstance(error, NameError) and name:
        hint = f"from workbench.lang import {name}, if it is a word of the language"
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    return ScriptError(said, place, hint=hint)
