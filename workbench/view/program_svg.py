"""A kernel as a picture: its texts, a ground for each statement of the script.

The picture is as wide as a cell, so that code keeps its size: texts stand side by side while they
have room, else below one another, and a line that is wider still is folded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.view.card import MARGIN, MONO_ADVANCE, card, clipped, mono_width, rule, spans
from workbench.view.code import folded
from workbench.view.columns import shown
from workbench.view.palette import DARK, LIGHT, Theme, hex_of, oklch
from workbench.view.svg import element, plain, rect, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.view.pane import PaneView
    from workbench.view.program import ProgramView
    from workbench.view.resources import Figure

WIDTH = 840.0
"""Of the picture: that of a cell's output on a small screen."""

HEAD = 46
NAMES = 34
"""Height of the name above a text."""

LINE = 18
LINES = 36
"""Most lines of a pane; the text twin has them all."""

SIZE = 11.5
NUMBER = 40
LEAST, STEP = 300, 20
FOLDED = 0.5
"""Largest part of the lines that is folded to let a script stand beside what it becomes."""

_HUES = (250, 150, 60, 320)


def program_svg(view: ProgramView) -> str:
    """The picture."""
    marks = _head(view)
    y = float(HEAD)
    for row in _rows(_made(view.panes)):
        part, low = _row(row, y)
        marks += part if y == HEAD else [rule(0.5, y, WIDTH - 0.5, y), *part]
        y = low
    low, foot = _foot(view, y)
    said = f"{view.name}({view.signature}), " + ", ".join(pane.name for pane in _made(view.panes))
    title = f"Kernel {view.name}({view.signature})"
    return card(WIDTH, low, title, said, [*marks, *foot], _styles())


def program_text(view: ProgramView) -> str:
    """Figures, and all texts one after the other.

    The mark in front of a line is the line of the script that it comes from.
    """
    head = (f"{view.name}({view.signature})", view.target, view.launch)
    parts = [shown("  ".join(filter(None, head)))]
    if view.figures:
        parts.append(" · ".join(map(_figure_text, view.figures)))
    if view.problem:
        parts.append(view.problem)
    return "\n\n".join(["\n".join(parts), *map(_pane_text, _made(view.panes))])


def program_words(view: ProgramView) -> str:
    """One sentence."""
    figures = ", ".join(f"{f.label} {f.value}" for f in view.figures)
    return f"Kernel {view.name}({view.signature}) {view.target}: {figures or view.problem}"


def program_details(view: ProgramView) -> str:
    """All code as HTML that folds out, for copying and for reading what the picture cuts."""
    formulas = "".join(
        element("p", plain(f"{f.label} {f.value}: {f.basis}: {f.formula}"))
        for f in view.figures
        if f.formula
    )
    panes = "".join(
        element("p", plain(f"{pane.name} {pane.aside}"))
        + element("pre", plain("\n".join(line.text for line in pane.lines)))
        for pane in view.panes
        if pane.lines
    )
    return element("details", element("summary", "Code as text"), panes, formulas)


def _figure_text(figure: Figure) -> str:
    notes = ", ".join(filter(None, (figure.note, _basis(figure))))
    return f"{figure.label} {figure.value} ({shown(notes)})"


def _basis(figure: Figure) -> str:
    """``measured``, ``counted`` or ``predicted``."""
    return figure.basis.partition(" ")[0]


def _pane_text(pane: PaneView) -> str:
    rows = [f"── {shown(pane.name)} {shown(pane.aside)}".rstrip()]
    for number, line in enumerate(pane.lines):
        mark = pane.first + number if pane.language == "python" else line.link or ""
        rows.append(f"{mark:>5} │ {shown(line.text)}".rstrip())
    return "\n".join(rows)


def _made(panes: Sequence[PaneView]) -> list[PaneView]:
    """Without those that are made when asked for."""
    return [pane for pane in panes if pane.lines]


def _width(pane: PaneView) -> float:
    longest = max((len(line.text) for line in pane.lines[:LINES]), default=0)
    return NUMBER + longest * SIZE * MONO_ADVANCE + 20


def _rows(panes: Sequence[PaneView]) -> list[list[tuple[PaneView, float]]]:
    """Which panes stand side by side, and how wide each is."""
    rows: list[list[tuple[PaneView, float]]] = []
    for pane in panes:
        beside = _beside([other for other, _ in rows[-1]], pane) if rows else None
        if beside is not None:
            rows[-1] = beside
        else:
            rows.append([(pane, WIDTH)])
    return rows


def _beside(row: Sequence[PaneView], pane: PaneView) -> list[tuple[PaneView, float]] | None:
    """The row with one pane more, or None where that has no room."""
    panes = [*row, pane]
    widths = [max(float(LEAST), _width(p)) for p in panes]
    spare = WIDTH - sum(widths)
    if spare >= 0:
        return [(p, w + spare / len(panes)) for p, w in zip(panes, widths, strict=True)]
    if len(panes) > 2 or row[0].language != "python":
        return None
    left, right = panes
    splits = [(_folds(left, w), _folds(right, WIDTH - w), w) for w in _steps()]
    one, two, width = min(splits, key=lambda split: (split[0] + split[1], abs(split[2] - 420)))
    most = FOLDED * min(len(left.lines), LINES), FOLDED * min(len(right.lines), LINES)
    if one > most[0] or two > most[1]:
        return None
    return [(left, width), (right, WIDTH - width)]


