"""Graphs of any size: a window of them, laid out in little time, and what a cut changes."""

from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

import workbench as wb
from tests.graph.test_cuts import inner, residual
from workbench.base.errors import ModelError, WorkbenchError
from workbench.ir.target import Target
from workbench.view import as_json, compiled_view, graph_view, onnx_view, svg_of, text_of
from workbench.view import layout as layout_room
from workbench.view.layers import columns
from workbench.view.layout import layout
from workbench.view.what_if import cut_view, flow_of, group_view

CPU = Target.parse("cpu")


def chain(length: int) -> onnx.ModelProto:
    nodes = [helper.make_node("Relu", [f"t{k}"], [f"t{k + 1}"]) for k in range(length)]
    value = helper.make_tensor_value_info
    ends = [value("t0", TensorProto.FLOAT, [4])], [value(f"t{length}", TensorProto.FLOAT, [4])]
    graph = helper.make_graph(nodes, "chain", *ends)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.data())
def test_columns_never_overlap_and_edges_lead_right(count: int, data: st.DataObject):
    pairs = [(a, b) for a, b in combinations(range(count), 2) if b - a < 9]
    edges = data.draw(st.lists(st.sampled_from(pairs), max_size=60)) if pairs else []
    sizes = [(60.0 + k % 3 * 20, 20.0 + k % 5 * 30) for k in range(count)]
    centres, routes, (width, height) = columns(sizes, edges)
    boxes = [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        for (x, y), (w, h) in zip(centres, sizes, strict=True)
    ]
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] + 0.2 or b[3] <= a[1] + 0.2
    for (a, b), route in zip(edges, routes, strict=True):
        assert boxes[a][2] < boxes[b][0]
        assert len(route) % 3 == 1
        assert route[0][0] == pytest.approx(boxes[a][2], abs=0.2)
        assert route[-1][0] == pytest.approx(boxes[b][0], abs=0.2)
    assert min(b[1] for b in boxes) >= -0.2
    assert max(b[2] for b in boxes) <= width + 0.2
    assert max(b[3] for b in boxes) <= height + 0.2


def test_a_graph_that_would_keep_graphviz_busy_is_not_given_to_it(monkeypatch: pytest.MonkeyPatch):
    def never(dot: str) -> None:
        raise AssertionError(dot)

    monkeypatch.setattr(layout_room, "_run", never)
    draw = random.Random(0)
    edges = [(k, k + 1) for k in range(999)]
    edges += [(a, a + 1 + draw.randrange(40)) for a in draw.choices(range(959), k=1000)]
    assert len(layout([(112, 36)] * 1000, edges).routes) == 1999
    assert len(layout([(112, 36)] * 1001, [(k, k + 1) for k in range(1000)]).centres) == 1001


def test_a_window_of_a_long_graph_says_what_it_shows_and_keeps_kernels_whole():
    flow = wb.from_onnx(chain(130).SerializeToString())
    for graph in (flow, flow.optimize()):
        view = graph_view(graph, limit=70, first=60)
        assert (view.total, view.first) == (130, 60)
        assert "of 130" in view.note
        assert sum(n.role not in ("input", "output") for n in view.nodes) <= 70
        assert {g.number for g in view.groups if g.number >= 0} <= set(range(len(graph.groups)))
        for group in view.groups:
            if group.number >= 0:
                assert len(group.nodes) == len(graph.groups[group.number].operators)
        json.dumps(as_json(view))
        assert svg_of(view)
    assert graph_view(flow, limit=70, first=10_000).first == 60
    assert graph_view(flow, limit=70, first=-4).first == 0


