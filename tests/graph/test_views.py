"""Tensors that lie in others: where they may, what it saves, and that nobody's array is touched."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import agree, compiled, expected, floats, model, node
from workbench.graph import CompiledGraph, from_onnx
from workbench.graph.compile import compile_graph
from workbench.graph.group import Partition
from workbench.graph.memory import plan
from workbench.graph.partition import partition
from workbench.graph.views import with_views
from workbench.ir.target import Target
from workbench.runtime import nvrtc

F = np.float32


def conv(source: str, out: str, weight: str = "w") -> onnx.NodeProto:
    return node("Conv", f"{source} {weight}", out, kernel_shape=[1, 1])


def made(
    nodes: list[onnx.NodeProto], outputs: str = "y", batch: int = 1, shape: tuple[int, ...] = ()
) -> onnx.ModelProto:
    used = {i for n in nodes for i in n.input}
    weights = {
        "w": floats(16, 16, 1, 1),
        "wide": floats(16, 32, 1, 1),
        "deep": floats(16, 48, 1, 1),
    }
    more = {"flat": np.array([1, 32, 16]), "rows": np.array([4, 128])}
    return model(
        nodes,
        {"x": (F, shape or (batch, 16, 4, 4))},
        outputs.split(),
        {n: a for n, a in {**weights, **more}.items() if n in used},
        18,
    )


def viewed(compiled: CompiledGraph) -> list[str]:
    return [g.name for g in compiled.groups if g.views]


def sound(partition: Partition, compiled: CompiledGraph) -> None:
    """No kernel writes where something lies that is read later."""
    found = compiled.memory
    lies = {v.tensor: v for g in partition.groups for v in g.views}

    def root(tensor: object) -> object:
        while tensor in lies:
            tensor = lies[tensor].source
        return tensor

    born: dict[object, int] = {}
    dies: dict[object, int] = {}
    for n, group in enumerate(partition.groups):
        for t in (*group.inputs, *group.outputs):
            if t in found.offsets:
                born.setdefault(root(t), n)
                dies[root(t)] = n
    for t, view in lies.items():
        start = found.offsets[view.source] + view.start * t.dtype.size_bytes
        assert found.offsets[t] == start
        assert found.offsets[t] + t.size_bytes <= found.arena_bytes
    for a, b in combinations(born, 2):
        if born[a] <= dies[b] and born[b] <= dies[a]:
            first, second = sorted((a, b), key=found.offsets.__getitem__)
            assert found.offsets[first] + first.size_bytes <= found.offsets[second]


SIDE_BY_SIDE = {
    "two": [conv("x", "a"), conv("x", "b"), node("Concat", "a b", "c", axis=1)],
    "a pool": [
        conv("x", "a"),
        node("MaxPool", "x", "b", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Concat", "b a", "c", axis=1),
    ],
    "epilogues": [
        conv("x", "a"),
        node("Relu", "a", "ar"),
        conv("x", "b"),
        node("Sigmoid", "b", "bs"),
        node("Concat", "ar bs", "c", axis=1),
    ],
}


@pytest.mark.parametrize("name", SIDE_BY_SIDE)
def test_parts_are_stored_in_their_places(name: str) -> None:
    case = made([*SIDE_BY_SIDE[name], conv("c", "y", "wide")])
    # weights that differ, lest both convolutions are one
    case.graph.node[0].attribute.append(onnx.helper.make_attribute("strides", [1, 1]))
    compiled = agree(case, {"x": floats(1, 16, 4, 4)}, "cpu", atol=1e-4)
    if name == "two":  # the same convolution twice is done once, and stands in two places
        assert viewed(compiled) == []
        return
    assert viewed(compiled) == ["concat"]
    assert compiled.launches[1] == len(compiled.groups) - 1
    sound(compiled.partition, compiled)
    reasons = {u.reason for u in compiled.unfused if "concat" in (u.producer.name, u.user.name)}
    assert reasons == {"concat copies nothing"}
    concat = next(g for g in compiled.groups if g.views)
    assert concat.moved_bytes == 0
    assert compiled.traffic_bytes[1] == sum(g.moved_bytes for g in compiled.groups)


def test_a_concat_in_a_concat() -> None:
    """As in a dense block: everything so far is read, and put beside what comes of it."""
    nodes = [
        conv("x", "a"),
        node("MaxPool", "x", "b", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Concat", "a b", "c", axis=1),
        node("Relu", "c", "r"),
        conv("r", "d", "wide"),
        node("Concat", "c d", "e", axis=1),
        node("Relu", "e", "s"),
        conv("s", "y", "deep"),
    ]
    compiled = agree(made(nodes), {"x": floats(1, 16, 4, 4)}, "cpu", atol=1e-4)
    assert viewed(compiled) == ["concat", "concat"]
    sound(compiled.partition, compiled)
    whole = compiled.partition.groups[-1]
    assert whole.outputs


COPIED = {
    "an output of the graph": ([*SIDE_BY_SIDE["a pool"]], "c", 1),
    "a part that is an output": ([*SIDE_BY_SIDE["a pool"], conv("c", "y", "wide")], "y a", 1),
    "a part that the call gives": (
        [conv("x", "a"), node("Concat", "a x", "c", axis=1), conv("c", "y", "wide")],
        "y",
        1,
    ),
    "parts that do not stand together": ([*SIDE_BY_SIDE["a pool"], conv("c", "y", "wide")], "y", 2),
    "along another dimension": (
        [*SIDE_BY_SIDE["a pool"][:2], node("Concat", "b a", "c", axis=2), conv("c", "y")],
        "y",
        1,
    ),
    "a part that only moves elements": (
        [
            conv("x", "a"),
            node("Transpose", "x", "b", perm=[0, 1, 3, 2]),
            node("Concat", "b a", "c", axis=1),
            conv("c", "y", "wide"),
        ],
        "y",
        1,
    ),
}


@pytest.mark.parametrize("name", COPIED)
def test_others_are_copied(name: str) -> None:
    nodes, outputs, batch = COPIED[name]
    case = made(nodes, outputs, batch)
    compiled = agree(case, {"x": floats(batch, 16, 4, 4)}, "interp", atol=1e-4)
    assert viewed(compiled) == []


def test_a_part_stands_in_one_place_only() -> None:
    nodes = [
        *SIDE_BY_SIDE["a pool"],
        node("Concat", "a b", "d", axis=1),
        conv("c", "e", "wide"),
        conv("d", "f", "wide"),
        node("Add", "e f", "y"),
    ]
    compiled = agree(made(nodes), {"x": floats(1, 16, 4, 4)}, "cpu", atol=1e-4)
    assert len(viewed(compiled)) == 1
    sound(compiled.partition, compiled)


STEPS = {
    "reshape": lambda a, b, o: node("Reshape", f"{a} rows", o),
    "flatten": lambda a, b, o: node("Flatten", a, o, axis=1),
    "relu": lambda a, b, o: node("Relu", a, o),
    "neg": lambda a, b, o: node("Neg", a, o),
    "concat": lambda a, b, o: node("Concat", f"{a} {b}", f"{o}_both", axis=0),
    "turn": lambda a, b, o: node("Transpose", a, o, perm=[1, 0]),
}


@given(
    st.lists(st.tuples(st.sampled_from(list(STEPS)), st.integers(0, 9)), min_size=2, max_size=9),
    st.integers(0, 8),
)
@settings(max_examples=60, deadline=None)
def test_any_graph_of_moves(steps: list[tuple[str, int]], also: int) -> None:
    """A kernel for each operator, but for views; whoever calls may overwrite what it gave."""
    nodes: list[onnx.NodeProto] = []
    names = ["x"]
    for n, (step, other) in enumerate(steps):
        out = f"t{n}"
        new = STEPS[step](names[-1], names[other % len(names)], out)
        nodes.append(new)
        if step == "concat":
            # half of it goes on, so that shapes stay
            begin = [0, 128, 256][other % 3]
            nodes.append(node("Reshape", f"{out}_both long", f"{out}_flat"))
            nodes.append(node("Slice", f"{out}_flat from{begin} to{begin} zero", f"{out}_half"))
            nodes.append(node("Reshape", f"{out}_half rows", out))
        elif step == "turn":
            nodes[-1].output[0] = f"{out}_turned"
            nodes.append(node("Reshape", f"{out}_turned rows", out))
        elif step == "flatten":
            nodes[-1].output[0] = f"{out}_flat"
            nodes.append(node("Reshape", f"{out}_flat rows", out))
        names.append(out)
    weights = {"rows": np.array([4, 128]), "long": np.array([1024]), "zero": np.array([0])}
    for begin in (0, 128, 256):
        weights |= {f"from{begin}": np.array([begin]), f"to{begin}": np.array([begin + 512])}
    used = {i for n in nodes for i in n.input}
    outputs = list(dict.fromkeys([names[-1], names[1 + also % (len(names) - 1)]]))
    case = model(
        nodes, {"x": (F, (4, 128))}, outputs, {n: a for n, a in weights.items() if n in used}
    )
    graph = from_onnx(case).graph
    parts = with_views(partition(graph, fuse=False), graph)
    compiled = compile_graph(graph, parts, Target("cpu"))
    sound(parts, compiled)
    x = floats(4, 128)
    want = expected(case, {"x": x})
    mine = x.copy()
    first = compiled({"x": mine})
    mine[...] = 0
    for name, array in first.items():
        np.testing.assert_array_equal(array, want[name])
        assert not np.shares_memory(array, mine)
    for a, b in combinations(first.values(), 2):
        assert not np.shares_memory(a, b)
    for array in first.values():
        array[...] = -1
    for name, array in compiled({"x": x}).items():
        np.testing.assert_array_equal(array, want[name])


def test_reshapes_and_slices_lie_where_their_input_does() -> None:
    nodes = [
        node("Relu", "x", "a"),
        node("Reshape", "a flat", "b"),
        node("Slice", "b from to axes", "c"),
        node("Neg", "c", "y"),
    ]
    weights = {
        "flat": np.array([32, 16]),
        "from": np.array([8]),
        "to": np.array([24]),
        "axes": np.array([0]),
    }
    case = model(nodes, {"x": (F, (1, 16, 4, 8))}, ["y"], weights)
    graph = from_onnx(case).graph
    parts = with_views(partition(graph, fuse=False), graph)
    assert [g.name for g in parts.groups if g.views] == ["reshape", "slice"]
    found = plan(parts.groups, graph.outputs)
    a, b, c = (g.output for g in parts.groups[:3])
    assert found.offsets[b] == found.offsets[a]
    assert found.offsets[c] == found.offsets[a] + 8 * 16 * 4
    assert found.arena_bytes == a.size_bytes
    assert found.total_bytes == a.size_bytes + b.size_bytes + c.size_bytes
    compiled = compile_graph(graph, parts, Target("cpu"))
    assert compiled.launches == (4, 2)
    x = floats(1, 16, 4, 8)
    np.testing.assert_array_equal(compiled({"x": x})["y"], expected(case, {"x": x})["y"])


@pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")
def test_cubins() -> None:
    graph = compiled(made([*SIDE_BY_SIDE["a pool"], conv("c", "y", "wide")]), "cuda:sm_90a")
    assert viewed(graph) == ["concat"]
    assert len(graph.steps) == len(graph.groups) - 1
    for kernel in graph.kernels:
        assert kernel.binary[:4] == b"\x7fELF"
