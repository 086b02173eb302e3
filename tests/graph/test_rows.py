"""Reductions along rows and what follows them as one kernel, found by structure alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import agree, compiled, expected, floats, model, node
from workbench.graph import from_onnx
from workbench.graph.cost import recomputed
from workbench.graph.schedule import program
from workbench.ir.target import Target
from workbench.ir.text import text
from workbench.runtime import nvrtc

F = np.float32
WEIGHTS: dict[str, np.ndarray] = {
    "w": floats(40, 40) / 8,
    "scale": floats(40, seed=1),
    "shift": floats(40, seed=2),
    "tiny": np.array(1e-5, F),
    "gate": floats(6, 1, seed=3),
    "one": np.array([1]),
    "zero": np.array([0]),
    "cube": np.array([6, 5, 8]),
    "flat": np.array([6, 40]),
}


def small(
    nodes: Sequence[onnx.NodeProto], outputs: Sequence[str], opset: int = 18
) -> onnx.ModelProto:
    used = {i for n in nodes for i in n.input}
    weights = {n: a for n, a in WEIGHTS.items() if n in used}
    return model(nodes, {"x": (F, (6, 40))}, outputs, weights, opset)


RMS = [
    node("Mul", "x x", "sq"),
    node("ReduceMean", "sq one", "ms"),
    node("Add", "ms tiny", "safe"),
    node("Sqrt", "safe", "root"),
    node("Div", "x root", "unit"),
    node("Mul", "unit scale", "y"),
]
CHAINS = {
    "softmax": [node("Softmax", "x", "y", axis=1)],
    "log softmax": [node("LogSoftmax", "x", "y", axis=1)],
    "softmax of columns": [node("Softmax", "x", "y", axis=0)],
    "layer norm": [node("LayerNormalization", "x scale shift", "y")],
    "rms norm": RMS,
    "l2 norm": [node("LpNormalization", "x", "y", axis=1, p=2)],
    "mean and variance": [node("MeanVarianceNormalization", "x", "y", axes=[1])],
    "two softmaxes": [node("Softmax", "x", "a", axis=1), node("Softmax", "a", "y", axis=1)],
    "with what is before": [
        node("Mul", "x gate", "a"),
        node("Add", "a scale", "b"),
        node("Softmax", "b", "y", axis=1),
    ],
    "with what is after": [
        node("LayerNormalization", "x scale shift", "a"),
        node("Relu", "a", "b"),
        node("Transpose", "b", "y", perm=[1, 0]),
    ],
    "reshaped": [
        node("Reshape", "x cube", "c"),
        node("Softmax", "c", "s", axis=2),
        node("Reshape", "s flat", "y"),
    ],
    "position of the largest": [
        node("Softmax", "x", "s", axis=1),
        node("ArgMax", "s", "p", axis=1),
        node("Cast", "p", "y", to=onnx.TensorProto.FLOAT),
    ],
}


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("target", ["interp", "cpu"])
def test_one_kernel(name: str, target: str) -> None:
    made = small(CHAINS[name], ["y"])
    fused = agree(made, {"x": floats(6, 40)}, target, rtol=1e-4, atol=1e-5)
    assert len(fused.groups) == 1
    assert not fused.unfused


@pytest.mark.parametrize("length", [1, 3, 31, 32, 33, 65, 1000])
@pytest.mark.parametrize("axis", [0, 1])
def test_rows_of_any_length(length: int, axis: int) -> None:
    nodes = [node("Softmax", "x", "s", axis=axis), node("ReduceMax", "x a", "m", keepdims=0)]
    nodes.append(node("ReduceSum", "s a", "t", keepdims=0))
    made = model(nodes, {"x": (F, (7, length))}, ["s", "m", "t"], {"a": np.array([axis])}, 18)
    for target in ("interp", "cpu"):
        agree(made, {"x": floats(7, length)}, target)


def test_what_somebody_else_needs_is_stored_on_the_way() -> None:
    made = small(
        [
            node("Exp", "x", "e"),
            node("LayerNormalization", "e scale shift", "n"),
            node("MatMul", "n w", "p"),
            node("Add", "p e", "y"),
        ],
        ["y"],
    )
    fused = agree(made, {"x": floats(6, 40)}, "cpu", atol=1e-3)
    first, second = fused.groups
    assert first.outputs[0].name == "e"
    assert len(first.outputs) == 2
    assert first.outputs[0] in second.inputs


def test_an_injective_chain_stores_on_the_way() -> None:
    nodes = [node("Tanh", "x", "a"), node("Exp", "a", "b"), node("Transpose", "b", "c")]
    made = small(nodes, ["a", "c"])
    for target in ("interp", "cpu"):
        fused = agree(made, {"x": floats(6, 40)}, target)
        assert [g.name for g in fused.groups] == ["tanh_exp_transpose"]


def test_what_comes_back_through_another_kernel_stays_outside() -> None:
    """A gate made of the means by a matrix product: its user cannot be in the means' kernel."""
    made = small(
        [
            node("ReduceMean", "x zero", "m"),
            node("MatMul", "m w", "g"),
            node("Mul", "x g", "y"),
        ],
        ["y"],
    )
    fused = agree(made, {"x": floats(6, 40)}, "cpu")
    assert [op.name for op in fused.groups[0].operators] == ["reduce_mean"] or fused.unfused
    assert not any({"mean", "mul"} <= {op.name for op in g.operators} for g in fused.groups)


