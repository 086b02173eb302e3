"""Tunings and measurements as tabs, and what the settings change: motion, texts that are open."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.screens.lab import palette

pytestmark = pytest.mark.browser

KERNEL = """import numpy as np, workbench as wb
from workbench.lang import blockIdx, f32, launch, threadIdx

def scale(threads, each):
    @wb.script
    def scale(a: f32[1 << 16], b: f32[1 << 16]):
        launch(grid=(1 << 16) // threads // each, block=threads)
        for k in range(each):
            i = blockIdx.x * threads * each + k * threads + threadIdx.x
            b[i] = a[i] * 2.0 + 1.0
    return scale
"""
TUNED = """space = wb.Space.of(threads=[32, 128], each=[1, 4])
found = wb.tune(scale, space, sample_s=0.002, top=4)
"""
TIMED = """kernel = scale(128, 4).compile("cpu")
a = np.ones(1 << 16, dtype=np.float32)
b = np.empty_like(a)
both = wb.compare({"ours": kernel.prepare(a, b), "numpy": lambda: a * 2 + 1}, budget_s=0.1)
ours = both["ours"]
"""
LIVE = "wb.explore(kernel)"
MAPPING = "import workbench as wb\nwb.repeat(8, 1) * wb.spatial(2, 2)"


def opened(page: Page, name: str) -> Any:
    """The tab of an object of the side panel."""
    page.locator(f".kw-lab-panel li button[data-name={name}]").click()
    return page.locator(".kw-lab-tab:visible")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_tunings_and_measurements_open_as_tabs(
    open_notebook: Callable[..., Any], audit: Callable[..., None], theme: str
):
    cells = (KERNEL, TUNED, TIMED)
    notebook = open_notebook(f"tabs-{theme}.ipynb", *cells, dark=theme == "dark", live=True)
    notebook.run_all()
    page = notebook.page
    palette(page, "Open the Kernel Workbench Panel")
    panel = page.get_by_role("region", name="Kernel workbench")
    tunings = panel.get_by_role("region", name="Tunings")
    expect(tunings.locator("li button")).to_have_text([re.compile("^found")])
    timings = panel.get_by_role("region", name="Measurements")
    names = [re.compile("^both"), re.compile("^ours")]
    expect(timings.locator("li button")).to_have_text(names)
    expect(timings.locator("li button").first).to_contain_text(re.compile(r"ours .*, numpy .*s"))
    tab = opened(page, "found")
    expect(tab.locator(".kw-tune tbody tr").first).to_contain_text("1.00")
    tab.locator(".kw-tune tbody tr").nth(1).click()
    tab.get_by_role("button", name="compare its code").click()
    expect(tab.get_by_role("region", name="Difference")).to_contain_text("−")
    audit(page, ".kw-lab-tab:not(.lm-mod-hidden) .kw")
    tab = opened(page, "both")
    expect(tab.get_by_role("table", name="Side by side")).to_contain_text("numpy")
    audit(page, ".kw-lab-tab:not(.lm-mod-hidden) .kw")
    tab = opened(page, "ours")
    expect(tab.locator(".kw-timing .kw-title")).to_contain_text("ours")


def test_settings_stop_motion_and_choose_the_texts_that_are_open(
    open_notebook: Callable[..., Any],
):
    script = f"{KERNEL}\nkernel = scale(128, 4).compile('cuda:sm_90a')\nkernel"
    texts = ["CUDA", "LLVM"]
    notebook = open_notebook(
        "settings.ipynb", MAPPING, script, LIVE, live=True, motion="none", texts=texts
    )
    notebook.run_all()
    page = notebook.page
    grid = page.locator(".kw-mapping")
    grid.get_by_role("button", name="play").click()
    expect(grid.locator(".kw-where")).to_have_text("step 7 of 0…7")
    expect(grid.get_by_role("button", name="play")).to_have_attribute("aria-pressed", "false")
    saved, live = page.locator(".jp-OutputArea .kw-program").all()
    expect(saved.locator(".kw-tabs [aria-pressed=true]")).to_have_text(["CUDA"])
    expect(saved.locator(".kw-pane")).to_have_count(1)  # LLVM needs a kernel
    expect(live.locator(".kw-tabs [aria-pressed=true]")).to_have_text(texts)
    expect(live.locator(".kw-pane").last).to_contain_text("define")
    palette(page, "Open the Kernel Workbench Panel")
    tab = opened(page, "kernel")
    expect(tab.locator(".kw-tabs [aria-pressed=true]")).to_have_text(["CUDA", "LLVM"])
    expect(tab.locator(".kw-pane").last).to_contain_text("define")
