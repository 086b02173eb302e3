"""Operators that move elements and compute nothing: all injective, many with an inverse map."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.build import FOLD_LIMIT
from workbench.graph.ops.define import Axes, grid
from workbench.graph.symbolic.array import arange, taken
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.build import Operand
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import DType, TensorType, i32, i64

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
else:
    np = lazy("numpy")


def regroup(index: Sequence[Expr], old: Sequence[int], new: Sequence[int]) -> list[Operand]:
    """The index in shape `new` of what stands at `index` in shape `old`, both row-major.

    Runs of dimensions whose products agree are translated on their own, so that dimensions that
    stay need no division.

    Examples
    --------
    >>> from workbench.ir.expr import Var
    >>> n, c, w = (Var(name, i32) for name in "ncw")
    >>> [a if isinstance(a, int) else a.name for a in regroup((n, c, w), (2, 8, 1), (2, 1, 8))]
    ['n', 0, 'c']
    """
    source = [(i, e) for i, e in zip(index, old, strict=True) if e != 1]
    target = [n for n, e in enumerate(new) if e != 1]
    found: list[Operand] = [0] * len(new)
    at = 0
    while target:
        # take from either side until both runs hold as many elements
        run, places = [source[at]], [target.pop(0)]
        at += 1
        while (a := prod(e for _, e in run)) != (c := prod(new[n] for n in places)):
            if a < c:
                run.append(source[at])
                at += 1
            else:
                places.append(target.pop(0))
        if len(run) == len(places) == 1:
            found[places[0]] = run[0][0]
            continue
        for place, part in zip(places, _split(_flat(run), [new[n] for n in places]), strict=True):
            found[place] = part
    return found


def _flat(run: Sequence[tuple[Expr, int]]) -> Expr:
    total, _ = run[0]
    for part, extent in run[1:]:
        total = build.add(build.mul(total, extent), part)
    return total


def _split(flat: Expr, extents: Sequence[int]) -> list[Expr]:
    parts: list[Expr] = []
    for place, extent in enumerate(extents):
        stride = prod(extents[place + 1 :])
        part = build.floordiv(flat, stride)
        parts.append(build.floormod(part, extent) if place else part)
    return parts


def reshape(b: Builder, x: Tensor, shape: Sequence[int], name: str = "reshape") -> Tensor:
    """`x` in another shape of as many elements, row-major.

    Raises
    ------
    ModelError
        When the numbers of elements differ.
    """
    new = tuple(shape)
    if prod(new) != x.size:
        raise ModelError(f"{x} has {x.size} elements and cannot take the shape {list(new)}")
    if (value := b.value(x)) is not None:
        return b.constant(value.reshape(new))
    if new == x.extents:
        return x
    if x.size == 0:
        return b.constant(np.zeros(new, x.dtype.numpy_name))
    var, stored = x.variable(), new or (1,)
    old = x.extents or (1,)
    compute = grid(
        name,
        [var],
        TensorType(x.dtype, stored),
        lambda i: build.load(var, regroup(i, stored, old)),
        inverse={var: lambda e: regroup(e, old, stored)},
    )
    return b.emit(compute, [x], new, {"shape": list(new)})


def transpose(b: Builder, x: Tensor, order: Sequence[int]) -> Tensor:
    """`x` with dimension `order[n]` in place `n`."""
    if list(order) == list(range(x.rank)):
        return x
    if sorted(order) != list(range(x.rank)):
        raise ModelError(f"{list(order)} is no order of the {x.rank} dimensions of {x}")
    var = x.variable()
    shape = tuple(x.extents[d] for d in order)
    compute = grid(
        "transpose",
        [var],
        TensorType(x.dtype, shape),
        lambda i: build.load(var, [i[order.index(d)] for d in range(x.rank)]),
        inverse={var: lambda e: [e[d] for d in order]},
    )
    return b.emit(compute, [x], attributes={"order": list(order)})


def take(
    b: Builder,
    x: Tensor,
    starts: Sequence[int],
    steps: Sequence[int],
    shape: Sequence[int],
    name: str = "slice",
) -> Tensor:
    """Element `i` of the result is element `start + i * step` of `x`, in every dimension."""
    if tuple(shape) == x.extents and all(s == 1 for s in steps) and not any(starts):
        return x
    if (known := b.small(x)) and prod(shape):
        part = known[0]
        for axis, (start, step, count) in enumerate(zip(starts, steps, shape, strict=True)):
            part = taken(part, start + step * arange(count), axis)
        return b.constant(part)
    var = x.variable()

    def value(i: Axes) -> Expr:
        moved = [
            build.add(build.mul(axis, step), start)
            for axis, start, step in zip(i, starts, steps, strict=True)
        ]
        return build.load(var, moved)

    compute = grid(name, [var], TensorType(x.dtype, tuple(shape)), value)
    return b.emit(compute, [x], attributes={"start": list(starts), "step": list(steps)})


def concat(b: Builder, inputs: Sequence[Tensor], axis: int) -> Tensor:
    """All inputs one after the other along `axis`."""
    parts = [t for t in inputs if t.extents[axis] > 0] or list(inputs[:1])
    if len(parts) == 1:
        return parts[0]
    place = {t: t.variable() for t in parts}
    shape = list(parts[0].extents)
    shape[axis] = sum(t.extents[axis] for t in parts)
    for t in parts:
        if t.extents[:axis] + t.extents[axis + 1 :] != (*shape[:axis], *shape[axis + 1 :]):
            raise ModelError(f"{t} does not fit beside {parts[0]} along dimension {axis}")
    if known := b.small(*parts):
        return b.constant(np.concatenate(known, axis))

    def value(i: Axes) -> Expr:
        end = shape[axis]
        found: Expr | None = None
        for t in reversed(parts):
            start = end - t.extents[axis]
            own = [build.sub(a, start) if d == axis else a for d, a in enumerate(i)]
            here = build.load(place[t], own)
            found = here if found is None else build.select(build.less(i[axis], end), here, found)
            end = start
        assert found is not None
        return found

    compute = grid("concat", list(place.values()), TensorType(parts[0].dtype, tuple(shape)), value)
    return b.emit(compute, list(place), attributes={"axis": axis})


def expand(b: Builder, x: Tensor, shape: Sequence[int]) -> Tensor:
    """`x` repeated along its unit dimensions, to `shape`."""
    if tuple(shape) == x.extents:
        return x
    var, skip = x.variable(), len(shape) - x.rank

    def value(i: Axes) -> Expr:
        own = [0 if e == 1 else a for e, a in zip(x.extents, i[skip:], strict=True)]
        return build.load(var, own or [0])

    compute = grid("expand", [var], TensorType(x.dtype, tuple(shape) or (1,)), value)
    return b.emit(compute, [x], shape)


def gather(b: Builder, x: Tensor, indices: Tensor, axis: int) -> Tensor:
    """`x` at `indices` along `axis`; a negative index counts from the end.

    An index outside is drawn to the nearest end, so that no kernel reads outside its tensor.
    """
    rank, extent = indices.rank, x.extents[axis]
    shape = (*x.extents[:axis], *indices.extents, *x.extents[axis + 1 :])
    known = b.small(x, indices)
    if known and prod(shape) <= FOLD_LIMIT:
        values, at = known
        at = np.where(at < 0, at + extent, at)
        return b.constant(taken(values, at, axis, "clip"))
    data, where = x.variable(), indices.variable()

    def value(i: Axes) -> Expr:
        own = i[axis : axis + rank] if shape else ()
        at = bounded(build.load(where, own or [0]), extent)
        rest = i[axis + rank :] if shape else ()
        return build.load(data, [*i[:axis], at, *rest])

    compute = grid("gather", [data, where], TensorType(x.dtype, shape or (1,)), value)
    return b.emit(compute, [x, indices], shape, {"axis": axis})


def bounded(index: Expr, extent: int) -> Expr:
    """An index from data as one that is surely inside."""
    kind = index.type
    assert isinstance(kind, DType)
    at = build.cast(index, i64 if kind.bits == 64 or extent >= 2**31 else i32)
    if kind.kind == "i":
        at = build.select(build.less(at, 0), build.add(at, extent), at)
    at = build.binary(BinaryOp.MIN, build.binary(BinaryOp.MAX, at, 0), extent - 1)
    return build.cast(at, i32) if extent < 2**31 else at


def pad(
    b: Builder,
    x: Tensor,
    before: Sequence[int],
    after: Sequence[int],
    fill: Expr | Tensor,
    mode: str,
) -> Tensor:
    """`x` with elements added (or, where negative, removed) at both ends of each dimension.

    Parameters
    ----------
    fill : Expr or Tensor
        What is added in mode ``constant``; a number, or a tensor of one element.
    mode : str
        ``constant``, ``edge``, ``reflect`` or ``wrap``.
    """
    shape = tuple(e + lo + hi for e, lo, hi in zip(x.extents, before, after, strict=True))
    if any(e < 0 for e in shape):
        raise ModelError(f"padding {x} by {list(before)} and {list(after)} leaves {list(shape)}")
    inputs = {x: x.variable()}
    other = fill
    if not isinstance(fill, Expr):
        if mode == "constant":
            inputs.setdefault(fill, fill.variable())
        other = build.load(inputs.get(fill, inputs[x]), [0] * max(1, fill.rank))
    ends = list(zip(x.extents, before, after, strict=True))

    def element(i: Axes) -> Expr:
        moved = [build.sub(a, lo) for a, lo in zip(i, before, strict=True)]
        if mode != "constant":
            return build.load(
                inputs[x], [_bent(m, e, mode) for m, e in zip(moved, x.extents, strict=True)]
            )
        inside: list[Expr] = []
        for m, (e, lo, hi) in zip(moved, ends, strict=True):
            inside += [build.binary(BinaryOp.GE, m, 0)] if lo > 0 else []
            inside += [build.less(m, e)] if hi > 0 else []
        assert not isinstance(other, Tensor)
        return build.select(build.all_of(*inside), build.load(inputs[x], moved), other)

    kind = TensorType(x.dtype, shape or (1,))
    compute = grid("pad", list(inputs.values()), kind, element)
    return b.emit(compute, list(inputs), shape, attributes={"mode": mode})


def _bent(index: Expr, extent: int, mode: str) -> Expr:
    """An index outside as the one inside that it stands for."""
    if mode == "edge":
        return build.binary(BinaryOp.MIN, build.binary(BinaryOp.MAX, index, 0), extent - 1)
    if mode == "wrap":
        return build.floormod(index, extent)
    if extent == 1:
        return build.mul(index, 0)
    # reflect: there and back again has a period of 2 (extent - 1)
    period = 2 * (extent - 1)
    at = build.floormod(index, period)
    return build.select(build.less(at, extent), at, build.sub(period, at))
