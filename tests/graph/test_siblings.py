"""Groups that read the same run side by side in one launch, and give what they give alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import floats, model, node
from workbench.driver.build import compile_module
from workbench.graph import CompiledGraph, from_onnx, siblings
from workbench.graph.beside import side_by_side
from workbench.graph.schedule import program
from workbench.graph.siblings import MOST
from workbench.graph.tuned import Choices, signature
from workbench.ir.target import Target
from workbench.runtime import nvrtc
from workbench.schedules.matmul_simt import MatmulSimt

F = np.float32


@pytest.fixture(autouse=True, scope="module")
def on_the_cpu_too() -> Iterator[None]:
    """A CPU keeps siblings apart, but is where what they give can be seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(siblings, "SHORT", {"cpu": 2**25, "cuda": 2**31})
        yield


def heads(count: int = 3, rows: int = 40, depth: int = 48, wide: int = 64) -> onnx.ModelProto:
    """Products with the same left factor, each with an epilogue of its own."""
    nodes: list[onnx.NodeProto] = []
    weights: dict[str, np.ndarray] = {}
    for n in range(count):
        weights |= {f"w{n}": floats(depth, wide + 7 * n), f"b{n}": floats(wide + 7 * n)}
        nodes += [node("MatMul", f"x w{n}", f"p{n}"), node("Add", f"p{n} b{n}", f"q{n}")]
        nodes.append(node(["Relu", "Tanh", "Neg"][n % 3], f"q{n}", f"y{n}"))
    return model(nodes, {"x": (F, (rows, depth))}, [f"y{n}" for n in range(count)], weights)


def parts(made: onnx.ModelProto, target: str = "cpu") -> list[int]:
    return [len(g.parts) for g in from_onnx(made).optimize(target=target).groups]


def compiled(made: onnx.ModelProto, target: str, fuse: bool = True) -> CompiledGraph:
    return from_onnx(made).optimize(fuse=fuse, target=target).compile(target)


def check(made: onnx.ModelProto, target: str = "cpu") -> None:
    random = np.random.default_rng(5)
    graph = compiled(made, target)
    inputs = {t.name: random.standard_normal(t.extents, F) for t in graph.graph.inputs}
    got, want = graph(inputs), compiled(made, target, fuse=False)(inputs)
    for name, array in want.items():
        np.testing.assert_allclose(got[name], array, rtol=1e-5, atol=1e-5)


def test_products_of_the_same_rows_are_one_launch() -> None:
    graph = compiled(heads(), "cpu")
    assert graph.launches[1] == 1
    assert len(graph.groups[0].parts) == 3
    assert graph.groups[0].outputs == graph.graph.outputs
    check(heads())


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 5), st.integers(4, 70), st.integers(17, 60), st.integers(8, 80))
def test_any_size(count: int, rows: int, depth: int, wide: int) -> None:
    check(heads(count, rows, depth, wide))


def test_the_shared_input_is_read_once() -> None:
    made = heads()
    together = compiled(made, "cpu").traffic_bytes[1]
    alone = sum(
        t.size_bytes
        for g in from_onnx(made).optimize().groups
        for p in g.parts
        for t in (*p.inputs, *p.outputs)
    )
    assert alone - together == 2 * 40 * 48 * 4


def test_no_more_than_a_few() -> None:
    assert sorted(parts(heads(6))) == [6 - MOST, MOST]


def test_what_takes_long_stays_apart() -> None:
    assert parts(heads(3, 512, 512, 256)) == [1, 1, 1]


def test_one_that_needs_another_stays_apart() -> None:
    """Also when it needs it by way of a third."""
    nodes = [
        node("MatMul", "x w", "a"),
        node("Softmax", "a", "s", axis=0),
        node("MatMul", "s u", "t"),
        node("MatMul", "x t", "b"),
    ]
    weights = {"w": floats(32, 32), "u": floats(32, 32)}
    made = model(nodes, {"x": (F, (32, 32))}, ["a", "b"], weights)
    assert all(n == 1 for n in parts(made))
    check(made)


