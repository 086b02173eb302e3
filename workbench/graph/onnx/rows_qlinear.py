"""Rows of the registry for quantized operators of onnxruntime, domain com.microsoft.

Its tool for quantization writes them. Each is what its name says on dequantized tensors, quantized
again; products of matrices are sums of integers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.rows_nn import softmax, softmax_flat
from workbench.graph.onnx.rows_quant import integer_product, of_columns, of_rows
from workbench.graph.onnx.rows_window import pool_average
from workbench.graph.ops import quantize, reduce
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.scores import logistic
from workbench.graph.ops.shape import concat, reshape, transpose
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import f32, u8

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def _one(b: Builder, parameter: Tensor | None) -> Tensor | None:
    """A scale or zero point that is one number."""
    if parameter is None:
        return None
    if parameter.size != 1:
        raise UnsupportedOp(f"{parameter} is not one number, as a scale or zero point has to be")
    return reshape(b, parameter, ())


def _real(b: Builder, x: Tensor, scale: Tensor | None, zero: Tensor | None) -> Tensor:
    own = _one(b, scale)
    if own is None:
        raise ModelError(f"{x} has no scale")
    return quantize.dequantize(b, x, own, _one(b, zero), f32)


def _small(
    b: Builder, x: Tensor, scale: Tensor | None, zero: Tensor | None, like: Tensor
) -> Tensor:
    own = _one(b, scale)
    if own is None:
        raise ModelError(f"{x} has no scale")
    return quantize.quantize(b, x, own, _one(b, zero), zero.dtype if zero else like.dtype)


def _binary(
    function: Callable[[Expr, Expr], Expr],
    node: Node,
    b: Builder,
    x: Tensor,
    scale_x: Tensor,
    zero_x: Tensor | None,
    y: Tensor,
    scale_y: Tensor,
    zero_y: Tensor | None,
    scale: Tensor,
    zero: Tensor | None = None,
) -> Tensor:
    del node
    both = _real(b, x, scale_x, zero_x), _real(b, y, scale_y, zero_y)
    return _small(b, elementwise(b, "qlinear", function, *both), scale, zero, x)


def _unary(
    node: Node,
    b: Builder,
    x: Tensor,
    scale_x: Tensor,
    zero_x: Tensor | None,
    scale: Tensor,
    zero: Tensor | None = None,
) -> Tensor:
    own = _real(b, x, scale_x, zero_x)
    if node.op == "QLinearSigmoid":
        made = elementwise(b, "sigmoid", logistic, own)
    elif node.op == "QLinearLeakyRelu":
        slope = node.real("alpha", 0.01)

        def leaky(v: Expr) -> Expr:
            return build.select(build.less(v, 0.0), build.mul(v, slope), v)

        made = elementwise(b, "leaky_relu", leaky, own)
    elif node.op == "QLinearSoftmax":
        made = (softmax if node.number("opset") >= 13 else softmax_flat)(node, b, own)
    elif node.op == "QLinearAveragePool":
        if node.number("channels_last", 0):
            raise UnsupportedOp(f"{node.op} with its channels last is not supported")
        made = pool_average(node, b, own)
    else:
        last = bool(node.number("channels_last", 0))
        dims = range(1, x.rank - 1) if last else range(2, x.rank)
        made = reduce.mean(b, own, dims, keep=True)
    return _small(b, made, scale, zero, x)


def _concat(node: Node, b: Builder, scale: Tensor, zero: Tensor, *rest: Tensor | None) -> Tensor:
    if len(rest) % 3 or not rest:
        raise ModelError(f"{len(rest)} inputs are not tensors with a scale and a zero point each")
    parts: list[Tensor] = []
    for n in range(0, len(rest), 3):
        x = rest[n]
        if x is None:
            raise ModelError("a tensor to put together is left out")
        parts.append(_real(b, x, rest[n + 1], rest[n + 2]))
    whole = concat(b, parts, axis_of(node.number("axis"), parts[0].rank))
    return _small(b, whole, scale, zero, zero)


def _scaled(
    b: Builder, total: Tensor, x: Tensor, y: Tensor, scales: tuple[Tensor, Tensor], alpha: float = 1
) -> Tensor:
    """An integer product as a real one."""

    def real(v: Expr, s: Expr, t: Expr) -> Expr:
        return build.mul(build.cast(v, f32), build.mul(build.mul(s, t), alpha))

    columns = scales[1]
    if columns.rank == 1 and columns.size == total.extents[-1]:
        return elementwise(b, "scale", real, total, of_rows(b, scales[0], x), columns)
    pair = of_rows(b, scales[0], x), of_columns(b, columns, y)
    return elementwise(b, "scale", real, total, *pair)


def _gemm(
    node: Node,
    b: Builder,
    x: Tensor,
    scale_x: Tensor,
    zero_x: Tensor | None,
    y: Tensor,
    scale_y: Tensor,
    zero_y: Tensor | None,
    bias: Tensor | None = None,
    scale: Tensor | None = None,
    zero: Tensor | None = None,
) -> Tensor:
    if x.rank != 2 or y.rank != 2:
        raise ModelError(f"QGemm takes matrices, not {x} and {y}")
    left = transpose(b, x, (1, 0)) if node.number("transA", 0) else x
    right = transpose(b, y, (1, 0)) if node.number("transB", 0) else y
    total = integer_product(b, left, right, zero_x, zero_y)
    if bias is not None:
        total = elementwise(b, "add", build.add, total, bias)
    made = _scaled(b, total, left, right, (scale_x, scale_y), node.real("alpha", 1.0))
    return made if scale is None else _small(b, made, scale, zero, x)


def _to_float(
    node: Node,
    b: Builder,
    x: Tensor,
    y: Tensor,
    scale_x: Tensor,
    scale_y: Tensor,
    zero_x: Tensor | None = None,
    zero_y: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    del node
    total = integer_product(b, x, y, zero_x, zero_y)
    made = _scaled(b, total, x, y, (scale_x, scale_y))
    return made if bias is None else elementwise(b, "add", build.add, made, bias)


def _by_range(
    node: Node,
    b: Builder,
    x: Tensor,
    y: Tensor,
    scale_y: Tensor,
    zero_y: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    small, scale, zero = quantize.quantize_by_range(b, x)
    assert small.dtype == u8
    return _to_float(node, b, small, y, scale, scale_y, zero, zero_y, bias)


ROWS = tuple(
    Row(op, 1, lower, domain="com.microsoft")
    for op, lower in (
        ("QLinearAdd", partial(_binary, build.add)),
        ("QLinearMul", partial(_binary, lambda v, w: build.binary(BinaryOp.MUL, v, w))),
        ("QLinearSigmoid", _unary),
        ("QLinearLeakyRelu", _unary),
        ("QLinearGlobalAveragePool", _unary),
        ("QLinearAveragePool", _unary),
        ("QLinearSoftmax", _unary),
        ("QLinearConcat", _concat),
        ("QGemm", _gemm),
        ("MatMulIntegerToFloat", _to_float),
        ("DynamicQuantizeMatMul", _by_range),
    )
)
