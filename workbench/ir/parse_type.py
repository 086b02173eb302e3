"""Types, layouts, mappings and integers of the text form, read back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from workbench.base.errors import ParseError, WorkbenchError
from workbench.base.span import Span
from workbench.ir.lex import Cursor
from workbench.ir.types import Scope, TensorType, Type, dtype
from workbench.mapping import Layout, TaskMapping, parse_layout, parse_mapping

_INTEGER = re.compile(r"-?\d+")
T = TypeVar("T")


def read_type(c: Cursor, scope: Scope = Scope.GLOBAL) -> Type:
    """``f32``, ``f32[64, 8]`` or ``f32[64, 8] @ layout``."""
    token = c.of_kind("name")
    try:
        kind = dtype(token.text)
    except WorkbenchError as error:
        c.fail(error.message, token, error.hint)
    if not c.accept("["):
        return kind
    shape: list[int] = []
    while not c.at("]"):
        shape.append(read_number(c))
        if not c.accept(","):
            break
    c.expect("]")
    layout: Layout | None = None
    if c.accept("@"):
        layout = _given(c.raw_layout(), parse_layout)
    return TensorType(kind, tuple(shape), scope, layout)


def read_mapping(c: Cursor) -> TaskMapping:
    """A task mapping that ends before ``.on(``."""
    return _given(c.raw(".on("), parse_mapping)


def _given(content: tuple[str, Span], reader: Callable[[str], T]) -> T:
    """Read by the room that owns it, with an error at our place."""
    text, span = content
    try:
        return reader(text)
    except WorkbenchError as error:
        raise ParseError(error.message, span, error.hint) from None


def read_number(c: Cursor) -> int:
    """An integer, maybe negative."""
    sign = "-" if c.accept("-") else ""
    token = c.of_kind("number")
    if not _INTEGER.fullmatch(token.text):
        c.fail(f"expected an integer, found {token.text!r}", token)
    return int(sign + token.text)
