"""What is open when its kernel ends, begins anew or has two notebooks; a search while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.screens.lab import palette
from tests.screens.test_lab import DIE
from tests.screens.test_lab_tabs import KERNEL, opened

pytestmark = pytest.mark.browser

EXPLORE = "import workbench as wb\nwb.explore(wb.spatial(4, 8))"


def run(page: Page, number: int) -> None:
    """Run a cell as a person does."""
    page.locator(".jp-CodeCell").nth(number).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


@pytest.mark.parametrize("end", ["restart", "death"])
def test_a_widget_says_that_its_kernel_is_gone_and_comes_back_with_its_cell(
    open_notebook: Callable[..., Any], keep: Callable[..., None], end: str
):
    notebook = open_notebook(f"end-{end}.ipynb", EXPLORE, DIE, live=True)
    page = notebook.page
    run(page, 0)
    screen = page.locator(".kw-widget .kw-mapping")
    expect(screen.locator(".kw-facts")).to_contain_text("32 workers")
    stale = page.locator(".kw-widget .kw-stale-note")
    expect(stale).to_be_empty()
    if end == "restart":
        palette(page, "Restart Kernel…")
        page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    else:
        run(page, 1)
        page.get_by_role("dialog").get_by_role("button", name="Ok").click()
    expect(stale).to_contain_text("The kernel has ended or begun anew")
    # what is shown stays, can be looked at, and a question is answered at once
    expect(screen.locator(".kw-facts")).to_contain_text("32 workers")
    screen.get_by_label("Grid of workers").focus()
    page.keyboard.press("ArrowRight")
    expect(screen).to_have_attribute("data-worker", "1")
    screen.get_by_label("Mapping expression").fill("spatial(2, 2)")
    expect(screen.get_by_role("alert")).to_contain_text("the kernel has ended")
    keep(f"widget-stale-{end}", page.locator(".jp-CodeCell").first)
    run(page, 0)
    expect(stale).to_be_empty()
    screen.get_by_label("Mapping expression").fill("spatial(2, 2)")
    expect(screen.locator(".kw-facts")).to_contain_text("4 workers")


def test_a_second_notebook_on_one_kernel_has_live_widgets_too(
    lab: Any, open_notebook: Callable[..., Any]
):
    notebook = open_notebook("first.ipynb", EXPLORE, live=True)
    page = notebook.page
    sessions = f"{lab.url}/api/sessions?token={lab.token}"
    known = page.request.get(sessions).json()
    (kernel,) = [each["kernel"] for each in known if each["path"] == "first.ipynb"]
    lab.write("second.ipynb", "wb.explore(wb.spatial(2, 2))")
    other = {"path": "second.ipynb", "name": "second", "type": "notebook"}
    assert page.request.post(sessions, data=other | {"kernel": {"id": kernel["id"]}}).ok
    run(page, 0)
    expect(page.locator(".kw-widget .kw-facts")).to_contain_text("32 workers")
    page.locator(".jp-DirListing-item", has_text="second.ipynb").dblclick()
    page.locator(".jp-CodeCell:visible .cm-content").click()
    page.keyboard.press("Shift+Enter")
    second = page.locator(".jp-NotebookPanel:visible .kw-mapping")
    second.get_by_label("Mapping expression").fill("spatial(4, 4)")
    expect(second.locator(".kw-facts")).to_contain_text("16 workers")


SEARCH = """import threading
go = threading.Event()
space = wb.Space.of(threads=[32, 64, 128], each=[1, 2, 4])
search = wb.tune_live(scale, space, sample_s=0.002, observer=lambda *_: go.wait(60))"""


def test_a_search_that_runs_is_in_the_panel_and_in_a_tab(
    open_notebook: Callable[..., Any], keep: Callable[..., None], audit: Callable[..., None]
):
    notebook = open_notebook("search.ipynb", KERNEL, SEARCH, "go.set()", live=True)
    page = notebook.page
    palette(page, "Open the Kernel Workbench Panel")
    run(page, 0)
    run(page, 1)
    row = page.locator(".kw-lab-panel li button[data-name=search]")
    expect(row).to_contain_text("running: 0 of 9 tried")
    tab = opened(page, "search")
    expect(tab.get_by_role("button", name="Stop")).to_be_visible()
    keep("lab-search-light", page.locator("#jp-main-content-panel"))
    audit(page, ".kw-lab-tab")
    tab.get_by_role("button", name="Stop").click()
    page.get_by_role("tab", name="search.ipynb").first.click()
    run(page, 2)
    expect(row).to_contain_text("stopped: ")
    row.click()
    expect(tab.get_by_role("button", name="Stop")).to_have_count(0)
    expect(tab).to_contain_text("stopped")
