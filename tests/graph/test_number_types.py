"""Every number type that an operator takes, beside ONNX's reference implementation."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

from tests.graph.cases import compiled, model, node

OPSET = 21
KINDS = {
    f"tensor({name})": np.dtype(kind)
    for name, kind in (
        ("float16", "float16"),
        ("float", "float32"),
        ("double", "float64"),
        ("bool", "bool"),
        *((f"{u}int{bits}", f"{u}int{bits}") for u in ("", "u") for bits in (8, 16, 32, 64)),
    )
}
UNARY = (
    "Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Celu Cos Cosh Elu Erf Exp Floor Gelu "
    "HardSigmoid HardSwish Hardmax IsInf IsNaN LeakyRelu Log LogSoftmax Mish Neg Not Reciprocal "
    "Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Tan Tanh "
    "ThresholdedRelu ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean "
    "ReduceMin ReduceProd ReduceSum ReduceSumSquare ArgMax ArgMin"
).split()
BINARY = (
    "Add And BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual "
    "Max Mean Min Mul Or PRelu Pow Sub Sum Xor"
).split()
# What onnx 1.22 cannot say itself: it keeps Celu's own types apart, and widens small integers.
LEFT_OUT = {
    "Celu": "float16 float64 int",
    "ReduceLogSum": "int uint",
    "ReduceLogSumExp": "int uint",
    "ReduceSumSquare": "int32 uint",
}


def kinds(op: str) -> list[np.dtype[Any]]:
    schema = onnx.defs.get_schema(op, OPSET)
    allowed = {
        t
        for each in schema.type_constraints
        if each.type_param_str == "T"
        for t in each.allowed_type_strs
    }
    allowed = allowed or set(schema.inputs[0].types)
    return [
        kind
        for text, kind in KINDS.items()
        if text in allowed
        and not any(kind.name.startswith(out) for out in LEFT_OUT.get(op, "").split())
    ]


def numbers(kind: np.dtype[Any], seed: int) -> np.ndarray:
    """Some of each sign, none of them 0."""
    random = np.random.default_rng(seed)
    if kind.kind == "b":
        return random.integers(0, 2, (3, 6)).astype(bool)
    if kind.kind == "f":
        return random.uniform(-2, 2, (3, 6)).astype(kind)
    return (random.integers(1, 5, (3, 6)) * (1 - 2 * (seed * (kind.kind == "i")))).astype(kind)


def agree(op: str, arity: int, **attributes: Any) -> None:
    inputs: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []
    for n, kind in enumerate(kinds(op)):
        names = [f"x{n}_{i}" for i in range(arity)]
        inputs |= {name: numbers(kind, i) for i, name in enumerate(names)}
        if op == "Pow":
            inputs |= {name: np.abs(inputs[name]) for name in names}
        nodes.append(node(op, " ".join(names), f"y{n}", **attributes))
    described = {name: (a.dtype, a.shape) for name, a in inputs.items()}
    made = model(nodes, described, [f"y{n}" for n in range(len(nodes))], opset=OPSET)
    got = compiled(made, "cpu")(inputs)
    with np.errstate(all="ignore"):
        want: Any = ReferenceEvaluator(made).run(None, inputs)
    for (name, array), right in zip(got.items(), want, strict=True):
        assert array.dtype == right.dtype, name
        tolerance = 4e-3 if array.dtype == np.float16 else 1e-5
        np.testing.assert_allclose(array, right, tolerance, tolerance, err_msg=f"{op} {name}")


@pytest.mark.parametrize("op", UNARY)
def test_of_one(op: str) -> None:
    agree(op, 1)


@pytest.mark.parametrize("op", BINARY)
def test_of_two(op: str) -> None:
    agree(op, 2)


@pytest.mark.parametrize("fmod", [0, 1])
def test_rests(fmod: int) -> None:
    for kind in [k for k in kinds("Mod") if fmod or k.kind != "f"]:
        x = np.array([7, 8, 9, 100]).astype(kind) * (1 if kind.kind == "u" else -1)
        y = np.array([3, 3, 4, 7]).astype(kind)
        made = model(
            [node("Mod", "x z", "y", fmod=fmod)], {"x": (kind, (4,)), "z": (kind, (4,))}, ["y"]
        )
        got = compiled(made, "cpu")({"x": x, "z": y})["y"]
        np.testing.assert_array_equal(got, np.fmod(x, y) if fmod else np.mod(x, y))


@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_shifts_by_any_number_of_bits(direction: str) -> None:
    for bits in (8, 16, 32, 64):
        kind = np.dtype(f"uint{bits}")
        x, by = np.array([1, 7, 200, 200]), np.array([0, 3, bits - 1, bits])
        wide = [
            int(v) << int(n) if direction == "LEFT" else int(v) >> int(n)
            for v, n in zip(x, by, strict=True)
        ]
        made = model(
            [node("BitShift", "x n", "y", direction=direction)],
            {"x": (kind, (4,)), "n": (kind, (4,))},
            ["y"],
        )
        got = compiled(made, "cpu")({"x": x.astype(kind), "n": by.astype(kind)})["y"]
        assert got.tolist() == [w % 2**bits for w in wide]


@pytest.mark.parametrize("kind", [k.name for k in KINDS.values()])
def test_casts(kind: str) -> None:
    x = np.array([0, 1, 2, 100] if kind != "bool" else [0, 1, 1, 0]).astype(kind)
    targets = list(KINDS.values())
    nodes = [
        node("Cast", "x", f"y{n}", to=helper.np_dtype_to_tensor_dtype(t))
        for n, t in enumerate(targets)
    ]
    made = model(nodes, {"x": (x.dtype, x.shape)}, [f"y{n}" for n in range(len(targets))])
    got = compiled(made, "cpu")({"x": x})
    for array, target in zip(got.values(), targets, strict=True):
        assert array.dtype == target
        np.testing.assert_array_equal(array, x.astype(target))


def test_not_a_number_stays_one() -> None:
    x = np.array([np.nan, -1, 2], np.float32)
    ops = "Sign Relu Abs Neg Sigmoid Tanh Elu Celu Selu Gelu Softplus LeakyRelu".split()
    nodes = [node(op, "x", f"y{n}") for n, op in enumerate(ops)]
    made = model(nodes, {"x": (x.dtype, x.shape)}, [f"y{n}" for n in range(len(ops))], opset=OPSET)
    for op, array in zip(ops, compiled(made, "cpu")({"x": x}).values(), strict=True):
        assert np.isnan(array).tolist() == [True, False, False], op
