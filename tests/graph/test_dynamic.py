"""Graphs whose shapes, or whose operators, are known when they are called."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from tests.graph.cases import floats, model, node
from workbench.base.errors import LaunchError, ModelError
from workbench.graph import from_onnx
from workbench.graph.dynamic import KEPT

F, L = np.float32, np.int64


def product() -> Any:
    """Rows times a weight, over a batch of any size."""
    return model(
        [node("MatMul", "x w", "p"), node("Relu", "p", "y")],
        {"x": (F, ("batch", 4))},
        ["y"],
        {"w": floats(4, 3)},
    )


@pytest.mark.parametrize("optimized", [True, False])
def test_open_dims_are_those_of_the_call(optimized: bool) -> None:
    graph = from_onnx(product())
    compiled = (graph.optimize() if optimized else graph).compile("cpu")
    assert repr(compiled) == "CompiledGraph(test, cpu: 0 kernels so far)"
    for batch in (1, 7, 0, 7):
        x = floats(batch, 4)
        np.testing.assert_allclose(
            compiled({"x": x})["y"], np.maximum(x @ floats(4, 3), 0), rtol=1e-5
        )
    assert compiled.launches == ((4, 2) if optimized else (4, 4))
    assert len(compiled.groups) == len(compiled.steps)
    assert compiled.memory.arena_bytes <= compiled.memory.total_bytes


def test_specialisations_are_bounded() -> None:
    compiled = from_onnx(product()).optimize().compile("interp")
    for batch in range(1, KEPT + 5):
        compiled({"x": floats(batch, 4)})
    assert len(compiled.steps) == KEPT


def test_inputs_must_agree_on_an_extent() -> None:
    made = model([node("Add", "a b", "y")], {"a": (F, ("n", 3)), "b": (F, ("n", 3))}, ["y"])
    compiled = from_onnx(made).compile("interp")
    for a, b, message in (
        (floats(2, 3), floats(4, 3), "n is 2 in axis 0 of a, but 4 in axis 0 of b"),
        (floats(2, 5), floats(2, 3), "argument a: expected f32[2, 3]"),
        (floats(2), floats(2, 3), "argument a: expected f32[n, 3]"),
        ([1.0], floats(2, 3), "argument a: expected f32[n, 3]"),
    ):
        with pytest.raises(LaunchError) as error:
            compiled({"a": a, "b": b})
        assert message in str(error.value)


def test_the_caller_may_change_what_was_read() -> None:
    made = model([node("Reshape", "x s", "y")], {"x": (F, (2, 3)), "s": (L, (2,))}, ["y"])
    compiled = from_onnx(made).optimize().compile("cpu")
    shape, x = np.array([3, 2]), floats(2, 3)
    assert compiled({"x": x, "s": shape})["y"].shape == (3, 2)
    shape[:] = [1, 6]
    assert compiled({"x": x, "s": shape})["y"].shape == (1, 6)


def test_a_value_that_the_graph_computes_is_read_at_a_cut() -> None:
    made = model(
        [
            node("ReduceMax", "n", "m", keepdims=1),
            node("Mul", "x x", "q"),
            node("Concat", "m one", "s", axis=0),
            node("Expand", "q s", "e"),
            node("Add", "e q", "y"),
        ],
        {"x": (F, (3,)), "n": (L, (4,))},
        ["y", "m"],
        {"one": np.array([3])},
    )
    compiled = from_onnx(made).optimize().compile("cpu")
    x = floats(3)
    for n in ([1, 5, 2, 0], [1, 2, 3, 2], [5, 5, 5, 5]):
        got = compiled({"x": x, "n": np.array(n)})
        np.testing.assert_allclose(got["y"], np.tile(2 * x * x, (max(n), 1)), rtol=1e-6)
        assert got["m"].tolist() == [max(n)]


def test_an_error_behind_a_cut_names_the_node() -> None:
    made = model(
        [node("Abs", "n", "s"), node("Reshape", "x s", "y")],
        {"x": (F, (6,)), "n": (L, (2,))},
        ["y"],
    )
    compiled = from_onnx(made).compile("interp")
    with pytest.raises(ModelError, match=r'^node "Reshape_y" \(Reshape\): '):
        compiled({"x": floats(6), "n": np.array([-4, 4])})


def test_threads_call_one_graph_with_different_shapes() -> None:
    compiled = from_onnx(product()).optimize().compile("cpu")
    w = floats(4, 3)

    def once(n: int) -> None:
        x = floats(1 + n % 5, 4, seed=n)
        np.testing.assert_allclose(compiled({"x": x})["y"], np.maximum(x @ w, 0), rtol=1e-5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(once, range(60)))
    assert len(compiled.steps) == 5


def test_dims_given_beforehand_bind() -> None:
    graph = from_onnx(product())
    compiled = graph.optimize().compile("interp", {"batch": 2})
    assert compiled.launches == (2, 1)
    with pytest.raises(LaunchError):
        compiled({"x": floats(3, 4)})


def test_a_graph_that_data_decide_shows_its_nodes() -> None:
    made = model([node("Reshape", "x s", "y")], {"x": (F, ("n", 3)), "s": (L, (1,))}, ["y"])
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    graph = from_onnx(made).bind({"n": 2})
    assert graph.by_data
    assert not graph.dims
    assert [op.name for op in graph.operators] == ["reshape"]
    assert str(graph.operators[0].inputs[0]) == "x: f32[2, 3]"
    with pytest.raises(ModelError, match="no open dims"):
        graph.bind({"n": 3})
