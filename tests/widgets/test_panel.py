"""The kernel's side of the JupyterLab extension: what it answers, and what no message can do."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import pytest
from IPython.core.interactiveshell import InteractiveShell

import workbench as wb
from workbench.lang import blockIdx, f32, launch, threadIdx
from workbench.view.bundle import text_of
from workbench.view.mapping import mapping_view
from workbench.view.model import as_json
from workbench.widgets import messages, models
from workbench.widgets import panel as panel_module
from workbench.widgets.formatters import _VIEWS
from workbench.widgets.messages import TARGET, Onnx, Progress, request_of
from workbench.widgets.panel import Panel, facts_of, register

ROOT = Path(__file__).parents[2]
MAPPING = wb.repeat(4, 1) * wb.spatial(16, 8)
NET = """
<ir_version: 8, opset_import: ["": 17]>
net (float[{rows}, 64] x, float[64, 48] w) => (float[{rows}, 48] y) {{
    product = {op} (x, w)
    y = Relu (product)
}}
"""


class FakeComm:
    """Keeps what was said; `tell` says something to the kernel."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.more = threading.Condition()

    def send(self, data: Any) -> None:
        json.dumps(data)
        with self.more:
            self.said.append(data)
            self.more.notify_all()

    def on_msg(self, callback: Callable[[Any], None]) -> None:
        self.message = callback

    def on_close(self, callback: Callable[[Any], None]) -> None:
        self.close = callback

    def tell(self, data: Any) -> Any:
        self.message({"content": {"data": data}})
        return self.said[-1] if self.said else None

    def ask(self, kind: str, number: int = 1, **fields: Any) -> Any:
        return self.tell({"version": 1, "id": number, "type": kind, **fields})

    def last(self, *kinds: str) -> Any:
        with self.more:
            assert self.more.wait_for(lambda: self.said and self.said[-1]["type"] in kinds, 60)
        return self.said[-1]


def desk(**names: Any) -> tuple[Panel, FakeComm]:
    panel, comm = Panel(names, dict(_VIEWS)), FakeComm()
    panel.opened(comm, {})
    return panel, comm


def listed(answer: Any) -> list[tuple[str, str]]:
    return [(each["name"], each["kind"]) for each in answer["objects"]]


def test_it_lists_what_has_a_name_and_a_view():
    flow = wb.from_onnx(onnx.parser.parse_model(NET.format(rows=32, op="MatMul")))
    _, comm = desk(a=1, mapping=MAPPING, _hidden=MAPPING, flow=flow, t=[MAPPING])
    answer = comm.ask("list", 7)
    assert (answer["id"], answer["type"], answer["version"]) == (7, "listed", 1)
    assert listed(answer) == [("mapping", "mapping"), ("flow", "graph")]
    facts = [each["facts"] for each in answer["objects"]]
    assert facts[0] == "repeat(4, 1) * spatial(16, 8), 64 × 8 tasks, 128 workers"
    assert facts[1].startswith("net: 2 operators; x: f32[32, 64]")


def test_a_line_of_facts_is_short_whatever_the_names():
    model = onnx.parser.parse_model(NET.format(rows=32, op="MatMul"))
    model.graph.name = "n" * 10_000
    assert len(facts_of(wb.from_onnx(model))) <= 160


def test_a_cell_that_changes_the_list_is_told_to_every_browser_and_others_are_not():
    panel, first = desk(mapping=MAPPING)
    second = FakeComm()
    panel.opened(second, {})
    revision = first.ask("list")["objects"][0]["revision"]
    panel.executed()
    assert second.said == []
    panel.names["mapping"] = wb.repeat(4, 1) * wb.spatial(16, 8)  # alike, but another one
    panel.executed()
    assert second.said[-1]["id"] == 0
    assert second.said[-1] == first.said[-1]
    assert second.said[-1]["objects"][0]["revision"] > revision
    second.close({})
    del panel.names["mapping"]
    panel.executed()
    assert len(second.said) == 1
    assert first.said[-1]["objects"] == []


