"""Where a thing stands in a source text."""

from __future__ import annotations

import linecache
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of source text.

    Attributes
    ----------
    file : str
        Path of a file, or the display name of a notebook cell such as ``In [7]``.
    line, end_line : int
        First and last line, counted from 1 in the whole file or cell.
    col, end_col : int
        First column and the one after the last, counted from 0 in characters.
    key : str
        The name under which :mod:`linecache` knows the text; empty when it is ``file``.
    """

    file: str
    line: int
    col: int = 0
    end_line: int = 0
    end_col: int = 0
    key: str = ""

    def source_line(self) -> str:
        """Text of the first line, without its newline; empty when it is not to be had."""
        return linecache.getline(self.key or self.file, self.line).rstrip("\n")

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col + 1}"
