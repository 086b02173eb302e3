"""What templates for a CPU have in common: the lane of a thread, loops, tiles of even size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.expr import BinaryOp, Builtin, Expr, Load, Var
from workbench.ir.stmt import For, Stmt
from workbench.ir.traverse import variables, walk
from workbench.ir.types import DType, i32

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.ir.build import Operand

LANE = Builtin("threadIdx.x")
"""The number of a thread in its block, which is one vector."""


def even(extent: int, most: int, unit: int) -> tuple[int, int]:
    """Tiles along an extent, and units in a tile, as alike as can be.

    Examples
    --------
    >>> even(2039, 256, 8), even(100, 256, 8)
    ((8, 32), (1, 13))
    """
    units = -(-extent // unit)
    count = -(-units // max(1, most // unit))
    each = -(-units // count)
    return -(-units // each), each


def loop(
    name: str,
    stop: Operand,
    body: Callable[[Var], Stmt],
    unroll: int | None = None,
    start: int = 0,
) -> Stmt:
    """`body` for a variable from `start` to before `stop`."""
    var = Var(name, i32)
    end = build.const(stop) if isinstance(stop, int | float) else stop
    return For(var, build.const(start), end, build.const(1), body(var), unroll=unroll)


def smaller(a: Operand, b: Operand) -> Expr:
    """The smaller of two numbers."""
    return build.binary(BinaryOp.MIN, a, b)


def equal(a: Operand, b: Operand) -> Expr:
    """Whether two numbers are the same."""
    return build.binary(BinaryOp.EQ, a, b)


def neighbours(value: Expr, axis: Var) -> bool:
    """Whether steps along `axis` are steps to the next element in what `value` loads."""
    loads = [n for n in walk(value) if isinstance(n, Load)]
    return any(n.index and axis in variables(n.index[-1]) for n in loads)


def dtype_of(value: Expr) -> DType:
    """The type of a scalar."""
    kind = value.type
    assert isinstance(kind, DType)
    return kind
