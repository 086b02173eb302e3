"""The source text and syntax tree of a function, in a file or in a notebook cell."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import cast

from workbench.base.errors import ScriptError
from workbench.base.span import Span

_CELL = re.compile(r"<ipython-input-(\d+)-")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a function is written.

    Attributes
    ----------
    file : str
        Path of its file, or the display name of its cell: ``In [7]``.
    key : str
        Name under which :mod:`linecache` knows the text.
    lines : tuple of str
        The whole file or cell, each line with its newline.
    tree : ast.FunctionDef
        The function; its line numbers count from the top of the file or cell.
    """

    file: str
    key: str
    lines: tuple[str, ...]
    tree: ast.FunctionDef

    @property
    def first_line(self) -> int:
        """Line of the first decorator, or of ``def``, counted from 1."""
        return _first_line(self.tree)

    @property
    def text(self) -> str:
        """The function as written, decorators included."""
        return "".join(self.lines[self.first_line - 1 : self.tree.end_lineno])

    def span(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> Span:
        """The place of a syntax node, its columns counted in characters."""
        end = node.end_lineno or node.lineno
        return Span(
            self.file,
            node.lineno,
            self._column(node.lineno, node.col_offset),
            end,
            self._column(end, node.end_col_offset or 0),
            self.key,
        )

    def _column(self, line: int, offset: int) -> int:
        # the ast module counts bytes of UTF-8
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return len(text.encode()[:offset].decode(errors="ignore"))

    def head(self) -> Span:
        """The place of the function's name."""
        line = self.lines[self.tree.lineno - 1]
        start = line.find(self.tree.name, self.tree.col_offset)
        end = start + len(self.tree.name)
        return Span(self.file, self.tree.lineno, start, self.tree.lineno, end, self.key)


def source_of(fn: Callable[..., object]) -> Source:
    """The source of a plain function.

    Raises
    ------
    ScriptError
        When `fn` is no plain function, or its text is not to be had.
    """
    if not isinstance(fn, FunctionType):
        raise ScriptError(
            f"a script is made from a plain function, not from {type(fn).__name__}",
            hint="put @script above a def",
        )
    code = fn.__code__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, fn.__globals__)
    if not lines:
        raise ScriptError(
            f"the source text of {fn.__name__} is not to be had ({code.co_filename})",
            hint="write the function in a file or in a notebook cell, not through exec",
        )
    file = _display_name(fn)
    tree = _find(_parse(lines, file, code.co_filename), code.co_name, code.co_firstlineno)
    if tree is None:
        raise ScriptError(
            f"{fn.__name__} is not found at {file}:{code.co_firstlineno}",
            hint="a script needs a def of its own (no lambda, no async def); "
            "if the file changed since it was imported, import it again",
        )
    return Source(file, code.co_filename, tuple(lines), tree)


def _parse(lines: list[str], file: str, key: str) -> ast.Module:
    try:
        return ast.parse("".join(lines))
    except SyntaxError as error:
        place = Span(file, error.lineno or 1, max(0, (error.offset or 1) - 1), key=key)
        raise ScriptError(
            f"the text here is not Python: {error.msg}",
            place,
            hint="if the file changed since it was imported, import it again",
        ) from None


def _find(tree: ast.Module, name: str, first_line: int) -> ast.FunctionDef | None:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.name != name:
            continue
        if _first_line(node) == first_line:
            return node
    return None


def _first_line(tree: ast.FunctionDef) -> int:
    return min([tree.lineno, *(d.lineno for d in tree.decorator_list)])


def _display_name(fn: FunctionType) -> str:
    """The path of the file, or ``In [7]`` for a cell of IPython."""
    filename = fn.__code__.co_filename
    match = _CELL.match(filename)
    if match:
        return f"In [{match[1]}]"
    # Jupyter's kernel gives cells names of its own; IPython's shell, which is in the namespace
    # of every cell, knows their numbers
    shell = fn.__globals__.get("get_ipython")
    compiler = getattr(shell() if callable(shell) else None, "compile", None)
    naming = getattr(compiler, "format_code_name", None)
    label = cast("tuple[str, str] | None", naming(filename) if callable(naming) else None)
    if not label:
        return filename
    number = re.search(r"\d+", label[1])
    return f"In [{number[0]}]" if number else label[1]
