"""A long graph in rows, like lines of music: where it is cut, and how an edge goes on.

An edge that is cut ends in a chip with a letter, and begins again at a chip with the same letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.view.graph_parts import Box, EdgeView

ROOM = 728.0
"""Width of the boxes of a row [px]."""

WHOLE = 920.0
"""A graph somewhat wider than a row is still drawn as one, and made a little smaller [px]."""

ROWS = 8
CHIP_AT = 38.0
"""From the outermost box of a row to the middle of a chip [px]."""

CHIP_APART = 20.0
HALTS = 24
"""Pieces of a curve for finding where it crosses a cut, and its middle."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: boxes from `begin` to `end`, the cuts beside it, in pixels of the whole drawing."""

    begin: float
    end: float
    left: float
    right: float

    def has(self, box: Box) -> bool:
        """Whether a box stands in this row."""
        return self.left <= box.x < self.right


@dataclass(frozen=True, slots=True)
class Chip:
    """A letter where an edge leaves its row or comes back."""

    letter: str
    at: Point


@dataclass(frozen=True, slots=True)
class Piece:
    """An edge as far as it lies in a row.

    Attributes
    ----------
    route : tuple of (x, y)
        A start and then three points for each cubic Bézier curve.
    chips : tuple of Chip
        Where it comes from another row, or goes to one.
    ends : bool
        Whether it reaches its target here.
    """

    edge: EdgeView
    route: tuple[Point, ...]
    chips: tuple[Chip, ...]
    ends: bool


def rows_of(boxes: Sequence[Box]) -> list[Row]:
    """Rows between boxes, each at most `ROOM` wide where boxes allow it; `ROWS` at most."""
    starts = sorted({b.x for b in boxes})
    whole = max((b.x + b.width for b in boxes), default=0.0)
    if starts and whole - starts[0] <= WHOLE:
        return [Row(starts[0], whole, starts[0] - 1, whole + 1)]
    free = [x for x in starts if not any(b.x < x < b.x + b.width for b in boxes)]
    rows: list[Row] = []
    begin, left = (free[0], free[0] - 1) if free else (0.0, 0.0)
    while free and len(rows) < ROWS:
        later = [x for x in free if x > begin]
        ends = {x: max(b.x + b.width for b in boxes if b.x < x) for x in later}
        if whole - begin <= ROOM or not later:
            return [*rows, Row(begin, whole, left, whole + 1)]
        best = max((x for x in later if ends[x] - begin <= ROOM), default=later[0])
        cut = (ends[best] + best) / 2
        rows.append(Row(begin, ends[best], left, cut))
        begin, left = best, cut
    return rows


def pieces(
    edges: Sequence[EdgeView], boxes: Sequence[Box], rows: Sequence[Row]
) -> list[list[Piece]]:
    """What each row shows of the edges."""
    home = [next((k for k, row in enumerate(rows) if row.has(box)), len(rows)) for box in boxes]
    drawn = [edge for edge in edges if len(edge.route) >= 8 and home[edge.source] < len(rows)]
    letters: dict[tuple[int, str], str] = {}
    shown: list[list[Piece]] = []
    for k, row in enumerate(rows):
        inside = [e for e in drawn if home[e.source] == home[e.target] == k]
        coming = [e for e in drawn if home[e.target] == k > home[e.source]]
        going = [e for e in drawn if home[e.source] == k < home[e.target]]
        going = list({(e.source, e.tensor): e for e in reversed(going)}.values())
        found = [Piece(e, points(e), (), True) for e in inside]
        found += _continued(coming, row, letters, left=True)
        found += _continued(going, row, letters, left=False)
        shown.append(found)
    return shown


