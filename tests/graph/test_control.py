"""If, Loop and Scan, beside onnxruntime."""

from __future__ import annotations

import signal
import threading
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests.graph.cases import OPSET, floats, model, node
from workbench.base.errors import ModelError
from workbench.graph import CompiledGraph, from_onnx

F, L, B = np.float32, np.int64, np.bool_


def graph(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, Any] | None = None,
    outputs: dict[str, Any] | None = None,
    weights: dict[str, np.ndarray] | None = None,
) -> onnx.GraphProto:
    """A branch or a body; inputs and outputs are name → numpy type."""

    def ends(kinds: dict[str, Any] | None) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(
                n, helper.np_dtype_to_tensor_dtype(np.dtype(k)), None if k is F else []
            )
            for n, k in (kinds or {}).items()
        ]

    held = [numpy_helper.from_array(a, n) for n, a in (weights or {}).items()]
    return helper.make_graph(nodes, "inner", ends(inputs), ends(outputs), held)


def beside(made: onnx.ModelProto, *calls: dict[str, np.ndarray]) -> CompiledGraph:
    """Fused and not, the calls give what onnxruntime gives."""
    session = onnxruntime.InferenceSession(made.SerializeToString())
    names = [o.name for o in made.graph.output]
    last: CompiledGraph | None = None
    for optimized in (False, True):
        flow = from_onnx(made)
        last = (flow.optimize() if optimized else flow).compile("cpu")
        for inputs in calls:
            got = last(inputs)
            for name, want in zip(names, session.run(names, inputs), strict=True):
                assert got[name].dtype == want.dtype
                np.testing.assert_allclose(got[name], want, rtol=1e-4, atol=1e-5)
    assert last is not None
    return last


def branching() -> onnx.ModelProto:
    """Whether the sum is positive decides on what happens to x, which both branches read."""
    yes = graph([node("Mul", "x two", "a"), node("Neg", "a", "t")], {}, {"t": F}, {"two": F([2])})
    no = graph([node("Sqrt", "pos", "e")], {}, {"e": F})
    return model(
        [
            node("Abs", "x", "pos"),
            node("ReduceSum", "x", "s", keepdims=0),
            node("Greater", "s zero", "c"),
            node("If", "c", "r", then_branch=yes, else_branch=no),
            node("Add", "r one", "y"),
        ],
        {"x": (F, ("n", 3))},
        ["y"],
        {"zero": F(0), "one": F([1])},
    )


def test_data_decide_on_a_branch() -> None:
    x = np.abs(floats(4, 3)) + 1
    compiled = beside(branching(), {"x": x}, {"x": -x}, {"x": x[:1]}, {"x": x})
    # per shape what comes before the branch, and each branch taken
    assert len({s.kernel for s in compiled.steps}) <= 8


def test_a_known_condition_leaves_one_branch() -> None:
    made = branching()
    made.graph.node[3].input[0] = "known"
    made.graph.initializer.append(numpy_helper.from_array(np.array(True), "known"))
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    flow = from_onnx(made)
    assert [op.name for op in flow.optimize().operators] == ["mul", "neg", "add"]
    beside(made, {"x": floats(2, 3)})


def counting(trips: int | None, most: float, scan: bool = True) -> onnx.ModelProto:
    """x grows by itself turn by turn, until its sum is more than `most`."""
    nodes = [
        node("Concat", "v w", "v2", axis=0),
        node("ReduceSum", "v2", "s", keepdims=0),
        node("Less", "s limit", "more"),
        node("Mul", "s factor", "out"),
    ]
    outputs = {"more": B, "v2": F} | ({"out": F} if scan else {})
    body = graph(nodes, {"i": L, "c": B, "v": F}, outputs, {"factor": F(0.5)})
    weights = {"limit": F(most), "yes": np.array(True)}
    if trips is not None:
        weights["trips"] = np.array(trips)
    name = "trips" if trips is not None else ""
    loop = helper.make_node("Loop", [name, "yes", "x"], ["y", "all"][: 1 + scan], body=body)
    return model(
        [node("Abs", "x", "w"), loop], {"x": (F, ("n",))}, ["y", "all"][: 1 + scan], weights
    )


@given(st.integers(1, 5), st.none() | st.integers(0, 6), st.floats(0.5, 4))
@settings(max_examples=6)
def test_a_loop_whose_values_grow(extent: int, trips: int | None, most: float) -> None:
    x = np.abs(floats(extent)) + F(0.3)
    beside(counting(trips, most), {"x": x}, {"x": x[:1]})


def test_a_loop_with_known_turns_is_written_out() -> None:
    body = graph(
        [
            node("Add", "v x", "a"),
            node("Cast", "i", "f", to=TensorProto.FLOAT),
            node("Mul", "a f", "v2"),
            node("Identity", "c", "more"),
        ],
        {"i": L, "c": B, "v": F},
        {"more": B, "v2": F, "a": F},
    )
    made = model(
        [helper.make_node("Loop", ["trips", "", "x"], ["y", "all"], body=body)],
        {"x": (F, (2, 3))},
        ["y", "all"],
        {"trips": np.array(5)},
    )
    flow = from_onnx(made).optimize()
    assert not flow.by_data
    assert {op.name for op in flow.operators} <= {"add", "mul", "reshape", "concat"}
    beside(made, {"x": floats(2, 3)})


