"""The program and passes screens on the Python side: questions, answers, threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import workbench as wb
from workbench.lang import f32, launch, repeat, threadIdx
from workbench.runtime.nvrtc import installed
from workbench.view.raw import RawKernel
from workbench.widgets import program as program_room
from workbench.widgets.passes import PassesExplorer
from workbench.widgets.program import ProgramExplorer
from workbench.widgets.work import Work

N = wb.dims("N")
needs_nvrtc = pytest.mark.skipif(not installed(), reason="NVRTC is not installed")


@wb.script
def double(a: f32[64, 8], b: f32[64, 8]):
    launch(grid=1, block=128)
    for i, j in repeat(4, 1).spatial(16, 8).on(threadIdx.x):
        b[i, j] = a[i, j] * 2.0


@wb.script
def turned(a: f32[N], b: f32[N]):
    launch(grid=1, block=N)
    b[threadIdx.x] = a[threadIdx.x]


def panes(explorer: ProgramExplorer) -> dict[str, dict[str, Any]]:
    return {pane["name"]: pane for pane in explorer.view["panes"]}


@needs_nvrtc
def test_a_text_is_made_when_asked_for_and_what_is_picked_stays():
    explorer = wb.explore(double)
    assert isinstance(explorer, ProgramExplorer)
    explorer.select(link=3)
    assert panes(explorer)["PTX"]["asked"]
    explorer.ask = {"id": 1, "type": "pane", "name": "PTX"}
    assert (explorer.answered, explorer.error, explorer.answer) == (1, None, {"later": True})
    explorer.work.wait()
    assert any("ld.global" in line["text"] for line in panes(explorer)["PTX"]["lines"])
    assert not panes(explorer)["PTX"]["asked"]
    assert explorer.selection["link"] == 3


@needs_nvrtc
def test_an_edited_text_is_compiled_and_its_errors_lose_nothing():
    explorer = wb.explore(double)
    source = double.compile("cuda").source
    explorer.ask = {"id": 1, "type": "fork", "text": source.replace("2.0f", "two")}
    explorer.work.wait()
    fork = explorer.view["fork"]
    assert 'identifier "two" is undefined' in [each["message"] for each in fork["complaints"]]
    assert len(panes(explorer)["CUDA"]["lines"]) > 3
    explorer.ask = {"id": 2, "type": "fork", "text": source}
    explorer.work.wait()
    assert explorer.view["fork"]["number"] == fork["number"] + 1
    assert explorer.view["fork"]["problem"] == ""
    assert [row["original"] for row in explorer.view["fork"]["rows"]][:1]


def test_questions_of_another_form_are_refused():
    explorer = wb.explore(double)
    for number, ask in enumerate(
        [
            {"type": "pane"},
            {"type": "pane", "name": "x" * 99},
            {"type": "fork", "text": 3},
            {"type": "fork", "text": "x" * (program_room.MOST_CHARACTERS + 1)},
            {"type": "other"},
        ]
    ):
        explorer.ask = {"id": number, **ask}
        assert explorer.answered == number
        assert "no answer" in explorer.error["message"]


def test_a_fault_of_ours_ends_the_waiting(monkeypatch: pytest.MonkeyPatch):
    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    monkeypatch.setattr(program_room, "pane_view", lambda *_: 1 / 0)
    explorer = wb.explore(double)
    explorer.ask = {"id": 1, "type": "pane", "name": "PTX"}
    explorer.work.wait()
    assert "fault of the workbench" in panes(explorer)["PTX"]["problem"]
    assert len(seen) == 1


def test_work_goes_on_after_a_fault(monkeypatch: pytest.MonkeyPatch):
    told = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: told.set())
    work, done = Work(), threading.Event()
    gate = threading.Event()
    work.put(gate.wait)
    work.put(lambda: 1 / 0)
    work.put(done.set)
    gate.set()
    assert done.wait(10)
    assert told.wait(10)


def test_a_program_with_open_extents_has_one_text():
    explorer = wb.explore(turned)
    assert list(panes(explorer)) == ["Python"]
    explorer.ask = {"id": 1, "type": "pane", "name": "PTX"}
    assert "no answer" in explorer.error["message"]
    explorer.ask = {"id": 2, "type": "fork", "text": "x"}
    assert (explorer.answered, explorer.view["fork"]) == (2, None)
    assert "no answer" in explorer.error["message"]


def test_open_extents_are_given_or_asked_for():
    explorer = wb.explore(turned)
    assert explorer.view["extents"] == ["N"]
    before = explorer.view
    for number, (extents, words) in enumerate(
        [
            ({}, "needs a number for N"),
            ({"N": None}, "is None; extents are integers from 1"),
            ({"N": 0}, "is 0; extents"),
            ({"N": 64, "self": 3}, "no extent self"),
            ({"N": 10**30}, ""),
            (3, "no answer"),
        ]
    ):
        explorer.ask = {"id": number, "type": "extents", "extents": extents}
        assert explorer.answered == number
        assert words in explorer.error["message"]
        assert "Python could not" not in explorer.error["message"]
        assert explorer.view is before
    explorer.ask = {"id": 9, "type": "extents", "extents": {"N": 64}}
    assert explorer.error is None
    assert list(panes(explorer))[:3] == ["Python", "IR", "CUDA"]
    assert explorer.view["extents"] == []
    again = wb.explore(turned, N=64)
    assert again.view["panes"][2] == explorer.view["panes"][2]
    assert repr(again) == repr(explorer)
    assert wb.explore(turned, "passes", N=64).kernel.name == "turned"


def test_extents_of_what_has_none_are_refused():
    kernel = turned.compile("cpu", N=8)
    for thing in (kernel, RawKernel('extern "C" __global__ void k() {}', arch="sm_80")):
        with pytest.raises(wb.WorkbenchError, match="has no open extent N"):
            wb.explore(thing, N=8)
    with pytest.raises(wb.WorkbenchError, match="no extent M; its extents are N"):
        wb.explore(turned, M=8)


def test_a_link_restores_open_texts_line_and_extents():
    explorer = wb.explore(turned, N=64)
    explorer.select(link=33, panes=["CUDA", "PTX"])
    link = explorer.link_text()
    assert link == "kw1:program?text=N=64&link=33&panes=CUDA,PTX"
    again = wb.explore(turned, at=link)
    assert again.selection == {"link": 33, "panes": ["CUDA", "PTX"]}
    assert "CUDA" in panes(again)
    for bad, words in (("N=x", "are no extents"), ("M=3", "no extent M"), ("N=0", "is 0")):
        with pytest.raises(wb.WorkbenchError, match=words):
            wb.explore(turned, at=f"kw1:program?text={bad}")


def test_a_link_restores_the_pass_and_the_pipeline():
    explorer = wb.explore(double, "passes")
    explorer.select(stage=3)
    assert explorer.link_text() == "kw1:passes?stage=3"
    passes = [{"spec": s["spec"], "on": s["name"] != "eliminate"} for s in explorer.view["steps"]]
    passes[-2]["spec"] = "unroll{limit=1}"
    explorer.ask = {"id": 1, "type": "passes", "passes": passes[1:-1]}
    link = explorer.link_text()
    assert "-eliminate" in link
    again = wb.explore(double, at=link)  # which screen, the link says
    assert isinstance(again, PassesExplorer)
    assert again.selection == {"stage": 3}
    states = [(s["spec"], s["state"]) for s in again.view["steps"]]
    assert states == [(s["spec"], s["state"]) for s in explorer.view["steps"]]
    with pytest.raises(wb.WorkbenchError, match="no pass is called 'nothing'"):
        wb.explore(double, at="kw1:passes?text=nothing")


@needs_nvrtc
def test_raw_cuda_can_be_explored():
    raw = RawKernel('extern "C" __global__ void k(float* a) { a[0] = 1.0f; }', arch="sm_80")
    explorer = wb.explore(raw)
    explorer.ask = {"id": 1, "type": "pane", "name": "PTX"}
    explorer.work.wait()
    assert any("st.global" in line["text"] for line in panes(explorer)["PTX"]["lines"])
    explorer.ask = {"id": 2, "type": "fork", "text": raw.text.replace("1.0f", "2.0f")}
    explorer.work.wait()
    assert explorer.view["fork"]["rows"]


def test_passes_are_run_again_by_other_options():
    explorer = wb.explore(double, "passes")
    assert isinstance(explorer, PassesExplorer)
    assert repr(explorer).startswith("PassesExplorer(double cuda:")
    assert explorer.view["note"] == ""
    passes = [{"spec": step["spec"], "on": True} for step in explorer.view["steps"][1:-1]]
    passes[-1]["spec"] = "unroll{limit=1}"
    explorer.ask = {"id": 1, "type": "passes", "passes": passes}
    assert (explorer.answered, explorer.error) == (1, None)
    assert explorer.view["steps"][-2]["options"][0]["value"] == 1
    passes[0]["on"] = False
    explorer.ask = {"id": 2, "type": "passes", "passes": passes}
    assert [s["state"] for s in explorer.view["steps"]][1:3] == ["off", "failed"]
    before = explorer.view
    passes[-1]["spec"] = "unroll{limit=x}"
    explorer.ask = {"id": 3, "type": "passes", "passes": passes}
    assert "no option" in explorer.error["message"]
    assert explorer.view is before
    explorer.ask = {"id": 4, "type": "step", "number": 1}
    assert explorer.error is None
    explorer.ask = {"id": 5, "type": "step", "number": 99}
    assert explorer.error is not None


@pytest.mark.parametrize("ask", [{"passes": 3}, {"passes": [3]}, {"passes": [{}]}, {}])
def test_passes_of_another_form_are_refused(ask: dict[str, Any]):
    explorer = wb.explore(double, "passes")
    explorer.ask = {"id": 1, "type": "passes", **ask}
    assert explorer.answered == 1
    assert explorer.error is not None
    assert explorer.view["steps"][1]["state"] == "done"


def test_a_screen_that_a_thing_does_not_have_is_refused():
    with pytest.raises(wb.WorkbenchError, match="no screen called 'passes'"):
        wb.explore(wb.spatial(4), "passes")
    with pytest.raises(wb.WorkbenchError, match="no screen called 'memory'"):
        wb.explore(double, "memory")