def test_operators_that_are_computed_twice_stand_in_both_kernels():
    node = helper.make_node
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            node("Mul", ["x", "x"], ["d"]),
            node("ReduceSum", ["d"], ["a"], keepdims=1),
            node("MatMul", ["d", "x"], ["b"]),
        ],
        "shared",
        [value("x", TensorProto.FLOAT, [32, 32])],
        [value("a", TensorProto.FLOAT, None), value("b", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    flow = wb.from_onnx(model.SerializeToString()).optimize()
    view = graph_view(flow)
    for group in view.groups:
        if group.number >= 0:
            names = [view.nodes[k].name for k in group.nodes]
            assert sorted(names) == sorted(op.name for op in flow.groups[group.number].operators)


def test_what_a_cut_changes_is_what_the_partition_says():
    flow = wb.from_onnx(residual().SerializeToString()).optimize()
    made = [t for op in flow.operators for t in op.outputs]
    tensor = next(t for t in inner(flow) if t.name == "m")
    cut, view = cut_view(flow, [made.index(tensor)], CPU, 100)
    assert cut.cuts == (tensor,)
    told = view.what_if
    assert told is not None
    assert told.tensors == (str(tensor),)
    launches = [str(sum(not g.views for g in each.groups)) for each in (flow, cut)]
    assert (told.changes[0].before, told.changes[0].after) == tuple(launches)
    assert f"(+{2 * tensor.size_bytes} B)" in told.changes[1].after
    assert "predicted" in told.changes[2].label
    gone, come = ([k for k in told.kernels if k.new is new] for new in (False, True))
    assert [flow.groups[k.group].name for k in gone] == [k.name for k in gone] == ["matmul_relu"]
    assert [cut.groups[k.group].name for k in come] == [k.name for k in come] == ["matmul", "relu"]
    edge = next(e for e in view.edges if e.value == made.index(tensor))
    assert view.reasons[edge.reason - 1] == "a cut was asked for in the tensor"
    again, plain = cut_view(cut, [], CPU, 100)
    assert again.cuts == ()
    assert plain.what_if is None
    with pytest.raises(ModelError, match="there is none of number"):
        cut_view(flow, [10_000], CPU, 100)
    json.dumps(as_json(view))
    assert "m" in text_of(view)


def test_a_compiled_graph_can_be_cut_and_its_kernels_shown():
    made = residual()
    flow = wb.from_onnx(made.SerializeToString()).optimize()
    compiled = flow.compile()
    again = flow_of(compiled)
    assert compiled_view(compiled).groups == graph_view(again).groups
    for number, group in enumerate(again.groups):
        if group.views:
            continue
        view = group_view(again, number, CPU)
        assert [pane.name for pane in view.panes][-1] == "LLVM"
        assert [f.label for f in view.figures][:3] == ["schedule", "reads and writes", "predicted"]
    with pytest.raises(ModelError, match="there is no kernel 99"):
        group_view(again, 99, CPU)
    assert "CUDA" in [
        p.name for p in group_view(flow.optimize(target="cuda"), 0, Target("cuda", "sm_90a")).panes
    ]


def test_an_onnx_file_and_what_is_no_onnx_file(tmp_path: Path):
    path = tmp_path / "model.onnx"
    onnx.save(residual(), path)
    view = onnx_view(path)
    assert view.groups
    json.dumps(as_json(view))
    data = path.read_bytes()
    files = {
        "cut.onnx": data[: len(data) // 2],
        "empty.onnx": b"",
        "noise.onnx": np.random.default_rng(0).bytes(10_000),
        "text.onnx": b"<script>alert(1)</script>",
        "zip.onnx": b"PK\x03\x04" + bytes(100),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WorkbenchError):
            onnx_view(tmp_path / name)
    for place in (tmp_path / "none.onnx", tmp_path, "a\0b"):
        with pytest.raises(WorkbenchError):
            onnx_view(place)


def test_open_dims_of_a_file_are_named_and_can_be_given(tmp_path: Path):
    made = residual()
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    path = tmp_path / "open.onnx"
    onnx.save(made, path)
    view = onnx_view(path)
    assert view.groups == ()
    assert "known once batch has a value" in view.note
    assert "batch" in view.nodes[0].detail
    assert onnx_view(path, {"batch": 2}).groups
    with pytest.raises(WorkbenchError):
        onnx_view(path, {"width": 2})


def test_of_fifty_megabytes_of_weights_none_are_in_the_view(tmp_path: Path):
    weights = {f"w{k}": np.zeros((1024, 1024), np.float32) for k in range(13)}
    nodes = [helper.make_node("MatMul", [f"t{k}", f"w{k}"], [f"t{k + 1}"]) for k in range(13)]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "wide",
        [value("t0", TensorProto.FLOAT, [1, 1024])],
        [value("t13", TensorProto.FLOAT, [1, 1024])],
        [onnx.numpy_helper.from_array(a, n) for n, a in weights.items()],
    )
    path = tmp_path / "wide.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    assert path.stat().st_size > 50e6
    assert len(json.dumps(as_json(onnx_view(path)))) < 50_000


def test_a_name_of_a_megabyte_does_not_make_a_view_of_megabytes():
    made = chain(40)
    long = "<b>" * 300_000
    made.graph.name = made.graph.input[0].name = made.graph.node[0].input[0] = long
    made.graph.node[0].name = made.graph.node[0].output[0] = made.graph.node[1].input[0] = long * 2
    flow = wb.from_onnx(made.SerializeToString())
    for graph in (flow, flow.optimize()):
        view = graph_view(graph)
        assert len(json.dumps(as_json(view))) < 60_000
        assert len(svg_of(view)) < 200_000
        assert len(text_of(view)) < 20_000
