"""A graph that is cut: its kernels stop where they are told to, and it gives the same."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import expected, floats, model, node
from workbench.base.errors import ModelError
from workbench.graph import FlowGraph, from_onnx

F = np.float32


def residual() -> onnx.ModelProto:
    weights = {"w": floats(4, 4, 3, 3), "b": floats(4), "g": floats(4, 6), "two": F(2)}
    return model(
        [
            node("Conv", "x w b", "c", pads=[1, 1, 1, 1]),
            node("Mul", "c two", "double"),
            node("Relu", "double", "r"),
            node("Add", "r x", "sum"),
            node("Tanh", "sum", "t"),
            node("MatMul", "t g", "m"),
            node("Relu", "m", "y"),
        ],
        {"x": (F, (1, 4, 5, 4))},
        ["y"],
        weights,
    )


def rows() -> onnx.ModelProto:
    weights = {"s": floats(8), "b": floats(8), "w": floats(8, 8), "v": floats(8, 3)}
    return model(
        [
            node("MatMul", "x w", "m"),
            node("Add", "m x", "plus"),
            node("LayerNormalization", "plus s b", "n", axis=-1),
            node("Softmax", "n", "p", axis=-1),
            node("Exp", "p", "e"),
            node("MatMul", "e v", "y"),
        ],
        {"x": (F, (4, 8))},
        ["y"],
        weights,
    )


def attention() -> onnx.ModelProto:
    heads, length, deep = 2, 160, 8
    ends = {name: (F, (heads, length, deep)) for name in "qv"} | {"k": (F, (heads, deep, length))}
    return model(
        [
            node("MatMul", "q k", "scores"),
            node("Div", "scores root", "scaled"),
            node("Softmax", "scaled", "p", axis=-1),
            node("MatMul", "p v", "y"),
        ],
        ends,
        ["y"],
        {"root": F(3)},
    )


MODELS = {"residual": residual, "rows": rows, "attention": attention}


def agree(made: onnx.ModelProto, flow: FlowGraph) -> None:
    """Its kernels give what onnxruntime gives."""
    shapes = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in made.graph.input}
    inputs = {n: floats(*shape, seed=3) for n, shape in shapes.items()}
    got = flow.compile()(inputs)
    for name, array in expected(made, inputs).items():
        np.testing.assert_allclose(got[name], array, 1e-4, 1e-5)


def inner(flow: FlowGraph) -> list:
    """Tensors that never leave their kernel."""
    groups = flow.groups
    made = [t for g in groups for op in g.operators for t in op.outputs]
    stored = {t for g in groups for t in g.outputs}
    return [t for t in dict.fromkeys(made) if t not in stored]


def holds(flow: FlowGraph) -> None:
    """No kernel both makes and reads what was cut."""
    for group in flow.groups:
        for part in group.parts:
            made = {t for op in part.operators for t in op.outputs}
            read = {t for op in part.operators for t in op.inputs}
            assert not made & read & set(flow.cuts), group


@pytest.mark.parametrize("name", MODELS)
def test_every_fused_tensor_can_be_cut_and_the_results_stay(name: str):
    made = MODELS[name]()
    flow = from_onnx(made).optimize()
    inside = inner(flow)
    assert inside
    for tensor in inside:
        cut = flow.cut([tensor])
        holds(cut)
        assert tensor in {t for g in cut.groups for t in g.outputs}
        why = [u.reason for u in cut.unfused if u.tensor is tensor]
        assert why
        assert all("cut was asked for" in reason for reason in why)
        agree(made, cut)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(sorted(MODELS)), st.data())
def test_any_cuts_together(name: str, data: st.DataObject):
    made = MODELS[name]()
    flow = from_onnx(made).optimize()
    tensors = [t for op in flow.operators for t in op.outputs]
    chosen = data.draw(st.lists(st.sampled_from(range(len(tensors))), unique=True))
    cut = flow.cut([tensors[k] for k in chosen])
    holds(cut)
    agree(made, cut)
    assert [g.name for g in cut.cut([]).groups] == [g.name for g in flow.groups]


def test_a_cut_costs_a_launch_and_the_bytes_of_its_tensor():
    flow = from_onnx(residual()).optimize()
    tensor = next(t for t in inner(flow) if t.name == "m")
    cut = flow.cut(["m"])
    assert len(cut.groups) == len(flow.groups) + 1
    moved = sum(g.moved_bytes for g in flow.groups)
    assert sum(g.moved_bytes for g in cut.groups) == moved + 2 * tensor.size_bytes


def test_what_cannot_be_cut_says_so():
    flow = from_onnx(residual())
    with pytest.raises(ModelError, match="where kernels are fused"):
        flow.cut(["m"])
    with pytest.raises(ModelError, match="makes nothing"):
        flow.optimize().cut(["nothing"])
    with pytest.raises(ModelError, match="kernels for cpu"):
        flow.optimize().cut(["m"]).compile("cuda:sm_90a")
    again = flow.optimize(target="cuda:sm_90a").cut(["m"])
    assert again.made_for == "cuda"
    holds(again)
    assert flow.optimize().cut(["m"]).optimize().cuts == ()
