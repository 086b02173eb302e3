"""A plain layout in columns, for graphs that are too large or too dense for Graphviz to be quick.

Each box stands one column right of the last box it needs, as near as there is room to the height
of what it reads. Its time grows with boxes and edges alone, whatever the graph looks like.
"""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]

APART = 16.0
"""Between boxes of a column [px]."""

GAP = 46.0
"""Between columns [px]."""

LONG = 48
"""Columns that an edge is led around box by box; a longer one goes below everything."""


def ranks_of(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The column of each box: the length of the longest way to it.

    Edges lead from a box to one with a higher number.

    Examples
    --------
    >>> ranks_of(4, [(0, 1), (1, 3), (0, 3)])
    [0, 1, 0, 2]
    """
    into: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        into[target].append(source)
    ranks: list[int] = []
    for k in range(count):
        ranks.append(max((ranks[s] + 1 for s in into[k] if s < k), default=0))
    return ranks


def columns(
    sizes: Sequence[Point], edges: Sequence[tuple[int, int]]
) -> tuple[list[Point], list[tuple[Point, ...]], Point]:
    """Middles of the boxes, a curve for each edge, and width and height of the whole [px].

    Parameters
    ----------
    sizes : sequence of (width, height)
        Of each box [px].
    edges : sequence of (int, int)
        From which box to which, the second with the higher number.
    """
    ranks = ranks_of(len(sizes), edges)
    into: list[list[int]] = [[] for _ in sizes]
    for source, target in edges:
        into[target].append(source)
    members: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for k, rank in enumerate(ranks):
        members[rank].append(k)
    xs: list[float] = []
    ys = [0.0] * len(sizes)
    right = 0.0
    for column in members:
        wide = max(sizes[k][0] for k in column)
        xs.append(right + wide / 2)
        right += wide + GAP
        _stack(column, sizes, into, ys)
    top = min((y - sizes[k][1] / 2 for k, y in enumerate(ys)), default=0.0)
    ys = [y - top for y in ys]
    floors = [max(ys[k] + sizes[k][1] / 2 for k in column) for column in members]
    low = max(floors, default=0.0)
    routes = [_route(a, b, sizes, xs, ys, ranks, floors) for a, b in edges]
    deep = max((y for route in routes for _, y in route), default=0.0)
    centres = [(round(xs[ranks[k]], 1), round(ys[k], 1)) for k in range(len(sizes))]
    return centres, routes, (max(0.0, right - GAP), max(low, deep))


def _stack(
    column: list[int], sizes: Sequence[Point], into: Sequence[Sequence[int]], ys: list[float]
) -> None:
    """Heights for the boxes of a column: those of what they read, pushed apart."""
    wanted = {k: sum(ys[s] for s in into[k]) / len(into[k]) if into[k] else ys[k] for k in column}
    column.sort(key=wanted.__getitem__)
    edge = float("-inf")
    for k in column:
        half = sizes[k][1] / 2
        ys[k] = max(wanted[k], edge + half)
        edge = ys[k] + half + APART
    shift = sum(ys[k] - wanted[k] for k in column) / len(column)
    for k in column:
        ys[k] -= shift


def _route(
    a: int,
    b: int,
    sizes: Sequence[Point],
    xs: Sequence[float],
    ys: Sequence[float],
    ranks: Sequence[int],
    floors: Sequence[float],
) -> tuple[Point, ...]:
    """One curve to the next column; to a later one, below what stands between."""
    start = (xs[ranks[a]] + sizes[a][0] / 2, ys[a])
    end = (xs[ranks[b]] - sizes[b][0] / 2, ys[b])
    if ranks[b] - ranks[a] <= 1:
        return _rounded((start, *_level(start, end)))
    between = floors[ranks[a] + 1 : ranks[b]] if ranks[b] - ranks[a] <= LONG else floors
    low = max(between) + APART
    down = (xs[ranks[a] + 1] - sizes[a][0] / 4, low)
    up = (max(down[0], xs[ranks[b] - 1] + sizes[b][0] / 4), low)
    return _rounded((start, *_level(start, down), *_level(down, up), *_level(up, end)))


def _level(a: Point, b: Point) -> tuple[Point, Point, Point]:
    middle = (a[0] + b[0]) / 2
    return (middle, a[1]), (middle, b[1]), b


def _rounded(points: tuple[Point, ...]) -> tuple[Point, ...]:
    return tuple((round(x, 1), round(y, 1)) for x, y in points)
