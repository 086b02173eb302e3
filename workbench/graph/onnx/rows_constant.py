"""Rows of the registry for what is known without looking at elements: constants, shapes."""

from __future__ import annotations

from math import isfinite, prod, trunc
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.build import FOLD_LIMIT
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.types import array_of
from workbench.graph.ops import host
from workbench.graph.ops.define import grid
from workbench.graph.symbolic.array import arange, array, decided, full
from workbench.ir import build
from workbench.ir.types import TensorType

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")


def _constant(node: Node, b: Builder) -> Tensor:
    values = node.attributes
    if "sparse_value" in values:
        return b.constant(_dense(values["sparse_value"]))
    if "value" in values:
        return b.constant(array_of(node.tensor("value"), None), b.wish)
    for key, kind in (
        ("value_float", "float32"),
        ("value_floats", "float32"),
        ("value_int", "int64"),
        ("value_ints", "int64"),
    ):
        if key in values:
            try:
                return b.constant(np.asarray(values[key], kind))
            except (ValueError, TypeError, OverflowError):
                raise ModelError(f"the attribute {key} is no {kind}") from None
    raise ModelError(f"a Constant of {', '.join(values) or 'nothing'} is not supported")


def _dense(sparse: Any) -> np.ndarray:
    """The array of a SparseTensorProto, whose indices are flat or one row per element."""
    values, where = array_of(sparse.values, None), array_of(sparse.indices, None)
    shape = [int(e) for e in sparse.dims]
    check_extents(shape)
    if prod(shape) > FOLD_LIMIT * 16:
        raise ModelError(f"a sparse constant of shape {shape} is too large")
    out = np.zeros(shape, values.dtype)
    flat = where if where.ndim == 1 else host.flat(where, tuple(shape))
    if flat.shape != values.shape:
        raise ModelError(f"{list(where.shape)} indices for {list(values.shape)} values")
    out.reshape(-1)[host.inside(flat, out.size)] = values
    return out


def _fill(node: Node, b: Builder, where: Tensor) -> Tensor:
    shape = node.ints(b, where, "shape") or []
    array = np.zeros(1, np.float32)
    if node.has("value"):
        array = array_of(node.tensor("value"), None)
    if array.size != 1:
        raise ModelError(f"the value is one element, not {list(array.shape)}")
    return _filled(b, shape, array.reshape(()))


def _filled(b: Builder, shape: list[int], value: np.ndarray) -> Tensor:
    """A tensor of one value everywhere; a huge one is not made before the call."""
    check_extents(shape)
    if prod(shape) <= FOLD_LIMIT:
        return b.constant(full(shape, value))
    kind = b.constant(value).dtype
    compute = grid(
        "fill",
        (),
        TensorType(kind, tuple(shape) or (1,)),
        lambda _: build.const(value.item(), kind),
    )
    return b.emit(compute, (), shape)


def check_extents(shape: list[int]) -> None:
    """Raise ModelError for a shape that no tensor has."""
    if any(e < 0 for e in shape):
        raise ModelError(f"{shape} has a negative extent")
    if prod(shape) >= 2**40:
        raise ModelError(f"a tensor of shape {shape} is too large")


def _shape(node: Node, b: Builder, x: Tensor) -> Tensor:
    # start and end came with opset 15; a missing attribute means the whole shape
    extents = list(x.extents)[slice(node.number("start", 0), _end(node))]
    return b.constant(array(extents, np.int64))


def _end(node: Node) -> int | None:
    return node.number("end") if node.has("end") else None


def _size(node: Node, b: Builder, x: Tensor) -> Tensor:
    del node
    return b.constant(array(x.size, np.int64))


def _range(node: Node, b: Builder, start: Tensor, stop: Tensor, step: Tensor) -> Tensor:
    ends = [
        node.known(b, t, what) for t, what in ((start, "start"), (stop, "limit"), (step, "delta"))
    ]
    if any(e is None or e.size != 1 for e in ends):
        raise ModelError("start, limit and delta of a Range are one number each")
    low, high, by = (e.reshape(()).item() for e in ends if e is not None)
    if by == 0:
        raise ModelError("Range with delta 0")
    if any(isinstance(e, float) and not decided(isfinite, e) for e in (low, high, by)):
        raise ModelError(f"a Range from {low} to {high} by {by} has no end")
    count = max(0, -trunc((low - high) // by))
    check_extents([count])
    if count > FOLD_LIMIT:
        raise ModelError(f"a Range of {count} elements is too large")
    kind = np.dtype(start.dtype.numpy_name)
    return b.constant((low + arange(count) * by).astype(kind))


ROWS = (
    Row("Constant", 1, _constant),
    Row("ConstantOfShape", 9, _fill),
    Row("Shape", 1, _shape),
    Row("Size", 1, _size),
    Row("Range", 11, _range),
)
