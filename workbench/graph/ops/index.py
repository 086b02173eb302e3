"""Operators that look at where an element stands, or that read where data say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.graph.build import FOLD_LIMIT
from workbench.graph.ops import host
from workbench.graph.ops.define import Axes, grid, reduce
from workbench.graph.ops.shape import bounded, reshape
from workbench.graph.symbolic.array import computed
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import DType, TensorType, i32, i64
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")


def gather_elements(b: Builder, x: Tensor, indices: Tensor, axis: int) -> Tensor:
    """`x` at the place of each index, but for `axis`, where the index counts.

    An index outside is drawn to the nearest end, as in `shape.gather`.
    """
    data, where = x.variable(), indices.variable()

    def value(i: Axes) -> Expr:
        at = bounded(build.load(where, i), x.extents[axis])
        return build.load(data, [*i[:axis], at, *i[axis + 1 :]])

    kind = TensorType(x.dtype, indices.extents)
    return b.emit(grid("gather_elements", [data, where], kind, value), [x, indices])


def gather_nd(b: Builder, x: Tensor, indices: Tensor, batch: int) -> Tensor:
    """Slices of `x` at the places that the last dimension of `indices` holds.

    Parameters
    ----------
    batch : int
        Leading dimensions that both have in common. An index outside is drawn to the nearest
        end, as in `shape.gather`.
    """
    data, where = x.variable(), indices.variable()
    lead, depth = indices.rank - 1, indices.extents[-1]
    shape = (*indices.extents[:-1], *x.extents[batch + depth :])

    def value(i: Axes) -> Expr:
        own = i[:lead]
        at = [bounded(build.load(where, [*own, n]), x.extents[batch + n]) for n in range(depth)]
        rest = i[lead:] if shape else ()
        return build.load(data, [*own[:batch], *at, *rest])

    compute = grid("gather_nd", [data, where], TensorType(x.dtype, shape or (1,)), value)
    return b.emit(compute, [x, indices], shape)


def band(b: Builder, x: Tensor, offset: int, upper: bool) -> Tensor:
    """The upper or lower triangle of each matrix from diagonal `offset` on, 0 elsewhere."""
    op = BinaryOp.GE if upper else BinaryOp.LE
    var = x.variable()

    def value(i: Axes) -> Expr:
        kept = build.binary(op, build.sub(i[-1], i[-2]), offset)
        return build.select(kept, build.load(var, i), build.const(0, x.dtype))

    return b.emit(grid("trilu", [var], TensorType(x.dtype, x.extents), value), [x])


def eye(b: Builder, shape: Sequence[int], offset: int, kind: DType) -> Tensor:
    """A matrix of ones on diagonal `offset` and zeros elsewhere."""

    def value(i: Axes) -> Expr:
        return build.cast(build.binary(BinaryOp.EQ, build.sub(i[1], i[0]), offset), kind)

    return b.emit(grid("eye", (), TensorType(kind, tuple(shape)), value), ())


def one_hot(b: Builder, indices: Tensor, count: int, values: Tensor, axis: int) -> Tensor:
    """`values[1]` where the new dimension `axis` of extent `count` is at the index, else
    `values[0]`; an index outside has no such place.
    """
    shape = (*indices.extents[:axis], count, *indices.extents[axis:])
    where, pair = indices.variable(), values.variable()

    def value(i: Axes) -> Expr:
        at = build.load(where, [*i[:axis], *i[axis + 1 :]] or [0])
        index = build.cast(at, i64)
        index = build.select(build.less(index, 0), build.add(index, count), index)
        hot = build.binary(BinaryOp.EQ, index, build.cast(i[axis], i64))
        return build.select(hot, build.load(pair, [1]), build.load(pair, [0]))

    kind = TensorType(values.dtype, shape)
    return b.emit(grid("one_hot", [where, pair], kind, value), [indices, values])


def reverse_sequence(b: Builder, x: Tensor, lengths: Tensor, time: int, batch: int) -> Tensor:
    """The first `lengths[n]` elements along `time` of each `n` of `batch` back to front."""
    var, count = x.variable(), lengths.variable()

    def value(i: Axes) -> Expr:
        length = build.cast(build.load(count, [i[batch]]), i32)
        back = build.sub(length, build.add(i[time], 1))
        at = bounded(build.select(build.less(i[time], length), back, i[time]), x.extents[time])
        return build.load(var, [*i[:time], at, *i[time + 1 :]])

    kind = TensorType(x.dtype, x.extents)
    return b.emit(grid("reverse_sequence", [var, count], kind, value), [x, lengths])


def write_sequence(
    b: Builder, x: Tensor, update: Tensor, starts: Tensor | None, axis: int, circular: bool
) -> Tensor:
    """`x` with `update` along `axis` from `starts[n]` on, for each `n` of the first dimension.

    What lies beyond the end is left out, or goes on at the front if `circular`.
    """
    var, new = x.variable(), update.variable()
    start = None if starts is None else starts.variable()
    extent, count = x.extents[axis], update.extents[axis]

    def value(i: Axes) -> Expr:
        first = build.const(0) if start is None else build.cast(build.load(start, [i[0]]), i32)
        at = build.sub(i[axis], first)
        at = build.floormod(at, extent) if circular else at
        own = build.load(new, [*i[:axis], at, *i[axis + 1 :]])
        inside = build.all_of(build.binary(BinaryOp.GE, at, 0), build.less(at, count))
        return build.select(inside, own, build.load(var, i))

    place = {x: var, update: new} | ({starts: start} if starts and start else {})
    kind = TensorType(x.dtype, x.extents)
    return b.emit(grid("write_sequence", list(place.values()), kind, value), list(place))


SHORT = 128
"""Running sums along as many elements are a kernel, which adds up every element's own prefix: it
can be fused, and reads the same cache lines. Longer ones are left to numpy, which is linear."""


def cumulate(
    b: Builder, x: Tensor, axis: int, reducer: Reducer, exclusive: bool, reverse: bool
) -> Tensor:
    """Sum or product of all elements up to each (without itself if `exclusive`) along `axis`,
    from the end if `reverse`.
    """
    total = reducer is Reducer.SUM
    name, extent = "cumsum" if total else "cumprod", x.extents[axis]
    if extent > SHORT:
        function = partial(
            host.cumulate,
            axis=axis,
            function="add" if total else "multiply",
            exclusive=exclusive,
            reverse=reverse,
        )
        return b.host(name, function, [x], [(x.dtype, x.extents)], {"axis": axis})[0]
    var, op = x.variable(), BinaryOp.LT if exclusive else BinaryOp.LE
    neutral = build.const(0 if total else 1, x.dtype)

    def value(i: Axes, r: Axes) -> Expr:
        before = (i[axis], r[0]) if reverse else (r[0], i[axis])
        here = build.load(var, [*i[:axis], r[0], *i[axis + 1 :]])
        return build.select(build.binary(op, *before), here, neutral)

    compute = reduce(name, [var], TensorType(x.dtype, x.extents), reducer, [extent], value)
    return b.emit(compute, [x], attributes={"axis": axis})


def scatter(
    b: Builder, x: Tensor, indices: Tensor, updates: Tensor, axis: int | None, reduction: str
) -> Tensor:
    """`x` with `updates` written where `indices` say; see `host.scatter`.

    With indices known now every element of the output knows which update it takes: an injective
    definition. With indices from the call, each would have to look at all of them, so that
    numpy, which looks at each once, is called between kernels.
    """
    known = b.value(indices)
    if known is not None and x.size <= FOLD_LIMIT * 16:
        taken, count, once = computed(_takers, known, x.extents, axis)
        if reduction == "none" or once:
            return _written(b, x, b.constant(taken), updates, count, reduction)
    function = partial(host.scatter, axis=axis, reduction=reduction)
    kinds = [(x.dtype, x.extents)]
    return b.host("scatter", function, [x, indices, updates], kinds, {"reduction": reduction})[0]


def _takers(indices: Array, shape: tuple[int, ...], axis: int | None) -> tuple[Array, int, bool]:
    """Which update each place takes, -1 for none; how many there are, and whether each is taken."""
    where = host.places(indices, shape, axis)
    taken = np.full(shape[: len(where)], -1, np.int32)
    # numpy writes in order: of several updates of one place the last one stays
    count = where[0].size
    taken[where] = np.arange(count).reshape(where[0].shape)
    return taken, count, bool(np.count_nonzero(taken >= 0) == count)


_TOGETHER: dict[str, Callable[[Expr, Expr], Expr]] = {
    "none": lambda _, new: new,
    "add": build.add,
    "mul": build.mul,
    "max": lambda old, new: build.binary(BinaryOp.MAX, old, new),
    "min": lambda old, new: build.binary(BinaryOp.MIN, old, new),
}


def _written(
    b: Builder, x: Tensor, taken: Tensor, updates: Tensor, count: int, reduction: str
) -> Tensor:
    """`x` with the update that `taken` names for each place (-1 for none)."""
    if count == 0:
        return x
    rows = reshape(b, updates, (count, *x.extents[taken.rank :]))
    place = {t: t.variable() for t in (x, taken, rows)}

    def value(i: Axes) -> Expr:
        which, old = build.load(place[taken], i[: taken.rank]), build.load(place[x], i)
        row = build.binary(BinaryOp.MAX, which, 0)
        new = _TOGETHER[reduction](old, build.load(place[rows], [row, *i[taken.rank :]]))
        return build.select(build.binary(BinaryOp.GE, which, 0), build.cast(new, x.dtype), old)

    kind = TensorType(x.dtype, x.extents)
    compute = grid("scatter", list(place.values()), kind, value)
    return b.emit(compute, list(place), attributes={"reduction": reduction})