def test_pairs_that_would_wait_for_each_other() -> None:
    """Both pairs could share a launch, but not both at once: each would need the other first."""
    nodes = [
        node("MatMul", "x w", "a"),
        node("MatMul", "v w", "d"),
        node("Softmax", "a", "a1", axis=0),
        node("Softmax", "d", "d1", axis=0),
        node("MatMul", "v a1", "c"),
        node("MatMul", "x d1", "b"),
    ]
    inputs = {"x": (F, (32, 32)), "v": (F, (32, 32))}
    made = model(nodes, inputs, ["b", "c"], {"w": floats(32, 32)})
    assert sorted(parts(made)).count(2) == 1
    check(made)


def test_windows_beside_one_another() -> None:
    nodes = [node("Conv", f"x w{n}", f"y{n}", pads=[n, n, n, n]) for n in range(3)]
    weights = {f"w{n}": floats(16 + 16 * n, 16, 2 * n + 1, 2 * n + 1) for n in range(3)}
    made = model(nodes, {"x": (F, (1, 16, 9, 11))}, ["y0", "y1", "y2"], weights)
    assert max(parts(made)) == 3
    check(made)


def test_layers_that_are_alike_share_a_kernel() -> None:
    nodes: list[onnx.NodeProto] = []
    last = "x"
    for n in range(3):
        nodes += [node("MatMul", f"{last} {w}{n}", f"{w}out{n}") for w in "ab"]
        nodes += [node("Softmax", f"{w}out{n}", f"{w}soft{n}") for w in "ab"]
        nodes.append(node("Mul", f"asoft{n} bsoft{n}", f"s{n}"))
        last = f"s{n}"
    weights = {f"{w}{n}": floats(32, 32) for w in "ab" for n in range(3)}
    made = model(nodes, {"x": (F, (16, 32))}, [last], weights)
    graph = compiled(made, "cpu")
    pairs = [step.kernel for step in graph.steps if len(step.group.parts) == 2]
    assert len(pairs) == 3
    assert len(set(pairs)) == 1
    check(made)


@pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")
def test_cuda_compiles_without_spills() -> None:
    """Each finds its own blocks, and scratch memory is there once."""
    (kernel,) = compiled(heads(3, 64, 64, 64), "cuda:sm_90a").kernels
    assert kernel.resources is not None
    assert kernel.resources.spill_bytes == 0
    assert kernel.source.count("__shared__") == 2
    assert "if (blockIdx.x < 1)" in kernel.source


def test_the_interpreter_sees_nothing_wrong() -> None:
    """With shadow memory: scratch memory that two programs share is written before it is read."""
    (group,) = from_onnx(heads(2, 33, 32, 32)).optimize(target="cuda").groups
    target = Target("cuda")
    found = side_by_side([program(p, target) for p in group.parts], "both")
    random = np.random.default_rng(3)
    given = [random.standard_normal(t.storage.extents, F) for t in found.tensors[: -found.outputs]]
    outs = [np.full(t.extents, np.nan, F) for t in group.outputs]
    compile_module(found.module, Target("interp"))(*given, *outs)
    values = {t.name: a for t, a in zip(found.tensors, given, strict=False)}
    for n, (out, last) in enumerate(zip(outs, (lambda a: np.maximum(a, 0), np.tanh), strict=True)):
        want = values["x"].astype(float) @ values[f"w{n}"] + values[f"b{n}"]
        np.testing.assert_allclose(out, last(want), rtol=1e-5, atol=1e-5)


def test_knobs_that_do_not_fit_together() -> None:
    """Tuned templates may have other numbers of threads: then each has its launch again."""
    made = heads(2, 64, 64, 64)
    flow = from_onnx(made).optimize()
    (group,) = flow.groups
    first = group.parts[0].anchor.definition
    choices = Choices({signature(first): MatmulSimt(threads=(8, 8), each=(4, 4), depth=16)})
    graph = flow.compile(choices=choices)
    assert graph.launches[1] == 2
    x = np.random.default_rng(2).standard_normal((64, 64), F)
    want = flow.compile()({"x": x})
    for name, array in graph({"x": x}).items():
        np.testing.assert_allclose(array, want[name], rtol=1e-5, atol=1e-5)


def test_a_cpu_keeps_them_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siblings, "SHORT", {"cuda": 2**31})
    assert parts(heads()) == [1, 1, 1]
    assert parts(heads(), "cuda:sm_90a") == [3]
