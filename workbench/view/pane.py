"""One text of a kernel: each line knows its place and the statement it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.base.doc import Line
    from workbench.base.span import Span

MOST_LINES = 4000
"""Of a text that a view carries."""


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of a text.

    Attributes
    ----------
    text : str
        As it stands.
    link : int
        The same number in every pane for what comes from one place; 0 where there is none.
    group : int
        Which top-level statement of the script it belongs to, counted from 1; 0 for none.
    """

    text: str
    link: int = 0
    group: int = 0


@dataclass(frozen=True, slots=True)
class PaneView:
    """One text.

    Attributes
    ----------
    name, aside : str
        Such as ``CUDA``, and what is said beside it.
    language : str
        ``python``, ``ir``, ``cuda``, ``ptx``, ``sass`` or ``llvm``.
    first : int
        Number of the first line.
    cut : int
        How many lines more there are.
    asked : bool
        Whether it is made when somebody asks for it; it has no lines until then.
    problem : str
        Why it cannot be made, and what to do; empty where it can.
    """

    name: str
    aside: str
    language: str
    lines: tuple[LineView, ...]
    first: int = 1
    cut: int = 0
    asked: bool = False
    problem: str = ""


def trimmed(lines: Sequence[Line]) -> Sequence[Line]:
    """The IR without the line that names its level."""
    start = next((k for k, line in enumerate(lines) if line.span or line.node), 0)
    return lines[start:]


def pane_of(
    name: str,
    aside: str,
    language: str,
    lines: Sequence[Line],
    groups: dict[int, int],
    script: bool,
) -> PaneView:
    """A text as a pane: with a script lines link by their place in it, else by their node."""
    views: list[LineView] = []
    for line in lines[:MOST_LINES]:
        place = _place(line.span, groups) if script else line.node
        views.append(LineView(line.text, place, groups.get(place, 0)))
    while views and not views[-1].text.strip():
        views.pop()
    cut = max(0, len(lines) - MOST_LINES)
    return PaneView(name, aside, language, tuple(views), cut=cut)


def _place(span: Span | None, groups: dict[int, int]) -> int:
    return span.line if span is not None and span.line in groups else 0


def script_pane(
    script: Sequence[Line], groups: dict[int, int], others: Sequence[PaneView]
) -> PaneView:
    """The script; a line is linked where another text has something from it."""
    linked = {line.link for pane in others for line in pane.lines}
    views: list[LineView] = []
    for line in script:
        number = line.span.line if line.span else 0
        group = groups.get(number, 0) if line.text.strip() else 0
        views.append(LineView(line.text, number if number in linked else 0, group))
    span = script[0].span if script else None
    aside = PurePath(span.file).name if span else ""
    return PaneView("Python", aside, "python", tuple(views), span.line if span else 1)


def groups_of(script: Sequence[Line]) -> dict[int, int]:
    """The top-level statement of each line of the body, counted from 1; 0 for what is before."""
    groups: dict[int, int] = {}
    group, body = 0, None
    started = False
    for line in script:
        text = line.text.strip()
        indent = len(line.text) - len(line.text.lstrip())
        if started and text and body is None:
            body = indent
        # A closing bracket alone ends the statement before it.
        if body is not None and text and indent == body and text[0] not in ")]}#":
            group += not text.startswith("launch(")
        started = started or text.endswith(":")
        if line.span is not None:
            groups[line.span.line] = group
    return groups
