"""Matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.define import Axes, accumulator, reduce
from workbench.graph.ops.elementwise import broadcast, elementwise, parameter, variables
from workbench.graph.ops.shape import reshape
from workbench.ir import build
from workbench.ir.expr import Expr
from workbench.ir.types import TensorType
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
    from workbench.ir.build import Operand
    from workbench.ir.types import DType


def matmul(
    b: Builder,
    x: Tensor,
    y: Tensor,
    zeros: tuple[Tensor | None, Tensor | None] = (None, None),
    to: DType | None = None,
    wide: DType | None = None,
) -> Tensor:
    """`x @ y` as numpy does it: leading dimensions are batches and broadcast.

    Parameters
    ----------
    zeros, to, wide : optional
        As in `product`.

    Raises
    ------
    ModelError
        When the inner extents differ.
    """
    left = reshape(b, x, (1, *x.extents)) if x.rank == 1 else x
    right = reshape(b, y, (*y.extents, 1)) if y.rank == 1 else y
    out = product(b, "matmul", left, right, zeros=zeros, to=to, wide=wide)
    shape = out.extents[: -1 if y.rank == 1 else None]
    if x.rank == 1:
        shape = (*shape[: out.rank - 2], *shape[out.rank - 1 :])
    return reshape(b, out, shape)


def product(
    b: Builder,
    name: str,
    x: Tensor,
    y: Tensor,
    flip: tuple[bool, bool] = (False, False),
    zeros: tuple[Tensor | None, Tensor | None] = (None, None),
    to: DType | None = None,
    wide: DType | None = None,
) -> Tensor:
    """Product of two (batches of) matrices, either of which may lie transposed.

    Parameters
    ----------
    zeros : tuple of Tensor or None
        What is taken off the elements of `x` and of `y` first; each broadcasts to its matrix.
    to : DType, optional
        Number type of the result; that of `x` by default.
    wide : DType, optional
        Number type of the sums; by default what suits `x`.
    """
    m, k = _matrix(x, flip[0])
    inner, n = _matrix(y, flip[1])
    if k != inner:
        raise ModelError(f"{name}: {x} times {y} has inner extents {k} and {inner}")
    batch = broadcast(x.extents[:-2], y.extents[:-2])
    sums = wide or accumulator(x.dtype)
    place = variables(b, (x, y), *zeros)

    def value(i: Axes, r: Axes) -> Expr:
        lead = i[:-2]
        a = build.load(place[x], _index(x, lead, i[-2], r[0], flip[0]))
        c = build.load(place[y], _index(y, lead, r[0], i[-1], flip[1]))
        left, right = build.cast(a, sums), build.cast(c, sums)
        if zeros[0] is not None:
            zero = parameter(b, place, zeros[0], (*lead, i[-2], r[0]))
            left = build.sub(left, build.cast(zero, sums))
        if zeros[1] is not None:
            zero = parameter(b, place, zeros[1], (*lead, r[0], i[-1]))
            right = build.sub(right, build.cast(zero, sums))
        return build.mul(left, right)

    kind = TensorType(to or x.dtype, (*batch, m, n))
    compute = reduce(name, list(place.values()), kind, Reducer.SUM, [k], value)
    return b.emit(compute, list(place), attributes={"m": m, "n": n, "k": k})


def _matrix(t: Tensor, flip: bool) -> tuple[int, int]:
    rows, columns = t.extents[-2:]
    return (columns, rows) if flip else (rows, columns)


def _index(t: Tensor, lead: Sequence[Expr], row: Expr, column: Expr, flip: bool) -> list[Operand]:
    own = lead[len(lead) - (t.rank - 2) :] if t.rank > 2 else ()
    batch = [0 if e == 1 else a for e, a in zip(t.extents[:-2], own, strict=True)]
    return [*batch, column, row] if flip else [*batch, row, column]


def gemm(
    b: Builder,
    x: Tensor,
    y: Tensor,
    c: Tensor | None,
    flip: tuple[bool, bool],
    alpha: float,
    beta: float,
) -> Tensor:
    """`alpha * x' @ y' + beta * c`; the scaling and the sum are operators of their own."""
    out = product(b, "gemm", x, y, flip)
    if alpha != 1:
        out = elementwise(b, "mul", lambda v: _scaled(v, alpha), out)
    if c is None or beta == 0:
        return out
    return elementwise(b, "add", lambda v, w: build.add(v, _scaled(w, beta)), out, c)


def _scaled(value: Expr, factor: float) -> Expr:
    if factor == 1:
        return value
    kind = value.type
    assert kind is not None
    return build.cast(build.mul(value, build.const(factor)), kind)  # pyright: ignore[reportArgumentType]
