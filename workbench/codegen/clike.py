"""What languages of C's family share: precedence, literals, rows with comments at their end."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from workbench.base.doc import Doc, Line
from workbench.base.span import Span
from workbench.codegen.half import rounded

# Precedence of C's operators, the tightest highest.
ATOM, UNARY, MUL, ADD, SHIFT, RELATION, EQUAL, BITAND, BITXOR, BITOR, AND, OR, TERNARY = range(
    16, 3, -1
)
_COMMENT_COLUMN = 88  # rows longer than this do not push the comments of their neighbours out


@dataclass(frozen=True, slots=True)
class C:
    """An expression in C.

    Attributes
    ----------
    text : str
        As written.
    level : int
        Precedence of its outermost operator.
    low, high : int
        Bounds of its value in the IR when it is an integer.
    wraps : bool
        Whether its C type is unsigned where the IR's is signed: the bits are right, and the value
        is too where `low` is not negative.
    """

    text: str
    level: int = ATOM
    low: int = 0
    high: int = 0
    wraps: bool = False

    def at(self, level: int) -> str:
        """The text as an operand that must bind at least as tightly as `level`."""
        return self.text if self.level >= level else f"({self.text})"

    def within(self, low: int, high: int) -> C:
        """The same text with these bounds."""
        return replace(self, low=low, high=high)


def float_literal(value: float, suffix: str = "") -> str:
    """A finite number, never negative zero lost; the shortest text that reads back the same.

    Examples
    --------
    >>> float_literal(2.0, "f"), float_literal(1e30), float_literal(-0.0, "f")
    ('2.0f', '1e+30', '-0.0f')
    """
    assert math.isfinite(value)
    if suffix == "f":
        value = rounded(value)
        text = _shortest_f32(value)
    else:
        text = repr(value)
    return text + suffix


def _shortest_f32(value: float) -> str:
    texts = (f"{value:.{digits}g}" for digits in range(6, 10))  # nine digits always suffice
    text = next(t for t in texts if rounded(float(t)) == value)
    return text if any(c in text for c in ".e") else f"{text}.0"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of generated text with a comment to be put at its end."""

    line: Line
    comment: str = ""


def aligned(rows: Iterable[Row]) -> tuple[Line, ...]:
    """The lines; the comments of rows that follow one another stand in one column."""
    out: list[Line] = []
    block: list[Row] = []
    for row in rows:
        if row.comment:
            block.append(row)
            continue
        out.extend(_block(block))
        block = []
        out.append(row.line)
    return (*out, *_block(block))


def _block(block: list[Row]) -> list[Line]:
    widths = [len(row.line.text) for row in block]
    column = max((w for w in widths if w <= _COMMENT_COLUMN), default=0)
    return [replace(row.line, text=f"{row.line.text:<{column}}  // {row.comment}") for row in block]


class Rows:
    """Rows under construction, indented as a :class:`Doc` is."""

    def __init__(self) -> None:
        self._doc = Doc()
        self._comments: list[str] = []

    def add(self, text: str, span: Span | None = None, node: int = 0, comment: str = "") -> None:
        """Append one row at the present indentation."""
        self._doc.line(text, span, node)
        self._comments.append(comment)

    @property
    def width(self) -> int:
        """Columns of the present indentation."""
        return len(self._doc.step) * self._doc.depth

    def indent(self) -> AbstractContextManager[None]:
        """Rows inside the block stand one step deeper."""
        return self._doc.indent()

    def lines(self) -> tuple[Line, ...]:
        """All rows, comments aligned."""
        pairs = zip(self._doc.lines, self._comments, strict=True)
        return aligned(Row(line, comment) for line, comment in pairs)