def test_what_is_cheap_is_done_by_each_user() -> None:
    mask = [
        node("Cast", "ids", "m", to=onnx.TensorProto.FLOAT),
        node("Add", "x m", "a"),
        node("Softmax", "a", "s", axis=1),
        node("MatMul", "s w", "p"),
        node("Mul", "p m", "b"),
        node("Softmax", "b", "y", axis=1),
    ]
    inputs = {"x": (F, (6, 40)), "ids": (np.int32, (6, 40))}
    made = model(mask, inputs, ["y"], {"w": WEIGHTS["w"]}, 18)
    graph = from_onnx(made).optimize()
    (cast,) = (op for op in recomputed(graph.graph) if op.name == "cast")
    assert sum(cast in g.operators for g in graph.groups) == 2
    assert not any(cast.output in g.outputs for g in graph.groups)
    ids = np.arange(240, dtype=np.int32).reshape(6, 40) % 3
    agree(made, {"x": floats(6, 40), "ids": ids}, "cpu", atol=1e-5)


PIECES = {
    "Relu": [("Relu", "a", "out")],
    "Neg": [("Neg", "a", "out")],
    "Exp": [("Tanh", "a", "u"), ("Exp", "u", "out")],
    "Add": [("Add", "a b", "out")],
    "Mul": [("Tanh", "b", "u"), ("Mul", "a u", "out")],
    "MatMul": [("MatMul", "a w", "out")],
    "Center": [("ReduceMean", "a one", "u"), ("Sub", "b u", "out")],
    "Scale": [("ReduceL2", "a zero", "u"), ("Tanh", "u", "v"), ("Mul", "b v", "out")],
    "Largest": [("ReduceMax", "a one", "u"), ("Add", "b u", "out")],
    "Softmax": [("Softmax axis=1", "a", "out")],
    "Columns": [("Softmax axis=0", "a", "out")],
    "LayerNorm": [("LayerNormalization epsilon=0.1", "a scale shift", "out")],
    "Cube": [
        ("Reshape", "a cube", "u"),
        ("Softmax axis=1", "u", "v"),
        ("Reshape", "v flat", "out"),
    ],
}
"""What random graphs are made of: a and b are tensors made before. Values stay small."""


def step(kind: str, a: str, b: str, out: str) -> list[onnx.NodeProto]:
    """The nodes of a piece."""
    names = {"a": a, "b": b, "out": out, "u": f"{out}u", "v": f"{out}v"}
    found: list[onnx.NodeProto] = []
    for what, inputs, output in PIECES[kind]:
        op, *rest = what.split()
        attributes = {k: float(v) if "." in v else int(v) for k, v in (r.split("=") for r in rest)}
        read = " ".join(names.get(i, i) for i in inputs.split())
        found.append(node(op, read, names[output], **attributes))
    return found


@st.composite
def graphs(draw: st.DrawFn) -> onnx.ModelProto:
    names, nodes = ["x"], list[onnx.NodeProto]()
    for n in range(draw(st.integers(2, 8))):
        a, b = (draw(st.sampled_from(names[-3:])) for _ in "ab")
        nodes += step(draw(st.sampled_from(list(PIECES))), a, b, f"t{n}")
        names.append(f"t{n}")
    used = {i for n in nodes for i in n.input}
    ends = [n for n in names[1:] if n not in used]
    extra = draw(st.sampled_from(names[1:]))
    return small(nodes, list(dict.fromkeys([*ends, extra])))


