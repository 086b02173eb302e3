"""Names that are markup, quotes, right to left or 10,000 characters long: text in every screen."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
import onnx
import onnx.parser
import pytest
from nbformat.sign import NotebookNotary
from onnx import TensorProto, helper
from playwright.sync_api import Browser, Page, expect

import workbench as wb
from workbench.lang import f32, launch, repeat, threadIdx
from workbench.runtime.timing import Measurement
from workbench.view.bundle import MIME, bundle
from workbench.view.graph import graph_view
from workbench.view.mapping import MappingView, mapping_view
from workbench.view.passes import passes_view
from workbench.view.program import kernel_view
from workbench.view.timing import timing_view
from workbench.view.tune import tune_view

pytestmark = pytest.mark.browser

EVIL = (
    "</textarea></script><script>window.hit = 1</script><img src=x onerror='window.hit = 1'>",
    '"\'`"><svg onload=window.hit=1> {{window.hit}} ${window.hit = 1} &lt;b&gt; \\u003cb>',
    "\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 gpj.exe",
    "W" * 10_000,
)
WIDGET = "application/vnd.jupyter.widget-view+json"
# What a screen goes by; all else are names and sentences that people read.
WORDS = {"kind", "role", "status", "state", "language", "sign", "attr", "basis"}


@wb.script
def scale(a: f32[64, 8], b: f32[64, 8]):
    launch(grid=1, block=128)
    for i, j in repeat(4, 1).spatial(16, 8).on(threadIdx.x):
        b[i, j] = a[i, j] * 2.0


def poisoned(value: Any, evil: Iterator[str]) -> Any:
    """The same view with hostile texts; each has a number, since some must differ."""
    if isinstance(value, str):
        return f"{next(evil)}{len(value)}" if value else value
    if isinstance(value, tuple):
        return tuple(poisoned(each, evil) for each in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    # the loops of a mapping are drawn line by line, beside their numbers
    words = WORDS | {"lines"} if isinstance(value, MappingView) else WORDS
    change = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in words}
    return replace(value, **{name: poisoned(each, evil) for name, each in change.items()})


def views() -> dict[str, Any]:
    """One view of each screen."""
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["": 17]>
        net (float[32, 64] x, float[64, 48] w) => (float[32, 48] y) {
            product = MatMul (x, w)
            soft = Softmax (product)
            y = Relu (soft)
        }""")
    kernel = scale.compile("cuda:sm_90a")
    times = (Measurement(name, (10.0, 12.0, 11.0), "calm") for name in ("ours", "numpy"))
    space = wb.Space.of(threads=[32, 64])
    found = wb.tune(build, space, sample_s=0.001, top=2)
    return {
        "graph": graph_view(wb.from_onnx(model).optimize()),
        "mapping": mapping_view(wb.repeat(2, 1) * wb.spatial(8, 4)),
        "passes": passes_view(kernel),
        "program": kernel_view(kernel),
        "timing": timing_view(next(times), [next(times)]),
        "tune": tune_view(found),
    }


def build(threads: int) -> Any:
    @wb.script
    def fill(a: f32[1024]):
        launch(grid=1024 // threads, block=threads)
        a[threadIdx.x] = 1.0

    return fill


HELD = """() => {
  const parents = function* (e) { for (let p = e.parentElement; p; p = p.parentElement) yield p; };
  const free = (e) => [...parents(e)].every((p) => getComputedStyle(p).overflowX === "visible");
  const all = [...document.querySelectorAll(".kw, .kw *")];
  const out = all.filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && free(e));
  const tall = all.filter((e) => e.matches(".kw") && e.offsetHeight > 3000);
  return [...out, ...tall].map((e) => e.outerHTML.slice(0, 120));
}"""


def held(page: Page) -> None:
    """Nothing has run; nothing sticks out to the right, no screen is a wall of text."""
    assert page.evaluate("window.hit") is None
    assert page.evaluate(HELD) == []


@pytest.mark.parametrize("first", [0, 3])
def test_an_exported_page_of_every_screen(browser: Browser, tmp_path: Path, first: int):
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    for kind, view in views().items():
        evil = itertools.islice(itertools.cycle(EVIL), first, None)
        page.set_viewport_size({"width": 1100, "height": 900})
        page.goto(wb.export_html(poisoned(view, evil), tmp_path / f"{kind}.html").as_uri())
        root = page.locator(f".kw-{kind}")
        expect(root).to_be_visible()
        held(page)
        for button in root.get_by_role("button", name=re.compile("^(t table|histogram)$")).all():
            button.click()
            held(page)
        page.set_viewport_size({"width": 360, "height": 700})
        held(page)
        expect(root).to_be_visible()
    page.context.close()
    assert faults == []


def saved(lab: Any, name: str, *bundles: dict[str, Any]) -> None:
    """A notebook with outputs, trusted as one that was run here."""
    cells = [
        nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", data)])
        for data in bundles
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / name)
    NotebookNotary(data_dir=str(lab.folder.parent / "data")).sign(notebook)


def model() -> bytes:
    """A graph whose every name is hostile."""
    markup, quotes, rtl, long = EVIL
    nodes = [
        helper.make_node("MatMul", [markup, quotes], [long], name=long),
        helper.make_node("Relu", [long], [rtl], name=markup),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [8, 8])
        for name in (markup, quotes, rtl)
    ]
    graph = helper.make_graph(nodes, markup, ends[:2], ends[2:])
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def test_a_saved_notebook_and_an_onnx_file(lab: Any, open_lab: Callable[..., Page]):
    evil = itertools.cycle(EVIL)
    shown = views()
    bundles = [bundle(poisoned(view, evil)) for view in shown.values()]
    plain = bundle(mapping_view(wb.spatial(4, 8)))
    newer, damaged = (bundle(poisoned(mapping_view(wb.spatial(4, 8)), evil)) for _ in range(2))
    newer[MIME] |= {"version": 99}
    damaged[MIME]["nest"]["index"] = []
    # a live screen whose kernel, and with it the widget's model, is gone
    gone = plain | {WIDGET: {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}}
    saved(lab, "hostile.ipynb", gone, newer, damaged, *bundles)
    (lab.folder / "hostile.onnx").write_bytes(model())
    page = open_lab("hostile.ipynb")
    cells = page.locator(".jp-Cell")
    expect(cells).to_have_count(3 + len(bundles))
    kept = cells.nth(0).locator(".kw-mapping")
    expect(kept.locator("canvas[data-painted]")).to_be_visible()
    expect(kept).to_contain_text("this view was saved: run its cell to ask the kernel")
    for at, words in ((1, "version 99"), (2, "damaged and cannot be drawn")):
        refused = cells.nth(at).locator(".kw-refused")
        expect(refused).to_contain_text(words)
        expect(refused.locator("pre")).to_contain_text("tasks")  # its text twin
    for at, kind in enumerate(shown, 3):
        cells.nth(at).scroll_into_view_if_needed()
        expect(cells.nth(at).locator(f".kw-{kind}")).to_be_visible()
    assert page.evaluate("window.hit") is None
    expect(page.locator(".jp-Notebook")).not_to_contain_text("model not found")
    page.locator(".jp-DirListing-item", has_text="hostile.onnx").dblclick()
    graph = page.locator(".jp-Document .kw-graph:visible")
    expect(graph.locator(".kw-title")).to_have_text(EVIL[0])
    graph.locator(".kw-group").first.click()
    graph.get_by_role("button", name="t table").click()
    held(page)
