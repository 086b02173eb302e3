"""Text built line by line, each line knowing where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.base.span import Span


@dataclass(frozen=True, slots=True)
class Line:
    """One line of generated text.

    Attributes
    ----------
    text : str
        The line, without a newline.
    span : Span or None
        Where in the user's source it came from.
    node : int
        Number that the same IR node has in every text made from it; 0 when there is none.
    """

    text: str
    span: Span | None = None
    node: int = 0


@dataclass
class Doc:
    """A text under construction.

    Examples
    --------
    >>> doc = Doc()
    >>> doc.line("for i in 4")
    >>> with doc.indent():
    ...     doc.line("sync")
    >>> print(doc.text())
    for i in 4
      sync
    """

    step: str = "  "
    lines: list[Line] = field(default_factory=list)
    depth: int = 0

    def line(self, text: str, span: Span | None = None, node: int = 0) -> None:
        """Append `text` at the present indentation; an empty text stays empty."""
        self.lines.append(Line(f"{self.step * self.depth}{text}" if text else "", span, node))

    @contextmanager
    def indent(self) -> Iterator[None]:
        """Lines inside the block stand one step deeper."""
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def text(self) -> str:
        """All lines, joined by newlines, without a last one."""
        return "\n".join(line.text for line in self.lines)
