"""Rows of the registry for forms that operators had in the first opsets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.rows_elementwise import BINARY, Function, prelu, snake
from workbench.graph.onnx.rows_nn import matrix_product
from workbench.graph.onnx.rows_normalize import batch_norm
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.ops.elementwise import convert, elementwise
from workbench.graph.ops.shape import reshape

if TYPE_CHECKING:
    import onnx

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
else:
    onnx = lazy("onnx")


def _aligned(node: Node, b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """`y` so that numpy's rule does what the attributes `broadcast` and `axis` say."""
    if not node.number("broadcast", 0):
        if x.extents != y.extents:
            raise ModelError(f"{x} and {y} differ in shape, and broadcast is not set")
        return y
    if y.rank > x.rank:
        raise ModelError(f"{y} has more dimensions than {x}")
    if not node.has("axis"):
        return y
    after = x.rank - axis_of(node.number("axis"), x.rank) - y.rank
    if after < 0:
        raise ModelError(f"{y} does not fit {x} from axis {node.number('axis')} on")
    return reshape(b, y, (*y.extents, *[1] * after))


def _binary(name: str, function: Function, node: Node, b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return elementwise(b, name, function, x, _aligned(node, b, x, y))


def _gemm(node: Node, b: Builder, x: Tensor, y: Tensor, c: Tensor) -> Tensor:
    if not node.number("broadcast", 0) and c.rank != 2:
        raise ModelError(f"{c} is no matrix, and broadcast is not set")
    return matrix_product(node, b, x, y, c)


def _prelu(node: Node, b: Builder, x: Tensor, slope: Tensor) -> Tensor:
    # one slope for all, or one per channel, which is dimension 1
    shape = () if slope.size == 1 else (slope.size, *[1] * (x.rank - 2))
    return prelu(node, b, x, reshape(b, slope, shape))


def _batch_norm(node: Node, b: Builder, x: Tensor, *statistics: Tensor) -> Tensor:
    if not node.number("is_test", 0):
        raise UnsupportedOp("BatchNormalization for training needs opset 14 or later")
    return batch_norm(node, b, x, *statistics)


def _cast(node: Node, b: Builder, x: Tensor) -> Tensor:
    name = node.text("to").upper()
    if name not in onnx.TensorProto.DataType.keys():  # noqa: SIM118, it is no dict
        raise ModelError(f"there is no number type {name}")
    return convert(b, x, dtype_of_elem(onnx.TensorProto.DataType.Value(name), node))


_SINCE_SEVEN = "Add Sub Mul Div Pow And Or Xor Equal Greater Less".split()

ROWS = (
    *(Row(op, 1, partial(_binary, snake(op), BINARY[op][1]), last=6) for op in _SINCE_SEVEN),
    Row("Gemm", 1, _gemm, last=6),
    Row("PRelu", 1, _prelu, last=6),
    Row("BatchNormalization", 1, _batch_norm, last=6),
    Row("Cast", 1, _cast, last=5),
)
