"""The cells of one slice of a mapping: boxes with labels, or a raster where they are too many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.view.card import mono_width
from workbench.view.cells import NOBODY, Slice
from workbench.view.palette import DARK, LIGHT, TONES, tone, tone_of
from workbench.view.raster import data_url, png
from workbench.view.svg import element, path, rect, text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.view.mapping import MappingView
else:
    np = lazy("numpy")

CELL_LIMIT = 1024
"""Most cells that are drawn as boxes with labels; more become a raster."""

ROW_LIMIT = 64
STAGE = 620
"""Room for the grid [px]."""
AXIS = 34
"""Room for the numbers of the rows [px]; those of the columns take `TOP`."""
TOP = 20
WARP = 32

STYLE = (
    "text.c{font-size:11px}.o{font-size:9px;opacity:.72}.hatch{fill:url(#hatch)}"
    ".box{stroke-width:4;stroke-linejoin:round}.nobody{stroke-dasharray:2 3}"
    "image{image-rendering:pixelated}.light{display:inline}.dark{display:none}"
    "@media(prefers-color-scheme:dark){.light{display:none}.dark{display:inline}}"
)


@dataclass(frozen=True, slots=True)
class Boxes:
    """Sizes of a grid of labelled cells [px].

    Attributes
    ----------
    ordered : bool
        Whether there is room for the number of the task beside that of the worker.
    workers : int
        Of the whole mapping.
    """

    width: float
    height: float
    ordered: bool
    workers: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Markup, and the room it takes with its axes [px]."""

    marks: tuple[str, ...]
    width: float
    height: float


def boxes_for(view: MappingView, rows: int, columns: int) -> Boxes | None:
    """How large the cells are, or None when labels would not fit."""
    width = min(80.0, STAGE / columns)
    height = float(min(24, max(13, 640 / rows)))
    label = mono_width(f"w{view.workers - 1}", 11) + 8
    order = mono_width(str(view.most_tasks - 1), 9) + 6
    if rows * columns > CELL_LIMIT or rows > ROW_LIMIT or width < label:
        return None
    return Boxes(width, height, width >= label + order and view.most_tasks > 1, view.workers)


def grain(view: MappingView) -> int:
    """Workers that share a tone in a raster: each its own up to 32, then a hue is a warp."""
    return 1 if view.workers <= TONES else WARP // 4


def boxes_of(boxes: Boxes, part: Slice, left: float, top: float) -> Drawing:
    """Labelled boxes with axes."""
    rows, columns = part.owner.shape
    w, h = boxes.width, boxes.height
    left, top = left + AXIS, top + TOP
    tones: dict[int, list[str]] = {}
    hatched: list[str] = []
    labels: list[str] = []
    for r, owners in enumerate(part.owner.tolist()):
        line: list[str] = []
        for c, worker in enumerate(owners):
            x, y = left + c * w, top + r * h
            box = _box(x, y, w, h, 3)
            kind = NOBODY if worker == NOBODY else tone_of(worker, boxes.workers)
            tones.setdefault(kind, []).append(box)
            if worker == NOBODY:
                continue
            if worker // WARP % 2:
                hatched.append(box)
            line += _label(boxes, part, (r, c), (x, y))
        labels.append(element("text", *line, class_="m c"))
    marks = [
        path("".join(d), class_="none edge nobody" if kind == NOBODY else f"box w{kind}")
        for kind, d in sorted(tones.items())
    ]
    if hatched:
        marks += [_HATCH, path("".join(hatched), class_="hatch")]
    marks += [*_axes(part, left, top, boxes), *labels]
    marks.append(_outline(part.owner == 0, left, top, w, h))
    return Drawing(tuple(marks), columns * w + AXIS, rows * h + TOP)


