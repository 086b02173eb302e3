"""The ways into the JupyterLab extension, small places, colours; no other host is asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.screens.lab import palette

pytestmark = pytest.mark.browser

EXPLORE = "import workbench as wb\nwb.explore(wb.repeat(2, 1) * wb.spatial(8, 4))"
CUDA = "%%cuda\n__global__ void twice(float* a) { a[threadIdx.x] *= 2.0f; }"
PLAIN = "mapping = wb.spatial(4, 8)\nmapping"


def idle(page: Page) -> None:
    page.wait_for_function(
        "() => /\\| Idle/.test(document.querySelector('#jp-main-statusbar')?.textContent)"
    )


def test_a_session_with_widgets_asks_no_other_host(
    lab: Any, open_lab: Callable[..., Page], open_notebook: Callable[..., Any]
):
    notebook = open_notebook("hosts.ipynb", EXPLORE, PLAIN, live=True)
    page = notebook.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.reload()
    idle(page)
    notebook.run_all()
    expect(page.locator(".kw-mapping canvas[data-painted]")).to_have_count(2)
    palette(page, "Open the Kernel Workbench Panel")
    page.get_by_role("region", name="Kernel workbench").locator("li button").click()
    expect(page.locator(".kw-lab-tab .kw-mapping canvas[data-painted]")).to_be_visible()
    assert len(asked) > 20
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(lab.url).netloc}


EVERY = """import onnx, onnx.parser, workbench as wb
from workbench.lang import f32, launch, repeat, spatial, threadIdx

@wb.script
def scale(a: f32[64, 8], b: f32[64, 8]):
    launch(grid=1, block=128)
    for i, j in repeat(4, 1).spatial(16, 8).on(threadIdx.x):
        b[i, j] = a[i, j] * 2.0

flow = wb.from_onnx(onnx.parser.parse_model('''
<ir_version: 8, opset_import: ["": 17]>
net (float[32, 64] x, float[64, 48] w) => (float[32, 48] y) {
    product = MatMul (x, w)
    y = Relu (product)
}
''')).optimize()"""
SCREENS = (
    "wb.explore(wb.spatial(4, 8))",
    "wb.explore(scale)",
    'wb.explore(scale, "passes")',
    "wb.explore(flow)",
)
MEASURED = """import numpy as np
from workbench.lang import blockIdx

def build(threads):
    if threads == 256:
        raise wb.ScheduleError("too many")
    @wb.script
    def twice(a: f32[4096], b: f32[4096]):
        launch(grid=4096 // threads, block=threads)
        b[blockIdx.x * threads + threadIdx.x] = a[blockIdx.x * threads + threadIdx.x] * 2.0
    return twice

found = wb.tune(build, wb.Space.of(threads=[32, 64, 128, 256]), sample_s=0.001, top=2)
kernel = build(64).compile("cpu")
a = np.ones(4096, np.float32)
b = np.empty_like(a)
call = kernel.prepare(a, b)
both = wb.compare({"ours": call, "numpy": lambda: a * 2}, budget_s=0.1)"""
MEASUREMENTS = (
    "wb.explore(found)",
    "wb.explore(both, kernel=kernel)",
    "wb.explore(both.measurements[0])",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_widget_keeps_nobody_out(
    open_notebook: Callable[..., Any], audit: Callable[..., None], theme: str
):
    notebook = open_notebook(f"audit-{theme}.ipynb", EVERY, *SCREENS, dark=theme == "dark")
    notebook.run_all()
    expect(notebook.page.locator(".kw:visible")).to_have_count(len(SCREENS))
    program = notebook.page.locator(".kw-program")
    program.get_by_role("button", name="IR", exact=True).click()
    program.get_by_role("button", name="Edit a copy").click()
    area = program.get_by_label("CUDA to edit")
    area.fill(area.input_value().replace("2.0f", "x"))
    program.get_by_role("button", name="Compile and compare").click()
    expect(program.locator(".kw-result")).to_contain_text("undefined")
    audit(notebook.page, ".jp-OutputArea .kw")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_was_measured_keeps_nobody_out(
    open_notebook: Callable[..., Any], audit: Callable[..., None], theme: str
):
    cells = (EVERY, MEASURED, *MEASUREMENTS)
    notebook = open_notebook(f"measured-{theme}.ipynb", *cells, dark=theme == "dark")
    notebook.run_all()
    expect(notebook.page.locator(".kw:visible")).to_have_count(len(MEASUREMENTS))
    tune, timing = notebook.page.locator(".kw-tune"), notebook.page.locator(".kw-timing")
    tune.locator(".kw-plot").focus()
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("ArrowDown")
    tune.get_by_role("button", name="compare its code").click()
    expect(tune.get_by_role("region", name="Difference")).to_be_visible()
    timing.first.get_by_role("button", name="histogram").click()
    audit(notebook.page, ".jp-OutputArea .kw")


def test_a_card_begins_a_notebook_and_the_tour(
    lab: Any, open_lab: Callable[..., Page], keep: Callable[..., None]
):
    page = open_lab()
    launcher = page.locator(".jp-Launcher")
    expect(launcher.locator(".jp-LauncherCard", has_text="Workbench Tour")).to_be_visible()
    keep("lab-launcher", launcher)
    launcher.locator(".jp-LauncherCard", has_text="Workbench Notebook").click()
    cell = page.locator(".jp-CodeCell").first
    expect(cell).to_contain_text("wb.repeat(4, 1) * wb.spatial(16, 8)")
    idle(page)
    lab.write("00_tour.ipynb", "print('the tour')")
    palette(page, "Open the Workbench Tour")
    expect(page.locator(".jp-CodeCell:visible")).to_contain_text("the tour")


def test_small_places_colours_and_the_variable_under_the_cursor(
    open_notebook: Callable[..., Any], keep: Callable[..., None], audit: Callable[..., None]
):
    notebook = open_notebook(
        "small.ipynb", "import workbench as wb", PLAIN, CUDA, live=True, dark=True, zoom=2
    )
    page = notebook.page
    cuda = page.locator(".jp-CodeCell").nth(2)
    expect(cuda.locator(".cm-content")).to_have_attribute("data-language", "cpp")
    cells = page.locator(".jp-CodeCell")
    for number in range(2):
        cells.nth(number).locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
    drawn = page.locator(".jp-OutputArea .kw-mapping")
    expect(drawn.locator("canvas[data-painted]")).to_be_visible()
    cells.nth(1).locator(".cm-line").last.click()
    page.keyboard.press("End")
    palette(page, "Explore the Variable Under the Cursor")
    tab = page.locator(".kw-lab-tab")
    expect(tab.locator(".kw-facts")).to_contain_text("32 workers")
    # at the browser's zoom of 200 % nothing may stick out
    page.keyboard.press("Control+B")
    palette(page, "Open the Kernel Workbench Panel")
    panel = page.get_by_role("region", name="Kernel workbench")
    expect(panel.locator("li button")).to_be_visible()
    page.wait_for_timeout(300)
    keep("lab-zoom-dark", page.locator("#jp-main-content-panel"))
    for place in (tab, panel):
        over = place.evaluate(
            "node => [...node.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1"
            " && getComputedStyle(e).overflowX === 'visible' && e.clientWidth)"
            ".map(e => e.outerHTML.slice(0, 120)).concat("
            "node.scrollWidth > node.clientWidth + 1 ? ['all'] : [])"
        )
        assert over == []
    audit(page, ".kw-lab-tab")
    audit(page, ".kw-lab-panel")
    assert re.search("kw-dark", tab.locator(".kw-mapping").get_attribute("class") or "")
