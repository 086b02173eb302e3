"""Operators that put many elements together along some dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workbench.graph.ops.define import Axes, accumulator, reduce
from workbench.graph.ops.elementwise import divide, elementwise
from workbench.ir import build
from workbench.ir.build import Operand
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import DType, TensorType, boolean, i32, i64
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def reduction(
    b: Builder,
    name: str,
    x: Tensor,
    dims: Sequence[int],
    keep: bool,
    reducer: Reducer,
    before: Callable[[Expr], Expr] | None = None,
    after: Callable[[Expr], Operand] | None = None,
) -> Tensor:
    """`after(reducer over dims of before(x))`.

    Parameters
    ----------
    dims : sequence of int
        Dimensions to reduce over, not negative; none means none.
    keep : bool
        Whether they stay with extent 1.
    """
    over = sorted(set(dims))
    shape = [1 if d in over else e for d, e in enumerate(x.extents)]
    final = shape if keep else [e for d, e in enumerate(shape) if d not in over]
    var = x.variable()
    kept = [d for d in range(x.rank) if keep or d not in over]

    def value(i: Axes, r: Axes) -> Expr:
        index = [r[over.index(d)] if d in over else i[kept.index(d)] for d in range(x.rank)]
        element = build.load(var, index or [0])
        wide = x.dtype if reducer in (Reducer.MAX, Reducer.MIN) else accumulator(x.dtype)
        if wide == boolean:
            wide = i32
        element = build.cast(element, wide)
        return before(element) if before else element

    compute = reduce(
        name,
        [var],
        TensorType(x.dtype, tuple(final) or (1,)),
        reducer,
        [x.extents[d] for d in over],
        value,
        (lambda _, result: after(result)) if after else None,
    )
    return b.emit(compute, [x], final, {"dims": over})


def mean(b: Builder, x: Tensor, dims: Sequence[int], keep: bool) -> Tensor:
    """Arithmetic mean over `dims`; of integers rounded towards zero."""
    count = 1
    for d in set(dims):
        count *= x.extents[d]

    def after(total: Expr) -> Expr:
        kind = total.type
        assert isinstance(kind, DType)
        return divide(total, build.const(count, kind))

    return reduction(b, "mean", x, dims, keep, Reducer.SUM, after=after)


def arg(b: Builder, x: Tensor, dim: int, keep: bool, reducer: Reducer, last: bool) -> Tensor:
    """Position (i64) of the extreme element along `dim`; of equals the first, or the last."""
    var, extent = x.variable(), x.extents[dim]
    shape = [1 if d == dim else e for d, e in enumerate(x.extents)]
    final = shape if keep else shape[:dim] + shape[dim + 1 :]

    def value(i: Axes, r: Axes) -> Expr:
        at = build.sub(extent - 1, r[0]) if last else r[0]
        rest = i[dim + 1 :] if keep else i[dim:]
        return build.load(var, [*i[:dim], at, *rest[: x.rank - dim - 1]])

    def after(_: Axes, best: Expr) -> Expr:
        return build.sub(extent - 1, best) if last else best

    name = "argmax" if reducer is Reducer.ARGMAX else "argmin"
    kind = TensorType(i64, tuple(final) or (1,))
    compute = reduce(name, [var], kind, reducer, [extent], value, after)
    return b.emit(compute, [x], final, {"dim": dim})


def softmax(b: Builder, x: Tensor, dims: Sequence[int], log: bool = False) -> Tensor:
    """exp(x) / sum of exp(x) over `dims`, shifted by the maximum; or its logarithm."""
    top = reduction(b, "reduce_max", x, dims, True, Reducer.MAX)
    shifted = elementwise(b, "sub", build.sub, x, top)
    powers = elementwise(b, "exp", lambda v: build.call("exp", v), shifted)
    total = reduction(b, "reduce_sum", powers, dims, True, Reducer.SUM)
    if log:
        return elementwise(
            b, "log_softmax", lambda v, s: build.sub(v, build.call("log", s)), shifted, total
        )
    return elementwise(b, "softmax", lambda v, s: build.binary(BinaryOp.DIV, v, s), powers, total)