def test_a_view_comes_with_its_text():
    _, comm = desk(mapping=MAPPING)
    answer = comm.ask("view", 3, name="mapping")
    view = mapping_view(MAPPING)
    assert answer == {
        "id": 3, "type": "viewed", "version": 1, "view": as_json(view), "text": text_of(view)
    }  # fmt: skip


def test_a_question_is_answered_as_the_widget_does_and_leaves_the_variable():
    panel, comm = desk(mapping=MAPPING)
    comm.ask("view", 3, name="mapping")
    answer = comm.ask("ask", 4, of=3, what="compose", request={"text": "spatial(4, 8)"})
    assert (answer["type"], answer["view"]["shape"]) == ("replied", [4, 8])
    answer = comm.ask("ask", 5, of=3, what="compose", request={"text": "spatial(4, 0)"})
    assert (answer["id"], answer["type"]) == (5, "refused")
    assert "spatial(4, 0)"[answer["start"] : answer["end"]] == "0"
    assert panel.names["mapping"] is MAPPING
    picked = {"worker": 5}
    answer = comm.ask("ask", 8, of=3, what="export", request={"form": "page", "selection": picked})
    assert answer["answer"]["text"].startswith("<!doctype html>")
    assert '"worker": 5' in answer["answer"]["text"] or '"worker":5' in answer["answer"]["text"]
    assert answer["view"] is None
    comm.ask("close", 6, of=3)
    assert comm.ask("ask", 7, of=3, what="compose", request={"text": "spatial(4)"})["hint"]


def test_a_text_that_a_compiler_makes_comes_once_it_is_made():
    @wb.script
    def double(a: f32[64], b: f32[64]):
        launch(grid=1, block=64)
        b[threadIdx.x] = a[threadIdx.x] * 2.0

    _, comm = desk(kernel=double.compile("cuda:sm_90a"))
    comm.ask("view", 3, name="kernel")
    for number, name in enumerate(("LLVM", "LLVM"), 4):  # of the second all is there already
        with comm.more:
            comm.ask("ask", number, of=3, what="pane", request={"name": name})
            assert comm.more.wait_for(lambda n=number: comm.said[-1]["id"] == n, 60)
        if number == 4:
            answer = comm.said[-1]
            assert answer["type"] == "replied"
            pane = {each["name"]: each for each in answer["view"]["panes"]}[name]
            assert any("define" in line["text"] for line in pane["lines"])
    assert comm.said[-1]["type"] == "refused"


def test_measurements_side_by_side_stand_with_the_measurements():
    both = wb.compare({"one": lambda: None, "other": lambda: None}, budget_s=0.02)
    panel, _ = desk(both=both, one=both["one"])
    kinds = {entry.name: entry.kind for entry in panel.entries()}
    assert kinds == {"both": "measurement", "one": "measurement"}
    assert re.fullmatch(r"one \S+ \ws, other \S+ \ws", facts_of(both))