def raster_of(part: Slice, view: MappingView, left: float, top: float) -> Drawing:
    """A pixel per cell, one image for light and one for dark."""
    rows, columns = part.owner.shape
    each = grain(view)
    scale = max(1, min(12, STAGE // max(rows, columns)))
    left, top = left + AXIS, top + TOP
    tones = np.array([tone_of(w, view.workers, each) for w in range(min(view.workers, 256))])
    index = np.where(part.owner == NOBODY, TONES, tones[part.owner % 256]).astype(np.uint8)
    size = {"x": left, "y": top, "width": columns * scale, "height": rows * scale}
    marks: list[str] = []
    for kind, theme, blank in (("light", LIGHT, (247, 248, 250)), ("dark", DARK, (27, 31, 37))):
        file = png(index, [*(tone(k, theme) for k in range(TONES)), blank])
        marks.append(element("image", href=data_url("image/png", file), class_=kind, **size))
    marks.append(
        rect(left - 0.5, top - 0.5, columns * scale + 1.0, rows * scale + 1.0, class_="none edge")
    )
    marks.append(text(left + columns * scale, top - 6, columns, class_="m s faint end"))
    marks.append(text(left - 8, top + rows * scale, rows, class_="m s faint end"))
    if each > 1:
        marks += _warps(part, scale, left, top)
    marks.append(_outline(part.owner == 0, left, top, scale, scale))
    return Drawing(tuple(marks), columns * scale + AXIS, rows * scale + TOP)


def _box(x: float, y: float, w: float, h: float, inset: float) -> str:
    """A box as part of a path; its round corners come from a thick line of its own colour."""
    wide, high = w - 2 * inset, h - 2 * inset
    return f"M{x + inset:.4g} {y + inset:.4g}h{wide:.4g}v{high:.4g}h{-wide:.4g}z"


_HATCH = element(
    "defs",
    element(
        "pattern",
        path("M0 6L6 0", class_="on-ground", stroke_width=1.2, opacity=0.55),
        id="hatch",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    ),
)


def _label(boxes: Boxes, part: Slice, cell: tuple[int, int], at: tuple[float, float]) -> list[str]:
    """Worker and order of a cell; ``+n`` where it is done n times more."""
    (x, y), times = at, int(part.times[cell])
    foot = y + boxes.height / 2 + 4
    worker = f"w{part.owner[cell]}" + (f" +{times - 1}" if times > 1 else "")
    marks = [element("tspan", worker, x=x + 6, y=foot)]
    if boxes.ordered:
        order = str(part.order[cell])
        right = x + boxes.width - 6 - mono_width(order, 9)
        marks.append(element("tspan", order, x=right, y=foot, class_="o"))
    return marks


def _axes(part: Slice, left: float, top: float, boxes: Boxes) -> list[str]:
    rows, columns = part.owner.shape
    every = max(1, round(22 / boxes.width)), max(1, round(13 / boxes.height))
    marks = [
        text(left + (c + 0.5) * boxes.width, top - 6, c, class_="m s faint mid")
        for c in range(0, columns, every[0])
    ]
    marks += [
        text(left - 8, top + (r + 0.5) * boxes.height + 4, r, class_="m s faint end")
        for r in range(0, rows, every[1])
    ]
    return marks


def _outline(own: NDArray[np.bool_], left: float, top: float, w: float, h: float) -> str:
    """A line around the cells of one worker, so that the eye has one to follow."""
    padded = np.pad(own, 1)
    across = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]).tolist()
    down = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]).tolist()
    lines = [f"M{left + c * w:.4g} {top + r * h:.4g}h{w:.4g}" for r, c in across]
    lines += [f"M{left + c * w:.4g} {top + r * h:.4g}v{h:.4g}" for r, c in down]
    if not lines:
        return ""
    return path("".join(lines), class_="on-accent", stroke_width=1.75, stroke_linecap="round")


def _warps(part: Slice, scale: int, left: float, top: float) -> list[str]:
    """The name of each warp in its first cell, where it is wide and high enough."""
    warps = part.owner // WARP
    marks: list[str] = []
    for warp in np.unique(warps[part.owner != NOBODY])[:64].tolist():
        r, c = np.argwhere(warps == warp)[0].tolist()
        name = f"warp {warp}"
        wide = _run(warps[r, c:] == warp) * scale
        high = _run(warps[r:, c] == warp) * scale
        if wide >= mono_width(name, 11) + 8 and high >= 16:
            x, y = left + c * scale + wide / 2, top + r * scale + min(high, 40) / 2 + 4
            marks.append(text(x, y, name, class_="m s mid"))
    return marks


def _run(same: NDArray[np.bool_]) -> int:
    """How many are true from the start."""
    return int(np.argmin(same)) if not same.all() else len(same)