def same(made: onnx.ModelProto, target: str) -> None:
    x = {"x": floats(6, 40)}
    want = expected(made, x)
    fused = compiled(made, target)
    left, right = fused(x), compiled(made, target, fuse=False)(x)
    for name, array in want.items():
        scale = float(np.abs(array).max()) + 1
        np.testing.assert_allclose(left[name], array, atol=2e-5 * scale, rtol=1e-3)
        np.testing.assert_allclose(left[name], right[name], atol=1e-5 * scale, rtol=1e-3)
    stored = [t for g in fused.groups for t in g.outputs]
    assert len(set(stored)) == len(stored)
    assert all(u.reason for u in fused.unfused)


@given(graphs())
@settings(max_examples=25)
def test_random_graphs(made: onnx.ModelProto) -> None:
    same(made, "interp")


@given(graphs())
@settings(max_examples=10)
def test_random_graphs_in_machine_code(made: onnx.ModelProto) -> None:
    same(made, "cpu")


@pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")
@pytest.mark.parametrize("name", ["softmax", "layer norm", "softmax of columns"])
@pytest.mark.parametrize("length", [40, 5000])
def test_cuda_compiles_without_spills(name: str, length: int) -> None:
    weights = {"scale": floats(length), "shift": floats(length)}
    nodes = CHAINS[name]
    used = {i for n in nodes for i in n.input}
    made = model(
        nodes, {"x": (F, (6, length))}, ["y"], {n: a for n, a in weights.items() if n in used}, 18
    )
    (kernel,) = compiled(made, "cuda:sm_90a").kernels
    assert kernel.resources is not None
    assert kernel.resources.spill_bytes == 0


def test_few_long_rows_are_left_to_several_kernels() -> None:
    for rows, kernels in ((2, 4), (16, 1)):
        made = model([node("Softmax", "x", "y", axis=1)], {"x": (F, (rows, 2**18))}, ["y"])
        assert len(from_onnx(made).optimize().groups) == kernels


def test_an_exponential_is_computed_once() -> None:
    """What costs much is kept between the passes; what costs little is computed again."""
    made = model([node("Softmax", "x", "y", axis=1)], {"x": (F, (6, 64))}, ["y"])
    (group,) = from_onnx(made).optimize().groups
    source = text(program(group, Target("cpu")).module)
    assert source.count("exp(") == 1
    # on a CPU in the output, which takes its place later; else in shared memory
    assert source.count("shared ") == 0
    source = text(program(group, Target.parse("cuda:sm_90a")).module)
    assert source.count("exp(") == source.count("shared ") == 1
    norm = model(
        [node("LayerNormalization", "x scale shift", "y")],
        {"x": (F, (6, 64))},
        ["y"],
        {"scale": floats(64), "shift": floats(64)},
    )
    (group,) = from_onnx(norm).optimize().groups
    assert "shared " not in text(program(group, Target("cpu")).module)


def test_rows_that_are_not_side_by_side_have_a_thread_each() -> None:
    for axis, note in ((1, "32 threads per row of 40"), (0, "1 threads per row of 6")):
        made = small([node("Softmax", "x", "y", axis=axis)], ["y"])
        (group,) = from_onnx(made).optimize().groups
        assert note in text(program(group, Target("cpu")).module)


@pytest.mark.parametrize(
    ("ends", "shared"),
    [
        (["y"], 0),  # kept in the output
        (["e", "y"], 1),  # what is kept is an output itself
        (["y", "z"], 1),  # another one reads it after its place is taken
    ],
)
def test_what_is_kept_in_an_output_is_read_before_it_goes(ends: list[str], shared: int) -> None:
    made = model(
        [
            node("Exp", "x", "e"),
            node("ReduceSum", "e one", "s"),
            node("Div", "e s", "y"),
            node("ReduceMax", "y one", "m"),
            node("Sub", "y m", "d"),
            node("Mul", "d e", "z"),
        ],
        {"x": (F, (6, 64))},
        ends,
        {"one": np.array([1])},
        18,
    )
    groups = from_onnx(made).optimize().groups
    source = [text(program(g, Target("cpu")).module) for g in groups]
    agree(made, {"x": floats(6, 64)}, "cpu")
    agree(made, {"x": floats(6, 64)}, "interp")
    assert sum(s.count("shared ") for s in source) == shared, source


def test_what_a_row_reads_at_two_places_is_loaded() -> None:
    """The whole of `a` is a row; it is read turned round by the reduction, as it is after it."""
    made = model(
        [
            node("Relu", "x", "a"),
            node("Transpose", "a", "turned", perm=[1, 0]),
            node("ReduceMax", "turned", "most", keepdims=0),
            node("Sub", "a most", "y"),
        ],
        {"x": (F, (8, 8))},
        ["y"],
        opset=13,
    )
    agree(made, {"x": floats(8, 8)}, "cpu")