def test_many_turns_run_a_compiled_body() -> None:
    body = graph(
        [
            node("Mul", "v half", "h"),
            node("Add", "h x", "v2"),
            node("Identity", "c", "more"),
        ],
        {"i": L, "c": B, "v": F},
        {"more": B, "v2": F, "h": F},
        {"half": F([0.5])},
    )
    made = model(
        [helper.make_node("Loop", ["n", "", "x"], ["y", "all"], body=body)],
        {"x": (F, (3,)), "n": (L, ())},
        ["y", "all"],
    )
    compiled = beside(made, *({"x": floats(3), "n": np.array(n)} for n in (1, 7, 1000)))
    assert len(compiled.kernels) <= 2


def test_a_loop_without_end_can_be_interrupted() -> None:
    made = counting(None, float("inf"), scan=False)
    body = made.graph.node[1].attribute[0].g
    # the value stays as it is, and so does the condition
    body.node[0].CopyFrom(node("Identity", "v", "v2"))
    compiled = from_onnx(made).optimize().compile("cpu")
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        compiled({"x": floats(3)})
    timer.join()


@pytest.mark.parametrize("length", [1, 4, 50])
@pytest.mark.parametrize(("axis", "way"), [(0, 0), (1, 1)])
def test_scan(length: int, axis: int, way: int) -> None:
    body = graph(
        [node("Add", "s e", "s2"), node("Mul", "s2 w", "o")], {"s": F, "e": F}, {"s2": F, "o": F}
    )
    scan = node(
        "Scan",
        "start x",
        "end all",
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[axis],
        scan_input_directions=[way],
        scan_output_axes=[axis],
        scan_output_directions=[1 - way],
    )
    shape = (length, 3) if axis == 0 else (3, length)
    made = model([scan], {"x": (F, shape), "start": (F, (3,))}, ["end", "all"], {"w": floats(3)})
    beside(made, {"x": floats(*shape), "start": floats(3, seed=1)})


def nested(depth: int) -> onnx.ModelProto:
    inner = graph([node("Neg", "x", "d0")], {}, {"d0": F})
    for level in range(1, depth):
        branch = node("If", "c", f"d{level}", then_branch=inner, else_branch=inner)
        inner = graph([branch], {}, {f"d{level}": F})
    made = helper.make_graph(
        [node("If", "c", "y", then_branch=inner, else_branch=inner)],
        "nested",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [2]),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def test_branches_in_branches() -> None:
    beside(nested(8), *({"x": floats(2), "c": np.array(c)} for c in (True, False)))


def test_branches_too_deep_in_branches() -> None:
    inner = onnx.GraphProto()
    inner.CopyFrom(graph([node("Neg", "x", "d")], {}, {"d": F}))
    for _ in range(500):
        outer = graph([onnx.NodeProto(op_type="If", input=["c"], output=["d"])], {}, {"d": F})
        for name in ("then_branch", "else_branch"):
            attribute = outer.node[0].attribute.add(name=name, type=onnx.AttributeProto.GRAPH)
            if name == "then_branch":
                attribute.g.CopyFrom(inner)
            else:
                attribute.g.CopyFrom(graph([node("Neg", "x", "d")], {}, {"d": F}))
        inner = outer
    made = nested(1)
    made.graph.node[0].attribute[0].g.CopyFrom(inner)
    with pytest.raises(ModelError, match="graphs stand more than 64 deep in one another"):
        from_onnx(made)


def test_a_branch_inside_a_function_sees_its_inputs_and_attributes() -> None:
    leaky = node("LeakyRelu", "v", "t")
    leaky.attribute.add(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    yes, no = graph([leaky], {}, {"t": F}), graph([node("Neg", "v", "e")], {}, {"e": F})
    function = helper.make_function(
        "own",
        "Bent",
        ["v", "c"],
        ["r"],
        [node("If", "c", "r", then_branch=yes, else_branch=no)],
        [helper.make_opsetid("", OPSET)],
        ["slope"],
    )
    bent = helper.make_node("Bent", ["x", "flag"], ["y"], domain="own", slope=0.25)
    made = model([bent], {"x": (F, (4,)), "flag": (B, ())}, ["y"])
    made.functions.append(function)
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    compiled = from_onnx(made).optimize().compile("cpu")
    x = floats(4)
    for flag, want in ((True, np.where(x < 0, x * F(0.25), x)), (False, -x)):
        np.testing.assert_allclose(compiled({"x": x, "flag": np.array(flag)})["y"], want)


def test_a_body_that_does_not_fit() -> None:
    made = counting(3, 1.0)
    made.graph.node[1].attribute[0].g.input.add().CopyFrom(made.graph.input[0])
    with pytest.raises(ModelError) as error:
        from_onnx(made).compile("cpu")({"x": floats(2)})
    assert "the body takes 4 inputs and gives 3 outputs, not 3 and 3" in str(error.value)
