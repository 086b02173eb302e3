"""Windows the other way round: each input element adds to every output under its window."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.conv import Window
from workbench.graph.ops.define import Axes, accumulator, grid, reduce
from workbench.graph.ops.matmul import matmul
from workbench.graph.ops.shape import reshape, transpose
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import TensorType
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

_PRODUCT = 4
"""Channels of a group from which a transposed convolution is a matrix product and a sum."""


def _turns(window: Window, d: int) -> int:
    """How many places of the window can meet one output along dimension `d`."""
    # of a window without gaps only every stride-th place does
    return -(-window.kernel[d] // window.stride[d]) if window.dilation[d] == 1 else window.kernel[d]


def _source(
    window: Window, d: int, out: Expr, turn: Expr, extent: int
) -> tuple[Expr, Expr, list[Expr]]:
    """Place in the window, coordinate in the input, and when they count."""
    stride, step, size = window.stride[d], window.dilation[d], window.kernel[d]
    place = build.add(out, window.before[d])
    tests: list[Expr] = []
    if step == 1 and stride > 1:
        tap = build.add(build.floormod(place, stride), build.mul(turn, stride))
        at = build.sub(build.floordiv(place, stride), turn)
        tests += [build.less(tap, size)] if size % stride else []
    else:
        tap, start = turn, build.sub(place, build.mul(turn, step))
        at = build.floordiv(start, stride)
        tests += [build.binary(BinaryOp.EQ, build.floormod(start, stride), 0)] if stride > 1 else []
    return tap, at, [*tests, build.binary(BinaryOp.GE, at, 0), build.less(at, extent)]


def conv_transpose(
    b: Builder, x: Tensor, w: Tensor, window: Window, outputs: Sequence[int], group: int
) -> Tensor:
    """Transposed convolution of `x` [n, c, …] by `w` [c, k / group, …] to [n, k, *outputs].

    Raises
    ------
    ModelError
        When channels, groups and ranks do not fit.
    """
    channels = x.extents[1]
    if group < 1 or channels % group or w.extents[0] != channels:
        raise ModelError(f"conv_transpose: {x} and {w} do not fit in {group} groups")
    own, maps, spatial = channels // group, w.extents[1], x.extents[2:]
    if own >= _PRODUCT and x.dtype.bits >= 32 and x.dtype.is_float:
        return _by_product(b, x, w, window, outputs, group)
    source, weight, wide = x.variable(), w.variable(), accumulator(x.dtype)

    def value(i: Axes, r: Axes) -> Expr:
        first = build.mul(build.floordiv(i[1], maps), own) if group > 1 else 0
        channel = build.add(first, r[0])
        each = [_source(window, d, i[2 + d], r[1 + d], e) for d, e in enumerate(spatial)]
        taps, at, tests = zip(*each, strict=True)
        mine = build.floormod(i[1], maps) if group > 1 else i[1]
        element = build.cast(build.load(source, [i[0], channel, *at]), wide)
        factor = build.cast(build.load(weight, [channel, mine, *taps]), wide)
        inside = build.all_of(*(t for group_tests in tests for t in group_tests))
        return build.select(inside, build.mul(element, factor), build.const(0, wide))

    kind = TensorType(x.dtype, (x.extents[0], maps * group, *outputs))
    turns = [own, *(_turns(window, d) for d in range(len(spatial)))]
    compute = reduce("conv_transpose", [source, weight], kind, Reducer.SUM, turns, value)
    shown = {"kernel": list(window.kernel), "stride": list(window.stride), "group": group}
    return b.emit(compute, [x, w], attributes=shown)


def _by_product(
    b: Builder, x: Tensor, w: Tensor, window: Window, outputs: Sequence[int], group: int
) -> Tensor:
    """The same as a matrix product, whose columns are windows, and their sum."""
    batch, channels, maps, size = *x.extents[:2], w.extents[1], prod(window.kernel)
    lead = (group,) if group > 1 else ()
    factor = reshape(b, w, (*lead, channels // group, maps * size))
    factor = transpose(b, factor, (*range(len(lead)), len(lead) + 1, len(lead)))
    places = prod(x.extents[2:])
    columns = matmul(b, factor, reshape(b, x, (batch, *lead, channels // group, places)))
    columns = reshape(b, columns, (batch, group * maps * size, places))
    return columns_to_image(b, columns, window, outputs, x.extents[2:])


def columns_to_image(
    b: Builder, x: Tensor, window: Window, image: Sequence[int], blocks: Sequence[int]
) -> Tensor:
    """Sum of the windows that `x` [n, c * window, windows] holds side by side: [n, c, *image].

    Parameters
    ----------
    blocks : sequence of int
        How many windows there are along each dimension.

    Raises
    ------
    ModelError
        When `x` holds another number of windows.
    """
    size = prod(window.kernel)
    if x.rank != 3 or x.extents[1] % size or x.extents[2] != prod(blocks):
        raise ModelError(f"col2im: {x} does not hold {prod(blocks)} windows of {size} elements")
    source, wide = x.variable(), accumulator(x.dtype)

    def value(i: Axes, r: Sequence[Expr]) -> Expr:
        each = [_source(window, d, i[2 + d], r[d], e) for d, e in enumerate(blocks)]
        taps, at, tests = zip(*each, strict=True)
        row = build.add(build.mul(i[1], size), flat(taps, window.kernel))
        element = build.cast(build.load(source, [i[0], row, flat(at, blocks)]), wide)
        inside = build.all_of(*(t for group_tests in tests for t in group_tests))
        return build.select(inside, element, build.const(0, wide))

    kind = TensorType(x.dtype, (x.extents[0], x.extents[1] // size, *image))
    turns = [_turns(window, d) for d in range(len(blocks))]
    if prod(turns) == 1:
        compute = grid("col2im", [source], kind, lambda i: value(i, [build.const(0)] * len(turns)))
    else:
        compute = reduce("col2im", [source], kind, Reducer.SUM, turns, value)
    return b.emit(compute, [x], attributes={"kernel": list(window.kernel)})


def flat(index: Sequence[Expr], extents: Sequence[int]) -> Expr:
    """The row-major position of `index` in a tensor of shape `extents`."""
    total = index[0]
    for part, extent in zip(index[1:], extents[1:], strict=True):
        total = build.add(build.mul(total, extent), part)
    return total
