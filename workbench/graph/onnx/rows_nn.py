"""Rows of the registry for products, reductions and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.ops import host, matmul, reduce
from workbench.graph.ops.define import Axes, grid
from workbench.graph.ops.einsum import einsum
from workbench.graph.ops.elementwise import convert, elementwise
from workbench.graph.ops.shape import reshape
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import TensorType, i64
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def _matmul(node: Node, b: Builder, x: Tensor, y: Tensor) -> Tensor:
    del node
    if x.rank == 0 or y.rank == 0:
        raise ModelError(f"MatMul takes tensors of at least one dimension, not {x} and {y}")
    return matmul.matmul(b, x, y)


def matrix_product(node: Node, b: Builder, x: Tensor, y: Tensor, c: Tensor | None = None) -> Tensor:
    """`Gemm`: alpha * x' @ y' + beta * c."""
    if x.rank != 2 or y.rank != 2:
        raise ModelError(f"Gemm takes matrices, not {x} and {y}")
    flip = (bool(node.number("transA", 0)), bool(node.number("transB", 0)))
    return matmul.gemm(b, x, y, c, flip, node.real("alpha", 1.0), node.real("beta", 1.0))


Reduce = Callable[["Builder", "Tensor", list[int], bool], "Tensor"]


def _reduce(make: Reduce, node: Node, b: Builder, x: Tensor, axes: Tensor | None = None) -> Tensor:
    listed = node.numbers("axes") if node.has("axes") else node.ints(b, axes, "axes")
    if not listed:
        if node.number("noop_with_empty_axes", 0):
            # nothing is reduced over, yet ReduceSumSquare still squares
            return make(b, x, [], True)
        listed = list(range(x.rank))
    dims = [axis_of(a, x.rank) for a in listed]
    return make(b, x, dims, bool(node.number("keepdims", 1)))


def _plain(
    name: str,
    reducer: Reducer,
    before: Callable[[Expr], Expr] | None = None,
    after: Callable[[Expr], Expr] | None = None,
) -> Reduce:
    return lambda b, x, dims, keep: reduce.reduction(b, name, x, dims, keep, reducer, before, after)


def _log_sum_exp(b: Builder, x: Tensor, dims: list[int], keep: bool) -> Tensor:
    if not x.dtype.is_float:
        return convert(b, _log_sum_exp(b, convert(b, x, build.f64), dims, keep), x.dtype)
    top = reduce.reduction(b, "reduce_max", x, dims, True, Reducer.MAX)
    # an infinite maximum must not make inf - inf
    bound = elementwise(
        b, "finite", lambda v: build.select(build.call("isinf", v), build.cast(0, v.type), v), top
    )
    powers = elementwise(b, "exp", lambda v, t: build.call("exp", build.sub(v, t)), x, bound)
    total = _plain("reduce_sum", Reducer.SUM)(b, powers, dims, keep)
    low = reshape(b, bound, total.extents)
    return elementwise(b, "log", lambda s, t: build.add(build.call("log", s), t), total, low)


def _squared(v: Expr) -> Expr:
    return build.mul(v, v)


def _l2(b: Builder, x: Tensor, dims: list[int], keep: bool) -> Tensor:
    # the squares of integers may be too large for their type, though the root is not
    wide = x if x.dtype.is_float else convert(b, x, build.f64)
    root = _plain("reduce_l2", Reducer.SUM, _squared, _floatwise("sqrt"))
    return convert(b, root(b, wide, dims, keep), x.dtype)


def _magnitude(v: Expr) -> Expr:
    return v if v.type.kind == "u" else build.call("abs", v)  # pyright: ignore


def _floatwise(name: str) -> Callable[[Expr], Expr]:
    def apply(v: Expr) -> Expr:
        floating = v if v.type.is_float else build.cast(v, build.f64)  # pyright: ignore
        return build.cast(build.call(name, floating), v.type)  # pyright: ignore

    return apply


_REDUCES: dict[str, Reduce] = {
    "ReduceSum": _plain("reduce_sum", Reducer.SUM),
    "ReduceMean": reduce.mean,
    "ReduceMax": _plain("reduce_max", Reducer.MAX),
    "ReduceMin": _plain("reduce_min", Reducer.MIN),
    "ReduceProd": _plain("reduce_prod", Reducer.PROD),
    "ReduceL1": _plain("reduce_l1", Reducer.SUM, _magnitude),
    "ReduceL2": _l2,
    "ReduceSumSquare": _plain("reduce_sum_square", Reducer.SUM, _squared),
    "ReduceLogSum": _plain("reduce_log_sum", Reducer.SUM, None, _floatwise("log")),
    "ReduceLogSumExp": _log_sum_exp,
}


def _arg(reducer: Reducer, node: Node, b: Builder, x: Tensor) -> Tensor:
    dim = axis_of(node.number("axis", 0), x.rank)
    if x.extents[dim] == 0:
        raise ModelError(f"{node.op} over no elements of {x}")
    last = bool(node.number("select_last_index", 0))
    return reduce.arg(b, x, dim, bool(node.number("keepdims", 1)), reducer, last)


def softmax(node: Node, b: Builder, x: Tensor) -> Tensor:
    """Softmax along one axis, from opset 13 on."""
    dim = axis_of(node.number("axis", -1), x.rank)
    return reduce.softmax(b, x, [dim], node.op == "LogSoftmax")


def softmax_flat(node: Node, b: Builder, x: Tensor) -> Tensor:
    """Softmax before opset 13: the tensor counts as a matrix, cut at `axis`."""
    dim = axis_of(node.number("axis", 1), x.rank)
    return reduce.softmax(b, x, range(dim, x.rank), node.op == "LogSoftmax")


def _hot(b: Builder, x: Tensor, dim: int) -> Tensor:
    """1 where the first greatest element along `dim` stands, 0 elsewhere."""
    best = reduce.arg(b, x, dim, True, Reducer.ARGMAX, last=False)
    where = best.variable()

    def value(i: Axes) -> Expr:
        at = build.load(where, [*i[:dim], 0, *i[dim + 1 :]])
        hot = build.binary(BinaryOp.EQ, at, build.cast(i[dim], i64))
        return build.cast(hot, x.dtype)

    kind = TensorType(x.dtype, x.extents)
    return b.emit(grid("hardmax", [where], kind, value), [best])


def _hardmax(node: Node, b: Builder, x: Tensor) -> Tensor:
    return _hot(b, x, axis_of(node.number("axis", -1), x.rank))


def _hardmax_flat(node: Node, b: Builder, x: Tensor) -> Tensor:
    dim = axis_of(node.number("axis", 1), x.rank)
    flat = reshape(b, x, (prod(x.extents[:dim]), prod(x.extents[dim:])))
    return reshape(b, _hot(b, flat, 1), x.extents)


def _einsum(node: Node, b: Builder, *tensors: Tensor) -> Tensor:
    return einsum(b, node.text("equation"), *tensors)


def _det(node: Node, b: Builder, x: Tensor) -> Tensor:
    del node
    if x.rank < 2 or x.extents[-1] != x.extents[-2]:
        raise ModelError(f"Det: {x} holds no square matrices")
    # by elimination with pivots, which no definition element by element can say
    return b.host("det", host.determinant, [x], [(x.dtype, x.extents[:-2])])[0]


ROWS = (
    Row("MatMul", 1, _matmul),
    Row("Einsum", 12, _einsum),
    Row("Det", 11, _det),
    Row("Gemm", 7, matrix_product),
    *(Row(op, 1, partial(_reduce, make)) for op, make in _REDUCES.items()),
    Row("ArgMax", 1, partial(_arg, Reducer.ARGMAX)),
    Row("ArgMin", 1, partial(_arg, Reducer.ARGMIN)),
    Row("Softmax", 1, softmax_flat, last=12),
    Row("LogSoftmax", 1, softmax_flat, last=12),
    Row("Softmax", 13, softmax),
    Row("LogSoftmax", 13, softmax),
    Row("Hardmax", 1, _hardmax_flat, last=12),
    Row("Hardmax", 13, _hardmax),
)
