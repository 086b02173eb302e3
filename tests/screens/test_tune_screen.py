"""The tuning and timing screens: sorted, brushed, compared, stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

pytestmark = pytest.mark.browser

KERNEL = """import numpy as np, time, workbench as wb
from workbench.lang import blockIdx, f32, launch, threadIdx

def scale(threads, each):
    if threads * each > 4096:
        evil = "<script>alert(1)</script>"
        raise wb.ScheduleError(f"{evil} {threads} threads of {each} are too many")
    @wb.script
    def scale(a: f32[1 << 20], b: f32[1 << 20]):
        launch(grid=(1 << 20) // threads // each, block=threads)
        for k in range(each):
            i = blockIdx.x * threads * each + k * threads + threadIdx.x
            b[i] = a[i] * 2.0 + 1.0
    return scale
"""
TUNED = """space = wb.Space.of(threads=[16, 32, 64, 128, 256, 512, 1024], each=[1, 2, 4, 8])
found = wb.tune(scale, space, sample_s=0.002, top=14)
"""
SLOW = """space = wb.Space.of(threads=[8, 16, 32, 64, 128, 256, 512, 1024], each=[1, 2, 4])
def slow(trial, done, planned):
    time.sleep(0.4)
live = wb.tune_live(scale, space, sample_s=0.002, observer=slow)
"""
TIMED = """kernel = scale(128, 4).compile("cpu")
a = np.random.default_rng(0).standard_normal(1 << 20, dtype=np.float32)
b = np.empty_like(a)
both = wb.compare({"ours": kernel.prepare(a, b), "numpy": lambda: a * 2 + 1}, budget_s=0.5)
"""


def narrow_and_dark(
    browser: Browser, lab: Any, name: str, keep: Callable[[str, Locator], None]
) -> None:
    """The exported page of a screen in the dark, at 200 % and in a panel of 360 px."""
    for dark, width in ((True, 1100), (False, 550), (True, 360)):
        scheme = "dark" if dark else "light"
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        page.goto((lab.folder / f"{name}.html").as_uri())
        root = page.locator(f".kw-{name}")
        expect(root).to_have_attribute("data-theme", scheme)
        wide = "e => e.scrollWidth - e.clientWidth"
        assert page.locator("html").evaluate(wide) <= 0, width
        assert root.evaluate(wide) <= 0, width
        if dark:
            keep(f"{name}-dark" if width > 360 else f"{name}-narrow", root)
        page.context.close()


def test_a_finished_search(
    lab: Any, browser: Browser, open_notebook: Callable[..., Any], keep: Callable[..., None]
):
    export = "wb.export_html(found, 'tune.html')\nfound"
    notebook = open_notebook("tune.ipynb", KERNEL + TUNED + "wb.explore(found)", export)
    alerts: list[str] = []
    notebook.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    notebook.run_all()
    page, root = notebook.page, notebook.page.locator(".kw-tune")
    rows = root.locator("tbody tr")
    expect(rows.first).to_contain_text("1.00")
    root.locator(".kw-plot").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    keep("tune-light", root)
    root.get_by_role("button", name="compare its code").click()
    expect(root.get_by_role("region", name="Difference")).to_contain_text("−")
    root.get_by_role("button", name="close").click()
    root.get_by_role("button", name="threads").click()
    expect(root.get_by_role("columnheader", name="threads")).to_have_attribute(
        "aria-sort", "ascending"
    )
    expect(rows.first.locator("td").first).to_have_text("16")
    expect(root.locator(".kw-side")).to_contain_text("threads of 8 are too many")
    count = rows.count()
    box = root.locator(".kw-plot svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 70, box["y"] + 45)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 50, steps=4)
    page.mouse.up()
    expect(root.get_by_role("button", name="clear the brush")).to_be_visible()
    assert rows.count() < count
    page.keyboard.press("Escape")
    assert alerts == []
    keep("tune-twin", page.locator(".jp-OutputArea-output img"))
    narrow_and_dark(browser, lab, "tune", keep)


def test_a_live_search_is_stopped(open_notebook: Callable[..., Any], keep: Callable[..., None]):
    notebook = open_notebook("live.ipynb", KERNEL + SLOW + "live", dark=True)
    notebook.run_all()
    root = notebook.page.locator(".kw-tune")
    expect(root.locator("tbody tr").first).to_be_visible()
    expect(root.locator(".kw-bar-facts")).to_contain_text(re.compile(r"\d+ of \d+"))
    keep("tune-live-dark", root)
    root.get_by_role("button", name="stop, keep what is known").click()
    expect(root.locator(".kw-bar").first).to_contain_text("stopped")
    expect(root.locator(".kw-bar-facts")).to_be_hidden()
    expect(root.locator("tbody tr").first).to_contain_text("measured")


def test_a_comparison(
    lab: Any, browser: Browser, open_notebook: Callable[..., Any], keep: Callable[..., None]
):
    show = "screen = wb.explore(both, kernel=kernel)\nscreen"
    export = "wb.export_html(screen, 'timing.html')\nboth"
    notebook = open_notebook("timing.ipynb", KERNEL + TIMED + show, export)
    notebook.run_all()
    root = notebook.page.locator(".kw-timing")
    expect(root.get_by_role("table", name="Side by side")).to_contain_text("numpy")
    expect(root.locator(".kw-side")).to_contain_text("2.1 Mop")
    expect(root.locator(".kw-conditions")).to_contain_text("numpy")
    keep("timing-light", root)
    root.get_by_role("button", name="histogram").click()
    expect(root.locator(".kw-bin").first).to_be_visible()
    root.get_by_role("button", name="t table").click()
    expect(root.get_by_role("table", name="Samples")).to_be_visible()
    keep("timing-twin", notebook.page.locator(".jp-OutputArea-output img"))
    narrow_and_dark(browser, lab, "timing", keep)
