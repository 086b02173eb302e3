"""Pooling of regions that are data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.base.errors import LaunchError, ModelError
from workbench.base.lazy import lazy
from workbench.graph.ops.define import Axes, accumulator, reduce
from workbench.graph.ops.sample import clamp, corners
from workbench.graph.ops.shape import bounded
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr, Var
from workbench.ir.types import TensorType
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")


@dataclass(frozen=True, slots=True)
class Regions:
    """How `roi_align` cuts out regions.

    Attributes
    ----------
    size : tuple of int
        Rows and columns of each result.
    samples : int
        Points per element of a result, along each dimension; 0 for as many as fit the region.
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
    shape = (count, x.extents[1], *how.size)
    if how.samples == 0:
        # how much is to be added up depends on the data
        function = partial(by_numpy, how=how)
        return b.host("roi_align", function, [x, regions, batch], [(x.dtype, shape)])[0]
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
    kind = TensorType(x.dtype, shape)
    reducer, grid = Reducer.MAX if how.largest else Reducer.SUM, [how.samples] * 2
    compute = reduce("roi_align", [source, boxes, owner], kind, reducer, grid, value, mean)
    return b.emit(compute, [x, regions, batch], attributes={"size": list(how.size)})


def by_numpy(x: Array, boxes: Array, batch: Array, *, how: Regions) -> tuple[Array]:
    """As `roi_align`, with as many samples as each region has elements per result.

    Raises
    ------
    LaunchError
        When a region belongs to no picture.
    """
    if batch.size and not (-len(x) <= batch.min() and batch.max() < len(x)):
        raise LaunchError(f"roi_align: a region belongs to none of the {len(x)} pictures")
    out = np.zeros((len(boxes), x.shape[1], *how.size), x.dtype)
    for n, (box, own) in enumerate(zip(boxes.astype(np.float64), batch, strict=True)):
        ends = box * how.scale - (0.5 if how.half else 0.0)
        axes = [_taps(ends[1 - d], ends[3 - d], how, d, x.shape[2 + d]) for d in (0, 1)]
        (rows, high), (columns, wide) = axes
        if not rows.size or not columns.size:
            continue
        # [channels, rows of the result, samples and their two sides, columns, the same]
        parts = x[own][:, rows[:, :, None, None], columns] * high[:, :, None, None] * wide
        found = parts.max((2, 4)) if how.largest else parts.sum((2, 4))
        count = 1 if how.largest else rows.shape[1] * columns.shape[1] / 4
        out[n] = found / count
    return (out,)


def _taps(low: float, high: float, how: Regions, d: int, extent: int) -> tuple[Array, Array]:
    """Places [size, samples * 2] of both neighbours of the samples, and their shares."""
    size = how.size[d]
    whole = high - low if how.half else max(high - low, 1.0)
    count = max(int(np.ceil(whole / size)), 0)
    inner = (np.arange(count) + 0.5) / max(count, 1)
    at = low + (np.arange(size)[:, None] + inner) * whole / size
    inside = (at >= -1) & (at <= extent)
    near = np.clip(at, 0, extent - 1)
    first = np.floor(near).astype(np.int64)
    part = near - first
    places = np.stack([first, np.minimum(first + 1, extent - 1)], -1)
    shares = np.stack([1 - part, part], -1) * inside[..., None]
    return places.reshape(size, -1), shares.reshape(size, -1)
