"""Scales of channels fold into weights where that is legal, and nowhere else."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import agree, compiled, floats, model, node
from workbench.graph import from_onnx
from workbench.graph.fold import fold_scales
from workbench.runtime import nvrtc

F = np.float32
BN = "scale shift mean var"
C = 6


def weights(channels: int = C) -> dict[str, np.ndarray]:
    return {
        "w": floats(channels, 4, 3, 3),
        "grouped": floats(channels, 2, 3, 3),
        "turned": floats(4, channels, 2, 2),
        "m": floats(5, channels),
        "bias": floats(channels),
        "scale": floats(channels) + 2,
        "shift": floats(channels),
        "mean": floats(channels),
        "var": np.abs(floats(channels)) + F(0.5),
        "column": floats(channels, 1, 1) + 3,
        "row": floats(7) + 3,
        "plane": floats(1, channels, 1, 1) + 3,
        "number": np.array(2.5, F),
        "zero": np.array([0, *[1] * (channels - 1)], F).reshape(-1, 1, 1),
        "huge": np.full((channels, 1, 1), 3e38, F),
        "along": floats(channels) + 3,
        "down": floats(3, 1) + 3,
    }


def made(nodes: list[onnx.NodeProto], outputs: str = "y", opset: int = 18) -> onnx.ModelProto:
    used = {i for n in nodes for i in n.input}
    inputs = {"x": (F, (2, 4, 5, 7)), "v": (F, (3, 5))}
    return model(
        nodes,
        {n: k for n, k in inputs.items() if n in used},
        outputs.split(),
        {n: a for n, a in weights().items() if n in used},
        opset,
    )


def conv(out: str = "c", **more: object) -> onnx.NodeProto:
    return node("Conv", f"x {'grouped' if more else 'w'}", out, pads=[1, 1, 1, 1], **more)


BATCH_NORM = node("BatchNormalization", f"c {BN}", "y")

FOLDED = {
    "batch norm": ([conv(), BATCH_NORM], ["conv", "add"]),
    "bias, then batch norm": (
        [node("Conv", "x w bias", "c", strides=[2, 1]), BATCH_NORM],
        ["conv", "add"],
    ),
    "in groups": ([conv(group=2), BATCH_NORM], ["conv", "add"]),
    "scale and sum": (
        [conv(), node("Mul", "column c", "a"), node("Add", "a plane", "b"), node("Relu", "b", "y")],
        ["conv", "add", "relu"],
    ),
    "scale alone": ([conv(), node("Mul", "c plane", "y")], ["conv"]),
    "division": ([conv(), node("Div", "c column", "y")], ["conv"]),
    "a number": ([conv(), node("Mul", "c number", "y")], ["conv"]),
    "a difference": (
        [conv(), node("Sub", "c column", "a"), node("Mul", "a column", "y")],
        ["conv", "add"],
    ),
    "product of matrices": ([node("MatMul", "v m", "c"), node("Mul", "c along", "y")], ["matmul"]),
    "gemm": (
        [node("Gemm", "v m bias", "c"), node("BatchNormalization", f"c {BN}", "y")],
        ["gemm", "add"],
    ),
    "two after two": (
        [
            conv("c"),
            node("BatchNormalization", f"c {BN}", "d"),
            node("Mul", "d column", "e"),
            node("Add", "e plane", "y"),
        ],
        ["conv", "add"],
    ),
}


def inputs(case: onnx.ModelProto) -> dict[str, np.ndarray]:
    shapes = {"x": (2, 4, 5, 7), "v": (3, 5)}
    return {i.name: floats(*shapes[i.name]) for i in case.graph.input}


@pytest.mark.parametrize("name", FOLDED)
def test_it_folds(name: str) -> None:
    nodes, left = FOLDED[name]
    case = made(nodes)
    graph = from_onnx(case).optimize(target="interp")
    assert [op.name for op in graph.operators] == left
    assert "fold scales" in graph.rules
    for target in ("cpu", "interp"):
        agree(case, inputs(case), target, rtol=1e-4, atol=1e-4)


KEPT = {
    "two users": [conv(), node("Mul", "c column", "a"), node("Add", "a c", "y")],
    "an output of the graph": [conv("y"), node("Mul", "y column", "z")],
    "a scale of zero": [conv(), node("Mul", "c zero", "y")],
    "weights too large": [conv(), node("Mul", "c huge", "a"), node("Mul", "a column", "y")],
    "along the columns": [conv(), node("Mul", "c row", "y")],
    "along the rows of a product": [node("MatMul", "v m", "c"), node("Mul", "c down", "y")],
    "an element of the input": [conv(), node("Sigmoid", "c", "a"), node("Mul", "a column", "y")],
    "divided by it": [conv(), node("Div", "column c", "y")],
    "taken from a number": [conv(), node("Sub", "column c", "a"), node("Mul", "a number", "y")],
    "only a sum": [conv(), node("Add", "c column", "y")],
    "largest, no sum": [
        node("MaxPool", "x", "c", kernel_shape=[2, 2]),
        node("Mul", "c number", "y"),
    ],
    "weights of the call": [node("MatMul", "v u", "c"), node("Mul", "c along", "y")],
}


@pytest.mark.parametrize("name", KEPT)
def test_it_stays(name: str) -> None:
    case = made(KEPT[name], "y z" if name == "an output of the graph" else "y")
    if name == "weights of the call":
        case.graph.input.append(onnx.helper.make_tensor_value_info("u", 1, (5, C)))
        assert "fold scales" not in from_onnx(case).optimize().rules
        return
    graph = from_onnx(case).optimize()
    assert "fold scales" not in graph.rules
    if name != "weights too large":  # onnxruntime does fold these, into NaN
        agree(case, inputs(case), "cpu", rtol=1e-4, atol=1e-4)


def test_training_keeps_its_statistics() -> None:
    nodes = [conv(), node("BatchNormalization", f"c {BN}", "y ym yv", training_mode=1)]
    case = made(nodes, "y ym yv", opset=15)
    assert "fold scales" not in from_onnx(case).optimize().rules
    agree(case, inputs(case), "cpu", rtol=1e-3, atol=1e-3)


def test_weights_that_others_use_stay() -> None:
    """The scaled weights are an array of their own."""
    nodes = [
        conv("c"),
        node("Mul", "c column", "a"),
        node("Conv", "x w", "b", pads=[1, 1, 1, 1], dilations=[1, 1], strides=[1, 1]),
        node("Relu", "b", "r"),
        node("Add", "a r", "y"),
    ]
    nodes[2] = node("Conv", "x w", "b", pads=[2, 1, 0, 1])
    case = made(nodes)
    assert "fold scales" in from_onnx(case).optimize().rules
    agree(case, inputs(case), "cpu", rtol=1e-4, atol=1e-4)


def test_integers_stay() -> None:
    case = model(
        [node("MatMulInteger", "x w", "c"), node("Mul", "c s", "y")],
        {"x": (np.uint8, (3, 4))},
        ["y"],
        {"w": np.arange(20, dtype=np.int8).reshape(4, 5), "s": np.arange(1, 6, dtype=np.int32)},
    )
    graph = from_onnx(case).graph
    assert fold_scales(graph) is graph


@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 4), st.integers(0, 2**16))
@settings(max_examples=20)
def test_any_shape(k: int, n: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrays = {"w": (k, n), "s": (n,), "b": (n,)}
    case = model(
        [node("MatMul", "x w", "c"), node("Mul", "c s", "a"), node("Add", "a b", "y")],
        {"x": (F, (rows, k))},
        ["y"],
        {name: (rng.standard_normal(shape) + 3).astype(F) for name, shape in arrays.items()},
    )
    agree(case, {"x": rng.standard_normal((rows, k)).astype(F)}, "interp", rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")
@pytest.mark.parametrize("name", ["batch norm", "in groups", "gemm"])
def test_cubins(name: str) -> None:
    graph = compiled(made(FOLDED[name][0]), "cuda:sm_90a")
    assert "fold scales" in from_onnx(made(FOLDED[name][0])).optimize(target="cuda:sm_90a").rules
    for kernel in graph.kernels:
        assert kernel.binary[:4] == b"\x7fELF"
        assert kernel.resources is not None
        assert kernel.resources.spill_bytes == 0
