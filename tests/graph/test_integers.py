"""Products of quantized numbers: exact against int64; models that onnxruntime has quantized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnxruntime import quantization

import workbench as wb
from workbench.ir.expr import Call

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {"u8": (np.uint8, TensorProto.UINT8), "i8": (np.int8, TensorProto.INT8)}


def model(op, inputs, constants, **attributes):
    """A model of one node; `inputs` maps names to arrays that a call passes."""
    order = [n for n in ("x", "w", "zx", "zw") if n in inputs or n in constants]
    elem = helper.np_dtype_to_tensor_dtype
    graph = helper.make_graph(
        [helper.make_node(op, order, ["y"], **attributes)],
        "one",
        [helper.make_tensor_value_info(n, elem(a.dtype), a.shape) for n, a in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.INT32, None)],
        [numpy_helper.from_array(a, n) for n, a in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def result(made, inputs):
    graph = wb.from_onnx(made).optimize()
    return graph, graph.compile("cpu")(inputs)["y"]


def words(graph):
    """How many operators sum words of bytes."""
    sums = (op.compute.reduction for op in graph.operators if op.compute and op.compute.reduction)
    return sum(isinstance(s.value, Call) and s.value.function == "dot4" for s in sums)


def numbers(rng, kind, shape):
    """Bytes, many of them at the ends."""
    low, high = (0, 255) if kind == "u8" else (-128, 127)
    found = rng.integers(low, high, shape, endpoint=True)
    end = rng.random(shape)
    found = np.where(end < 0.2, low, np.where(end > 0.8, high, found))
    return found.astype(KINDS[kind][0])


@given(
    st.integers(1, 40), st.integers(1, 70), st.integers(1, 70), st.sampled_from(["u8", "i8"]),
    st.sampled_from(["u8", "i8"]), st.sampled_from(["none", "one", "each"]), st.booleans(),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_products_are_exact(m, k, n, left, right, zeros, constant, seed):
    rng = np.random.default_rng(seed)
    x, w = numbers(rng, left, (m, k)), numbers(rng, right, (k, n))
    inputs, constants = {"x": x}, {}
    (constants if constant else inputs)["w"] = w
    zx = zw = np.zeros((), np.int64)
    if zeros != "none":
        zx, zw = numbers(rng, left, ()), numbers(rng, right, (n,) if zeros == "each" else ())
        constants |= {"zx": zx, "zw": zw}
    graph, y = result(model("MatMulInteger", inputs, constants), inputs)
    wide = [a.astype(np.int64) for a in (x, zx, w, zw)]
    np.testing.assert_array_equal(y, (wide[0] - wide[1]) @ (wide[2] - wide[3]))
    if k >= 8 and m > 1 and n > 1:
        assert words(graph) == 1


@pytest.mark.parametrize(("left", "right"), [(a, b) for a in KINDS for b in KINDS])
def test_long_sums_of_extreme_numbers_are_exact(left, right):
    k = 5000
    x = np.full((9, k), np.iinfo(KINDS[left][0]).max, KINDS[left][0])
    w = np.full((k, 33), np.iinfo(KINDS[right][0]).min, KINDS[right][0])
    w[:, 7] = np.iinfo(KINDS[right][0]).max
    zx, zw = (np.asarray(np.iinfo(KINDS[n][0]).min, KINDS[n][0]) for n in (left, right))
    constants = {"w": w, "zx": zx, "zw": zw}
    _, y = result(model("MatMulInteger", {"x": x}, constants), {"x": x})
    wide = [a.astype(np.int64) for a in (x, zx, w, zw)]
    np.testing.assert_array_equal(y, (wide[0] - wide[1]) @ (wide[2] - wide[3]))


def test_batches_share_a_factor_or_not():
    rng = np.random.default_rng(0)
    x = numbers(rng, "i8", (2, 3, 12, 65))
    for shape in ((65, 41), (3, 65, 41), (2, 3, 65, 41)):
        w = numbers(rng, "u8", shape)
        zeros = {"zx": np.int8(5), "zw": np.uint8(200)}
        graph, y = result(model("MatMulInteger", {"x": x, "w": w}, zeros), {"x": x, "w": w})
        np.testing.assert_array_equal(y, (x.astype("i8") - 5) @ (w.astype("i8") - 200))
        assert words(graph) == 1


def test_no_rows_and_no_terms():
    x, w = np.zeros((0, 16), "u1"), np.ones((16, 8), "i1")
    assert result(model("MatMulInteger", {"x": x}, {"w": w}), {"x": x})[1].shape == (0, 8)
    x, w = np.zeros((3, 0), "u1"), np.ones((0, 8), "i1")
    np.testing.assert_array_equal(
        result(model("MatMulInteger", {"x": x}, {"w": w}), {"x": x})[1], np.zeros((3, 8), "i4")
    )


CONVOLUTIONS = [
    # channels, size, maps, kernel, stride, padding, group, left, right, zero of x, zero of w
    (32, 9, 32, 3, 1, 1, 1, "u8", "i8", 0, 0, True),
    (64, 7, 48, 1, 1, 0, 1, "u8", "i8", 7, 0, True),
    (24, 9, 40, 3, 2, 1, 1, "i8", "i8", -128, 0, True),
    (18, 9, 33, 3, 2, 1, 1, "u8", "u8", 0, 128, True),
    (32, 9, 32, 3, 1, 1, 1, "u8", "i8", 9, 0, False),  # what pads is no number of 8 bits
    (32, 9, 32, 3, 1, 1, 32, "u8", "i8", 0, 0, False),
    (3, 12, 32, 3, 2, 1, 1, "u8", "i8", 5, 0, False),
]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=lambda c: "x".join(map(str, c[:7])))
def test_convolutions_are_exact(case):
    c, size, maps, kernel, stride, pad, group, left, right, zx, zw, in_words = case
    rng = np.random.default_rng(1)
    x = numbers(rng, left, (2, c, size, size))
    w = numbers(rng, right, (maps, c // group, kernel, kernel))
    zeros = {"zx": np.asarray(zx, x.dtype), "zw": np.asarray(zw, w.dtype)}
    how = {"pads": [pad] * 4, "strides": [stride] * 2, "group": group}
    graph, y = result(model("ConvInteger", {"x": x}, {"w": w, **zeros}, **how), {"x": x})
    wide = {"x": x.astype("f8") - zx, "w": w.astype("f8") - zw}
    exact = ReferenceEvaluator(model("Conv", wide, {}, **how)).run(None, wide)[0]
    np.testing.assert_array_equal(y, exact)
    assert words(graph) == in_words


@given(st.integers(-100, 100), st.integers(0, 255), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_quantizing_by_a_known_scale_rounds_as_a_division(power, zero, seed):
    """Numbers next to the middle of two integers tell."""
    rng = np.random.default_rng(seed)
    scale = np.float32(rng.uniform(1, 2) * 2.0 ** (power / 5))
    x = ((rng.integers(-300, 300, 4096) + 0.5) * scale).astype("f4")
    x[::3], x[1::3] = np.nextafter(x[::3], np.inf), np.nextafter(x[1::3], -np.inf)
    x[:4] = np.inf, -np.inf, 3e38, -3e38
    nodes = [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["y"])]
    ends = [helper.make_tensor_value_info(n, k, x.shape) for n, k in (("x", 1), ("y", 2))]
    known = [numpy_helper.from_array(np.asarray(scale), "scale")]
    known.append(numpy_helper.from_array(np.uint8(zero), "zero"))
    graph = helper.make_graph(nodes, "q", ends[:1], ends[1:], known)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with np.errstate(over="ignore"):
        exact = np.clip(np.rint(x / scale) + zero, 0, 255)
    np.testing.assert_array_equal(result(made, {"x": x})[1], exact)


class Batches(quantization.CalibrationDataReader):
    """Random inputs to find ranges with."""

    def __init__(self, shape):
        rng = np.random.default_rng(2)
        self.left = [{"x": rng.standard_normal(shape).astype("f4")} for _ in range(3)]

    def get_next(self):
        return self.left.pop() if self.left else None


def small(kind):
    """A residual block of convolutions, or the products of a transformer's."""
    rng = np.random.default_rng(3)

    def weight(name, *shape):
        array = rng.standard_normal(shape).astype("f4") / np.sqrt(np.prod(shape[1:]))
        return numpy_helper.from_array(array.astype("f4"), name)

    if kind == "conv":
        shape, pad = (1, 3, 20, 20), {"pads": [1] * 4}
        rows = [
            ("Conv", "x w1 b1", "a", pad), ("Relu", "a", "b", {}),
            ("Conv", "b w2 b2", "c", {"pads": [1] * 4, "group": 32}), ("Relu", "c", "d", {}),
            ("Conv", "d w3 b3", "e", {}), ("Add", "e b", "f", {}),
            ("GlobalAveragePool", "f", "g", {}), ("Flatten", "g", "h", {}),
            ("Gemm", "h w4 b4", "y", {"transB": 1}),
        ]  # fmt: skip
        known = [weight("w1", 32, 3, 3, 3), weight("w2", 32, 1, 3, 3), weight("w3", 32, 32, 1, 1)]
        known += [weight("w4", 10, 32), *(weight(f"b{n}", 32) for n in (1, 2, 3)), weight("b4", 10)]
    else:
        shape = (1, 12, 32)
        rows = [
            ("MatMul", "x q", "a", {}), ("MatMul", "x k", "b", {}),
            ("Transpose", "b", "c", {"perm": [0, 2, 1]}), ("MatMul", "a c", "s", {}),
            ("Softmax", "s", "p", {"axis": -1}), ("MatMul", "x v", "d", {}),
            ("MatMul", "p d", "e", {}), ("Add", "e x", "f", {}),
            ("MatMul", "f w", "g", {}), ("Add", "g bias", "h", {}), ("Relu", "h", "i", {}),
            ("MatMul", "i u", "y", {}),
        ]  # fmt: skip
        known = [weight(n, 32, 32) for n in "qkv"]
        known += [weight("w", 32, 64), weight("bias", 64), weight("u", 64, 32)]
    nodes = [helper.make_node(op, i.split(), [o], name=o, **a) for op, i, o, a in rows]
    ends = [helper.make_tensor_value_info(n, 1, s) for n, s in (("x", shape), ("y", None))]
    graph = helper.make_graph(nodes, kind, ends[:1], ends[1:], known)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(made), shape


