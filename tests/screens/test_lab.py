"""The JupyterLab extension as a person meets it: saved views, the side panel, ONNX files."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import nbformat
import onnx
import pytest
from playwright.sync_api import Page, expect

import workbench as wb
from tests.screens.lab import palette
from workbench.view.bundle import MIME, bundle
from workbench.view.graph import graph_view
from workbench.view.mapping import mapping_view

pytestmark = pytest.mark.browser

MAPPING = wb.repeat(2, 1) * wb.spatial(8, 4) * wb.repeat(1, 2)
NET = """
<ir_version: 8, opset_import: ["": 17]>
net (float[32, 64] x, float[64, 48] w, float[48] bias) => (float[32, 48] y) {
    product = MatMul (x, w)
    sum = Add (product, bias)
    y = Relu (sum)
}
"""


def saved(lab: Any, name: str, *bundles: dict[str, Any]) -> None:
    """A notebook with outputs, of a kernel that this machine does not have, and not trusted."""
    cells = []
    for number, data in enumerate(bundles, 1):
        output = nbformat.v4.new_output("execute_result", data, execution_count=number)
        cells.append(nbformat.v4.new_code_cell("mapping", execution_count=number, outputs=[output]))
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "elsewhere", "display_name": "Elsewhere"}
    nbformat.write(notebook, lab.folder / name)


def without_kernel(page: Page) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("No Kernel", re.IGNORECASE)).click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_saved_notebook_draws_without_a_kernel_and_without_trust(
    lab: Any,
    open_lab: Callable[..., Page],
    keep: Callable[..., None],
    audit: Callable[..., None],
    theme: str,
):
    flow = wb.from_onnx(onnx.parser.parse_model(NET)).optimize()
    newer = bundle(mapping_view(MAPPING))
    newer[MIME] = newer[MIME] | {"version": 99}
    views = [mapping_view(MAPPING), mapping_view(MAPPING), graph_view(flow)]
    saved(lab, f"saved-{theme}.ipynb", *map(bundle, views), newer)
    page = open_lab(f"saved-{theme}.ipynb", dark=theme == "dark")
    without_kernel(page)
    first, second = page.locator(".kw-mapping").nth(0), page.locator(".kw-mapping").nth(1)
    expect(first.locator("canvas[data-painted]")).to_be_visible()
    if theme == "dark":
        expect(first).to_have_class(re.compile("kw-dark"))
    # two pictures of one mapping share the worker that is picked
    first.get_by_label("Grid of workers").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(second).to_have_attribute("data-worker", "5")
    keep(f"lab-saved-{theme}", page.locator(".jp-NotebookPanel"))
    refused = page.locator(".kw-refused")
    refused.scroll_into_view_if_needed()
    expect(refused).to_contain_text("version 99")
    expect(refused).to_contain_text("32 workers")
    audit(page, ".jp-NotebookPanel .kw")


CELLS = """import workbench as wb
from workbench.lang import f32, launch, repeat, spatial, threadIdx

@wb.script
def scale(a: f32[64, 8], b: f32[64, 8]):
    launch(grid=1, block=128)
    for i, j in repeat(4, 1).spatial(16, 8).on(threadIdx.x):
        b[i, j] = a[i, j] * 2.0

