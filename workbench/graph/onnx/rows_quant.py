"""Rows of the registry for quantized numbers and their products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.rows_window import window_of
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.ops import conv, matmul, quantize
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.shape import reshape
from workbench.ir import build
from workbench.ir.types import i32, u8

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def _quantize(
    node: Node, b: Builder, x: Tensor, scale: Tensor, zero: Tensor | None = None
) -> Tensor:
    to = u8 if zero is None else zero.dtype
    if node.number("output_dtype", 0):
        to = dtype_of_elem(node.number("output_dtype"), node)
    if zero is not None and to != zero.dtype:
        raise ModelError(f"output_dtype {to} is not that of the zero point {zero}")
    if not to.is_int or to.bits > 16:
        raise ModelError(f"{to} is no type to quantize to")
    spreads = [_spread(node, b, t, x) for t in (scale, zero)]
    assert spreads[0] is not None
    return quantize.quantize(b, x, spreads[0], spreads[1], to)


def _dequantize(
    node: Node, b: Builder, x: Tensor, scale: Tensor, zero: Tensor | None = None
) -> Tensor:
    to = scale.dtype
    if node.number("output_dtype", 0):
        to = dtype_of_elem(node.number("output_dtype"), node)
    if zero is not None and zero.dtype != x.dtype:
        raise ModelError(f"{x} and its zero point {zero} must have one number type")
    spreads = [_spread(node, b, t, x) for t in (scale, zero)]
    assert spreads[0] is not None
    return quantize.dequantize(b, x, spreads[0], spreads[1], to)


def _spread(node: Node, b: Builder, parameter: Tensor | None, x: Tensor) -> Tensor | None:
    if parameter is None:
        return None
    block = node.number("block_size", 0)
    return quantize.spread(b, parameter, x, node.number("axis", 1), block)


def _by_range(node: Node, b: Builder, x: Tensor) -> tuple[Tensor, ...]:
    if x.size == 0:
        raise ModelError(f"{node.op} of no elements: {x}")
    return quantize.quantize_by_range(b, x)


def _matmul_integer(
    node: Node,
    b: Builder,
    x: Tensor,
    y: Tensor,
    zero_x: Tensor | None = None,
    zero_y: Tensor | None = None,
) -> Tensor:
    del node
    return integer_product(b, x, y, zero_x, zero_y)


def integer_product(
    b: Builder, x: Tensor, y: Tensor, zero_x: Tensor | None, zero_y: Tensor | None
) -> Tensor:
    """The i32 product of two (batches of) matrices or vectors less their zero points."""
    if x.rank == 0 or y.rank == 0:
        raise ModelError(f"a product takes tensors of at least one dimension, not {x} and {y}")
    left = None if zero_x is None or _all_zero(b, zero_x) else of_rows(b, zero_x, x)
    right = None if zero_y is None or _all_zero(b, zero_y) else of_columns(b, zero_y, y)
    depth = y.extents[0 if y.rank == 1 else -2]
    if x.extents[-1] != depth:
        raise ModelError(f"{x} times {y} has inner extents {x.extents[-1]} and {depth}")
    return matmul.matmul(b, x, y, (left, right), i32, i32)


def of_rows(b: Builder, parameter: Tensor, x: Tensor) -> Tensor:
    """One number for all of `x`, or for each of its rows, so that it broadcasts to `x`."""
    if parameter.size == 1:
        return reshape(b, parameter, ())
    if parameter.rank == 1:
        parameter = reshape(b, parameter, (*parameter.extents, 1))
    return _fitting(parameter, x, -1)


def of_columns(b: Builder, parameter: Tensor, y: Tensor) -> Tensor:
    """One number for all of `y`, or for each of its columns."""
    return reshape(b, parameter, ()) if parameter.size == 1 else _fitting(parameter, y, -2)


def _fitting(parameter: Tensor, matrix: Tensor, flat: int) -> Tensor:
    """`parameter`, once it is sure that it has the shape of `matrix` with extent 1 at `flat`."""
    want = list(matrix.extents)
    if len(want) >= 2:
        want[flat] = 1
    own = (1,) * (len(want) - parameter.rank) + parameter.extents
    if matrix.rank < 2 or own != tuple(want):
        raise ModelError(f"{parameter} is no scale or zero point for {matrix}")
    return parameter


def _all_zero(b: Builder, parameter: Tensor) -> bool:
    known = b.value(parameter)
    return known is not None and not known.any()


def _qlinear_matmul(
    node: Node,
    b: Builder,
    x: Tensor,
    scale_x: Tensor,
    zero_x: Tensor,
    y: Tensor,
    scale_y: Tensor,
    zero_y: Tensor,
    scale: Tensor,
    zero: Tensor,
) -> Tensor:
    del node
    total = integer_product(b, x, y, zero_x, zero_y)
    scales = of_rows(b, scale_x, x), of_columns(b, scale_y, y), of_rows(b, scale, total)
    return quantize.requantize(b, total, scales, of_rows(b, zero, total), zero.dtype)


def _conv_integer(
    node: Node,
    b: Builder,
    x: Tensor,
    w: Tensor,
    zero_x: Tensor | None = None,
    zero_w: Tensor | None = None,
) -> Tensor:
    return _convolved(node, b, x, w, zero_x, zero_w)


def _convolved(
    node: Node, b: Builder, x: Tensor, w: Tensor, zero_x: Tensor | None, zero_w: Tensor | None
) -> Tensor:
    """The i32 convolution of what is left of `x` and `w` without their zero points."""
    if w.rank != x.rank:
        raise ModelError(f"{node.op}: {x} and the weights {w} have different ranks")
    if zero_x is not None and zero_x.size != 1:
        raise ModelError(f"{zero_x} is no zero point for {x}")
    zeros = [None if t is None or _all_zero(b, t) else t for t in (zero_x, zero_w)]
    left = None if zeros[0] is None else reshape(b, zeros[0], ())
    right = None if zeros[1] is None else quantize.spread(b, zeros[1], w, 0, 0)
    moved = window_of(node, x, tuple(node.numbers("kernel_shape", w.extents[2:])))
    kind = quantize.sums_type(b, x, left, w, right, list(range(1, w.rank)))
    return conv.conv(b, x, w, moved, node.number("group", 1), (left, right), i32, kind)


def _qlinear_conv(
    node: Node,
    b: Builder,
    x: Tensor,
    scale_x: Tensor,
    zero_x: Tensor,
    w: Tensor,
    scale_w: Tensor,
    zero_w: Tensor,
    scale: Tensor,
    zero: Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    if any(t.size != 1 for t in (scale_x, scale, zero)):
        raise ModelError(f"{scale_x}, {scale} and {zero} must be one number each")
    total = _convolved(node, b, x, w, zero_x, zero_w)
    if bias is not None:
        total = elementwise(b, "add", build.add, total, quantize.spread(b, bias, total, 1, 0))
    weights = quantize.spread(b, scale_w, total, 1, 0)
    scales = reshape(b, scale_x, ()), weights, reshape(b, scale, ())
    return quantize.requantize(b, total, scales, reshape(b, zero, ()), zero.dtype)


ROWS = (
    Row("QuantizeLinear", 10, _quantize),
    Row("DequantizeLinear", 10, _dequantize),
    Row("DynamicQuantizeLinear", 11, _by_range),
    Row("MatMulInteger", 10, _matmul_integer),
    Row("QLinearMatMul", 10, _qlinear_matmul),
    Row("ConvInteger", 10, _conv_integer),
    Row("QLinearConv", 10, _qlinear_conv),
)
