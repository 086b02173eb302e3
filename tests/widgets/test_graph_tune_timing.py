"""The graph, tuning and timing screens on the Python side: what they answer."""

from __future__ import annotations

import threading
import time

import pytest

import workbench as wb
from tests.graph.test_cuts import agree, residual
from tests.view.test_graph_size import chain
from tests.view.test_tune_view import scale, searched
from workbench.base.errors import WorkbenchError
from workbench.runtime.timing import Measurement
from workbench.tune import Space, Status, Trial
from workbench.widgets.graph import GraphExplorer
from workbench.widgets.timing import TimingExplorer
from workbench.widgets.tune import TuneExplorer


def asked(explorer: object, kind: str, **request: object) -> dict:
    number = explorer.answered + 1
    explorer.ask = {"id": number, "type": kind, **request}
    assert explorer.answered == number
    return explorer.answer


def graph() -> wb.FlowGraph:
    return wb.from_onnx(residual().SerializeToString()).optimize()


def value_of(explorer: GraphExplorer, name: str) -> int:
    return next(e["value"] for e in explorer.view["edges"] if e["tensor"].startswith(f"{name} "))


@pytest.mark.parametrize("compiled", [False, True])
def test_a_cut_is_shown_compared_and_undone(compiled: bool):
    flow = graph()
    explorer = GraphExplorer(flow.compile() if compiled else flow)
    before = explorer.view
    asked(explorer, "cut", values=[value_of(explorer, "m")])
    told = explorer.view["what_if"]
    assert [k["name"] for k in told["kernels"]] == ["matmul_relu", "matmul", "relu"]
    agree(residual(), explorer.flow)
    gone = asked(explorer, "program", number=told["kernels"][0]["group"], cut=False)["program"]
    come = asked(explorer, "program", number=told["kernels"][1]["group"], cut=True)["program"]
    assert gone["name"].startswith("matmul")
    assert gone["panes"] != come["panes"]
    asked(explorer, "cut", values=[])
    assert explorer.view["what_if"] is None
    assert explorer.view["groups"] == before["groups"]


def test_a_graph_that_comes_with_cuts_shows_them():
    explorer = GraphExplorer(graph().cut(["m"]))
    assert len(explorer.view["what_if"]["values"]) == 1


@pytest.mark.parametrize(
    "request_",
    [
        {"type": "program", "number": 99},
        {"type": "program", "number": "0"},
        {"type": "program"},
        {"type": "cut", "values": [10_000]},
        {"type": "cut", "values": ["0"]},
        {"type": "cut", "values": 3},
        {"type": "window", "first": None},
        {"type": "<script>"},
    ],
)
def test_a_wrong_question_is_an_error_and_loses_nothing(request_: dict[str, object]):
    explorer = GraphExplorer(graph())
    before = explorer.view
    asked(explorer, request_.pop("type"), **request_)
    assert explorer.error["message"]
    assert explorer.view is before
    asked(explorer, "cut", values=[value_of(explorer, "m")])
    assert explorer.error is None


def test_a_cut_of_what_is_not_optimized_is_an_error():
    explorer = GraphExplorer(wb.from_onnx(residual().SerializeToString()))
    asked(explorer, "cut", values=[0])
    assert "cut where kernels are fused" in explorer.error["message"]


def test_another_window_of_a_large_graph():
    explorer = GraphExplorer(wb.from_onnx(chain(50).SerializeToString()), limit=20)
    assert (explorer.view["first"], explorer.view["total"]) == (0, 50)
    asked(explorer, "window", first=30)
    assert explorer.view["first"] == 30
    assert len(explorer.view["nodes"]) == 21  # and the output


def test_a_model_with_open_dims_and_its_compiled_form_have_a_screen():
    made = residual()
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    flow = wb.from_onnx(made.SerializeToString()).optimize()
    for thing in (flow, flow.compile()):
        explorer = wb.explore(thing)
        assert explorer.view["groups"] == []
        asked(explorer, "program", number=0)
        assert "there is no kernel 0" in explorer.error["message"]


def test_a_finished_search_compares_trials():
    tuning = searched()
    explorer = wb.explore(tuning)
    assert isinstance(explorer, TuneExplorer)
    other = next(k for k, t in enumerate(tuning.trials) if k and t.status is Status.MEASURED)
    assert asked(explorer, "compare", trial=other)["diff"]["lines"]
    asked(explorer, "compare", trial=99)
    assert explorer.error["hint"] == "stop it, or wait"
    assert "the fastest takes" in repr(explorer)


def test_a_live_search_ends_with_all_trials():
    live = wb.tune_live(scale, Space.of(threads=[32, 64]), sample_s=0.001)
    found = live.wait(60)
    assert found.count(Status.MEASURED) == 2
    assert live.view["state"] == "done"
    assert live.view["best"] == 0


def test_a_live_search_is_stopped_by_the_browser_and_keeps_what_it_has():
    reached, go = threading.Event(), threading.Event()

    def observer(trial: Trial, done: int, planned: int) -> None:
        reached.set()
        go.wait(60)

    space = Space.of(threads=[1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
    live = wb.tune_live(scale, space, sample_s=0.001, observer=observer)
    assert reached.wait(60)
    with pytest.raises(WorkbenchError, match="not ended yet"):
        live.wait(0)
    asked(live, "compare", trial=0)
    assert "once the search has ended" in live.error["message"]
    asked(live, "stop")
    go.set()
    found = live.wait(60)
    assert found.stopped == "stopped"
    assert found.count(Status.MEASURED) == 8
    assert live.view["stopped"] == "stopped"


def test_a_live_search_that_fails_says_why():
    live = wb.tune_live(lambda threads: 1 / 0, Space.of(threads=[1]))
    with pytest.raises(ZeroDivisionError):
        live.wait(60)
    for _ in range(100):
        if live.view["state"] == "done":
            break
        time.sleep(0.02)
    assert "failed: division by zero" in live.view["stopped"]


def test_a_measurement_and_a_comparison_have_a_screen():
    kernel = scale(64).compile("cpu")
    explorer = wb.explore(Measurement("x", (1.0, 2.0)), kernel=kernel)
    assert isinstance(explorer, TimingExplorer)
    assert explorer.view["roofline"]["figures"]
    both = wb.compare({"a": lambda: None, "b": lambda: None}, budget_s=0.01)
    explorer = wb.explore(both)
    assert [p["name"] for p in explorer.view["peers"]] == ["b"]
    assert "b" in repr(explorer)
