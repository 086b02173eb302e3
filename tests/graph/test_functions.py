"""Operators that a model defines itself."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.graph.cases import agree, floats, model
from workbench.base.errors import UnsupportedOp
from workbench.graph import from_onnx

F = np.float32


def test_a_function_of_the_model() -> None:
    body = helper.make_function(
        "local",
        "twice",
        ["a"],
        ["b"],
        [
            helper.make_node("Constant", [], ["k"], value_float=2.0),
            helper.make_node("Mul", ["a", "k"], ["m"]),
            helper.make_node("LeakyRelu", ["m"], ["b"]),
        ],
        [helper.make_opsetid("", 17)],
    )
    made = model([], {"x": (F, (3,))}, ["y"])
    made.graph.node.append(helper.make_node("twice", ["x"], ["y"], domain="local"))
    made.opset_import.append(helper.make_opsetid("local", 1))
    made.functions.append(body)
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    agree(made, {"x": floats(3)}, "interp")


def test_a_function_that_calls_itself() -> None:
    body = helper.make_function(
        "local",
        "loop",
        ["a"],
        ["b"],
        [helper.make_node("loop", ["a"], ["b"], domain="local")],
        [helper.make_opsetid("local", 1)],
    )
    made = model([], {"x": (F, (3,))}, ["y"])
    made.graph.node.append(helper.make_node("loop", ["x"], ["y"], domain="local"))
    made.opset_import.append(helper.make_opsetid("local", 1))
    made.functions.append(body)
    with pytest.raises(UnsupportedOp, match="the operator loop is not supported"):
        from_onnx(made)
