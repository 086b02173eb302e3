"""The graph screen: before and after fusion, one kernel's parts, and names that are no markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from playwright.sync_api import Browser, Locator, expect

import workbench as wb

pytestmark = pytest.mark.browser

MODEL = """import numpy as np, onnx, onnx.numpy_helper, onnx.parser, workbench as wb

block = onnx.parser.parse_model('''
<ir_version: 8, opset_import: ["": 17]>
residual (float[1, 32, 28, 28] x, float[32, 32, 3, 3] w1, float[32, 32, 3, 3] w2,
          float[32] b1, float[32] b2, float[10, 32] w3, float[10] b3) => (float[1, 10] y)
{
    c1 = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
    r1 = Relu (c1)
    c2 = Conv <pads = [1, 1, 1, 1]> (r1, w2, b2)
    sum = Add (c2, x)
    r2 = Relu (sum)
    pooled = GlobalAveragePool (r2)
    flat = Flatten (pooled)
    y = Gemm <transB = 1> (flat, w3, b3)
}
''')
rng = np.random.default_rng(0)
for value in block.graph.input[1:]:
    shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
    array = rng.standard_normal(shape).astype("float32")
    block.graph.initializer.append(onnx.numpy_helper.from_array(array, value.name))
del block.graph.input[1:]
flow = wb.from_onnx(block.SerializeToString()).optimize()
"""
EVIL = "<script>alert(1)</script>"
NAMED = f"""import onnx, workbench as wb
from onnx import TensorProto as T, helper as o
evil = "{EVIL}"
graph = o.make_graph(
    [o.make_node("Relu", ["x"], [evil], name=evil), o.make_node("Softmax", [evil], ["y"])],
    evil,
    [o.make_tensor_value_info("x", T.FLOAT, [4, 8])],
    [o.make_tensor_value_info("y", T.FLOAT, [4, 8])],
)
model = o.make_model(graph, opset_imports=[o.make_opsetid("", 17)])
flow = wb.from_onnx(model.SerializeToString()).optimize()
"""


def test_before_after_and_one_kernel(open_notebook: Callable[..., Any], keep: Callable[..., None]):
    notebook = open_notebook("graph.ipynb", MODEL + "wb.explore(flow)", "flow")
    notebook.run_all()
    page = notebook.page
    root = page.locator(".kw-graph")
    expect(root.locator(".kw-title")).to_have_text("residual")
    launches = root.locator(".kw-cell", has_text="launches")
    expect(launches).to_have_text(re.compile(r"launches13 → \d"))
    map_ = root.get_by_label("Graph", exact=True)
    map_.focus()
    page.keyboard.press("ArrowRight")
    expect(root.locator(".kw-on")).to_have_count(1)
    expect(root.locator(".kw-side")).to_contain_text("anchor")
    expect(root.locator(".kw-side")).to_contain_text("Why not fewer kernels?")
    page.keyboard.press("ArrowRight")  # along an edge
    expect(root.locator(".kw-side")).to_contain_text("saved2 launches")
    keep("graph-light", root)

    # only what is seen is in the page; find and the keyboard bring the rest
    root.get_by_role("button", name="operators").click()
    assert root.locator(".kw-node").count() < 13 + 2
    keep("graph-before", root)
    root.get_by_label("Find a node or tensor").fill("gemm")
    expect(root.locator(".kw-count")).to_have_text("1 of 2")
    expect(root.locator(".kw-map .kw-on text").first).to_have_text("gemm")
    map_.focus()
    page.keyboard.press("ArrowLeft")
    expect(root.locator(".kw-map .kw-on text").first).to_have_text("flatten")

    root.get_by_role("button", name="kernels").click()
    root.locator(".kw-group").nth(1).click()
    root.get_by_role("button", name="program", exact=True).click()
    expect(root.locator(".kw-program")).to_contain_text("schedule")
    root.get_by_role("button", name="close program").click()
    expect(root.locator(".kw-program")).to_have_count(0)

    # an edge inside a kernel can be cut, a stored one says why it cannot be joined
    root.locator(".kw-side .kw-link").first.click()
    root.get_by_role("button", name="what if it were stored?").click()
    expect(root.locator(".kw-what-if")).to_contain_text("launches")
    expect(root.locator(".kw-side")).to_contain_text("stored, since you cut it here")
    keep("graph-what-if", root)
    root.locator(".kw-what-if .kw-good").first.click()
    expect(root.locator(".kw-program")).to_be_visible()
    root.get_by_role("button", name="undo").click()
    expect(root.locator(".kw-what-if")).to_have_count(0)
    root.get_by_role("button", name="kernels").click()
    root.locator(".kw-why-dot").first.click(force=True)
    expect(root.get_by_role("button", name="what if it were stored?")).to_be_disabled()
    root.get_by_role("button", name="t table").click()
    expect(root.get_by_role("table", name="Kernels")).to_contain_text("conv")

    image = page.locator(".jp-OutputArea-output img")
    expect(image).to_have_attribute("alt", re.compile("launches 13 →"))
    keep("graph-twin", image)


def test_names_of_a_model_are_no_markup(open_notebook: Callable[..., Any]):
    notebook = open_notebook("names.ipynb", NAMED + "wb.explore(flow)", "flow")
    alerts: list[str] = []
    notebook.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    notebook.run_all()
    root = notebook.page.locator(".kw-graph")
    expect(root.locator(".kw-title")).to_have_text(EVIL)
    root.locator(".kw-group").last.click()
    root.get_by_role("button", name="operators").click()
    expect(root.locator(".kw-node").first).to_be_visible()
    root.get_by_role("button", name="t table").click()
    expect(root.get_by_role("table", name="Operators")).to_contain_text("softmax")
    expect(notebook.outputs().locator("img")).to_have_attribute("alt", re.compile("<script>"))
    assert alerts == []


def test_dark(open_notebook: Callable[..., Any], keep: Callable[..., None]):
    notebook = open_notebook("graph-dark.ipynb", MODEL + "wb.explore(flow)", dark=True)
    notebook.run_all()
    root = notebook.page.locator(".kw-graph")
    expect(root).to_have_class(re.compile("kw-dark"))
    root.locator(".kw-group").nth(1).click()
    keep("graph-dark", root)


LARGE = """import onnx, workbench as wb
from onnx import TensorProto as T, helper as o
nodes = [o.make_node("Relu" if k % 3 else "Tanh", [f"t{k}"], [f"t{k + 1}"]) for k in range(2400)]
ends = [o.make_tensor_value_info(n, T.FLOAT, [4, 8]) for n in ("t0", "t2400")]
graph = o.make_graph(nodes, "large", ends[:1], ends[1:])
model = o.make_model(graph, opset_imports=[o.make_opsetid("", 17)])
flow = wb.from_onnx(model.SerializeToString())
"""
# Drags by 60 pixels, or zooms in and out; of each frame: elements in the page, and those added.
MOVE = """async ([map, kind, frames]) => {
  const box = map.getBoundingClientRect(), counts = [];
  let added = 0;
  const count = (list) => { for (const each of list) added += each.addedNodes.length; };
  new MutationObserver(count).observe(map, { childList: true, subtree: true });
  let x = box.right - 20;
  const fire = (kind, buttons) => map.dispatchEvent(new PointerEvent(kind, {
    bubbles: true, clientX: x, clientY: box.y + 30, button: 0, buttons, pointerId: 1 }));
  const wheel = (by) => map.dispatchEvent(new WheelEvent("wheel", {
    bubbles: true, cancelable: true, ctrlKey: true, deltaY: by,
    clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 }));
  map.setPointerCapture = () => {};
  fire("pointerdown", 1);
  for (let k = 0; k < frames; k++) {
    x -= 60;
    if (kind === "pan") fire("pointermove", 1);
    else wheel(k % 60 < 30 ? 24 : -24);
    await new Promise((next) => requestAnimationFrame(next));
    counts.push([map.querySelectorAll("svg *").length, added]);
    added = 0;
  }
  fire("pointerup", 0);
  return counts;
}"""


def moved(map_: Locator, kind: str, frames: int) -> tuple[int, int]:
    """Most elements of any frame, and most that one frame has added."""
    counts = map_.page.evaluate(MOVE, [map_.element_handle(), kind, frames])
    assert len(counts) == frames
    assert sum(added for _, added in counts) > 0, "nothing has moved"
    return max(all_ for all_, _ in counts), max(added for _, added in counts)


@pytest.mark.parametrize("which", ["kernels", "operators"])
def test_a_frame_mounts_only_what_comes_into_sight(browser: Browser, tmp_path: Path, which: str):
    path = Path(onnx.__file__).parent / "backend/test/data/light/light_densenet121.onnx"
    flow = wb.from_onnx(path.read_bytes())
    if which == "kernels":
        flow = flow.optimize()
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(wb.export_html(flow, tmp_path / "graph.html").as_uri())
    map_ = page.get_by_label("Graph", exact=True)
    for kind in ("pan", "zoom"):
        elements, added = moved(map_, kind, 120)
        assert elements < 600, kind
        assert added < 60, kind
    page.context.close()


def test_thousands_of_operators_are_a_window_of_which_only_the_visible_is_drawn(
    open_notebook: Callable[..., Any],
):
    notebook = open_notebook("large.ipynb", LARGE + "wb.explore(flow)")
    notebook.run_all()
    root = notebook.page.locator(".kw-graph")
    expect(root.locator(".kw-note")).to_contain_text("the first 2000 of 2400 operators")
    map_ = root.get_by_label("Graph", exact=True)
    elements, added = moved(map_, "pan", 40)
    assert elements < 400
    assert added < 60
    map_.focus()
    notebook.page.keyboard.press("0")
    expect(map_.locator("svg *").nth(40)).to_have_count(0)
    root.get_by_role("button", name="later operators").click()
    expect(root.locator(".kw-note")).to_contain_text("operators 401 to 2400 of 2400")
    expect(root.get_by_role("button", name="later operators")).to_be_disabled()
