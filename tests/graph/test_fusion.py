"""Which operators share a kernel, why others do not, and that fusion changes no result."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import agree, compiled, expected, floats, model, node
from workbench.base.errors import ScheduleError
from workbench.graph import from_onnx
from workbench.graph.build import Builder
from workbench.graph.fuse import fuse
from workbench.graph.ops.define import grid
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.expr import Var
from workbench.ir.module import Function, Launch, Module
from workbench.ir.stmt import Seq, Store
from workbench.ir.target import Target
from workbench.ir.text import text
from workbench.ir.types import f32
from workbench.schedules import schedule

F = np.float32


def groups(made: onnx.ModelProto) -> list[str]:
    return [g.name for g in from_onnx(made).optimize().groups]


def reasons(made: onnx.ModelProto) -> list[str]:
    return [str(u) for u in from_onnx(made).optimize().unfused]


def conv_block(*tail: onnx.NodeProto) -> onnx.ModelProto:
    weights = {
        "w": floats(6, 4, 3, 3),
        "bias": floats(6),
        "scale": floats(6),
        "shift": floats(6),
        "mean": floats(6),
        "var": abs(floats(6)) + 1,
        "six": F(6),
        "three": F(3),
        "zero": F(0),
    }
    head = [
        node("Conv", "x w bias", "c", pads=[1, 1, 1, 1], strides=[2, 1]),
        node("BatchNormalization", "c scale shift mean var", "n"),
    ]
    return model([*head, *tail], {"x": (F, (2, 4, 9, 7))}, ["y"], weights)


def test_a_chain_is_one_kernel() -> None:
    made = conv_block(
        node("Relu", "n", "r"),
        node("Transpose", "r", "t", perm=[0, 2, 3, 1]),
        node("Reshape", "t shape", "y"),
    )
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.array([2, -1, 6]), "shape"))
    assert groups(made) == ["conv_add_relu_transpose_reshape"]
    assert reasons(made) == []
    graph = agree(made, {"x": floats(2, 4, 9, 7)}, "interp")
    assert graph.launches == (5, 1)
    # every tensor in between was written once and read once
    inner = 4 * 2 * (2 * 6 * 5 * 7) * 4
    assert graph.saved_bytes == inner


def test_uses_that_meet_again_are_one_epilogue() -> None:
    made = conv_block(
        node("Add", "n three", "a"),
        node("Clip", "a zero six", "k"),
        node("Mul", "n k", "m"),
        node("Div", "m six", "y"),
    )
    assert groups(made) == ["conv_add_add_clip_mul_div"]
    agree(made, {"x": floats(2, 4, 9, 7)}, "interp")


def test_uses_that_meet_at_different_places_are_not() -> None:
    square = model(
        [
            node("MatMul", "x x", "p"),
            node("Transpose", "p", "t", perm=[1, 0]),
            node("Add", "p t", "y"),
        ],
        {"x": (F, (5, 5))},
        ["y"],
    )
    assert groups(square) == ["matmul", "transpose_add"]
    assert reasons(square) == [
        "matmul → transpose: transpose costs nothing where its result is read",
        "matmul → add: add meets p at different places",
    ]
    agree(square, {"x": floats(5, 5)}, "interp")


def test_prologues_of_anchor_and_epilogue() -> None:
    made = model(
        [
            node("Mul", "x gate", "scaled"),
            node("Conv", "scaled w", "c"),
            node("Neg", "residual", "minus"),
            node("Add", "c minus", "y"),
        ],
        {"x": (F, (1, 3, 4, 5)), "gate": (F, (1, 3, 1, 1)), "residual": (F, (1, 2, 4, 5))},
        ["y"],
        {"w": floats(2, 3, 1, 1)},
    )
    assert groups(made) == ["mul_neg_conv_add"]
    agree(
        made,
        {"x": floats(1, 3, 4, 5), "gate": floats(1, 3, 1, 1), "residual": floats(1, 2, 4, 5)},
        "interp",
    )


def test_an_output_in_the_middle_is_stored_on_the_way() -> None:
    made = model(
        [node("MatMul", "x x", "p"), node("Relu", "p", "r"), node("Neg", "r", "y")],
        {"x": (F, (4, 4))},
        ["p", "y"],
    )
    assert groups(made) == ["matmul_relu_neg"]
    graph = agree(made, {"x": floats(4, 4)}, "interp")
    assert [t.name for t in graph.groups[0].outputs] == ["p", "y"]


def test_costly_prologues_are_stored() -> None:
    made = model(
        [node("Exp", "x", "e"), node("MatMul", "e w", "y")],
        {"x": (F, (40, 40))},
        ["y"],
        {"w": floats(40, 40)},
    )
    assert groups(made) == ["exp", "matmul"]
    assert reasons(made) == ["exp → matmul: exp would be computed 40 times for each element"]
    agree(made, {"x": floats(40, 40)}, "interp", rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("axis", [-1, 1, 0])
@pytest.mark.parametrize("target", ["interp", "cpu"])
def test_softmax_is_one_kernel(axis: int, target: str) -> None:
    made = model([node("Softmax", "x", "y", axis=axis)], {"x": (F, (3, 70, 45))}, ["y"])
    assert groups(made) == ["reduce_max_sub_exp_reduce_sum_softmax"]
    agree(made, {"x": floats(3, 70, 45)}, target)


def test_injective_operators_among_themselves() -> None:
    made = model(
        [
            node("Concat", "x y", "c", axis=1),
            node("Pad", "c pads", "p"),
            node("Tanh", "p", "t"),
            node("Slice", "t starts ends axes steps", "z"),
        ],
        {"x": (F, (2, 3)), "y": (F, (2, 5))},
        ["z"],
        {
            "pads": np.array([1, 0, 0, 2]),
            "starts": np.array([-1]),
            "ends": np.array([-99]),
            "axes": np.array([1]),
            "steps": np.array([-2]),
        },
    )
    assert groups(made) == ["concat_pad_tanh_slice"]
    agree(made, {"x": floats(2, 3), "y": floats(2, 5, seed=1)}, "interp")


def test_groups_that_are_alike_share_a_kernel() -> None:
    made = model(
        [
            node("Relu", "x", "a"),
            node("MatMul", "a x", "b"),
            node("Relu", "b", "c"),
            node("MatMul", "c x", "y"),
        ],
        {"x": (F, (4, 4))},
        ["y"],
    )
    graph = agree(made, {"x": floats(4, 4)}, "interp")
    assert [k.name for k in graph.kernels] == ["relu_matmul_relu", "matmul"]
    twice = model(
        [node("MatMul", "x w", "a"), node("MatMul", "a v", "y")],
        {"x": (F, (4, 4))},
        ["y"],
        {"w": floats(4, 4), "v": floats(4, 4, seed=1)},
    )
    graph = agree(twice, {"x": floats(4, 4)}, "interp")
    assert len(graph.steps) == 2
    assert len(graph.kernels) == 1


def test_places_are_used_again() -> None:
    names = ["x", *"abcdef"]
    chain = [node("MatMul", f"{a} w", b) for a, b in pairwise(names)]
    made = model(chain, {"x": (F, (64, 64))}, ["f"], {"w": floats(64, 64) / 8})
    graph = agree(made, {"x": floats(64, 64)}, "interp")
    size = 64 * 64 * 4
    assert graph.memory.total_bytes == 5 * size
    assert graph.memory.arena_bytes == 2 * size


def test_twice_the_same_is_done_once() -> None:
    made = model(
        [node("Relu", "x", "a"), node("Relu", "x", "b"), node("MatMul", "a b", "y")],
        {"x": (F, (4, 4))},
        ["y"],
    )
    graph = from_onnx(made).optimize()
    assert [op.name for op in graph.operators] == ["relu", "matmul"]
    assert graph.rules == ("merge alike",)
    agree(made, {"x": floats(4, 4)}, "interp")


# Random graphs over tensors [2, 4, 6, 6]: what is fused is different in each.
UNARY = ("Relu", "Sigmoid", "Neg", "HardSwish", "Abs")
KINDS = (*UNARY, "Add", "Mul", "Swap", "Conv", "Depthwise", "Mean", "Gate", "Shift", "Split")


def random_nodes(draw: st.DrawFn) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray], list[str]]:
    names, nodes = ["x"], list[onnx.NodeProto]()
    weights = {
        "w": floats(4, 4, 3, 3) / 4,
        "d": floats(4, 1, 3, 3),
        "gate": floats(4, 1, 1),
        "pads": np.array([0, 0, 1, -1, 0, 0, -1, 1]),
        "cut": np.array([1, 3]),
    }
    for n in range(draw(st.integers(2, 9))):
        kind = draw(st.sampled_from(KINDS))
        a, b = (draw(st.sampled_from(names[-3:])) for _ in "ab")
        out = f"t{n}"
        if kind in UNARY:
            nodes.append(node(kind, a, out))
        elif kind in ("Add", "Mul"):
            nodes.append(node(kind, f"{a} {b}", out))
        elif kind == "Swap":
            nodes.append(node("Transpose", a, out, perm=[0, 1, 3, 2]))
        elif kind in ("Conv", "Depthwise"):
            group = 4 if kind == "Depthwise" else 1
            nodes.append(
                node(
                    "Conv", f"{a} {'d' if group > 1 else 'w'}", out, group=group, pads=[1, 1, 1, 1]
                )
            )
        elif kind == "Mean":
            nodes += [node("GlobalAveragePool", a, f"{out}m"), node("Mul", f"{a} {out}m", out)]
        elif kind == "Gate":
            nodes.append(node("Mul", f"{a} gate", out))
        elif kind == "Shift":
            nodes.append(node("Pad", f"{a} pads", out))
        else:
            nodes += [
                node("Split", f"{a} cut", f"{out}a {out}b", axis=1),
                node("Concat", f"{out}b {out}a", out, axis=1),
            ]
        names.append(out)
    used = {i for n in nodes for i in n.input}
    return nodes, weights, [n for n in names[1:] if n not in used] or names[-1:]


@st.composite
def graphs(draw: st.DrawFn) -> onnx.ModelProto:
    nodes, weights, outputs = random_nodes(draw)
    return model(nodes, {"x": (F, (2, 4, 6, 6))}, outputs, weights)


@given(graphs())
@settings(max_examples=40)
def test_fusion_changes_no_result(made: onnx.ModelProto) -> None:
    same_on("interp", made)


@given(graphs())
@settings(max_examples=10)
def test_fusion_changes_no_result_in_machine_code(made: onnx.ModelProto) -> None:
    same_on("cpu", made)


def same_on(target: str, made: onnx.ModelProto) -> None:
    x = floats(2, 4, 6, 6)
    want = expected(made, {"x": x})
    fused = compiled(made, target)
    plain = compiled(made, target, fuse=False)
    left, right = fused({"x": x}), plain({"x": x})
    for name, array in want.items():
        scale = float(np.abs(array).max()) + 1
        np.testing.assert_allclose(left[name], array, atol=1e-5 * scale, rtol=1e-4)
        np.testing.assert_allclose(left[name], right[name], atol=1e-6 * scale, rtol=1e-5)
    # everything runs, and what is stored is stored once
    ran = [op for g in fused.groups for op in g.operators]
    assert set(ran) == set(fused.graph.operators)
    stored = [t for g in fused.groups for t in g.outputs]
    assert len(set(stored)) == len(stored)
    # each edge between two kernels has a reason
    edges = {
        (t, op)
        for g in fused.groups
        for op in g.operators
        for t in op.inputs
        if t in stored and t not in {o.output for o in g.operators}
    }
    assert {(u.tensor, u.user) for u in fused.unfused if u.reason} == edges


def test_the_program_after_fusion() -> None:
    """The schedule of the anchor is not touched: only its loads and stores change."""
    b, x = Builder(), Tensor("x", f32, (4, 8))
    elementwise(b, "relu", lambda v: build.binary(build.BinaryOp.MAX, v, 0), x)
    anchor = b.operators[-1].definition
    before = Var("before", f32[8, 4])
    flip = grid("transpose", [before], f32[4, 8], lambda i: build.load(before, (i[1], i[0])))
    flip = replace(flip, output=anchor.inputs[0])
    after = grid(
        "flat",
        [anchor.output],
        f32[32],
        lambda i: build.load(anchor.output, (build.floordiv(i[0], 8), build.floormod(i[0], 8))),
        inverse={anchor.output: lambda e: (build.add(build.mul(e[0], 8), e[1]),)},
    )
    fused = fuse(schedule(anchor, Target("interp")), anchor.output, [flip], [after], "whole")
    assert (
        text(fused)
        == """\
