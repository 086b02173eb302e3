"""A mapping as a picture: who does what and in which order, and the loops it lowers to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.view.card import (
    MARGIN,
    card,
    clipped,
    grid,
    heading,
    mono_width,
    rule,
    spans,
    tone_styles,
)
from workbench.view.cells import Window, grid_of, window
from workbench.view.mapping_cells import (
    AXIS,
    STAGE,
    STYLE,
    Boxes,
    Drawing,
    boxes_for,
    boxes_of,
    grain,
    raster_of,
)
from workbench.view.mapping_text import facts_text, first_tasks
from workbench.view.svg import text

if TYPE_CHECKING:
    from workbench.view.mapping import MappingView

SIDE = 320
HEAD = 68
SLICES = 4
RASTER = 512
SHOWN = 8

_BREAK = re.compile(r"(?= [+*] )")
_PRIMITIVE = re.compile(r"(\w+)(?=\()")


def mapping_svg(view: MappingView) -> str:
    """The picture."""
    rows, columns = grid_of(view.shape)
    boxes = boxes_for(view, rows, columns)
    most = (SLICES, rows, columns) if boxes else (SLICES, RASTER, RASTER)
    seen = window(view.nest, view.shape, view.workers, most) if view.nest else Window((), ())
    stage, width, low = _stage(view, boxes, seen)
    side_x = MARGIN + width + 28
    side, side_low = _side(view, side_x + MARGIN)
    foot = max(low, side_low) + 12
    total = side_x + SIDE + 2 * MARGIN
    body = [
        *_head(view, total),
        rule(side_x, HEAD, side_x, foot),
        *stage,
        *side,
    ]
    extra = tone_styles() + STYLE
    return card(total, foot, f"Task mapping {view.text}", facts_text(view), body, extra)


def _head(view: MappingView, width: float) -> list[str]:
    size = 15
    said = clipped(view.text, width - 2 * MARGIN, size)
    parts: list[tuple[str, str]] = []
    for k, part in enumerate(_PRIMITIVE.split(said)):
        parts.append((part, "accent b" if k % 2 else ""))
    facts: list[tuple[str, str]] = []
    for k, fact in enumerate(view.facts):
        facts += [("  ·  ", "faint")] * (k > 0)
        facts += [(f"{fact.value} ", "b")] * bool(fact.value) + [(fact.words, "soft")]
    return [
        spans(MARGIN, 29, parts, class_="m", style=f"font-size:{size}px"),
        spans(MARGIN, 52, facts),
        rule(0.5, HEAD, width - 0.5, HEAD),
    ]


def _stage(view: MappingView, boxes: Boxes | None, seen: Window) -> tuple[list[str], float, float]:
    """The pictures of the slices; their width, and the y where they end."""
    y = HEAD + 28.0
    if not seen.slices:
        why = seen.left_out[0] if seen.left_out else "it needs a large table of constants"
        return [text(MARGIN, y, f"Not drawn: {why}.", class_="soft")], STAGE / 2, y + 10
    aside = _legend(view, boxes, max(int(part.times.max()) for part in seen.slices))
    marks = [heading(MARGIN, y, "Who does what", aside)]
    width = mono_width(f"Who does what  {aside}", 12)
    captioned = len(view.shape) > 2
    x, y, low = float(MARGIN), y + 12, y + 12
    for part in seen.slices:
        drawn = Drawing((), 0, 0)
        for attempt in range(2):
            top = y + 20 * captioned
            drawn = boxes_of(boxes, part, x, top) if boxes else raster_of(part, view, x, top)
            if attempt or x + drawn.width <= MARGIN + STAGE + AXIS or x == MARGIN:
                break
            x, y = float(MARGIN), low
        if captioned:
            at = ", ".join((*map(str, part.at), "·", "·"))
            marks.append(text(x + AXIS, y + 16, f"slice ({at})", class_="m soft"))
        marks += drawn.marks
        x += drawn.width + 10
        width, low = max(width, x - MARGIN - 10), max(low, y + 20 * captioned + drawn.height)
    for said in seen.left_out:
        low += 20
        marks.append(text(MARGIN, low, f"Shown: {said}.", class_="warn s"))
    return marks, min(max(width, 300), STAGE + AXIS), low


def _legend(view: MappingView, boxes: Boxes | None, times: int) -> str:
    if boxes is None:
        each = grain(view)
        said = "one shade = one worker" if each == 1 else f"hue = warp, shade = {each} lanes"
        return f"{said}, outlined = worker 0"
    said = "label and colour = worker"
    said += ", small number = its order" if boxes.ordered else ""
    said += ", +n = done n times more" if times > 1 else ""
    return said + (", hatched = odd warp" if view.workers > 32 else "")


def _side(view: MappingView, x: float) -> tuple[list[str], float]:
    """Tasks of worker 0 with addresses, the loops, and the canonical form."""
    y = HEAD + 28
    marks: list[str] = []
    tasks = next(iter(first_tasks(view, 1, SHOWN)), [])
    if tasks:
        marks.append(heading(x, y, "Worker 0", "lane 0 of warp 0"))
        rows = [
            (str(k) if k < SHOWN else "…", task, _address(view, task))
            for k, task in enumerate(tasks)
        ]
        part, y = grid(
            x, y + 22, ("order", "task", f"address ({view.layout})"), rows, (52, 98, 150)
        )
        marks.append(part)
        y += 28
    if view.lines:
        marks.append(heading(x, y, "The loops it lowers to", "w = worker"))
        for line in view.lines:
            y += 19
            bare = line.lstrip()
            keyword = next((word for word in ("for", "if") if bare.startswith(f"{word} ")), "")
            lead = line[: len(line) - len(bare)]
            for number, row in enumerate(_wrapped(bare[len(keyword) :], lead + keyword)):
                y += 17 * (number > 0)
                head = [(lead, ""), (keyword, "keyword")] if number == 0 else [(lead + "  ", "")]
                marks.append(spans(x, y, [*head, (row, "")], class_="m"))
        y += 28
    if view.canonical:
        marks.append(heading(x, y, "The same, written otherwise"))
        for row in _wrapped(view.canonical, ""):
            y += 18
            marks.append(text(x, y, row, class_="m"))
    return marks, y


def _wrapped(said: str, lead: str) -> list[str]:
    """The text in lines that fit beside the grid, broken before `` + `` and `` * ``."""
    room = int((SIDE - mono_width(lead)) / mono_width("x"))
    lines = [""]
    for part in _BREAK.split(said):
        if lines[-1] and len(lines[-1]) + len(part) > room:
            lines.append("")
        lines[-1] += part
    return [clipped(line, SIDE) for line in lines]


def _address(view: MappingView, task: str) -> str:
    if not task.startswith("("):
        return ""
    place = [int(part) for part in task.strip("(,)").split(",")]
    element_at = sum(a * b for a, b in zip(place, view.strides, strict=True))
    return f"{element_at * view.item_bytes} B"