def _steps() -> Iterator[float]:
    return (float(w) for w in range(LEAST, int(WIDTH) - LEAST + 1, STEP))


def _room(width: float) -> int:
    """How many characters of code a pane holds."""
    return int((width - NUMBER - 12) / (SIZE * MONO_ADVANCE))


def _folds(pane: PaneView, width: float) -> int:
    return sum(len(line.text) > _room(width) for line in pane.lines[:LINES])


def _head(view: ProgramView) -> list[str]:
    room = WIDTH - 3 * MARGIN - mono_width(view.name, 14)
    said = clipped("  ·  ".join(filter(None, (view.signature, view.launch))), room, 13, 0.58)
    parts = [(view.name, "b m"), (f"   {said}", "soft")]
    return [spans(MARGIN, 28, parts, style="font-size:13.5px"), rule(0.5, HEAD, WIDTH - 0.5, HEAD)]


def _row(row: Sequence[tuple[PaneView, float]], top: float) -> tuple[list[str], float]:
    """Panes side by side, and where they end."""
    marks: list[str] = []
    x = low = 0.0
    for pane, width in row:
        part, end = _pane(pane, x, width, top)
        marks += part
        low = max(low, end + 8)
        x += width
    x = 0.0
    for _, width in row[:-1]:
        x += width
        marks.append(rule(x, top, x, low))
    return marks, low


def _pane(pane: PaneView, x: float, width: float, top: float) -> tuple[list[str], float]:
    marks = [
        text(x + MARGIN, top + 20, pane.name, class_="soft b", style="font-size:12px"),
        text(x + width - 14, top + 20, pane.aside, class_="faint s end"),
    ]
    y, drawn = top + NAMES, 0
    for number, line in enumerate(pane.lines[:LINES]):
        rows = folded(line.text, pane.language, _room(width))
        if drawn and drawn + len(rows) > LINES + 4:
            break
        for fold, parts in enumerate(rows):
            if line.group:
                tone = (line.group - 1) % len(_HUES)
                marks.append(rect(x + 1, y, width - 1.5, LINE, class_=f"g{tone}"))
                marks.append(rect(x + 1, y, 3, LINE, class_=f"e{tone}"))
            mark = "\N{DOWNWARDS ARROW WITH TIP RIGHTWARDS}" if fold else pane.first + number
            marks.append(text(x + NUMBER - 10, y + 13, mark, class_="m c faint end"))
            marks.append(spans(x + NUMBER, y + 13, parts, class_="m c"))
            y += LINE
        drawn += len(rows)
    else:
        number = min(len(pane.lines), LINES)
    if number < len(pane.lines):
        more = f"… {len(pane.lines) - number} more lines"
        marks.append(text(x + NUMBER, y + 13, more, class_="warn s"))
        y += LINE
    return marks, y


def _foot(view: ProgramView, top: float) -> tuple[float, list[str]]:
    """Figures in a row, and what is missing in words; the height with them."""
    marks: list[str] = []
    low, x = top, WIDTH
    for figure in view.figures:
        wide = _figure_width(figure)
        if low == top or x + wide > WIDTH:
            marks.append(rect(1, low, WIDTH - 2, 49, class_="panel"))
            marks.append(rule(0.5, low, WIDTH - 0.5, low))
            low, x = low + 50, 0.0
        else:
            marks.append(rule(x, low - 50, x, low))
        marks += _figure(figure, x + MARGIN, low - 50)
        x += wide
    for line in view.problem.splitlines():
        marks.append(text(MARGIN, low + 18, clipped(line, WIDTH - 40, 13, 0.58), class_="warn"))
        low += 20
    return low + (8 if view.problem else 0), marks


def _figure(figure: Figure, x: float, top: float) -> list[str]:
    kind = "warn b m" if figure.warn else "b m"
    parts = [(figure.value, kind), (f"  {figure.note}", "soft")]
    head = [(figure.label, "soft s"), (f"  {_basis(figure)}", "faint s")]
    return [spans(x, top + 18, head), spans(x, top + 38, parts)]


def _figure_width(figure: Figure) -> float:
    wide = mono_width(figure.value, 13) + (len(figure.note) + 2) * 13 * 0.56
    label = len(figure.label) + len(_basis(figure)) + 2
    return max(wide, label * 6.2) + 2 * MARGIN


def _styles() -> str:
    dark = f"@media(prefers-color-scheme:dark){{{_grounds(DARK)}}}"
    return f"text.c{{font-size:{SIZE}px}}{_grounds(LIGHT)}{dark}"


def _grounds(theme: Theme) -> str:
    return "".join(
        f".g{k}{{fill:{hex_of(oklch(theme.group_lightness, theme.group_chroma, hue))}}}"
        f".e{k}{{fill:{hex_of(oklch(0.64, 0.12, hue))}}}"
        for k, hue in enumerate(_HUES)
    )
