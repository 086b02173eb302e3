"""Quantized numbers and their products, against onnxruntime and numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import agree, floats, model, node, run
from workbench.base.errors import ModelError

F = np.float32
TARGET = "cpu"
EXAMPLES = settings(max_examples=20)


def integers(kind: str, *shape: int, seed: int = 0) -> np.ndarray:
    info = np.iinfo(kind)
    return np.random.default_rng(seed).integers(info.min, info.max, shape, kind, endpoint=True)


def build(
    op: str, inputs: dict[str, np.ndarray], weights: dict[str, np.ndarray], **attributes: Any
) -> Any:
    names = " ".join(sorted({**inputs, **weights}))
    return model(
        [node(op, names, "y", **attributes)],
        {n: (a.dtype, a.shape) for n, a in inputs.items()},
        ["y"],
        weights,
        21,
    )


@EXAMPLES
@given(
    st.sampled_from(["uint8", "int8", "uint16", "int16"]),
    st.sampled_from([None, 0, 1, -1]),
    st.booleans(),
    st.booleans(),
)
def test_there_and_back(kind: str, axis: int | None, zero: bool, fixed: bool) -> None:
    x = floats(3, 4, 5) * F(60)
    count = () if axis is None else (x.shape[axis],)
    scale = np.random.default_rng(1).uniform(0.01, 2, count).astype(F)
    parameters = {"s": scale} | ({"z": integers(kind, *count, seed=2)} if zero else {})
    if not zero:
        kind = "uint8"
    weights, free = (parameters, {}) if fixed else ({}, parameters)
    attributes = {} if axis is None else {"axis": axis}
    agree(
        build("QuantizeLinear", {"a": x, **free}, weights, **attributes), {"a": x, **free}, TARGET
    )
    q = integers(kind, 3, 4, 5, seed=3)
    agree(
        build("DequantizeLinear", {"a": q, **free}, weights, **attributes), {"a": q, **free}, TARGET
    )


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("block", [1, 2, 3])
def test_blocks_share_a_scale(axis: int, block: int) -> None:
    shape = [4, 6]
    shape[axis] = -(-shape[axis] // block)
    weights = {
        "s": np.random.default_rng(1).uniform(0.1, 2, shape).astype(F),
        "z": integers("int8", *shape),
    }
    for op, x in (
        ("QuantizeLinear", floats(4, 6) * 50),
        ("DequantizeLinear", integers("int8", 4, 6)),
    ):
        made = build(op, {"a": x}, weights, axis=axis, block_size=block)
        agree(made, {"a": x}, TARGET)


def test_ties_ends_and_halves() -> None:
    x = F([0.5, 1.5, 2.5, -0.5, -1.5, 300, -300, np.inf, -np.inf])
    made = build("QuantizeLinear", {"a": x}, {"s": np.array(1, F), "z": np.array(1, np.int8)})
    got = run(made, {"a": x}, TARGET)["y"]
    assert got.tolist() == [1, 3, 3, 1, -1, 127, -128, 127, -128]


@EXAMPLES
@given(st.integers(0, 99), st.sampled_from([0.0, 1.0, 5.0, -5.0]))
def test_the_range_of_a_call(seed: int, shift: float) -> None:
    x = floats(4, 7, seed=seed) + F(shift)
    made = model([node("DynamicQuantizeLinear", "x", "y s z")], {"x": (F, (4, 7))}, ["y", "s", "z"])
    agree(made, {"x": x}, TARGET)


def test_the_range_of_zeros() -> None:
    x = np.zeros((2, 3), F)
    made = model([node("DynamicQuantizeLinear", "x", "y s z")], {"x": (F, (2, 3))}, ["y", "s", "z"])
    agree(made, {"x": x}, TARGET)


@EXAMPLES
@given(
    st.sampled_from(
        [((3, 5), (5, 4)), ((40, 33), (33, 50)), ((2, 6, 7), (2, 7, 9)), ((7,), (7, 3))]
    ),
    st.sampled_from(["uint8", "int8"]),
    st.sampled_from(["uint8", "int8"]),
    st.sampled_from(["none", "one", "each"]),
    st.booleans(),
)
def test_products_are_exact(
    shapes: tuple[tuple[int, ...], tuple[int, ...]], left: str, right: str, zeros: str, fixed: bool
) -> None:
    a, b = integers(left, *shapes[0]), integers(right, *shapes[1], seed=1)
    inputs, weights = {"a": a, "b": b}, {}
    own: list[np.ndarray] = []
    if zeros != "none":
        each = zeros == "each" and len(shapes[0]) == 2
        own = [integers(left, seed=2), integers(right, *([shapes[1][-1]] if each else []), seed=3)]
        extra = {"c": own[0], "d": own[1]}
        inputs, weights = (inputs, extra) if fixed else (inputs | extra, {})
    got = run(build("MatMulInteger", inputs, weights), inputs, TARGET)["y"]
    wide = [
        t.astype(np.int64) - (own[n].astype(np.int64) if own else 0) for n, t in enumerate((a, b))
    ]
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, wide[0] @ wide[1])


def test_a_zero_point_for_each_row() -> None:
    a, b = integers("uint8", 2, 3, 5), integers("int8", 2, 5, 4)
    za, zb = integers("uint8", 2, 3, 1, seed=3), integers("int8", 2, 1, 4, seed=4)
    inputs = {"a": a, "b": b, "c": za, "d": zb}
    wide = [t.astype(np.int64) for t in inputs.values()]
    got = run(build("MatMulInteger", inputs, {}), inputs, TARGET)["y"]
    np.testing.assert_array_equal(got, (wide[0] - wide[2]) @ (wide[1] - wide[3]))


@EXAMPLES
@given(
    st.sampled_from([(1, 1), (1, 3), (2, 2)]),
    st.sampled_from(["uint8", "int8"]),
    st.sampled_from([[0, 0, 0, 0], [1, 1, 1, 1], [2, 0, 1, 0]]),
    st.booleans(),
)
def test_convolutions(channels: tuple[int, int], kind: str, pads: list[int], zero: bool) -> None:
    group, own = channels
    x, w = integers("uint8", 2, group * own, 6, 5), integers(kind, group * 2, own, 3, 2, seed=1)
    zx, zw = integers("uint8", seed=2), integers(kind, seed=3)
    if not zero:
        zx, zw = np.zeros_like(zx), np.zeros_like(zw)
    attributes: dict[str, Any] = {"group": group, "pads": pads, "strides": [2, 1]}
    made = build("ConvInteger", {"a": x}, {"b": w, "c": zx, "d": zw}, **attributes)
    real = model(
        [node("Conv", "a b", "y", **attributes)],
        {"a": ("float64", x.shape)},
        ["y"],
        {"b": w.astype("float64") - float(zw)},
    )
    want = run(real, {"a": x.astype("float64") - float(zx)}, TARGET)["y"]
    np.testing.assert_array_equal(run(made, {"a": x}, TARGET)["y"], want)


@EXAMPLES
@given(st.booleans(), st.booleans(), st.sampled_from(["uint8", "int8"]))
def test_quantized_convolution(each: bool, bias: bool, kind: str) -> None:
    count = (4,) if each else ()
    weights = {
        "b": np.array(0.02, F),
        "c": np.array(100, "uint8"),
        "d": integers(kind, 4, 3, 3, 3, seed=1),
        "e": np.random.default_rng(2).uniform(0.01, 0.02, count).astype(F),
        "f": np.zeros(count, kind),
        "g": np.array(0.9, F),
        "h": np.array(120, "uint8"),
    }
    if bias:
        weights["i"] = np.random.default_rng(4).integers(-999, 999, 4).astype("int32")
    x = integers("uint8", 1, 3, 8, 8)
    made = build("QLinearConv", {"a": x}, weights, pads=[1, 1, 1, 1])
    agree(made, {"a": x}, TARGET)


@EXAMPLES
@given(st.sampled_from(["uint8", "int8"]), st.booleans())
def test_quantized_product(kind: str, each: bool) -> None:
    weights = {
        "b": np.array(0.02, F),
        "c": np.array(3, kind),
        "d": integers(kind, 6, 5, seed=1),
        "e": np.random.default_rng(2).uniform(0.01, 0.02, 5 if each else ()).astype(F),
        "f": np.zeros(5 if each else (), kind),
        "g": np.array(0.6, F),
        "h": np.array(9, kind),
    }
    x = integers(kind, 4, 6)
    agree(build("QLinearMatMul", {"a": x}, weights), {"a": x}, TARGET)


def test_what_does_not_fit() -> None:
    x = floats(3, 4)
    made = build("QuantizeLinear", {"a": x}, {"s": np.ones(5, F), "z": np.zeros(5, "uint8")})
    with pytest.raises(ModelError, match=r"s: f32\[5\] is no scale or zero point for dimension 1"):
        run(made, {"a": x}, TARGET)
    a, b = integers("uint8", 3, 4), integers("uint8", 4, 5)
    made = build("MatMulInteger", {"a": a}, {"b": b, "c": integers("uint8", 7)})
    with pytest.raises(ModelError, match="is no scale or zero point for a: u8"):
        run(made, {"a": a}, TARGET)


@pytest.mark.parametrize("zero", [0, 7])
@pytest.mark.parametrize("channels", [32, 20])
def test_convolutions_one_after_the_other(channels: int, zero: int) -> None:
    # in blocks of channels, the last of which may not be full
    shape = (channels, channels, 3, 3)
    weights: dict[str, np.ndarray] = {
        "s": np.array(0.02, F),
        "z": np.array(100, "uint8"),
        "w": integers("int8", *shape),
        "v": integers("int8", *shape, seed=1),
        "t": np.array(0.002, F),
        "n": np.array(zero, "int8"),
    }
    made = model(
        [
            node("QLinearConv", "x s z w t n s z", "h", pads=[1, 1, 1, 1]),
            node("QLinearConv", "h s z v t n s z", "y", pads=[1, 1, 1, 1], strides=[2, 2]),
        ],
        {"x": (np.uint8, (1, channels, 9, 9))},
        ["y"],
        weights,
    )
    agree(made, {"x": integers("uint8", 1, channels, 9, 9, seed=2)}, TARGET, atol=1)


@pytest.mark.parametrize("depth", [300, 600, 6000])
@pytest.mark.parametrize("fixed", [True, False])
def test_long_sums_of_the_greatest_numbers_are_exact(depth: int, fixed: bool) -> None:
    # one run of floats, several, and integers
    a, b = np.full((8, depth), 255, "uint8"), np.full((depth, 16), -128, "int8")
    a[1::2], b[:, ::3], b[1, 2] = 0, 127, 1
    zero = np.array(3, "uint8")
    inputs = {"a": a} if fixed else {"a": a, "b": b}
    made = build("MatMulInteger", inputs, {"c": zero} | ({"b": b} if fixed else {}))
    got = run(made, inputs, TARGET)["y"]
    np.testing.assert_array_equal(got, (a.astype(np.int64) - 3) @ b.astype(np.int64))
