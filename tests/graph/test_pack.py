"""Weights in panels: the same products, with the weights where a register tile reads them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.graph.cases import agree, compiled, floats, model, node
from workbench.graph.pack import panels

F = np.float32


def test_panels_of_both_layouts() -> None:
    weights = floats(7, 50)
    straight = panels(weights, 16, turned=False)
    assert straight.shape == (4, 7, 16)
    np.testing.assert_array_equal(straight.transpose(1, 0, 2).reshape(7, 64)[:, :50], weights)
    assert not straight[3, :, 2:].any()
    np.testing.assert_array_equal(
        panels(np.ascontiguousarray(weights.T), 16, turned=True), straight
    )


@pytest.mark.parametrize("shape", [(20, 33), (2, 3, 9, 33), (1, 16, 33)])
def test_products_with_weights(shape: tuple[int, ...]) -> None:
    made = model(
        [node("MatMul", "x w", "p"), node("Add", "p bias", "s"), node("Relu", "s", "y")],
        {"x": (F, shape)},
        ["y"],
        {"w": floats(33, 70), "bias": floats(70)},
    )
    x = {"x": floats(*shape)}
    agree(made, x, "cpu")
    graph = compiled(made, "cpu").graph
    assert [t.name for t in graph.constants] == ["bias", "w in panels"]


@pytest.mark.parametrize("turned", [False, True])
def test_gemm(turned: bool) -> None:
    made = model(
        [node("Gemm", "x w c", "y", transB=int(turned), alpha=0.5)],
        {"x": (F, (30, 65))},
        ["y"],
        {"w": floats(100, 65) if turned else floats(65, 100), "c": floats(100)},
    )
    agree(made, {"x": floats(30, 65)}, "cpu")
    # the factor is in the weights
    assert "w scaled in panels" in {t.name for t in compiled(made, "cpu").graph.constants}


def test_two_products_share_their_panels() -> None:
    made = model(
        [
            node("MatMul", "x w", "p"),
            node("MatMul", "z w", "q"),
            node("Concat", "p q", "y", axis=0),
        ],
        {"x": (F, (12, 20)), "z": (F, (12, 20))},
        ["y"],
        {"w": floats(20, 64)},
    )
    agree(made, {"x": floats(12, 20), "z": floats(12, 20)}, "cpu")
    assert [t.name for t in compiled(made, "cpu").graph.constants] == ["w in panels"]


def test_what_streams_by_once_stays_as_it_is() -> None:
    made = model([node("MatMul", "x w", "y")], {"x": (F, (1, 20))}, ["y"], {"w": floats(20, 64)})
    agree(made, {"x": floats(1, 20)}, "cpu")
    assert [t.name for t in compiled(made, "cpu").graph.constants] == ["w"]
