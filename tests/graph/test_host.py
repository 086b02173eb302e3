"""Host calls: what no kernel does, between kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.graph.build import Builder, NeedsHost
from workbench.graph.flow import FlowGraph
from workbench.graph.graph import Graph
from workbench.graph.ops import elementwise as ops
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.types import f32, i64

if TYPE_CHECKING:
    from collections.abc import Sequence


def split(x: np.ndarray) -> Sequence[np.ndarray]:
    order = np.argsort(x, axis=-1, kind="stable")
    return np.take_along_axis(x, order, -1), order


def doubled(b: Builder, x: Tensor) -> Tensor:
    return ops.elementwise(b, "double", lambda a: build.mul(a, build.const(2.0)), x)


def graph(b: Builder, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> FlowGraph:
    names = tuple(f"out{n}" for n in range(len(outputs)))
    return FlowGraph(
        Graph("g", tuple(inputs), tuple(outputs), names, tuple(b.operators), b.constants)
    )


@pytest.mark.parametrize("fuse", [True, False])
def test_a_host_call_runs_between_kernels(fuse: bool) -> None:
    b, x = Builder(), Tensor("x", f32, (3, 5))
    values, order = b.host("sort", split, [doubled(b, x)], [(f32, (3, 5)), (i64, (3, 5))])
    flow = graph(b, [x], [doubled(b, values), order]).optimize(fuse=fuse)
    compiled = flow.compile("cpu")
    assert len(flow.groups) == 3
    assert len(compiled.kernels) == 1
    assert compiled.launches == (3, 3)
    a = np.random.default_rng(0).standard_normal((3, 5), np.float32)
    got = compiled({"x": a})
    np.testing.assert_array_equal(got["out0"], np.sort(a * 2, -1) * 2)
    np.testing.assert_array_equal(got["out1"], np.argsort(a, -1, kind="stable"))
    reasons = {str(u) for u in flow.unfused}
    assert reasons == (
        {"double → sort: sort runs on the host", "sort → double: sort runs on the host"}
        if fuse
        else set()
    )


def test_a_host_call_on_constants_is_done_at_once() -> None:
    b = Builder()
    c = b.constant(np.float32([[3, 1, 2]]))
    values, order = b.host("sort", split, [c], [(f32, (1, 3)), (i64, (1, 3))])
    assert not b.operators
    assert b.constants[values].tolist() == [[1, 2, 3]]
    assert b.constants[order].tolist() == [[1, 2, 0]]


def test_scalars_and_one_tensor_twice() -> None:
    b, x = Builder(), Tensor("x", f32, ())
    (y,) = b.host("sum", lambda a, c: (np.asarray(a + c),), [x, x], [(f32, ())])
    got = graph(b, [x], [doubled(b, y)]).optimize().compile("cpu")({"x": np.float32(1.5)})
    assert got["out0"].shape == ()
    assert got["out0"] == 6


def test_outputs_whose_shape_depends_on_data() -> None:
    b, x = Builder(), Tensor("x", f32, (4,))
    (found,) = b.data(lambda a: (np.argwhere(a),), [b.constant(np.float32([0, 1, 0, 2]))])
    assert b.constants[found].tolist() == [[1], [3]]
    with pytest.raises(NeedsHost) as caught:
        b.data(lambda a: (np.argwhere(a),), [x])
    assert caught.value.inputs == (x,)
