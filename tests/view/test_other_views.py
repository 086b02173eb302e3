"""Kernels, timings, checked runs and graphs as views."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import workbench as wb
from workbench.lang import f32, launch, repeat, shared, spatial, threadIdx
from workbench.runtime.timing import Measurement
from workbench.view import (
    as_json,
    bundle,
    compiled_view,
    graph_view,
    kernel_view,
    program_view,
    report_view,
    svg_of,
    text_of,
    timing_view,
)
from workbench.view import graph as graph_room
from workbench.view import layout as layout_room
from workbench.view.code import folded
from workbench.view.graph_rows import pieces, rows_of

M, N = wb.dims("M N")


@wb.script
def copy(a: f32[64, 8], b: f32[64, 8]):
    launch(grid=1, block=128)
    for i, j in repeat(4, 1).spatial(16, 8).on(threadIdx.x):
        b[i, j] = a[i, j] * 2.0


@wb.script
def turn(a: f32[M, N], b: f32[N, M]):
    launch(grid=1, block=64)
    for i, j in spatial(8, 8).on(threadIdx.x):
        b[j, i] = a[i, j]


@wb.script
def racy(a: f32[64], b: f32[64]):
    launch(grid=1, block=64)
    tile = shared(f32, (64,))
    tile[threadIdx.x] = a[threadIdx.x]
    b[threadIdx.x] = tile[63 - threadIdx.x]


def linked(view: object, pane: str, text: str) -> int:
    lines = next(p for p in view.panes if p.name == pane).lines
    return next(line.link for line in lines if text in line.text)


def test_lines_of_one_statement_are_linked_in_every_pane():
    view = kernel_view(copy.compile("cuda:sm_90a"))
    assert [pane.name for pane in view.panes if pane.lines] == ["Python", "IR", "CUDA"]
    assert [pane.name for pane in view.panes if pane.asked] == ["PTX", "SASS", "LLVM"]
    store = linked(view, "Python", "b[i, j] = ")
    assert store == linked(view, "IR", "] = a[") == linked(view, "CUDA", "] = a[") != 0
    loop = linked(view, "Python", "for i, j")
    assert loop == linked(view, "IR", "for r") == linked(view, "CUDA", "for (") != store
    assert linked(view, "Python", "launch(") == 0
    groups = {
        line.group for pane in view.panes for line in pane.lines if line.link in (store, loop)
    }
    assert groups == {1}
    python = view.panes[0]
    first = next(k for k, line in enumerate(python.lines) if "for i, j" in line.text)
    assert python.first + first == loop  # the link is the line's own number


def test_a_kernel_for_the_cpu_shows_llvm():
    view = kernel_view(copy.compile("cpu"))
    assert [pane.language for pane in view.panes if pane.lines] == ["python", "ir", "llvm"]
    assert view.figures == ()


def test_a_program_with_open_extents_shows_itself_and_says_what_is_open():
    view = program_view(turn)
    assert [pane.name for pane in view.panes] == ["Python"]
    assert "M, N open" in view.problem
    assert "def turn(a: f32[M, N]" in text_of(view)
    ET.fromstring(svg_of(view))


def test_a_script_that_is_wrong_shows_itself_and_the_error():
    @wb.script
    def wrong(a: f32[4]):
        launch(grid=1, block=4)
        a[threadIdx.x] = nothing  # noqa: F821

    view = program_view(wrong)
    assert "nothing" in view.problem
    assert "a[threadIdx.x] = nothing" in text_of(view)
    ET.fromstring(svg_of(view))


def test_figures_are_those_of_the_compiler():
    kernel = copy.compile("cuda:sm_90a")
    figures = {figure.label: figure.value for figure in kernel_view(kernel).figures}
    assert kernel.resources is not None
    assert kernel.occupancy is not None
    assert figures == {
        "registers": str(kernel.resources.registers),
        "spills": "0 B",
        "shared memory": "0 B",
        "occupancy": f"{100 * kernel.occupancy.fraction:.0f} %",
    }


def test_code_in_a_bundle_is_escaped_and_whole():
    shown = bundle(kernel_view(copy.compile("cuda:sm_90a")))
    html = shown["text/html"]
    assert "&lt; 4; ++r" in html
    assert "<details>" in html
    assert copy.compile("cuda:sm_90a").source.splitlines()[-2] in shown["text/plain"]
    ET.fromstring(shown["image/svg+xml"])


def test_a_timing(golden: Callable[[str, str], None]):
    samples = (*(10 + (k * 7 % 11) / 10 for k in range(40)), 55.0)
    taken = Measurement("copy on cpu", samples, 8, 64, "a CPU", "perf_counter_ns", 0.5)
    view = timing_view(taken)
    assert view.median_us == np.median(samples)
    assert (view.low_us, view.high_us) == tuple(np.quantile(samples, [0.25, 0.75]))
    golden("timing.txt", text_of(view))
    golden("timing.svg", svg_of(view))
    picture = ET.fromstring(svg_of(view))
    circles = list(picture.iter(f"{SVG}circle"))
    assert len(circles) == len(samples)
    assert "1 slower than the axis" in svg_of(view)


@pytest.mark.parametrize("samples", [(1.0,), (2.0, 2.0, 2.0), (1e-4, 5e6)])
def test_a_timing_of_any_spread_can_be_drawn(samples: tuple[float, ...]):
    ET.fromstring(svg_of(timing_view(Measurement("x", samples))))


def test_a_report_names_place_threads_and_remedy():
    a = np.ones(64, np.float32)
    view = report_view(wb.interpret(racy, a, a.copy()))
    (fault,) = view.faults
    assert fault.what == "race"
    assert fault.code == "b[threadIdx.x] = tile[63 - threadIdx.x]"
    assert re.fullmatch(r"test_other_views\.py:\d+", fault.place)
    assert fault.other.startswith("block 0, thread ")
    assert "syncthreads()" in text_of(view)
    ET.fromstring(svg_of(view))


def test_a_report_without_faults():
    a = np.ones((64, 8), np.float32)
    view = report_view(wb.interpret(copy, a, a.copy()))
    assert text_of(view).startswith("no fault")
    ET.fromstring(svg_of(view))


SVG = "{http://www.w3.org/2000/svg}"
FOLD = "\N{DOWNWARDS ARROW WITH TIP RIGHTWARDS}"
EVIL = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def flow() -> wb.FlowGraph:
    rng = np.random.default_rng(0)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], [EVIL]),
        helper.make_node("GlobalAveragePool", [EVIL], ["p"]),
        helper.make_node("Conv", ["p", "w2"], ["g"]),
        helper.make_node("Sigmoid", ["g"], ["s"]),
        helper.make_node("Mul", [EVIL, "s"], ["y"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        EVIL,
        [value("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [value("y", TensorProto.FLOAT, [1, 8, 8, 8])],
        [weight("w1", 8, 3, 3, 3), weight("w2", 8, 8, 1, 1)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return wb.from_onnx(model.SerializeToString())


def test_a_graph_before_and_after_fusion(flow: wb.FlowGraph):
    plain = graph_view(flow)
    assert plain.groups == ()
    assert [n.role for n in plain.nodes] == ["input", *["operator"] * 6, "output"]
    best = flow.optimize()
    view = graph_view(best)
    kernels = [g for g in view.groups if view.nodes[g.nodes[0]].group >= 0]
    assert len(kernels) == len(best.groups)
    assert [[view.nodes[k].name for k in g.nodes] for g in kernels] == [
        [op.name for op in group.operators] for group in best.groups
    ]
    assert [sum(view.nodes[k].role == "anchor" for k in g.nodes) for g in kernels] == [1] * len(
        kernels
    )
    # like reasons are one: they do not name the tensor
    assert len(view.reasons) == len(set(view.reasons)) <= len({u.reason for u in best.unfused})
    assert set(view.reasons) == {
        re.sub(rf"(?<!\S){re.escape(u.tensor.name)}(?!\S)", "the tensor", u.reason)
        for u in best.unfused
    }
    assert sum(e.reason > 0 for e in view.stored) == len(
        {(u.tensor, home(best, u.user)) for u in best.unfused}
    )


def home(graph: wb.FlowGraph, user: object) -> int:
    return next(k for k, group in enumerate(graph.groups) if user in group.operators)


def test_figures_of_a_compiled_graph_are_its_own(flow: wb.FlowGraph):
    compiled = flow.optimize().compile("cpu")
    view = compiled_view(compiled)
    before, after = compiled.launches
    assert (view.changes[0].before, view.changes[0].after) == (str(before), str(after))
    moved = [graph_room.bytes_text(count) for count in compiled.traffic_bytes]
    assert [view.changes[1].before, view.changes[1].after] == moved


def test_boxes_of_a_drawing_do_not_overlap(flow: wb.FlowGraph):
    view = graph_view(flow.optimize())
    boxes = [group.box for group in view.groups]
    assert view.after.width > 0
    for k, a in enumerate(boxes):
        assert 0 <= a.x <= a.x + a.width <= view.after.width + 0.5
        for b in boxes[k + 1 :]:
            apart = a.x + a.width <= b.x or b.x + b.width <= a.x
            assert apart or a.y + a.height <= b.y or b.y + b.height <= a.y


def test_names_of_a_model_are_no_markup(flow: wb.FlowGraph):
    for graph in (flow, flow.optimize()):
        shown = bundle(graph_view(graph))
        for form in ("image/svg+xml", "text/html"):
            assert "<script" not in shown[form]
        ET.fromstring(shown["image/svg+xml"])
        json.dumps(shown)


def test_without_graphviz_a_graph_is_laid_out_in_columns(
    flow: wb.FlowGraph, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(layout_room, "_run", lambda dot: None)
    view = graph_view(flow.optimize())
    boxes = [group.box for group in view.groups]
    assert view.note == ""
    assert all(len(edge.route) >= 8 for edge in view.stored)
    assert all(boxes[e.source].x + boxes[e.source].width <= boxes[e.target].x for e in view.stored)
    ET.fromstring(svg_of(view))


def test_a_long_graph_goes_on_in_the_next_row_and_says_what_is_left_out():
    nodes = [helper.make_node("Relu", [f"t{k}"], [f"t{k + 1}"]) for k in range(60)]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "chain",
        [value("t0", TensorProto.FLOAT, [4])],
        [value("t60", TensorProto.FLOAT, [4])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    view = graph_view(wb.from_onnx(model.SerializeToString()))
    picture = svg_of(view)
    assert "letter = goes on below" in picture
    shown = re.search(r"the first (\d+) of 62 operators and inputs", picture)
    assert shown is not None
    names = [e.text for e in ET.fromstring(picture).iter(f"{SVG}text")]
    assert names.count("relu") == int(shown[1]) - 1
    # each row but the first begins with the letter at which the one before ended
    letters = [name for name in names if name and re.fullmatch("[A-Z]", name)]
    assert letters == [*"AABBCCDDEEFFGGH"]
    assert Counter(node.role for node in view.nodes)["operator"] == 60
    assert json.loads(json.dumps(as_json(view)))["kind"] == "graph"


def test_the_pieces_of_an_edge_have_one_letter_and_end_at_its_target(flow: wb.FlowGraph):
    view = graph_view(flow)
    boxes = [node.box for node in view.nodes]
    rows = rows_of(boxes)
    shown = pieces(view.edges, boxes, rows)
    assert len(rows) == 2
    for edge in view.edges:
        source, target = (
            next(k for k, row in enumerate(rows) if row.has(boxes[n]))
            for n in (edge.source, edge.target)
        )
        end = next(p for p in shown[target] if p.edge == edge)
        assert end.ends
        assert end.route[-1] == edge.route[-2:]
        assert len(end.chips) == (source != target)
        if end.chips:
            start = next(p for p in shown[source] if p.chips and p.edge.tensor == edge.tensor)
            assert not start.ends
            assert start.chips[0].letter == end.chips[0].letter
            assert start.route[0][0] < rows[source].right < start.chips[0].at[0]


def test_a_picture_of_code_is_no_wider_than_a_cell_and_cuts_no_line():
    kernel = copy.compile("cuda:sm_90a")
    picture = ET.fromstring(svg_of(kernel_view(kernel)))
    assert float(picture.attrib["width"]) <= 840
    signature = "copy(a: f32[64, 8], b: f32[64, 8])"
    assert picture.findtext(f"{SVG}title") == f"Kernel {signature}"
    assert f'alt="Kernel {signature}' in bundle(kernel_view(kernel))["text/html"]
    drawn = "".join("".join(e.itertext()) for e in picture.iter(f"{SVG}text"))
    for line in kernel.source.splitlines():
        assert "".join(line.split()) in "".join(drawn.split()).replace(FOLD, "")


@pytest.mark.parametrize("room", [8, 20, 33, 200])
def test_a_folded_line_keeps_its_words_and_its_room(room: int):
    line = "    total = first + second * (third - 'a long text')  # and why it is so"
    rows = ["".join(said for said, _ in row) for row in folded(line, "python", room)]
    assert "".join("".join(rows).split()) == "".join(line.split())
    assert all(len(row) <= room for row in rows)
    comment = next(k for k, row in enumerate(rows) if "#" in row)
    later = folded(line, "python", room)[comment + 1 :]
    assert all(kind == "faint" for row in later for said, kind in row if said.strip())
