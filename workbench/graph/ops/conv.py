"""Operators with a sliding window: convolution and pooling, over any number of dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.define import Axes, accumulator, reduce
from workbench.graph.ops.elementwise import parameter, variables
from workbench.graph.ops.shape import reshape
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr, Var
from workbench.ir.types import DType, TensorType, i64
from workbench.schedules.combine import start_value
from workbench.schedules.compute import Reducer
from workbench.schedules.extents import varies

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Window:
    """How a window moves; one entry per spatial dimension.

    Attributes
    ----------
    kernel, stride, dilation, before, after : tuple of int
        Extent of the window, step from one output to the next, step inside the window, padding
        at the start and at the end.
    ceil : bool
        Whether a last window that lies partly outside counts.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    ceil: bool = False

    def outputs(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """Number of places the window takes along each dimension.

        Raises
        ------
        ModelError
            When the window does not fit.

        Examples
        --------
        >>> Window((3,), (2,), (1,), (1,), (1,)).outputs([48])
        (24,)
        """
        found: list[int] = []
        for d, extent in enumerate(spatial):
            reach = self.dilation[d] * (self.kernel[d] - 1) + 1
            room = extent + self.before[d] + self.after[d] - reach
            # rounded up, a window that begins inside may reach past the end, also the only one
            if room <= -self.stride[d] or (room < 0 and not self.ceil):
                raise ModelError(
                    f"a window of {reach} does not fit in {extent} elements padded by "
                    f"{self.before[d]} and {self.after[d]}"
                )
            steps = -(-room // self.stride[d]) if self.ceil else room // self.stride[d]
            # a window may not start in the padding at the end
            if self.ceil and steps * self.stride[d] >= extent + self.before[d]:
                steps -= 1
            found.append(steps + 1)
        return tuple(found)

    def position(self, d: int, out: Expr, inner: Expr) -> Expr:
        """Coordinate in the input along spatial dimension `d`; may lie outside."""
        start = build.mul(out, self.stride[d])
        moved = build.add(start, build.mul(inner, self.dilation[d]))
        return build.sub(moved, self.before[d])

    def inside(self, d: int, at: Expr, extent: int, outputs: int) -> list[Expr]:
        """Conditions under which `at` lies inside; those that always hold are left out."""
        low = [build.binary(BinaryOp.GE, at, 0)] if self.before[d] > 0 else []
        if varies(extent) and self.stride[d] > 1:
            # how near to the end the last window comes depends on what the stride leaves over
            past = self.ceil or self.after[d] > 0
        else:
            last = (outputs - 1) * self.stride[d] + self.dilation[d] * (self.kernel[d] - 1)
            past = last - self.before[d] >= extent
        return [*low, build.less(at, extent)] if past else low

    def thin(self, spatial: Sequence[int]) -> bool:
        """Whether there is one place along the last dimension, seen as it is, and more before."""
        last = (spatial[-1], self.kernel[-1], self.before[-1], self.after[-1])
        return last == (1, 1, 0, 0) and max(spatial) > 1

    def without_last(self) -> Window:
        """The same without its last dimension."""
        return Window(
            self.kernel[:-1],
            self.stride[:-1],
            self.dilation[:-1],
            self.before[:-1],
            self.after[:-1],
        )


def conv(
    b: Builder,
    x: Tensor,
    w: Tensor,
    window: Window,
    group: int,
    zeros: tuple[Tensor | None, Tensor | None] = (None, None),
    to: DType | None = None,
    wide: DType | None = None,
) -> Tensor:
    """Convolution of `x` [n, c, …] by `w` [k, c / group, …] to [n, k, …], without a bias.

    Parameters
    ----------
    zeros : tuple of Tensor or None
        What is taken off the elements of `x` (one number) and of `w` ([k, 1, …]) first; padding
        counts as 0 after that.
    to : DType, optional
        Number type of the result; that of `x` by default.
    wide : DType, optional
        Number type of the sums; by default what suits `x`.

    Raises
    ------
    ModelError
        When channels, groups and ranks do not fit.
    """
    _check_conv(x, w, window, group)
    spatial = x.extents[2:]
    if window.thin(spatial) and zeros == (None, None):
        return _thin_conv(b, x, w, window, group, to)
    outputs = window.outputs(spatial)
    batch, maps, own = x.extents[0], w.extents[0], w.extents[1]
    place = variables(b, (x, w), *zeros)
    sums = wide or accumulator(x.dtype)

    def shifted(element: Expr, zero: Tensor | None, at: Sequence[Expr]) -> Expr:
        own = build.cast(element, sums)
        return build.sub(own, build.cast(parameter(b, place, zero, at), sums)) if zero else own

    def value(i: Axes, r: Axes) -> Expr:
        channel, inner = (r[0], r[1:]) if own > 1 else (build.const(0), r)
        first = build.mul(build.floordiv(i[1], maps // group), own) if group > 1 else 0
        at = [window.position(d, i[2 + d], inner[d]) for d in range(len(spatial))]
        lead, own_at = [i[0], build.add(first, channel)], (i[1], channel, *inner)
        left = _padded(
            window, place[x], lead, at, spatial, outputs, None, lambda e: shifted(e, zeros[0], ())
        )
        return build.mul(left, shifted(build.load(place[w], own_at), zeros[1], own_at))

    extents = ([own] if own > 1 else []) + list(window.kernel)
    kind = TensorType(to or x.dtype, (batch, maps, *outputs))
    name = "depthwise_conv" if group == x.extents[1] and group > 1 else "conv"
    compute = reduce(name, list(place.values()), kind, Reducer.SUM, extents, value)
    shown = {"kernel": list(window.kernel), "stride": list(window.stride), "group": group}
    return b.emit(compute, list(place), attributes=shown)


def _thin_conv(
    b: Builder, x: Tensor, w: Tensor, window: Window, group: int, to: DType | None
) -> Tensor:
    """The convolution without its last dimension of 1, where tiles would have no width."""
    flat, weights = reshape(b, x, x.extents[:-1]), reshape(b, w, w.extents[:-1])
    out = conv(b, flat, weights, window.without_last(), group, to=to)
    return reshape(b, out, (*out.extents, 1))


def _check_conv(x: Tensor, w: Tensor, window: Window, group: int) -> None:
    if x.rank < 3 or w.rank != x.rank:
        raise ModelError(f"conv takes tensors of one rank of at least 3, not {x} and {w}")
    channels, maps = x.extents[1], w.extents[0]
    if group < 1 or channels != w.extents[1] * group or maps % group:
        raise ModelError(f"conv: {x} and {w} do not fit in {group} groups")
    if window.kernel != w.extents[2:]:
        raise ModelError(f"conv: kernel_shape {list(window.kernel)} is not that of {w}")


def _padded(
    window: Window,
    source: Var,
    lead: Sequence[Expr],
    at: Sequence[Expr],
    spatial: Sequence[int],
    outputs: Sequence[int],
    fill: Expr | None = None,
    change: Callable[[Expr], Expr] | None = None,
) -> Expr:
    """The element at `at`, changed, or `fill` (0) outside."""
    element = build.load(source, [*lead, *at])
    load = change(element) if change else element
    assert isinstance(load.type, DType)
    tests: list[Expr] = []
    for d, extent in enumerate(spatial):
        tests += window.inside(d, at[d], extent, outputs[d])
    if not tests:
        return load
    other = fill if fill is not None else build.const(0, load.type)
    return build.select(build.all_of(*tests), load, other)


def max_pool(b: Builder, x: Tensor, window: Window) -> Tensor:
    """Greatest element under each window."""
    spatial = x.extents[2:]
    outputs = window.outputs(spatial)
    var, low = x.variable(), start_value(Reducer.MAX, x.dtype)

    def value(i: Axes, r: Axes) -> Expr:
        at = [window.position(d, i[2 + d], r[d]) for d in range(len(spatial))]
        return _padded(window, var, i[:2], at, spatial, outputs, low)

    kind = TensorType(x.dtype, (*x.extents[:2], *outputs))
    compute = reduce("max_pool", [var], kind, Reducer.MAX, window.kernel, value)
    return b.emit(compute, [x], attributes={"kernel": list(window.kernel)})


def average_pool(b: Builder, x: Tensor, window: Window, count_padding: bool) -> Tensor:
    """Mean of the elements under each window; padding counts as zeros if `count_padding`."""
    spatial = x.extents[2:]
    outputs = window.outputs(spatial)
    var, wide = x.variable(), accumulator(x.dtype)

    def value(i: Axes, r: Axes) -> Expr:
        at = [window.position(d, i[2 + d], r[d]) for d in range(len(spatial))]
        return build.cast(_padded(window, var, i[:2], at, spatial, outputs), wide)

    def finish(i: Axes, total: Expr) -> Expr:
        counts = [
            _count(window, d, i[2 + d], extent, outputs[d], count_padding)
            for d, extent in enumerate(spatial)
        ]
        return build.binary(BinaryOp.DIV, total, build.cast(build.mul(*counts), wide))

    kind = TensorType(x.dtype, (*x.extents[:2], *outputs))
    compute = reduce("average_pool", [var], kind, Reducer.SUM, window.kernel, value, finish)
    return b.emit(compute, [x], attributes={"kernel": list(window.kernel)})


def _count(
    window: Window, d: int, out: Expr, extent: int, outputs: int, count_padding: bool
) -> Expr:
    """How many places of the window count along spatial dimension `d`."""
    low = -window.before[d] if count_padding else 0
    high = extent + window.after[d] if count_padding else extent
    size, step = window.kernel[d], window.dilation[d]
    starts = (-window.before[d], (outputs - 1) * window.stride[d] - window.before[d])
    kind = out.type
    assert isinstance(kind, DType)
    if starts[0] >= low and starts[1] + step * (size - 1) < high:
        return build.const(size, kind)
    start = build.sub(build.mul(out, window.stride[d]), window.before[d])
    # the first place not before `low`, and the first at or after `high`
    first = build.floordiv(build.add(build.sub(low, start), step - 1), step)
    last = build.floordiv(build.add(build.sub(high, start), step - 1), step)
    first = build.binary(BinaryOp.MAX, first, 0)
    return build.sub(build.binary(BinaryOp.MIN, last, size), first)


def lp_pool(b: Builder, x: Tensor, window: Window, p: int) -> Tensor:
    """(sum of |x|^p)^(1 / p) under each window; padding counts as zeros."""
    if p < 1:
        raise ModelError(f"lp_pool: p is {p}, and must be 1 or more")
    spatial = x.extents[2:]
    outputs = window.outputs(spatial)
    var, wide = x.variable(), accumulator(x.dtype)

    def value(i: Axes, r: Axes) -> Expr:
        at = [window.position(d, i[2 + d], r[d]) for d in range(len(spatial))]
        size = build.cast(_padded(window, var, i[:2], at, spatial, outputs), wide)
        size = build.call("abs", size)
        return build.mul(*[size] * p) if p < 4 else build.call("pow", size, build.const(p, wide))

    def finish(_: Axes, total: Expr) -> Expr:
        if p == 1:
            return total
        if p == 2:
            return build.call("sqrt", total)
        return build.call("pow", total, build.const(1 / p, wide))

    kind = TensorType(x.dtype, (*x.extents[:2], *outputs))
    compute = reduce("lp_pool", [var], kind, Reducer.SUM, window.kernel, value, finish)
    return b.emit(compute, [x], attributes={"kernel": list(window.kernel), "p": p})


def max_place(b: Builder, x: Tensor, window: Window, columns: bool) -> Tensor:
    """Flat position (i64) in `x` of the greatest element under each window.

    Parameters
    ----------
    columns : bool
        Whether the spatial dimensions count with the first one fastest.
    """
    spatial = x.extents[2:]
    dims, outputs = len(spatial), window.outputs(spatial)
    var, low = x.variable(), start_value(Reducer.MAX, x.dtype)

    def value(i: Axes, r: Axes) -> Expr:
        at = [window.position(d, i[2 + d], r[d]) for d in range(dims)]
        return _padded(window, var, i[:2], at, spatial, outputs, low)

    def finish(i: Axes, best: Expr) -> Expr:
        inner: list[Expr] = []
        for d in reversed(range(dims)):
            inner.insert(0, build.floormod(best, window.kernel[d]) if d else best)
            best = build.floordiv(best, window.kernel[d])
        total = build.add(build.mul(build.cast(i[0], i64), x.extents[1]), i[1])
        order = range(dims)
        for d in reversed(order) if columns else order:
            at = window.position(d, i[2 + d], inner[d])
            total = build.add(build.mul(total, spatial[d]), at)
        return total

    kind = TensorType(i64, (*x.extents[:2], *outputs))
    compute = reduce("max_place", [var], kind, Reducer.ARGMAX, window.kernel, value, finish)
    return b.emit(compute, [x], attributes={"kernel": list(window.kernel)})