mapping = wb.repeat(4, 1) * wb.spatial(16, 8)
kernel = scale.compile("cuda:sm_90a")
"""
DIE = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


def test_the_panel_lists_opens_and_keeps_what_a_kernel_held(
    open_notebook: Callable[..., Any], keep: Callable[..., None], audit: Callable[..., None]
):
    notebook = open_notebook("panel.ipynb", CELLS, "mapping = wb.spatial(4, 8)", DIE, live=True)
    page = notebook.page
    palette(page, "Open the Kernel Workbench Panel")
    panel = page.get_by_role("region", name="Kernel workbench")
    expect(panel).to_contain_text("import workbench as wb")
    audit(page, ".kw-lab-panel")
    cell = page.locator(".jp-CodeCell").first
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    rows = panel.locator("li button")
    expect(rows).to_have_text([re.compile("^scale"), re.compile("^kernel"), re.compile("^mapping")])
    expect(rows.nth(1)).to_contain_text("cuda:sm_90a, grid 1, block 128")
    expect(rows.nth(2)).to_contain_text("64 × 8 tasks, 128 workers")
    rows.nth(2).focus()
    page.keyboard.press("Enter")
    tab = page.locator(".kw-lab-tab .kw-mapping")
    expect(tab.locator(".kw-facts")).to_contain_text("128 workers")
    keep("lab-panel-light", page.locator("#jp-main-content-panel"))
    audit(page, ".kw-lab-tab")
    audit(page, ".kw-lab-panel")

    # composing in the tab asks the kernel, and leaves the variable as it is
    tab.get_by_label("Mapping expression").fill("spatial(16, 0)")
    expect(tab.get_by_role("alert")).to_contain_text("extent 0 of dim 1 is below 1")
    tab.get_by_label("Mapping expression").fill("spatial(2, 2)")
    expect(tab.locator(".kw-facts")).to_contain_text("4 workers")

    with page.expect_download() as saved_page:
        palette(page, "Export the Screen as HTML")
    assert saved_page.value.suggested_filename == "mapping.html"
    assert "spatial(2, 2)" in saved_page.value.path().read_text(encoding="utf-8")

    # the next cell gives the name another object: the tab follows
    page.get_by_role("tab", name="panel.ipynb").first.click()
    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(rows.nth(2)).to_contain_text("4 × 8 tasks, 32 workers")
    page.get_by_role("tab", name="mapping").click()
    expect(tab.locator(".kw-facts")).to_contain_text("32 workers")

    # a kernel that dies takes all with it; the picture stays and says so
    page.get_by_role("tab", name="panel.ipynb").first.click()
    page.locator(".jp-CodeCell").nth(2).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    page.get_by_role("dialog").get_by_role("button", name="Ok").click()
    expect(panel).to_contain_text("what it held is gone")
    page.get_by_role("tab", name="mapping").click()
    expect(page.locator(".kw-lab-tab .kw-stale-note")).to_contain_text("stale")
    expect(tab.locator(".kw-facts")).to_contain_text("32 workers")
    keep("lab-stale-light", page.locator("#jp-main-content-panel"))
    audit(page, ".kw-lab-tab")


DIMS = NET.replace("float[32, ", "float[batch, ")
STRANGE = NET.replace("Relu (sum)", "Relux (sum)").replace("MatMul (x, w)", "Blend (x, w)")


def test_an_onnx_file_opens_from_the_file_browser(
    lab: Any,
    open_lab: Callable[..., Page],
    keep: Callable[..., None],
    audit: Callable[..., None],
):
    folder = lab.folder / "models"
    folder.mkdir(exist_ok=True)
    for name, text in {"net": NET, "open": DIMS, "strange": STRANGE}.items():
        (folder / f"{name}.onnx").write_bytes(onnx.parser.parse_model(text).SerializeToString())
    page = open_lab()
    page.locator(".jp-DirListing-item", has_text="models").dblclick()
    page.locator(".jp-DirListing-item", has_text="open.onnx").dblclick()
    form = page.get_by_role("form", name="Open dims of the model")
    graph = page.locator(".kw-graph:visible")
    expect(graph).to_contain_text("batch open")
    form.get_by_label("batch").fill("16")
    page.keyboard.press("Enter")
    expect(graph.locator(".kw-cell", has_text="launches")).to_have_text("launches3 → 1")
    expect(graph).to_contain_text("x f32[16, 64]")
    keep("lab-onnx-light", page.locator("#jp-main-content-panel"))
    audit(page, ".jp-Document:not(.lm-mod-hidden)")

    page.locator(".jp-DirListing-item", has_text="strange.onnx").dblclick()
    trouble = page.locator(".kw-trouble:visible")
    expect(trouble).to_contain_text("Blend")
    expect(trouble).to_contain_text("Relux")
    keep("lab-onnx-error", page.locator("#jp-main-content-panel"))
    audit(page, ".kw-trouble")

    # its kernel goes with the tab
    page.locator(".jp-DirListing-item", has_text="net.onnx").dblclick()
    expect(page.locator(".kw-graph:visible .kw-title")).to_have_text("net")
    sessions = f"{lab.url}/api/sessions?token={lab.token}"
    named = lambda: {each["path"] for each in page.request.get(sessions).json()}  # noqa: E731
    assert "models/net.onnx.kernel-workbench" in named()
    page.locator(".lm-TabBar-tab", has_text="net.onnx").locator(".lm-TabBar-tabCloseIcon").click()
    for _ in range(100):
        if "models/net.onnx.kernel-workbench" not in named():
            break
        page.wait_for_timeout(100)
    assert "models/net.onnx.kernel-workbench" not in named()


def test_two_notebooks_share_a_kernel(lab: Any, open_notebook: Callable[..., Any]):
    cell = "import workbench as wb\nmapping = wb.spatial(4, 8)"
    notebook = open_notebook("one.ipynb", cell, "del mapping", live=True)
    page = notebook.page
    sessions = f"{lab.url}/api/sessions?token={lab.token}"
    (kernel,) = [s["kernel"] for s in page.request.get(sessions).json() if s["path"] == "one.ipynb"]
    lab.write("two.ipynb", "other = wb.spatial(2, 2)")
    other = {"path": "two.ipynb", "name": "two", "type": "notebook", "kernel": {"id": kernel["id"]}}
    assert page.request.post(sessions, data=other).ok
    page.locator(".jp-CodeCell").first.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    palette(page, "Open the Kernel Workbench Panel")
    rows = page.get_by_role("region", name="Kernel workbench").locator("li button")
    expect(rows).to_have_text([re.compile("^mapping")])
    page.locator(".jp-DirListing-item", has_text="two.ipynb").dblclick()
    expect(page.locator(".kw-lab-panel header")).to_contain_text("two.ipynb")
    expect(rows).to_have_text([re.compile("^mapping")])
    page.locator(".jp-CodeCell:visible .cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(rows).to_have_text([re.compile("^mapping"), re.compile("^other")])
    page.get_by_role("tab", name="one.ipynb").first.click()
    expect(page.locator(".kw-lab-panel header")).to_contain_text("one.ipynb")
    expect(rows).to_have_text([re.compile("^mapping"), re.compile("^other")])
    page.locator(".jp-CodeCell:visible").nth(1).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(rows).to_have_text([re.compile("^other")])
