"""The program screen: lines of one origin light up together, by pointer and by key."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SCRIPT = """import workbench as wb
from workbench.lang import blockIdx, f32, launch, repeat, shared, spatial, syncthreads, threadIdx

ROWS = repeat(4, 1) * spatial(4, 16)

@wb.script
def transpose(a: f32[64, 64], b: f32[64, 64]):
    launch(grid=(4, 4), block=64)
    y, x = blockIdx.y * 16, blockIdx.x * 16
    tile = shared(f32, (16, 16))
    for i, j in ROWS.on(threadIdx.x):
        tile[i, j] = a[y + i, x + j]
    syncthreads()
    for i, j in ROWS.on(threadIdx.x):
        b[x + i, y + j] = tile[j, i]

wb.explore(transpose)"""


def test_lines_of_one_origin_light_up_together(
    open_notebook: Callable[..., Any], keep: Callable[..., None]
):
    notebook = open_notebook("program.ipynb", SCRIPT, "transpose")
    notebook.run_all()
    page = notebook.page
    root = page.locator(".kw-program")
    python = root.get_by_label("Python code")
    cuda = root.get_by_label("CUDA code")
    load = python.get_by_text("tile[i, j] = a[")
    load.hover()
    expect(cuda.locator(".kw-lit")).to_contain_text([re.compile(r"tile\[.*\] = a\[")])
    number = load.get_attribute("data-link")
    expect(root).to_have_attribute("data-link", str(number))

    root.locator(".kw-title").hover()
    expect(root.locator(".kw-lit")).to_have_count(0)
    python.focus()
    while "syncthreads" not in "".join(python.locator(".kw-lit").all_text_contents()):
        page.keyboard.press("ArrowDown")
    expect(cuda.locator(".kw-lit")).to_contain_text(["__syncthreads();"])
    keep("program-light", root)

    ir = root.get_by_label("IR code")
    expect(ir).to_have_count(0)  # there is room for two
    root.get_by_role("button", name="IR", exact=True).click()
    expect(ir.locator(".kw-lit")).to_contain_text(["syncthreads()"])
    expect(cuda.locator(".kw-lit")).to_contain_text(["__syncthreads();"])
    page.keyboard.press("Tab")

    image = page.locator(".jp-OutputArea-output img")
    expect(image).to_have_attribute("alt", re.compile("Kernel transpose"))
    keep("program-twin", image)


def test_texts_that_are_made_when_asked_for_and_an_edited_copy(
    open_notebook: Callable[..., Any], keep: Callable[..., None]
):
    notebook = open_notebook("fork.ipynb", SCRIPT)
    notebook.run_all()
    page = notebook.page
    root = page.locator(".kw-program")
    root.get_by_role("button", name="PTX", exact=True).click()
    ptx = root.get_by_label("PTX code")
    expect(ptx).to_contain_text("ld.global")
    ptx.locator(".kw-line", has_text="bar.sync").click()
    expect(root.get_by_label("Python code").locator(".kw-lit")).to_contain_text(["syncthreads()"])
    expect(root.get_by_label("CUDA code").locator(".kw-lit")).to_contain_text(["__syncthreads"])
    root.get_by_role("button", name="Python", exact=True).click()
    expect(ptx.locator(".kw-lit").first).to_contain_text("bar.sync")
    keep("program-ptx", root)
    root.get_by_role("button", name="PTX", exact=True).click()

    with page.expect_download() as saved:
        root.get_by_role("button", name="Save as transpose.cu").click()
    assert saved.value.suggested_filename == "transpose.cu"
    root.get_by_role("button", name="Edit a copy").click()
    area = root.get_by_label("CUDA to edit")
    text = area.input_value()
    area.fill(text.replace("int y =", "int q ="))
    page.keyboard.press("Control+Enter")
    complaint = root.get_by_role("button", name="error, line 10")
    expect(complaint).to_contain_text('identifier "y" is undefined')
    keep("program-fork-error", root.locator(".kw-fork"))
    complaint.click()
    selected = "area => area.value.slice(area.selectionStart, area.selectionEnd)"
    assert area.evaluate(selected) == "y"
    assert "int q =" in area.input_value()  # what was typed stays
    area.fill(text.replace("tile[256]", "tile[512]"))
    root.get_by_role("button", name="Compile and compare").click()
    table = root.get_by_role("table", name="Original and fork")
    expect(table).to_contain_text("2048 B")
    expect(root.locator(".kw-result")).to_contain_text(re.compile("Not run: |ran on"))
    keep("program-fork", root.locator(".kw-fork"))


def test_a_picked_worker_lights_its_task_loops(open_notebook: Callable[..., Any]):
    cells = (
        SCRIPT.replace("wb.explore(transpose)", "shown = wb.explore(transpose)\nshown"),
        "shown.select(mapping=str(ROWS.canonical()), worker=9)",
    )
    notebook = open_notebook("worker.ipynb", *cells)
    notebook.run_all()
    root = notebook.page.locator(".kw-program")
    expect(root.locator(".kw-mine-said")).to_have_text(re.compile(r"worker 9 of .*: \(0, 9\) "))
    python = root.get_by_label("Python code")
    expect(python.locator(".kw-mine")).to_have_count(4)


OPEN = """import workbench as wb
from workbench.lang import f32, launch, threadIdx

N = wb.dims("N")

@wb.script
def twice(a: f32[N], b: f32[N]):
    launch(grid=1, block=32)
    for i in range(threadIdx.x, N, 32):
        b[i] = a[i] * 2.0

live = wb.explore(twice)
live"""


def test_open_extents_are_asked_for_and_a_link_restores_what_is_seen(
    open_notebook: Callable[..., Any], keep: Callable[..., None]
):
    again = "wb.explore(twice, at=live.link_text())"
    notebook = open_notebook("extents.ipynb", OPEN, again)
    cells = notebook.page.locator(".jp-CodeCell")
    cells.nth(0).locator(".cm-content").click()
    notebook.page.keyboard.press("Shift+Enter")
    root = cells.nth(0).locator(".kw-program")
    field = root.get_by_label("N", exact=True)
    field.fill("96")
    root.get_by_role("button", name="Compile", exact=True).click()
    expect(root.get_by_label("CUDA code")).to_contain_text("< 96")
    expect(field).to_be_hidden()
    root.get_by_role("button", name="IR", exact=True).click()
    root.get_by_role("button", name="Python", exact=True).click()
    root.get_by_label("CUDA code").get_by_text("* 2.0f").click()
    with notebook.page.expect_download() as saved:
        root.get_by_role("button", name="Save as one HTML file").click()
    assert saved.value.suggested_filename == "program.html"
    cells.nth(1).locator(".cm-content").click()
    notebook.page.keyboard.press("Shift+Enter")
    restored = cells.nth(1).locator(".kw-program")
    expect(restored.get_by_label("CUDA code").locator(".kw-lit")).to_contain_text(["* 2.0f"])
    expect(restored.get_by_label("IR code").locator(".kw-lit")).to_contain_text(["* 2"])
    expect(restored.get_by_label("Python code")).to_have_count(0)
    keep("program-restored", restored)


def test_dark(open_notebook: Callable[..., Any], keep: Callable[..., None]):
    notebook = open_notebook("program-dark.ipynb", SCRIPT, dark=True)
    notebook.run_all()
    root = notebook.page.locator(".kw-program")
    expect(root).to_have_class(re.compile("kw-dark"))
    root.get_by_label("CUDA code").get_by_text("] = tile[").click()
    expect(root.get_by_label("Python code").locator(".kw-lit")).to_contain_text(["= tile[j, i]"])
    keep("program-dark", root)
