"""Reading between elements, at coordinates that are data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.define import Axes, accumulator, grid, reduce
from workbench.ir import build
from workbench.ir.build import Operand
from workbench.ir.expr import BinaryOp, Expr, Var
from workbench.ir.types import DType, TensorType, f32, f64, i32
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

Fetch = Callable[[Sequence[Expr]], Expr]
"""Whole coordinates, perhaps outside, to an element."""

_CUBIC = -0.75
"""The free parameter of cubic convolution (R. Keys, 1981) that ONNX takes."""


def clamp(value: Expr, low: Operand, high: Operand) -> Expr:
    """`value`, drawn to the nearest end of [low, high]; NaN to the low one."""
    return build.binary(BinaryOp.MIN, build.binary(BinaryOp.MAX, value, low), high)


def or_zero(source: Var, lead: Sequence[Operand], extents: Sequence[int], wide: DType) -> Fetch:
    """Elements, zeros outside."""

    def fetch(at: Sequence[Expr]) -> Expr:
        tests = [
            t
            for a, e in zip(at, extents, strict=True)
            for t in (build.binary(BinaryOp.GE, a, 0), build.less(a, e))
        ]
        element = build.cast(build.load(source, [*lead, *at]), wide)
        return build.select(build.all_of(*tests), element, build.const(0, wide))

    return fetch


def corners(at: Sequence[Expr], fetch: Fetch, wide: DType) -> list[Expr]:
    """The elements around `at`, each times its share."""
    floors = [build.call("floor", a) for a in at]
    parts = [build.cast(build.sub(a, f), wide) for a, f in zip(at, floors, strict=True)]
    firsts = [build.cast(f, i32) for f in floors]
    found: list[Expr] = []
    for corner in itertools.product((0, 1), repeat=len(at)):
        shares = [p if bit else build.sub(1.0, p) for p, bit in zip(parts, corner, strict=True)]
        place = [build.add(f, bit) if bit else f for f, bit in zip(firsts, corner, strict=True)]
        found.append(build.mul(fetch(place), *shares))
    return found


@dataclass(frozen=True, slots=True)
class Sampling:
    """How `grid_sample` reads.

    Attributes
    ----------
    mode : str
        ``nearest``, ``linear`` or ``cubic``.
    padding : str
        ``zeros``, ``border`` or ``reflection``: what lies outside.
    corners : bool
        Whether -1 and 1 are the centres of the first and last element, not their outer edges.
    """

    mode: str
    padding: str
    corners: bool

    def coordinate(self, n: Expr, extent: int) -> Expr:
        """From [-1, 1] to elements, drawn inside as the padding says."""
        if self.corners:
            x = build.mul(build.add(n, 1.0), (extent - 1) / 2)
        else:
            x = build.mul(build.sub(build.mul(build.add(n, 1.0), extent), 1.0), 0.5)
        if self.mode == "nearest":
            x = build.call("round", x)
        if self.padding != "reflection":
            # `place` draws whole coordinates inside; far outside is as good as just outside
            return clamp(x, -4.0, extent + 4.0)
        low, high = (0.0, extent - 1.0) if self.corners else (-0.5, extent - 0.5)
        inside = build.all_of(build.binary(BinaryOp.GE, x, low), build.binary(BinaryOp.LE, x, high))
        return clamp(build.select(inside, x, _mirrored(x, low, high)), low, high)

    def place(self, at: Expr, extent: int) -> Expr:
        """A whole coordinate drawn inside; of zeros it stays where it is."""
        if self.padding == "zeros":
            return at
        if self.padding == "border" or extent == 1:
            return clamp(at, 0, extent - 1)
        period = 2 * (extent - 1) if self.corners else 2 * extent
        turn = build.floormod(at, period)
        other = build.sub(period if self.corners else period - 1, turn)
        return build.binary(BinaryOp.MIN, turn, other)


def _mirrored(x: Expr, low: float, high: float) -> Expr:
    """`x` folded at both ends of [low, high] until it lies inside."""
    if high == low:
        return build.cast(build.const(low), x.type)  # pyright: ignore[reportArgumentType]
    span = high - low
    way = build.call("abs", build.sub(x, low))
    turns = build.call("floor", build.mul(way, 1 / (2 * span)))
    rest = build.sub(way, build.mul(turns, 2 * span))
    return build.add(build.binary(BinaryOp.MIN, rest, build.sub(2 * span, rest)), low)


def grid_sample(b: Builder, x: Tensor, where: Tensor, how: Sampling) -> Tensor:
    """`x` [n, c, …] at the coordinates `where` [n, *out, d], the last dimension of x first.

    Raises
    ------
    ModelError
        When the shapes do not fit.
    """
    spatial, dims = x.extents[2:], x.rank - 2
    fits = where.rank == x.rank and where.extents[-1] == dims and where.extents[0] == x.extents[0]
    if dims < 1 or not fits or 0 in spatial:
        raise ModelError(f"grid_sample: the coordinates {where} do not fit {x}")
    source, points = x.variable(), where.variable()
    read = _Reader(how, source, points, spatial, f64 if where.dtype == f64 else f32)

    def value(i: Axes) -> Expr:
        at = read.coordinates(i)
        if how.mode == "nearest":
            return read.element(i, [build.cast(a, i32) for a in at])
        wide = accumulator(x.dtype)
        return build.add(*corners(at, lambda index: read.element(i, index), wide))

    kind = TensorType(x.dtype, (*x.extents[:2], *where.extents[1:-1]))
    if how.mode == "cubic":
        taps = [4] * dims
        compute = reduce("grid_sample", [source, points], kind, Reducer.SUM, taps, read.cubic)
    else:
        compute = grid("grid_sample", [source, points], kind, value)
    return b.emit(compute, [x, where], attributes={"mode": how.mode, "padding": how.padding})


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    """Where an output of `grid_sample` reads, and what stands there."""

    how: Sampling
    source: Var
    points: Var
    spatial: tuple[int, ...]
    exact: DType

    def coordinates(self, i: Axes) -> list[Expr]:
        last = len(self.spatial) - 1
        own = [build.load(self.points, [i[0], *i[2:], last - d]) for d in range(last + 1)]
        return [
            self.how.coordinate(build.cast(n, self.exact), e)
            for n, e in zip(own, self.spatial, strict=True)
        ]

    def element(self, i: Axes, index: Sequence[Expr]) -> Expr:
        wide = accumulator(self.source.tensor.dtype)
        if self.how.padding == "zeros":
            return or_zero(self.source, i[:2], self.spatial, wide)(index)
        places = [self.how.place(a, e) for a, e in zip(index, self.spatial, strict=True)]
        return build.cast(build.load(self.source, [*i[:2], *places]), wide)

    def cubic(self, i: Axes, r: Axes) -> Expr:
        at = self.coordinates(i)
        floors = [build.call("floor", a) for a in at]
        wide = accumulator(self.source.tensor.dtype)
        parts = [build.cast(build.sub(a, f), wide) for a, f in zip(at, floors, strict=True)]
        firsts = [build.sub(build.cast(f, i32), 1) for f in floors]
        index = [build.add(f, n) for f, n in zip(firsts, r, strict=True)]
        shares = [_cubic(part, n) for part, n in zip(parts, r, strict=True)]
        return build.mul(self.element(i, index), *shares)


def _cubic(part: Expr, tap: Expr) -> Expr:
    """Share of tap 0 … 3 of a point that lies `part` behind tap 1."""
    kind = part.type
    assert isinstance(kind, DType)
    a = _CUBIC
    way = build.call("abs", build.sub(build.cast(tap, kind), build.add(part, 1.0)))
    near = build.add(build.mul(build.sub(build.mul(way, a + 2), a + 3), way, way), 1.0)
    far = build.mul(
        build.sub(build.mul(build.add(build.mul(build.sub(way, 5.0), way), 8.0), way), 4.0), a
    )
    return build.select(build.binary(BinaryOp.LE, way, 1.0), near, far)


def affine_grid(b: Builder, theta: Tensor, spatial: Sequence[int], corners: bool) -> Tensor:
    """Coordinates [n, *spatial, d] for `grid_sample`: `theta` [n, d, d + 1] times each place.

    The last spatial dimension comes first in the last dimension.
    """
    var, wide, dims = theta.variable(), accumulator(theta.dtype), len(spatial)

    def value(i: Axes) -> Expr:
        row = [build.cast(build.load(var, [i[0], i[-1], d]), wide) for d in range(dims + 1)]
        terms = [row[dims]]
        for d, extent in enumerate(reversed(spatial)):
            at = build.cast(i[dims - d], wide)
            if corners:
                place = build.sub(build.mul(at, 2 / max(extent - 1, 1)), 1.0)
            else:
                place = build.sub(build.mul(build.add(at, 0.5), 2 / extent), 1.0)
            terms.append(build.mul(row[d], place))
        return build.add(*terms)

    kind = TensorType(theta.dtype, (theta.extents[0], *spatial, dims))
    return b.emit(grid("affine_grid", [var], kind, value), [theta])
