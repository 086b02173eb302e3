"""Pooling of regions that are data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.define import Axes, accumulator, reduce
from workbench.graph.ops.sample import clamp, corners
from workbench.graph.ops.shape import bounded
from workbench.ir import build
from workbench.ir.compute import Reducer
from workbench.ir.expr import BinaryOp, Expr, Var
from workbench.ir.types import TensorType

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Regions:
    """How `roi_align` cuts out regions.

    Attributes
    ----------
    size : tuple of int
        Rows and columns of each result.
    samples : int
        Points per element of a result, along each dimension.
    scale : float
        From the regions' coordinates to elements of the picture.
    half : bool
        Whether coordinates mean the edges of elements, not their centres.
    largest : bool
        Whether the greatest of the samples is taken, not their mean.
    """

    size: tuple[int, int]
    samples: int
    scale: float
    half: bool
    largest: bool

    def point(self, boxes: Var, i: Axes, r: Axes, d: int) -> Expr:
        """Coordinate of sample `r` of element `i` along dimension `d`."""
        wide = accumulator(boxes.tensor.dtype)
        low, high = (
            build.sub(
                build.mul(build.cast(build.load(boxes, [i[0], n]), wide), self.scale),
                0.5 if self.half else 0.0,
            )
            for n in (1 - d, 3 - d)
        )
        whole = build.sub(high, low)
        if not self.half:
            whole = build.binary(BinaryOp.MAX, whole, 1.0)
        part = build.mul(build.add(build.cast(r[d], wide), 0.5), 1 / self.samples)
        step = build.mul(whole, 1 / self.size[d])
        return build.add(low, build.mul(build.add(build.cast(i[2 + d], wide), part), step))


def roi_align(b: Builder, x: Tensor, regions: Tensor, batch: Tensor, how: Regions) -> Tensor:
    """Regions [r, 4] (x1, y1, x2, y2) of the pictures `x` [n, c, h, w]: [r, c, *size].

    Raises
    ------
    ModelError
        When the shapes do not fit.
    """
    count = regions.extents[0] if regions.rank == 2 else 0
    if x.rank != 4 or regions.extents != (count, 4) or batch.extents != (count,):
        raise ModelError(f"roi_align: {regions} and {batch} do not fit {x}")
    source, boxes, owner = x.variable(), regions.variable(), batch.variable()
    wide, spatial = accumulator(x.dtype), x.extents[2:]

    def value(i: Axes, r: Axes) -> Expr:
        at = [how.point(boxes, i, r, d) for d in (0, 1)]
        tests = [
            t
            for a, e in zip(at, spatial, strict=True)
            for t in (build.binary(BinaryOp.GE, a, -1.0), build.binary(BinaryOp.LE, a, float(e)))
        ]
        near = [clamp(a, 0.0, e - 1.0) for a, e in zip(at, spatial, strict=True)]
        lead = [bounded(build.load(owner, [i[0]]), x.extents[0]), i[1]]

        def fetch(index: Sequence[Expr]) -> Expr:
            places = [clamp(a, 0, e - 1) for a, e in zip(index, spatial, strict=True)]
            return build.cast(build.load(source, [*lead, *places]), wide)

        shares = corners(near, fetch, wide)
        point = build.add(*shares)
        if how.largest:
            # as ONNX has it: the greatest of the four shares, not of their sums
            point = shares[0]
            for other in shares[1:]:
                point = build.binary(BinaryOp.MAX, point, other)
        return build.select(build.all_of(*tests), point, build.const(0, wide))

    mean = None if how.largest else lambda _, total: build.mul(total, 1 / how.samples**2)
    kind = TensorType(x.dtype, (count, x.extents[1], *how.size))
    reducer, grid = Reducer.MAX if how.largest else Reducer.SUM, [how.samples] * 2
    compute = reduce("roi_align", [source, boxes, owner], kind, reducer, grid, value, mean)
    return b.emit(compute, [x, regions, batch], attributes={"size": list(how.size)})