FORMS = ["dynamic", "qdq u8 i8", "qdq i8 i8", "qdq u8 u8", "operators u8 i8"]


def quantized(made, shape, form, path: Path):
    """`made` quantized by onnxruntime's tools."""
    before, after = path / "float.onnx", path / "small.onnx"
    onnx.save(made, before)
    if form == "dynamic":
        quantization.quantize_dynamic(before, after)
        return after
    kinds = {"u8": quantization.QuantType.QUInt8, "i8": quantization.QuantType.QInt8}
    how, left, right = form.split()
    operators = quantization.QuantFormat.QOperator
    quantization.quantize_static(
        before, after, Batches(shape),
        quant_format=quantization.QuantFormat.QDQ if how == "qdq" else operators,
        activation_type=kinds[left], weight_type=kinds[right], per_channel=form == "qdq u8 i8",
    )  # fmt: skip
    return after


LEVELS = [
    onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
]


def theirs(path, level, x):
    """What onnxruntime gives."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["conv", "transformer"])
def test_models_quantized_by_onnxruntime(kind, form, tmp_path):
    made, shape = small(kind)
    path = quantized(made, shape, form, tmp_path)
    x = np.random.default_rng(4).standard_normal(shape).astype("f4")
    plain, fused = (theirs(path, level, x) for level in LEVELS)
    graph, ours = result(path, {"x": x})
    # the model as it is written; what onnxruntime makes of it rounds otherwise on the way
    step = np.ptp(plain) / 255
    assert np.abs(ours - plain).max() <= step
    assert np.abs(ours - fused).max() <= step + np.abs(plain - fused).max()
    # a convolution by weights with a zero point is no sum of words
    most = 2 - (form == "qdq u8 u8") if kind == "conv" else 5 if form == "dynamic" else 7
    assert words(graph) == most
    if form.startswith("qdq"):
        assert "multiply integers" in graph.rules
