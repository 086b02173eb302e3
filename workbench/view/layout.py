"""Where the boxes of a graph lie and how its edges run: by Graphviz, or in plain columns.

Only coordinates come from Graphviz: boxes are handed over with their size and without text, so
that no font is asked for, and no name of a model reaches its parser.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.view.layers import columns, ranks_of

if TYPE_CHECKING:
    import graphviz
    import pygraphviz
else:
    graphviz = lazy("graphviz")
    pygraphviz = lazy("pygraphviz")

INCH = 72.0

MOST_BOXES = 1000
MOST_STEPS = 6000
"""Columns that all edges together pass. Measured: Graphviz takes 2 s for 6000, 70 s for 20000."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of a drawing, in pixels from its top left.

    Attributes
    ----------
    centres : tuple of (x, y)
        Of each box.
    routes : tuple of tuples of (x, y)
        Control points of each edge: a start and then three for each cubic Bézier curve.
    width, height : float
        Of the whole.
    """

    centres: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    width: float
    height: float


def layout(sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> Layout:
    """Lay out from left to right.

    Graphviz draws it where there is one and the graph is not too large for it to be quick.

    Parameters
    ----------
    sizes : sequence of (width, height)
        Of each box [px].
    edges : sequence of (int, int)
        From which box to which, the second with the higher number.

    Examples
    --------
    >>> drawn = layout([(80, 30), (80, 30)], [(0, 1)])
    >>> drawn.centres[0][0] < drawn.centres[1][0]
    True
    """
    if not sizes:
        return Layout((), (), 0, 0)
    ranks = ranks_of(len(sizes), edges)
    small = len(sizes) <= MOST_BOXES and sum(ranks[b] - ranks[a] for a, b in edges) <= MOST_STEPS
    answer = _run(_dot(sizes, edges)) if small else None
    if answer is None:
        centres, routes, whole = columns(sizes, edges)
        return Layout(tuple(centres), tuple(routes), *whole)
    width, height = (float(part) for part in answer["bb"].split(",")[2:])
    found = {item["name"]: item["pos"] for item in answer["objects"]}
    centres = tuple(_point(found[str(k)], height) for k in range(len(sizes)))
    found_routes: list[tuple[Point, ...]] = [()] * len(edges)
    for item in answer.get("edges", ()):
        found_routes[int(item["class"])] = _route(item["pos"], height)
    return Layout(centres, tuple(found_routes), width, height)


def _dot(sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> str:
    lines = ["digraph {", 'rankdir=LR; nodesep=0.22; ranksep=0.42; node [shape=box, label="",']
    lines.append("fixedsize=true]; edge [arrowhead=normal, arrowsize=0.6];")
    for number, (width, height) in enumerate(sizes):
        lines.append(f"{number} [width={width / INCH:.4f}, height={height / INCH:.4f}];")
    lines += [f'{a} -> {b} [class="{k}"];' for k, (a, b) in enumerate(edges)]
    return "\n".join([*lines, "}"])


def _run(dot: str) -> dict[str, Any] | None:
    """Graphviz from pygraphviz's wheel, else the one on PATH."""
    try:
        drawn = pygraphviz.AGraph(string=dot).draw(format="json0", prog="dot")
        return json.loads(drawn or "")
    except (ImportError, OSError, ValueError):
        pass
    try:
        return json.loads(graphviz.Source(dot).pipe(format="json0", quiet=True))
    except (ImportError, OSError, graphviz.ExecutableNotFound, graphviz.CalledProcessError):
        return None


def _point(said: str, height: float) -> Point:
    x, y = (float(part) for part in said.split(","))
    return round(x, 1), round(height - y, 1)


def _route(said: str, height: float) -> tuple[Point, ...]:
    """The curve, with a straight last piece to the point of the arrow."""
    parts = said.split()
    end = next((part[2:] for part in parts if part.startswith("e,")), None)
    points = [_point(part, height) for part in parts if not part.startswith(("e,", "s,"))]
    if end is not None:
        points += [points[-1], _point(end, height), _point(end, height)]
    return tuple(points)