def test_a_search_is_listed_while_it_runs_and_stopped_from_its_tab(monkeypatch: Any):
    monkeypatch.setattr(panel_module, "EVERY_S", 0.0)
    reached, go = threading.Semaphore(0), threading.Semaphore(0)

    def observer(*_: object) -> None:
        reached.release()
        assert go.acquire(timeout=60)

    def scale(threads: int) -> wb.Program:
        @wb.script
        def kernel(a: f32[256], b: f32[256]):
            launch(grid=256 // threads, block=threads)
            i = blockIdx.x * threads + threadIdx.x
            b[i] = a[i] * 2.0

        return kernel

    space = wb.Space.of(threads=[1, 2, 4, 8, 16, 32])
    live = wb.tune_live(scale, space, sample_s=0.001, observer=observer)
    _, comm = desk(search=live)
    assert reached.acquire(timeout=60)
    assert listed(comm.ask("list")) == [("search", "tuning")]
    first = comm.said[-1]["objects"][0]
    assert comm.ask("view", 2, name="search")["view"]["state"] == "running"
    go.release()
    told = comm.last("listed")
    assert (told["id"], told["objects"][0]["revision"] > first["revision"]) == (0, True)
    wrong = comm.ask("ask", 3, of=2, what="compare", request={"trial": 0})
    assert "once the search has ended" in wrong["message"]
    assert comm.ask("ask", 4, of=2, what="stop", request={})["type"] == "replied"
    for _ in range(len(space.candidates)):
        go.release()
    assert live.wait(60).stopped == "stopped"
    with comm.more:
        assert comm.more.wait_for(lambda: "stopped" in comm.said[-1]["objects"][0]["facts"], 60)
    assert comm.ask("view", 5, name="search")["view"]["state"] == "done"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent", "nothing is called absent"),
        ("number", "number is a int, which has no screen"),
        ("__import__('os').abort()", "nothing is called __import__('os').abort()"),
        ("mapping.shape", "nothing is called mapping.shape"),
        ("x" * 5000, f"nothing is called {'x' * 30}…{'x' * 30}"),
    ],
)
def test_only_names_are_looked_up(name: str, message: str):
    _, comm = desk(number=1, mapping=MAPPING)
    answer = comm.ask("view", name=name)
    assert (answer["type"], answer["message"]) == ("refused", message)


@pytest.mark.parametrize(
    "data",
    [
        None, 3, [], "list", {}, {"type": "list"}, {"version": 1, "type": "list"},
        {"version": 1, "id": "1", "type": "list"}, {"version": 1, "id": 1, "type": "run"},
        {"version": 1, "id": 1, "type": "view"}, {"version": 1, "id": 1, "type": "view", "name": 3},
        {"version": 1, "id": 1, "type": ["view"], "name": "mapping"},
        {"version": 1, "id": 1, "type": "onnx", "path": "net.onnx", "dims": [1]},
        {"version": 1, "id": 1, "type": "onnx", "path": "net.onnx", "dims": {"n": "1"}},
        {"version": 1, "id": 1, "type": "ask", "of": 1, "what": "x", "request": "y"},
        {"version": 1, "id": 1, "type": "ask", "of": 9, "what": "__class__", "request": {}},
        {"version": 2, "id": 1, "type": "list"},
    ],
)  # fmt: skip
def test_a_message_of_another_form_is_refused_in_words(data: object):
    panel, comm = desk(mapping=MAPPING)
    answer = comm.tell(data)
    assert answer["type"] == "refused"
    assert answer["message"]
    assert answer["hint"]
    assert panel.names == {"mapping": MAPPING}
    assert comm.ask("list")["type"] == "listed"


def test_what_is_no_message_of_a_comm_is_refused_too():
    _, comm = desk()
    comm.message(None)
    assert comm.said[-1]["type"] == "refused"


def test_a_view_that_fails_is_an_answer(monkeypatch: pytest.MonkeyPatch):
    panel, comm = desk(mapping=MAPPING)

    def broken(_: object) -> Any:
        raise ZeroDivisionError("by design")

    panel.views = {type(MAPPING): broken}
    assert comm.ask("view", name="mapping")["message"] == "ZeroDivisionError: by design"


def model(folder: Path, rows: str = "32", op: str = "MatMul") -> str:
    path = folder / "net.onnx"
    text = NET.format(rows=rows, op=op)
    path.write_bytes(onnx.parser.parse_model(text).SerializeToString())
    return str(path)


def test_a_model_tells_its_steps_and_then_its_view(tmp_path: Path):
    _, comm = desk()
    comm.ask("onnx", 5, path=model(tmp_path), dims={})
    answer = comm.last("viewed", "refused")
    assert {each["id"] for each in comm.said} == {5}
    assert [each.get("step") for each in comm.said] == [1, 2, 3, None]
    assert comm.said[0]["said"].startswith("reading net.onnx, ")
    assert answer["view"]["groups"]
    assert "net" in answer["text"]


