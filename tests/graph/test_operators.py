"""Operators with few cases in the ONNX suite, swept over shapes against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from tests.graph.cases import agree, floats, model, node, run
from workbench.base.errors import ModelError
from workbench.graph import from_onnx

F = np.float32
TARGET = "interp"


@st.composite
def windows(draw: st.DrawFn, pool: bool) -> tuple[dict[str, object], list[int], list[int]]:
    dims = draw(st.integers(1, 3))
    size = [draw(st.integers(1, 11)) for _ in range(dims)]
    kernel = [draw(st.integers(1, 4)) for _ in range(dims)]
    found: dict[str, object] = {"kernel_shape": kernel}
    found["strides"] = [draw(st.integers(1, 3)) for _ in range(dims)]
    dilated = draw(st.booleans())
    found["dilations"] = [draw(st.integers(1, 3)) if dilated else 1 for _ in range(dims)]
    auto = draw(st.sampled_from(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if auto != "NOTSET":
        found["auto_pad"] = auto
        # onnxruntime takes no dilation together with SAME
        found["dilations"] = [1] * dims
    else:
        # onnxruntime wants a pool's padding smaller than its window
        most = [k - 1 if pool else 3 for k in kernel]
        found["pads"] = [draw(st.integers(0, m)) for m in most * 2]
    pads = found.get("pads", [0] * 2 * dims)
    if pool and auto.startswith("SAME"):
        # onnxruntime refuses a stride that skips elements there
        assume(all(s <= k for s, k in zip(found["strides"], kernel, strict=True)))
    fits = all(
        e + pads[d] + pads[d + dims] >= found["dilations"][d] * (kernel[d] - 1) + 1
        for d, e in enumerate(size)
    )
    assume(fits or auto.startswith("SAME"))
    return found, size, kernel


@given(windows(pool=False), st.sampled_from([(1, 1), (1, 3), (2, 2), (4, 1)]), st.integers(1, 2))
@settings(max_examples=40)
def test_conv(window, channels: tuple[int, int], batch: int) -> None:
    attributes, size, kernel = window
    group, own = channels
    weights = {"w": floats(group * 2, own, *kernel), "b": floats(group * 2)}
    made = model(
        [node("Conv", "x w b", "y", group=group, **attributes)],
        {"x": (F, (batch, group * own, *size))},
        ["y"],
        weights,
    )
    x = floats(batch, group * own, *size, seed=1)
    agree(made, {"x": x}, TARGET, atol=1e-4)
    # machine code for a part of the examples, told by their shape
    if sum(size) % 4 == 0:
        agree(made, {"x": x}, "cpu", atol=1e-4)


@given(
    windows(pool=True), st.sampled_from(["MaxPool", "AveragePool"]), st.booleans(), st.booleans()
)
@settings(max_examples=40)
def test_pools(window, op: str, ceil: bool, count: bool) -> None:
    attributes, size, _ = window
    attributes = dict(attributes)
    ceil = ceil and "auto_pad" not in attributes
    if op == "AveragePool":
        attributes["count_include_pad"] = int(count)
        # what a window beyond the padding counts is told apart from opset 19 on only
        ceil = ceil and not count
    attributes["ceil_mode"] = int(ceil)
    made = model([node(op, "x", "y", **attributes)], {"x": (F, (2, 3, *size))}, ["y"], opset=19)
    try:
        from_onnx(made)
    except ModelError:
        assume(False)
    agree(made, {"x": floats(2, 3, *size)}, TARGET)


@given(
    st.sampled_from(
        [
            ((3,), (3,)),
            ((4, 3), (3,)),
            ((3,), (3, 5)),
            ((2, 4, 3), (3, 5)),
            ((2, 1, 4, 3), (5, 3, 2)),
            ((40, 33), (33, 50)),
            ((2, 35, 20), (2, 20, 41)),
        ]
    ),
)
def test_matmul(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    made = model([node("MatMul", "a b", "y")], {"a": (F, shapes[0]), "b": (F, shapes[1])}, ["y"])
    agree(made, {"a": floats(*shapes[0]), "b": floats(*shapes[1], seed=1)}, TARGET, atol=1e-4)


@pytest.mark.parametrize("flips", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("bias", [None, (), (7,), (5, 1), (5, 7)])
def test_gemm(flips: tuple[int, int], bias: tuple[int, ...] | None) -> None:
    a = floats(6, 5) if flips[0] else floats(5, 6)
    b = floats(7, 6, seed=1) if flips[1] else floats(6, 7, seed=1)
    weights = {"b": b} if bias is None else {"b": b, "c": np.asarray(floats(*bias, seed=2), F)}
    names = "a b" if bias is None else "a b c"
    made = model(
        [node("Gemm", names, "y", transA=flips[0], transB=flips[1], alpha=0.5, beta=1.5)],
        {"a": (F, a.shape)},
        ["y"],
        weights,
    )
    agree(made, {"a": a}, TARGET)


@pytest.mark.parametrize(
    "kind", ["float16", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"]
)
@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Max", "Less", "Equal"])
def test_number_types(op: str, kind: str) -> None:
    made = model([node(op, "a b", "y")], {"a": (kind, (4, 5)), "b": (kind, (5,))}, ["y"])
    random = np.random.default_rng(5)
    a = random.integers(-90, 90, (4, 5)).astype(kind)
    b = random.integers(1, 100, 5).astype(kind)
    try:
        agree(made, {"a": a, "b": b}, TARGET, rtol=1e-3)
    except Exception as error:
        # onnxruntime has no kernel for some of the types
        if "NOT_IMPLEMENTED" not in str(error):
            raise
        pytest.skip(f"onnxruntime has no {op} of {kind}")


@pytest.mark.parametrize("source", ["float32", "float16", "int8", "int64", "uint8", "bool"])
@pytest.mark.parametrize("to", ["float32", "float64", "int32", "uint8", "bool", "float16"])
def test_casts(source: str, to: str) -> None:
    code = {"float32": 1, "float64": 11, "int32": 6, "uint8": 2, "bool": 9, "float16": 10}[to]
    made = model([node("Cast", "x", "y", to=code)], {"x": (source, (6,))}, ["y"])
    agree(made, {"x": np.array([0, 1, 2, 3, 100, 127]).astype(source)}, TARGET)


def test_statistics_that_are_not_constant() -> None:
    made = model(
        [node("BatchNormalization", "x s b m v", "y", epsilon=1e-3)],
        {"x": (F, (2, 3, 4)), **{n: (F, (3,)) for n in "sbmv"}},
        ["y"],
    )
    values = {n: floats(3, seed=i) for i, n in enumerate("sbmv")}
    agree(made, {"x": floats(2, 3, 4), **values, "v": abs(values["v"])}, TARGET)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("opset", [11, 17])
def test_softmax(axis: int, opset: int) -> None:
    made = model(
        [node("Softmax", "x", "y", axis=axis)], {"x": (F, (3, 4, 150))}, ["y"], opset=opset
    )
    agree(made, {"x": floats(3, 4, 150) * 30}, TARGET)


def test_layer_norm_by_its_own_body() -> None:
    made = model(
        [node("LayerNormalization", "x s b", "y", axis=-1)],
        {"x": (F, (3, 40))},
        ["y"],
        {"s": floats(40), "b": floats(40, seed=1)},
    )
    graph = agree(made, {"x": floats(3, 40)}, TARGET)
    assert graph.launches[1] <= 4


def test_gather_beyond_the_end_reads_nothing_outside() -> None:
    made = model([node("Gather", "x i", "y")], {"x": (F, (4,)), "i": (np.int64, (3,))}, ["y"])
    graph = from_onnx(made).compile(TARGET)
    x = floats(4)
    # ONNX calls this an error; a kernel cannot raise one, so it stays inside the tensor
    got = graph({"x": x, "i": np.array([-5, 99, -1])})["y"]
    np.testing.assert_array_equal(got, x[[0, 3, 3]])


@pytest.mark.parametrize("target", ["interp", "cpu"])
@pytest.mark.parametrize(
    ("op", "inputs", "attributes"),
    [
        ("Relu", "x", {}),
        ("Max", "x w", {}),
        ("Min", "w x", {}),
        ("Clip", "x low high", {}),
        ("HardSigmoid", "x", {}),
        ("HardSwish", "x", {}),
        ("LeakyRelu", "x", {}),
        ("Softplus", "x", {}),
        ("Softmax", "x", {}),
    ],
)
def test_nan_is_handed_on(op: str, inputs: str, attributes: dict[str, object], target: str) -> None:
    """As ONNX's reference has it: a NaN in a model is to be seen at its end."""
    weights = {"w": np.array([0, np.nan, 2], F), "low": np.array(-1, F), "high": np.array(1, F)}
    made = model(
        [node(op, inputs, "y", **attributes)],
        {"x": (F, (3,))},
        ["y"],
        {name: weights[name] for name in inputs.split() if name != "x"},
    )
    x = np.array([np.nan, 0.25, -3], F)
    wanted = ReferenceEvaluator(made).run(None, {"x": x})[0]
    np.testing.assert_allclose(run(made, {"x": x}, target)["y"], wanted, rtol=1e-6)
    assert np.isnan(wanted[0])


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("target", ["interp", "cpu"])
def test_convolution_over_a_dimension_of_one(group: int, target: str) -> None:
    # its window is a row; the blocks of a CPU need something to run along
    made = model(
        [
            node("Conv", "x w b", "c", group=group, pads=[2, 0, 1, 0], strides=[2, 3]),
            node("Relu", "c", "y"),
        ],
        {"x": (F, (2, 32, 19, 1))},
        ["y"],
        {"w": floats(32, 32 // group, 5, 1), "b": floats(32)},
    )
    agree(made, {"x": floats(2, 32, 19, 1)}, target, rtol=1e-4, atol=1e-4)
