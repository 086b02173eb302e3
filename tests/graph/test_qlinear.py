"""Quantized operators of onnxruntime (domain com.microsoft), against it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.graph.cases import agree, compiled, expected, floats
from tests.graph.test_quant import integers
from workbench.base.errors import UnsupportedOp

F = np.float32
TARGET = "cpu"


def made(
    op: str, names: str, inputs: dict[str, np.ndarray], weights: dict[str, Any], **attributes: Any
) -> onnx.ModelProto:
    """A model of one node."""
    one = helper.make_node(op, names.split(), ["y"], name=op, domain="com.microsoft", **attributes)
    graph = helper.make_graph(
        [one],
        "qlinear",
        [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for n, a in inputs.items()
        ],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in weights.items()],
    )
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=sets, ir_version=8)


def close(model: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> None:
    """At most one step beside onnxruntime, whose fast paths round after another scaling."""
    got, want = compiled(model, TARGET)(inputs)["y"], expected(model, inputs)["y"]
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    apart = np.abs(got.astype(int) - want.astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.02


def one(value: float) -> np.ndarray:
    return np.asarray(value, F)


@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_two(op: str, kind: str) -> None:
    a, b = integers(kind, 4, 5, 33), integers(kind, 5, 33, seed=1)
    weights = {"s": one(0.02), "t": one(0.03), "u": one(0.05)}
    weights |= {n: np.array(v, kind) for n, v in zip("jkl", (3, 100, 7), strict=True)}
    close(made(op, "a s j b t k u l", {"a": a, "b": b}, weights), {"a": a, "b": b})


@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize("op", ["QLinearSigmoid", "QLinearLeakyRelu", "QLinearGlobalAveragePool"])
def test_one(op: str, kind: str) -> None:
    x = integers(kind, 2, 3, 6, 7)
    weights = {"s": one(0.02), "u": one(0.01), "j": np.array(3, kind), "l": np.array(7, kind)}
    close(made(op, "x s j u l", {"x": x}, weights), {"x": x})


@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize("opset", [12, 13])
def test_softmax(opset: int, kind: str) -> None:
    x = integers(kind, 2, 3, 5)
    # the only scale and zero point of the outcome that onnxruntime has
    weights = {"s": one(0.05), "u": one(1 / 256), "j": np.array(3, kind)}
    weights["l"] = np.array(-128 if kind == "int8" else 0, kind)
    made_of = made("QLinearSoftmax", "x s j u l", {"x": x}, weights, axis=1, opset=opset)
    close(made_of, {"x": x})


@pytest.mark.parametrize("count", [0, 1])
def test_average_of_windows(count: int) -> None:
    x = integers("uint8", 2, 3, 6, 7)
    weights = {
        "s": one(0.02),
        "u": one(0.013),
        "j": np.array(3, "uint8"),
        "l": np.array(7, "uint8"),
    }
    how = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}
    made_of = made(
        "QLinearAveragePool", "x s j u l", {"x": x}, weights, count_include_pad=count, **how
    )
    close(made_of, {"x": x})


def test_put_together() -> None:
    a, b = integers("uint8", 2, 3, 4), integers("uint8", 2, 5, 4, seed=1)
    weights = {"u": one(0.05), "l": np.array(9, "uint8"), "s": one(0.02), "t": one(0.03)}
    weights |= {"j": np.array(3, "uint8"), "k": np.array(100, "uint8")}
    close(
        made("QLinearConcat", "u l a s j b t k", {"a": a, "b": b}, weights, axis=1),
        {"a": a, "b": b},
    )


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("each", [True, False])
def test_gemm(whole: bool, each: bool) -> None:
    a, b = integers("uint8", 4, 6), integers("int8", 5, 6, seed=1)
    weights: dict[str, np.ndarray] = {"s": one(0.02), "j": np.array(120, "uint8"), "b": b}
    weights["t"] = np.random.default_rng(2).uniform(0.01, 0.02, 5).astype(F) if each else one(0.01)
    weights["k"] = np.zeros(5 if each else (), "int8")
    weights["c"] = np.arange(5, dtype="int32") * 100
    names = "a s j b t k c"
    if whole:
        weights |= {"u": one(0.3), "l": np.array(100, "uint8")}
        close(made("QGemm", f"{names} u l", {"a": a}, weights, transB=1), {"a": a})
    else:
        agree(made("QGemm", names, {"a": a}, weights, transB=1, alpha=0.5), {"a": a}, TARGET)


@pytest.mark.parametrize("each", [True, False])
def test_products_in_floats(each: bool) -> None:
    count = (5,) if each else ()
    a, b = integers("uint8", 2, 4, 6), integers("int8", 6, 5, seed=1)
    weights: dict[str, np.ndarray] = {"b": b, "s": one(0.02), "j": np.array(120, "uint8")}
    weights["t"] = np.random.default_rng(2).uniform(0.01, 0.02, count).astype(F)
    weights["k"], weights["c"] = np.zeros(count, "int8"), floats(5)
    agree(made("MatMulIntegerToFloat", "a b s t j k c", {"a": a}, weights), {"a": a}, TARGET)
    x = floats(4, 6)
    del weights["s"], weights["j"]
    agree(made("DynamicQuantizeMatMul", "x b t k c", {"x": x}, weights), {"x": x}, TARGET)


def test_one_scale_for_all() -> None:
    x = integers("uint8", 2, 3)
    weights = {"s": np.ones(3, F), "u": one(1), "j": np.array(0, "uint8")}
    with pytest.raises(UnsupportedOp, match="is not one number, as a scale or zero point has to"):
        compiled(made("QLinearSigmoid", "x s j u j", {"x": x}, weights), TARGET)