def test_open_dims_are_asked_for(tmp_path: Path):
    _, comm = desk()
    path = model(tmp_path, rows="n")
    comm.ask("onnx", 1, path=path, dims={})
    answer = comm.last("open", "viewed", "refused")
    assert (answer["type"], answer["dims"]) == ("open", ["n"])
    comm.ask("onnx", 2, path=path, dims={"n": 16})
    answer = comm.last("viewed", "refused")
    assert answer["view"]["nodes"][0]["detail"] == "f32[16, 64]"
    comm.ask("onnx", 3, path=path, dims={"m": 16})
    assert "no input has a dim called m" in comm.last("refused")["message"]


def test_what_cannot_be_read_is_refused_with_all_reasons(tmp_path: Path):
    _, comm = desk()
    comm.ask("onnx", 1, path=model(tmp_path, op="Blend"), dims={})
    answer = comm.last("refused", "viewed")
    assert "Blend" in answer["message"] + " ".join(answer["notes"])
    (tmp_path / "cut.onnx").write_bytes(b"no model at all")
    for number, path in enumerate(["cut.onnx", "absent.onnx", ".", "\0", "x" * 9000], 2):
        comm.ask("onnx", number, path=str(tmp_path / path), dims={})
        with comm.more:
            assert comm.more.wait_for(
                lambda n=number: comm.said[-1]["id"] == n and comm.said[-1]["type"] != "progress",
                60,
            )
        assert comm.said[-1]["type"] == "refused", path


def test_a_model_is_stopped_before_its_next_step(monkeypatch: pytest.MonkeyPatch):
    panel, comm = desk()
    gate, reached = threading.Event(), threading.Event()

    def slow(request: Onnx, keep: object):
        yield Progress(request.id, "one", 1, 2)
        reached.set()
        assert gate.wait(60)
        yield Progress(request.id, "two", 2, 2)

    monkeypatch.setattr(models, "steps", slow)
    comm.ask("onnx", 4, path="net.onnx", dims={})
    assert reached.wait(60)
    comm.ask("cancel", 5, of=4)
    gate.set()
    answer = comm.last("stopped")
    assert answer["id"] == 4
    assert [each.get("said") for each in comm.said] == ["one", None]
    assert comm.ask("cancel", 6, of=99) == {"id": 99, "type": "stopped", "version": 1}
    assert panel.entries() == ()


def test_a_shell_of_a_kernel_is_asked_and_another_is_left_alone():
    shell = InteractiveShell()
    register(shell)
    targets: dict[str, Any] = {}
    comms = SimpleNamespace(targets=targets, register_target=targets.__setitem__)
    shell.kernel = SimpleNamespace(comm_manager=comms)
    register(shell)
    register(shell)  # a second import changes nothing
    comm = FakeComm()
    targets[TARGET](comm, {})
    shell.run_cell("import workbench as wb\nmapping = wb.spatial(2)")
    assert listed(comm.said[-1]) == [("mapping", "mapping")]
    assert len(comm.said) == 1


def test_the_browser_has_the_same_messages():
    text = (ROOT / "extension" / "src" / "lab" / "protocol.ts").read_text(encoding="utf-8")
    found = dict(re.findall(r"export interface (\w+) \{(.*?)\}\n", text))
    ours = {
        name: thing
        for name, thing in vars(messages).items()
        if dataclasses.is_dataclass(thing) and thing.__module__ == messages.__name__
    }
    assert set(found) == set(ours)
    for name, body in found.items():
        fields = {field.name: field.default for field in dataclasses.fields(ours[name])}
        assert set(re.findall(r"(?:^|; )\s*(\w+):", body)) == set(fields), name
        assert re.findall(r'type: "(\w+)"', body) == ([fields["type"]] if "type" in fields else [])
    assert f'TARGET = "{TARGET}", VERSION = {messages.VERSION};' in text


def test_a_request_is_data():
    assert request_of({"version": 1, "id": 1, "type": "onnx", "path": "a", "dims": {"n": 2}}) == (
        Onnx(1, "a", {"n": 2})
    )
