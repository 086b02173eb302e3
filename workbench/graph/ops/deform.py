"""Convolution whose window is bent by data."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.conv import Window
from workbench.graph.ops.define import Axes, accumulator, reduce
from workbench.graph.ops.sample import clamp, corners, or_zero
from workbench.graph.ops.transposed import flat
from workbench.ir import build
from workbench.ir.expr import Expr
from workbench.ir.types import TensorType
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def deform_conv(
    b: Builder,
    x: Tensor,
    w: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    window: Window,
    groups: tuple[int, int],
) -> Tensor:
    """Convolution whose window is bent by `offset`, and weighed by `mask`, place by place.

    Parameters
    ----------
    groups : tuple of int
        Groups of channels, and groups of channels that share offsets.

    Raises
    ------
    ModelError
        When the shapes do not fit.
    """
    group, bends = groups
    spatial, dims, size = x.extents[2:], x.rank - 2, prod(window.kernel)
    channels, (maps, own) = x.extents[1], w.extents[:2]
    out = (x.extents[0], maps, *window.outputs(spatial))
    _check(x, w, out, (offset, mask), groups)
    source, weight, bend = x.variable(), w.variable(), offset.variable()
    share = mask.variable() if mask is not None else None
    wide, per = accumulator(x.dtype), channels // bends

    def value(i: Axes, r: Axes) -> Expr:
        first = build.mul(build.floordiv(i[1], maps // group), own) if group > 1 else 0
        channel = build.add(first, r[0])
        bent = build.mul(build.floordiv(channel, per), size)
        tap = build.add(bent, flat(r[1:], window.kernel))
        at: list[Expr] = []
        for d, extent in enumerate(spatial):
            moved = build.load(bend, [i[0], build.add(build.mul(tap, dims), d), *i[2:]])
            place = build.cast(window.position(d, i[2 + d], r[1 + d]), wide)
            # farther outside is as good as outside, and fits an integer
            at.append(clamp(build.add(place, build.cast(moved, wide)), -2.0, extent + 1.0))
        element = build.add(*corners(at, or_zero(source, [i[0], channel], spatial, wide), wide))
        factors = [build.load(weight, [i[1], *r])]
        factors += [build.load(share, [i[0], tap, *i[2:]])] if share is not None else []
        return build.mul(element, *(build.cast(f, wide) for f in factors))

    kind, read = TensorType(x.dtype, out), [x, w, offset, *([mask] if mask is not None else [])]
    given = [source, weight, bend, *([share] if share is not None else [])]
    compute = reduce("deform_conv", given, kind, Reducer.SUM, [own, *window.kernel], value)
    return b.emit(compute, read, attributes={"kernel": list(window.kernel)})


def _check(
    x: Tensor,
    w: Tensor,
    out: tuple[int, ...],
    given: tuple[Tensor, Tensor | None],
    groups: tuple[int, int],
) -> None:
    """Raise ModelError unless weights, offsets and mask fit."""
    group, bends = groups
    channels, (maps, own), size = x.extents[1], w.extents[:2], prod(w.extents[2:])
    if min(groups) < 1 or channels != own * group or maps % group or channels % bends:
        raise ModelError(f"deform_conv: {x} and {w} do not fit in {group} groups")
    for t, count in zip(given, (bends * size * (x.rank - 2), bends * size), strict=True):
        if t is not None and t.extents != (out[0], count, *out[2:]):
            raise ModelError(f"deform_conv: {t} does not fit {x} and {w}")