def _continued(
    edges: Sequence[EdgeView], row: Row, letters: dict[tuple[int, str], str], left: bool
) -> Iterator[Piece]:
    """Edges cut at one side of a row, from top to bottom, each with its chip."""
    cut, x = (row.left, row.begin - CHIP_AT) if left else (row.right, row.end + CHIP_AT)
    split = sorted(((_split(points(e), cut), e) for e in edges), key=lambda s: s[0][1][0][1])
    heights = _apart([halves[1][0][1] for halves, _ in split])
    for (halves, edge), y in zip(split, heights, strict=True):
        letter = letters.setdefault((edge.source, edge.tensor), _letter(len(letters)))
        chip = Chip(letter, (x, y))
        if left:
            route = (*_link((x + 8, y), halves[1][0]), *halves[1][1:])
        else:
            route = (*halves[0], *_link(halves[0][-1], (x - 8, y))[1:])
        yield Piece(edge, route, (chip,), left)


def _apart(heights: Sequence[float]) -> list[float]:
    """Heights in order, no two closer than a chip needs."""
    found: list[float] = []
    for y in heights:
        found.append(max(y, found[-1] + CHIP_APART) if found else y)
    return found


def _letter(number: int) -> str:
    """A … Z, then AA, AB and so on."""
    first, last = divmod(number, 26)
    return ("" if not first else _letter(first - 1)) + chr(ord("A") + last)


def _link(a: Point, b: Point) -> tuple[Point, ...]:
    """A curve that leaves and arrives level."""
    middle = (a[0] + b[0]) / 2
    return a, (middle, a[1]), (middle, b[1]), b


def points(edge: EdgeView) -> tuple[Point, ...]:
    """The control points of an edge."""
    return tuple(zip(edge.route[::2], edge.route[1::2], strict=True))


def _curves(route: Sequence[Point]) -> Iterator[tuple[Point, Point, Point, Point]]:
    for k in range(0, len(route) - 3, 3):
        yield route[k], route[k + 1], route[k + 2], route[k + 3]


def _split(route: Sequence[Point], x: float) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """The route before and after it first reaches `x`."""
    before: list[Point] = [route[0]]
    curves = list(_curves(route))
    for k, curve in enumerate(curves):
        if curve[3][0] >= x:
            first, second = _cut(curve, _parameter(curve, x))
            after = [p for later in curves[k + 1 :] for p in later[1:]]
            return (*before, *first[1:]), (*second, *after)
        before += curve[1:]
    return tuple(before), (route[-1],) * 4


def _parameter(curve: tuple[Point, Point, Point, Point], x: float) -> float:
    """Where on the curve, 0 … 1, it reaches `x`; it runs from left to right."""
    low, high = 0.0, 1.0
    for _ in range(HALTS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at(curve, middle)[0] < x else (low, middle)
    return high


def _cut(
    curve: tuple[Point, Point, Point, Point], t: float
) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """Both parts of a curve cut at `t` (de Casteljau)."""
    level: tuple[Point, ...] = curve
    first, second = [level[0]], [level[-1]]
    while len(level) > 1:
        level = tuple(_between(a, b, t) for a, b in pairwise(level))
        first.append(level[0])
        second.append(level[-1])
    return tuple(first), tuple(reversed(second))


def _at(curve: tuple[Point, Point, Point, Point], t: float) -> Point:
    return _cut(curve, t)[0][-1]


def _between(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def middle(route: Sequence[Point]) -> Point:
    """The point half way along a route."""
    walk = [_at(c, k / HALTS) for c in _curves(route) for k in range(HALTS + 1)]
    steps = [_length(a, b) for a, b in pairwise(walk)]
    left = sum(steps) / 2
    for (a, b), step in zip(pairwise(walk), steps, strict=True):
        if left <= step and step:
            return _between(a, b, left / step)
        left -= step
    return route[-1]


def _length(a: Point, b: Point) -> float:
    return ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5


def height(boxes: Iterable[Box], row: Sequence[Piece]) -> tuple[float, float]:
    """Top and bottom of what a row shows [px]."""
    ys = [y for box in boxes for y in (box.y, box.y + box.height)]
    ys += [y for piece in row for _, y in piece.route]
    ys += [chip.at[1] + side for piece in row for chip in piece.chips for side in (-10, 10)]
    return min(ys, default=0) - 6, max(ys, default=0) + 6
