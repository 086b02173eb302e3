"""Other shapes of graphs that data decide: recorded ways lead through cuts and loops as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests.graph.cases import Arrays, floats, model, node
from tests.graph.test_family import peer, random
from tests.graph.test_replay import dynamic_graph
from workbench.base.errors import ModelError
from workbench.graph.dynamic import DynamicGraph
from workbench.graph.replayed import Replayed

F, L = np.float32, np.int64


def body(nodes: Sequence[onnx.NodeProto], inputs: str, outputs: str) -> onnx.GraphProto:
    """The graph of a node; ``i``, ``going`` and ``on`` steer a loop, all else are floats."""
    flag = TensorProto.BOOL, []
    kinds = {"i": (TensorProto.INT64, []), "going": flag, "on": flag}
    takes, gives = (
        [helper.make_tensor_value_info(n, *kinds.get(n, (TensorProto.FLOAT, None))) for n in names]
        for names in (inputs.split(), outputs.split())
    )
    return helper.make_graph(list(nodes), "body", takes, gives)


def branches() -> onnx.ModelProto:
    """Which matrix is multiplied by depends on a number of the call."""
    then = body([node("MatMul", "x w", "p"), node("Relu", "p", "a")], "", "a")
    other = body([node("Softmax", "x", "b", axis=-1)], "", "b")
    return model(
        [
            node("Equal", "rate usual", "same"),
            node("If", "same", "c", then_branch=then, else_branch=other),
            node("ReduceSum", "c last", "y", keepdims=0),
        ],
        {"x": (F, ("batch", 16)), "rate": (L, ())},
        ["y", "c"],
        {"w": floats(16, 16), "usual": np.array(8, L), "last": np.array([1], L)},
    )


def chosen() -> onnx.ModelProto:
    """As many rows as there are elements above a limit."""
    return model(
        [
            node("Mul", "x k", "m"),
            node("Greater", "m limit", "above"),
            node("NonZero", "above", "places"),
            node("Transpose", "places", "t", perm=[1, 0]),
            node("GatherND", "m t", "picked"),
            node("MatMul", "m w", "z"),
            node("Unsqueeze", "picked one", "column"),
            node("Mul", "column row", "y"),
        ],
        {"x": (F, ("n", 6))},
        ["y", "z"],
        {
            "k": floats(6),
            "limit": np.array(0.1, F),
            "w": floats(6, 5),
            "one": np.array([1], L),
            "row": floats(8),
        },
    )


def sliced() -> onnx.ModelProto:
    """From where to where rows go is told by the call."""
    return model(
        [node("MatMul", "x w", "m"), node("Slice", "m a b", "s"), node("Softmax", "s", "y")],
        {"x": (F, ("n", 6)), "a": (L, (1,)), "b": (L, (1,))},
        ["y", "m"],
        {"w": floats(6, 30)},
    )


def best() -> onnx.ModelProto:
    """What runs on the host in the midst of kernels: half of all rows, ordered."""
    return model(
        [
            node("MatMul", "x w", "m"),
            node("Shape", "x", "shape"),
            node("Slice", "shape zero one", "n"),
            node("Div", "n two", "half"),
            node("TopK", "m half", "v at", axis=0),
            node("Softmax", "v", "s", axis=-1),
            node("Cast", "at", "f", to=TensorProto.FLOAT),
            node("Add", "s f", "y"),
        ],
        {"x": (F, ("n", 6))},
        ["y", "v"],
        {"w": floats(6, 30)}
        | {n: np.array([k], L) for n, k in (("zero", 0), ("one", 1), ("two", 2))},
    )


def turns() -> onnx.ModelProto:
    """A loop of as many turns as the call says."""
    inner = body(
        [
            node("MatMul", "s w", "p"),
            node("Tanh", "p", "t"),
            node("ReduceSum", "t one", "r"),
            node("Identity", "going", "on"),
        ],
        "i going s",
        "on t r",
    )
    return model(
        [
            node("Add", "x x", "start"),
            node("Loop", "trip none start", "end rs", body=inner),
            node("Mul", "end end", "y"),
            node("Exp", "rs", "z"),
        ],
        {"x": (F, ("n", 6)), "trip": (L, ()), "none": (np.bool_, ())},
        ["y", "z"],
        {"w": floats(6, 6) / 3, "one": np.array([1], L)},
    )


def growing() -> onnx.ModelProto:
    """A loop that lengthens what it carries, so that its body meets other shapes in each turn."""
    inner = body(
        [
            node("Concat", "s x", "longer", axis=0),
            node("MatMul", "longer w", "p"),
            node("ReduceMean", "p", "r", axes=[0], keepdims=0),
            node("Identity", "going", "on"),
        ],
        "i going s",
        "on longer r",
    )
    return model(
        [node("Loop", "trip none x", "y rs", body=inner), node("Neg", "rs", "z")],
        {"x": (F, ("n", 6)), "trip": (L, ()), "none": (np.bool_, ())},
        ["y", "z"],
        {"w": floats(6, 6)},
    )


def scanned() -> onnx.ModelProto:
    """A state that goes along a sequence."""
    inner = body(
        [node("Add", "s e", "t"), node("MatMul", "t w", "after"), node("Relu", "after", "r")],
        "s e",
        "after r",
    )
    return model(
        [node("Scan", "s0 xs", "y rs", body=inner, num_scan_inputs=1), node("Sigmoid", "y", "z")],
        {"s0": (F, ("n", 6)), "xs": (F, ("steps", "n", 6))},
        ["z", "rs"],
        {"w": floats(6, 6) / 4},
    )


def with_turns(n: int, trip: int) -> Arrays:
    return {"x": random(n, 6), "trip": np.array(trip, L), "none": np.array(True)}


Made = Callable[[], onnx.ModelProto]

CALLS: dict[Made, list[Arrays]] = {
    branches: [{"x": random(n, 16), "rate": np.array(8, L)} for n in (1, 2, 3, 5, 7, 4)],
    chosen: [{"x": random(n, 6)} for n in (4, 5, 7, 9, 8, 12, 11)],
    sliced: [
        {"x": random(n, 6), "a": np.array([a], L), "b": np.array([b], L)}
        for n, a, b in ((8, 0, 4), (9, 1, 7), (10, 2, 6), (12, 3, 8), (15, 2, 9), (14, 1, 12))
    ],
    best: [{"x": random(n, 6)} for n in (4, 6, 7, 9, 12, 8, 15)],
    turns: [with_turns(n, t) for n, t in ((3, 10), (4, 11), (5, 12), (6, 10), (7, 15), (9, 20))],
    scanned: [
        {"s0": random(n, 6), "xs": random(m, n, 6)}
        for n, m in ((3, 10), (4, 11), (5, 12), (6, 14), (7, 15), (9, 20), (8, 18))
    ],
}


def check(compiled: DynamicGraph, wanted: Callable[[Arrays], Any], call: Arrays) -> None:
    """Both give the same."""
    for found, other in zip(compiled(call).values(), wanted(call), strict=True):
        assert found.shape == other.shape
        np.testing.assert_allclose(found, other, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("made", CALLS, ids=lambda made: made.__name__)
def test_later_calls_are_replayed(made: Made) -> None:
    compiled, wanted = dynamic_graph(made()), peer(made())
    *first, last = CALLS[made]
    for call in first:
        check(compiled, wanted, call)
    assert compiled.ways.untraced is None
    recorded, replayed = compiled.ways.recorded, compiled.ways.replayed
    assert 0 < recorded < len(first)
    check(compiled, wanted, last)
    assert compiled.ways.recorded == recorded
    assert compiled.ways.replayed > replayed
    for call in CALLS[made]:
        check(compiled, wanted, call)


@settings(max_examples=15)
@given(
    made=st.sampled_from([branches, chosen, sliced, best, turns, growing]),
    numbers=st.lists(
        st.tuples(st.integers(1, 9), st.integers(-3, 12), st.integers(-3, 12)), max_size=7
    ),
)
def test_any_sequence_of_calls_gives_what_onnxruntime_gives(
    made: Made, numbers: list[tuple[int, int, int]]
) -> None:
    compiled = dynamic_graph(made())
    for n, a, b in numbers:
        call = {"x": random(n, 16 if made is branches else 6)}
        if made in (turns, growing):
            # onnxruntime does not know the shape of what no turn has given
            call = with_turns(n, max(1, a))
        elif made is branches:
            call["rate"] = np.array(8 + b % 2, L)
        elif made is sliced:
            call |= {"a": np.array([a], L), "b": np.array([b], L)}
        elif made is best:
            call["x"] = random(n + 1, 6)
        check(compiled, PEERS[made], call)


PEERS = {made: peer(made()) for made in (branches, chosen, sliced, best, turns, growing)}


def test_a_branch_that_is_new_goes_on_from_a_replayed_part() -> None:
    compiled, wanted = dynamic_graph(branches()), PEERS[branches]
    calls = [(n, 8) for n in (1, 2, 3, 5)] + [(n, rate) for n in (6, 7, 9) for rate in (9, 8)]
    for n, rate in calls:
        check(compiled, wanted, {"x": random(n, 16), "rate": np.array(rate, L)})
    part = compiled._first[((6, 16), ())]
    assert isinstance(part.stage.compiled, Replayed)
    made, replayed = (after.stage.compiled for after in part.after.values())
    assert not isinstance(made, Replayed)
    assert isinstance(replayed, Replayed)
    # what is told of the whole holds together
    tensors = {t for op in compiled.graph.operators for t in (*op.inputs, *op.outputs)}
    assert all(t in tensors for step in compiled.steps for t in step.tensors)


def test_how_many_are_found_does_not_matter() -> None:
    compiled, wanted = dynamic_graph(chosen()), PEERS[chosen]
    x = np.ones((7, 6), F)
    sign = np.sign(floats(6))
    replayed: list[int] = []
    for count in (5, 9, 14, 12, 17, 19, 21, 23):
        x[:] = -sign
        x.reshape(-1)[:count] *= -1
        check(compiled, wanted, {"x": x})
        replayed.append(compiled.ways.replayed)
    assert replayed == [0, 0, 1, 2, 3, 4, 5, 6]
    assert compiled.ways.recorded == 1


def test_an_error_behind_a_cut_is_that_of_the_call() -> None:
    made = model(
        [node("Mul", "n n", "s"), node("Reshape", "x s", "y"), node("Exp", "y", "z")],
        {"x": (F, ("m",)), "n": (L, (2,))},
        ["z"],
    )
    compiled, wanted = dynamic_graph(made), peer(made)
    for m, n in ((4, [1, 2]), (9, [1, 3]), (36, [2, 3]), (144, [4, 3])):
        check(compiled, wanted, {"x": random(m), "n": np.array(n)})
    for _ in range(2):
        with pytest.raises(ModelError, match=r'^node "Reshape_y" \(Reshape\): '):
            compiled({"x": random(35), "n": np.array([2, 3])})
    check(compiled, wanted, {"x": random(100), "n": np.array([2, 5])})


def test_what_a_host_call_is_bound_to_is_that_of_the_call() -> None:
    compiled = dynamic_graph(best())
    for call in CALLS[best]:
        compiled(call)
    found = compiled._first[((15, 6),)].stage.compiled
    assert isinstance(found, Replayed)
    (op,) = (op for op in found.graph.operators if op.name == "top_k")
    assert isinstance(op.host, partial)
    assert op.host.keywords["k"] == 7
    assert ("k", "7") in op.attributes
    assert [t.extents for t in op.outputs] == [(7, 30), (7, 30)]


def test_an_axis_that_the_call_names_twice_is_one() -> None:
    made = model(
        [node("ReduceSum", "x axes", "y", keepdims=0)],
        {"x": (F, (3, 4, 5)), "axes": (L, (2,))},
        ["y"],
    )
    compiled, wanted = dynamic_graph(made), peer(made)
    for axes in ([0, 1], [1, 2], [0, 2], [2, 2], [-1, 2], [1, 1], [-3, 0]):
        check(compiled, wanted, {"x": random(3, 4, 5), "axes": np.array(axes)})
