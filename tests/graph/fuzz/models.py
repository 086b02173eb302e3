"""Small models in a line or two, right or wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18


def model(
    nodes: list[onnx.NodeProto],
    weights: list[onnx.TensorProto] | None = None,
    *,
    inputs: dict[str, list[Any] | None] | None = None,
    outputs: tuple[str, ...] = ("y",),
    functions: list[onnx.FunctionProto] | None = None,
    name: str = "bad",
    opset: int = OPSET,
) -> onnx.ModelProto:
    """A model of f32 inputs; nothing is said of the outputs."""
    given = {"x": [2, 3]} if inputs is None else inputs
    kind = TensorProto.FLOAT
    ins = [helper.make_tensor_value_info(n, kind, s) for n, s in given.items()]
    outs = [helper.make_tensor_value_info(n, kind, None) for n in outputs]
    graph = helper.make_graph(nodes, name, ins, outs, weights or [])
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=functions or [], ir_version=9)


def node(op: str, inputs: str, outputs: str = "y", **attributes: Any) -> onnx.NodeProto:
    """A node, its names separated by spaces."""
    return helper.make_node(op, inputs.split(), outputs.split(), name=f"the {op}", **attributes)


def ints(name: str, *values: int) -> onnx.TensorProto:
    """A list of whole numbers."""
    return numpy_helper.from_array(np.array(values, np.int64), name)


def numbers(name: str, dtype: str, *values: float) -> onnx.TensorProto:
    """A list of numbers of any type."""
    return numpy_helper.from_array(np.array(values, dtype), name)


def scalar(name: str, value: float, dtype: str = "int64") -> onnx.TensorProto:
    """A tensor of rank 0."""
    return numpy_helper.from_array(np.array(value, dtype), name)


def floats(name: str, *shape: int) -> onnx.TensorProto:
    """Ones."""
    return numpy_helper.from_array(np.ones(shape, np.float32), name)