func whole(before: f32[8, 4], out: f32[32]) launch(grid=1, block=32)
  # one thread per element, tiles of (4, 8)
  for b0, b1 in spatial(1, 1).on(blockIdx.x)
    for t0, t1 in spatial(4, 8).on(threadIdx.x)
      let out_value: f32 = max(before[b1 * 8 + t1, b0 * 4 + t0], 0.0)
      out[(b0 * 4 + t0) * 8 + (b1 * 8 + t1)] = out_value"""
    )


def test_programs_that_cannot_take_an_epilogue() -> None:
    out, i = Var("out", f32[8]), Var("i", build.i32)
    vector = build.cast(1.0, f32.vector(4))
    after = grid("neg", [out], f32[8], lambda e: build.load(out, e), {out: lambda e: e})
    index = (build.const(0),)

    def module(body: Seq) -> Module:
        return Module((Function("k", (out,), body, Launch((1, 1, 1), (1, 1, 1))),))

    wide = module(Seq((Store(out, index, vector),)))
    with pytest.raises(ScheduleError) as error:
        fuse(wide, out, (), [after])
    assert str(error.value) == "out is stored in short vectors; store single elements"
    again = module(Seq((Store(out, index, build.load(out, (i,))),)))
    with pytest.raises(ScheduleError) as error:
        fuse(again, out, (), [after])
    assert str(error.value) == "out is read back, so no epilogue can be fused into it"


def chain(op: str, count: int, inputs: str = "{}") -> onnx.ModelProto:
    names = ["x", *(f"t{n}" for n in range(count))]
    nodes = [node(op, inputs.format(a, a), b) for a, b in pairwise(names)]
    return model(nodes, {"x": (F, (8,))}, names[-1:])


def test_long_chains_are_cut() -> None:
    made = chain("Neg", 150)
    assert [len(g.operators) for g in from_onnx(made).optimize().groups] == [22, 64, 64]
    assert reasons(made)[0] == "neg → neg: the group has 64 operators already"
    agree(made, {"x": floats(8)}, "interp")
    tail = [node("MatMul", "x x", "t0"), *(node("Abs", f"t{n}", f"t{n + 1}") for n in range(70))]
    made = model(tail, {"x": (F, (4, 4))}, ["t70"])
    assert [len(g.operators) for g in from_onnx(made).optimize().groups] == [64, 7]
    agree(made, {"x": floats(4, 4)}, "interp")


def test_what_would_double_at_each_step_is_stored() -> None:
    # written out, the last of 40 sums of a tensor with itself would hold 2 to the 40 loads
    made = chain("Add", 40, "{} {}")
    assert "add → add: add would be written out 32 times" in reasons(made)
    agree(made, {"x": floats(8)}, "interp")


def test_calls_from_several_threads() -> None:
    made = model(
        [node("MatMul", "x w", "p"), node("Softmax", "p", "y")],
        {"x": (F, (30, 40))},
        ["y"],
        {"w": floats(40, 50)},
    )
    graph = compiled(made, "cpu")
    inputs = [floats(30, 40, seed=n) for n in range(24)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda x: graph({"x": x})["y"], inputs))
    for x, got in zip(inputs, found, strict=True):
        np.testing.assert_array_equal(got, graph({"x": x})["y"])
