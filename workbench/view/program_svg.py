"""A kernel as a picture: its texts side by side, a ground for each statement of the script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.view.card import MARGIN, card, clipped, mono_width, rule, spans
from workbench.view.code import words
from workbench.view.columns import shown
from workbench.view.palette import DARK, LIGHT, Theme, hex_of, oklch
from workbench.view.svg import element, plain, rect, text

if TYPE_CHECKING:
    from workbench.view.program import Figure, PaneView, ProgramView

HEAD = 46
LINE = 18
LINES = 36
"""Most lines of a pane; the text twin has them all."""

SIZE = 11.5
NUMBER = 40
LEAST, MOST = 230, 560
_HUES = (250, 150, 60, 320)


def program_svg(view: ProgramView) -> str:
    """The picture."""
    widths = [_width(pane) for pane in view.panes]
    total = max(720.0, sum(widths))
    widths[-1] += total - sum(widths)
    rows = min(LINES + 1, max(len(pane.lines) for pane in view.panes))
    body_low = HEAD + 34 + rows * LINE + 8
    low, foot = _foot(view, total, body_low)
    marks = [*_head(view, total), *foot]
    x = 0.0
    for pane, width in zip(view.panes, widths, strict=True):
        if x:
            marks.append(rule(x, HEAD, x, body_low))
        marks += _pane(pane, x, width)
        x += width
    said = f"{view.name}({view.signature}), " + ", ".join(pane.name for pane in view.panes)
    return card(total, low, f"Kernel {view.name}", said, marks, _styles())


def program_text(view: ProgramView) -> str:
    """Figures, and all texts one after the other.

    The mark in front of a line is the line of the script that it comes from.
    """
    head = (f"{view.name}({view.signature})", view.target, view.launch)
    parts = [shown("  ".join(filter(None, head)))]
    if view.figures:
        parts.append(" · ".join(f"{f.label} {f.value} ({shown(f.note)})" for f in view.figures))
    if view.problem:
        parts.append(view.problem)
    return "\n\n".join(["\n".join(parts), *map(_pane_text, view.panes)])


def program_words(view: ProgramView) -> str:
    """One sentence."""
    figures = ", ".join(f"{f.label} {f.value}" for f in view.figures)
    return f"Kernel {view.name}({view.signature}) {view.target}: {figures or view.problem}"


def program_details(view: ProgramView) -> str:
    """All code as HTML that folds out, for copying and for reading what the picture cuts."""
    panes = "".join(
        element("p", plain(f"{pane.name} {pane.aside}"))
        + element("pre", plain("\n".join(line.text for line in pane.lines)))
        for pane in view.panes
    )
    return element("details", element("summary", "Code as text"), panes)


def _pane_text(pane: PaneView) -> str:
    rows = [f"── {shown(pane.name)} {shown(pane.aside)}".rstrip()]
    for number, line in enumerate(pane.lines):
        mark = pane.first + number if pane.language == "python" else line.link or ""
        rows.append(f"{mark:>5} │ {shown(line.text)}".rstrip())
    return "\n".join(rows)


def _width(pane: PaneView) -> float:
    longest = max((len(line.text) for line in pane.lines[:LINES]), default=0)
    return min(MOST, max(LEAST, NUMBER + longest * SIZE * 0.605 + 20))


def _head(view: ProgramView, width: float) -> list[str]:
    room = width - 3 * MARGIN - mono_width(view.name, 14)
    said = clipped("  ·  ".join(filter(None, (view.signature, view.launch))), room, 13, 0.58)
    parts = [(view.name, "b m"), (f"   {said}", "soft")]
    return [spans(MARGIN, 28, parts, style="font-size:13.5px"), rule(0.5, HEAD, width - 0.5, HEAD)]


def _pane(pane: PaneView, x: float, width: float) -> list[str]:
    marks = [
        text(x + MARGIN, HEAD + 20, pane.name, class_="soft b", style="font-size:12px"),
        text(x + width - 14, HEAD + 20, pane.aside, class_="faint s end"),
    ]
    y = HEAD + 34.0
    for number, line in enumerate(pane.lines[:LINES]):
        if line.group:
            tone = (line.group - 1) % len(_HUES)
            marks.append(rect(x + 1, y, width - 1.5, LINE, class_=f"g{tone}"))
            marks.append(rect(x + 1, y, 3, LINE, class_=f"e{tone}"))
        said = clipped(line.text, width - NUMBER - 12, SIZE)
        foot = y + 13
        marks.append(text(x + NUMBER - 10, foot, pane.first + number, class_="m c faint end"))
        marks.append(spans(x + NUMBER, foot, words(said, pane.language), class_="m c"))
        y += LINE
    if len(pane.lines) > LINES:
        more = f"… {len(pane.lines) - LINES} more lines"
        marks.append(text(x + NUMBER, y + 13, more, class_="warn s"))
    return marks


def _foot(view: ProgramView, width: float, top: float) -> tuple[float, list[str]]:
    """Figures in a row, and what is missing in words; the height with them."""
    marks: list[str] = []
    low = top
    if view.figures:
        marks.append(rect(1, top, width - 2, 49, class_="panel"))
        marks.append(rule(0.5, top, width - 0.5, top))
        x = 0.0
        for figure in view.figures:
            if x:
                marks.append(rule(x, top, x, top + 50))
            marks += _figure(figure, x + MARGIN, top)
            x += _figure_width(figure)
        low += 50
    for line in view.problem.splitlines():
        marks.append(text(MARGIN, low + 18, clipped(line, width - 40, 13, 0.58), class_="warn"))
        low += 20
    return low + (8 if view.problem else 0), marks


def _figure(figure: Figure, x: float, top: float) -> list[str]:
    kind = "warn b m" if figure.warn else "b m"
    parts = [(figure.value, kind), (f"  {figure.note}", "soft")]
    return [text(x, top + 18, figure.label, class_="soft s"), spans(x, top + 38, parts)]


def _figure_width(figure: Figure) -> float:
    wide = mono_width(figure.value, 13) + (len(figure.note) + 2) * 13 * 0.56
    return max(wide, len(figure.label) * 6.5) + 2 * MARGIN


def _styles() -> str:
    dark = f"@media(prefers-color-scheme:dark){{{_grounds(DARK)}}}"
    return f"text.c{{font-size:{SIZE}px}}{_grounds(LIGHT)}{dark}"


def _grounds(theme: Theme) -> str:
    return "".join(
        f".g{k}{{fill:{hex_of(oklch(theme.group_lightness, theme.group_chroma, hue))}}}"
        f".e{k}{{fill:{hex_of(oklch(0.64, 0.12, hue))}}}"
        for k, hue in enumerate(_HUES)
    )
