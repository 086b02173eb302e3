"""Named rewrites: each fires where it should, and changes no result."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import agree, floats, model, node
from workbench.graph import from_onnx
from workbench.graph.rewrite import RULES

F = np.float32
WEIGHTS = {
    "one": np.array(1, F),
    "zero": np.array(0, F),
    "flat": np.array([24]),
    "back": np.array([4, 6]),
    "cube": np.array([2, 3, 4]),
}
DOUBLE, HALF = onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16


def made(nodes: list[onnx.NodeProto], outputs: list[str]) -> onnx.ModelProto:
    used = {i for n in nodes for i in n.input}
    weights = {n: a for n, a in WEIGHTS.items() if n in used}
    return model(nodes, {"x": (F, (4, 6))}, outputs, weights, 18)


GONE = {
    "product with one": ("skip neutral", [node("Mul", "x one", "a"), node("Relu", "a", "y")]),
    "one on the left": ("skip neutral", [node("Mul", "one x", "a"), node("Relu", "a", "y")]),
    "sum with zero": ("skip neutral", [node("Add", "zero x", "a"), node("Relu", "a", "y")]),
    "division by one": ("skip neutral", [node("Div", "x one", "a"), node("Relu", "a", "y")]),
    "two in a row": (
        "skip neutral",
        [node("Mul", "x one", "a"), node("Sub", "a zero", "b"), node("Relu", "b", "y")],
    ),
    "transposed twice": (
        "cancel moves",
        [
            node("Transpose", "x", "a", perm=[1, 0]),
            node("Transpose", "a", "b", perm=[1, 0]),
            node("Relu", "b", "y"),
        ],
    ),
    "reshaped there and back": (
        "cancel moves",
        [
            node("Reshape", "x flat", "a"),
            node("Reshape", "a cube", "b"),
            node("Reshape", "b back", "c"),
            node("Relu", "c", "y"),
        ],
    ),
}


@pytest.mark.parametrize("name", GONE)
def test_it_goes(name: str) -> None:
    rule, nodes = GONE[name]
    case = made(nodes, ["y"])
    graph = from_onnx(case).optimize()
    assert [op.name for op in graph.operators] == ["relu"]
    assert rule in graph.rules
    agree(case, {"x": floats(4, 6)}, "interp")


KEPT = {
    "one from the number": [node("Sub", "one x", "y")],
    "number by one": [node("Div", "one x", "y")],
    "another order": [
        node("Transpose", "x", "a", perm=[1, 0]),
        node("Reshape", "a back", "y"),
    ],
    "there and back through less": [
        node("Cast", "x", "a", to=HALF),
        node("Cast", "a", "y", to=onnx.TensorProto.FLOAT),
    ],
    "broadcast": [node("Add", "x wide", "y")],
}


@pytest.mark.parametrize("name", KEPT)
def test_it_stays(name: str) -> None:
    case = made(KEPT[name], ["y"])
    if name == "broadcast":
        case.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((2, 4, 6), F), "wide"))
    graph = from_onnx(case).optimize()
    assert len(graph.operators) == len(KEPT[name])
    agree(case, {"x": floats(4, 6)}, "interp")


def test_an_input_as_output() -> None:
    """What is left of a graph may be its input itself; a call gives a copy."""
    case = made([node("Mul", "x one", "y")], ["y"])
    graph = from_onnx(case).optimize().compile("interp")
    x = floats(4, 6)
    got = graph({"x": x})["y"]
    np.testing.assert_array_equal(got, x)
    assert not np.shares_memory(got, x)


STEPS = {
    "one": lambda a, o: node("Mul", f"{a} one", o),
    "zero": lambda a, o: node("Add", f"{a} zero", o),
    "relu": lambda a, o: node("Relu", a, o),
    "neg": lambda a, o: node("Neg", a, o),
    "turn": lambda a, o: node("Transpose", a, o, perm=[1, 0]),
    "flat": lambda a, o: node("Reshape", f"{a} back", o),
}


@given(st.lists(st.sampled_from(list(STEPS)), min_size=1, max_size=9), st.integers(0, 8))
@settings(max_examples=25)
def test_random_chains(steps: list[str], middle: int) -> None:
    nodes = [STEPS[s]("x" if n == 0 else f"t{n - 1}", f"t{n}") for n, s in enumerate(steps)]
    last = f"t{len(steps) - 1}"
    case = made(nodes, list(dict.fromkeys([last, f"t{min(middle, len(steps) - 1)}"])))
    agree(case, {"x": floats(4, 6)}, "interp")


def test_the_list_is_documented() -> None:
    assert all(rule.apply.__doc__ for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)
