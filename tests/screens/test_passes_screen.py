"""The passes screen: keys go through passes, an option runs them again, a failure is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.screens.test_program_screen import SCRIPT

pytestmark = pytest.mark.browser

CELL = SCRIPT.replace("wb.explore(transpose)", 'wb.explore(transpose, "passes")')


def test_passes_by_key_by_option_and_a_failure(
    open_notebook: Callable[..., Any], keep: Callable[..., None]
):
    notebook = open_notebook("passes.ipynb", CELL)
    notebook.run_all()
    page = notebook.page
    root = page.locator(".kw-passes")
    steps = root.get_by_role("listbox", name="Passes")
    diff = root.get_by_role("region", name="What the pass changed")
    chosen = steps.locator('[aria-selected="true"]')
    expect(chosen).to_contain_text("lower_tasks")
    expect(diff.locator("ins").first).to_be_visible()
    keep("passes-light", root)

    steps.focus()
    page.keyboard.press("ArrowDown")
    expect(chosen).to_contain_text("lower_tensors")
    expect(diff.locator("ins", has_text="* 16 +")).to_have_count(2)
    said = root.locator(".kw-why-said")
    diff.locator("ins", has_text="* 16 +").first.hover()
    expect(said).to_contain_text("made by lower_tensors")
    page.keyboard.press("ArrowDown")
    expect(chosen).to_contain_text("simplify")
    diff.locator("del", has_text="//").first.hover()
    expect(said).to_contain_text("taken away by simplify")
    expect(said).to_contain_text("threadIdx.x // 16 → threadIdx.x tdiv 16")
    expect(said.locator("b", has_text="division")).to_have_count(1)
    diff.focus()
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("The guard always holds.")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(diff.locator("del.kw-caret, ins.kw-caret")).to_have_count(1)
    keep("passes-why", root)
    root.locator(".kw-title").hover()
    steps.focus()
    page.keyboard.press("End")
    expect(chosen).to_contain_text("cuda")
    expect(diff).to_contain_text("__syncthreads();")
    page.keyboard.press("ArrowUp")
    limit = root.get_by_role("spinbutton", name="limit")
    limit.fill("7")
    expect(chosen).to_contain_text("unroll{limit=7}")
    expect(limit).to_be_focused()
    expect(root.locator(".kw-passes-note")).to_contain_text("as much as before")

    page.keyboard.press("Escape")
    steps.locator(".kw-step-row", has_text="lower_tasks").click()
    root.get_by_role("checkbox", name="do this pass").uncheck()
    failed = steps.locator(".kw-is-failed")
    expect(failed).to_contain_text("lower_tensors")
    failed.click()
    expect(diff).to_contain_text("It fails: a task loop")
    expect(diff).to_contain_text("for i, j in (repeat(4, 1) * spatial(4, 16))")
    keep("passes-failed", root)


def test_dark_and_narrow(open_notebook: Callable[..., Any], keep: Callable[..., None]):
    notebook = open_notebook("passes-dark.ipynb", CELL, dark=True, width=760)
    notebook.run_all()
    root = notebook.page.locator(".kw-passes")
    expect(root).to_have_class(re.compile("kw-dark"))
    expect(root.get_by_role("listbox")).to_be_visible()
    wide = root.evaluate("root => root.scrollWidth - root.clientWidth")
    assert wide <= 0
    keep("passes-dark", root)
