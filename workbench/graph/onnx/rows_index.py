"""Rows of the registry for operators that look at where an element stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.ops.define import Axes, grid
from workbench.graph.ops.shape import bounded
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import TensorType

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def _gather_elements(node: Node, b: Builder, x: Tensor, indices: Tensor) -> Tensor:
    axis = axis_of(node.number("axis", 0), x.rank)
    if indices.rank != x.rank:
        raise ModelError(f"{indices} does not have as many dimensions as {x}")
    if any(
        i > e for d, (i, e) in enumerate(zip(indices.extents, x.extents, strict=True)) if d != axis
    ) or (x.extents[axis] == 0 and indices.size):
        raise ModelError(f"{indices} reaches beyond {x}")
    data, where = x.variable(), indices.variable()

    def value(i: Axes) -> Expr:
        at = bounded(build.load(where, i), x.extents[axis])
        return build.load(data, [*i[:axis], at, *i[axis + 1 :]])

    kind = TensorType(x.dtype, indices.extents)
    return b.emit(grid("gather_elements", [data, where], kind, value), [x, indices])


def _trilu(node: Node, b: Builder, x: Tensor, k: Tensor | None = None) -> Tensor:
    if x.rank < 2:
        raise ModelError(f"Trilu takes matrices, not {x}")
    offset = (node.ints(b, k, "k") or [0])[0]
    # a diagonal outside of the matrix is as good as the one just outside
    offset = max(-x.extents[-2], min(x.extents[-1], offset))
    op = BinaryOp.GE if node.number("upper", 1) else BinaryOp.LE
    var = x.variable()

    def value(i: Axes) -> Expr:
        kept = build.binary(op, build.sub(i[-1], i[-2]), offset)
        return build.select(kept, build.load(var, i), build.const(0, x.dtype))

    return b.emit(grid("trilu", [var], TensorType(x.dtype, x.extents), value), [x])


def _one_hot(node: Node, b: Builder, indices: Tensor, depth: Tensor, values: Tensor) -> Tensor:
    count = (node.ints(b, depth, "depth") or [0])[0]
    axis = axis_of(node.number("axis", -1), indices.rank + 1)
    if count < 0 or values.extents != (2,):
        raise ModelError(f"a depth of {count} with the values {values} is not possible")
    shape = (*indices.extents[:axis], count, *indices.extents[axis:])
    where, pair = indices.variable(), values.variable()

    def value(i: Axes) -> Expr:
        at = build.load(where, [*i[:axis], *i[axis + 1 :]] or [0])
        wide = build.cast(i[axis], build.i64)
        index = build.cast(at, build.i64)
        index = build.select(build.less(index, 0), build.add(index, count), index)
        hot = build.binary(BinaryOp.EQ, index, wide)
        return build.select(hot, build.load(pair, [1]), build.load(pair, [0]))

    kind = TensorType(values.dtype, shape)
    return b.emit(grid("one_hot", [where, pair], kind, value), [indices, values])


ROWS = (
    Row("GatherElements", 11, _gather_elements),
    Row("Trilu", 14, _trilu),
    Row("OneHot", 9, _one_hot),
)
