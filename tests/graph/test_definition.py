"""Definitions as a person writes them: they say what numpy computes."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.graph import Tensor
from workbench.graph.build import Builder
from workbench.graph.definition import told
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.matmul import matmul
from workbench.graph.ops.shape import reshape, transpose
from workbench.ir import build
from workbench.ir.types import f32


def test_a_product_is_a_sum_over_one_axis() -> None:
    b = Builder()
    matmul(b, Tensor("a", f32, (4, 3)), Tensor("my weights", f32, (3, 5)))
    first, second = told(b.operators[0]).splitlines()
    assert first == "matmul[i, j] = acc"
    assert second == "  acc = sum over r0 < 3 of a[i, r0] * my_weights[r0, j]"


def test_a_broadcast_has_an_inverse_map_for_the_whole_side_only() -> None:
    b = Builder()
    elementwise(b, "add", build.add, Tensor("x", f32, (4, 3)), Tensor("bias", f32, (3,)))
    lines = told(b.operators[0]).splitlines()
    assert lines == ["add[i, j] = x[i, j] + bias[j]", "x[i, j] goes to add[i, j]"]


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_index_and_inverse_map_are_those_of_numpy(axes: tuple[int, ...]) -> None:
    b = Builder()
    x = np.arange(24).reshape(2, 3, 4)
    transpose(b, Tensor("x", f32, x.shape), list(axes))
    element, goes = told(b.operators[0]).splitlines() if b.operators else ("", "")
    if not element:
        assert axes == (0, 1, 2)
        return
    y = x.transpose(axes)
    for i, j, k in np.ndindex(y.shape):
        read = eval(element.split(" = ")[1], {"x": x, "i": i, "j": j, "k": k})
        assert read == y[i, j, k]
    for i, j, k in np.ndindex(x.shape):
        names = {"transpose": y, "i": i, "j": j, "k": k}
        assert eval(goes.split(" goes to ")[1], names) == x[i, j, k]


def test_a_reshape_is_told_by_its_divisions() -> None:
    b = Builder()
    reshape(b, Tensor("x", f32, (6, 4)), [24])
    element = told(b.operators[0]).splitlines()[0]
    x = np.arange(24).reshape(6, 4)
    for i in range(24):
        assert eval(element.split(" = ")[1], {"x": x, "i": i}) == i
