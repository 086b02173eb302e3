"""The factors of a mapping by pointer and keyboard; comparison, undo, links, large mappings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

CELL = """import workbench as wb
x = wb.explore(wb.repeat(2, 1) * wb.spatial(8, 4) * wb.repeat(1, 2)); x"""

LINK = "Copy a text from which wb.explore restores this screen"


@pytest.fixture
def screen(open_notebook: Callable[..., Any]) -> Page:
    notebook = open_notebook("edit.ipynb", CELL, "x.mapping = wb.spatial(4, 2); wb.link(x, x2)")
    run(notebook.page)
    notebook.page.locator(".kw-mapping canvas[data-painted]").wait_for()
    return notebook.page


def run(page: Page) -> None:
    """Run the first cell only."""
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+Enter")


def box(page: Page) -> Locator:
    return page.get_by_label("Mapping expression")


def chip(page: Page, number: int) -> Locator:
    return page.get_by_role("button", name=re.compile(rf"^Factor {number} of"))


def test_factors_by_keyboard(screen: Page, keep: Callable[..., None]):
    chip(screen, 1).focus()
    screen.keyboard.press("ArrowRight")
    expect(chip(screen, 2)).to_be_focused()
    screen.keyboard.press("Alt+ArrowRight")
    expect(box(screen)).to_have_value("repeat(2, 1) * repeat(1, 2) * spatial(8, 4)")
    expect(chip(screen, 3)).to_be_focused()
    screen.keyboard.press("ArrowLeft")
    screen.keyboard.press("ArrowLeft")
    screen.keyboard.press("Enter")
    editor = screen.get_by_role("group", name="Change factor 1")
    expect(editor.get_by_label("Kind")).to_be_focused()
    editor.get_by_role("button", name="merge with next").press("Enter")
    expect(box(screen)).to_have_value("repeat(2, 2) * spatial(8, 4)")
    screen.keyboard.press("Escape")
    expect(chip(screen, 1)).to_be_focused()
    screen.keyboard.press("ArrowRight")
    screen.keyboard.press("Enter")
    editor = screen.get_by_role("group", name="Change factor 2")
    editor.get_by_label("Split").select_option("dim 0: 8 → 2 × 4")
    expect(box(screen)).to_have_value("repeat(2, 2) * spatial(2, 1) * spatial(4, 4)")
    editor.get_by_label("Order").select_option("column-major")
    expect(box(screen)).to_have_value("repeat(2, 2) * column_spatial(2, 1) * spatial(4, 4)")
    editor.get_by_label("Kind").select_option("repeat")
    extents = editor.get_by_label("Extents")
    extents.fill("3 × 0")
    extents.press("Enter")
    expect(editor.get_by_role("alert")).to_have_text("2 whole numbers of 1 or more")
    extents.fill("3, 2")
    extents.press("Enter")
    expect(box(screen)).to_have_value("repeat(2, 2) * column_repeat(3, 2) * spatial(4, 4)")
    keep("mapping-editor", screen.locator(".kw-mapping"))
    screen.keyboard.press("Escape")
    screen.keyboard.press("Delete")
    expect(box(screen)).to_have_value("repeat(2, 2) * spatial(4, 4)")
    screen.keyboard.press("End")
    screen.keyboard.press("Enter")
    adding = screen.get_by_role("group", name="New factor")
    adding.get_by_label("Extents").fill("1 × 2")
    adding.get_by_role("button", name="add at the end").click()
    expect(box(screen)).to_have_value("repeat(2, 2) * spatial(4, 4) * repeat(1, 2)")
    screen.keyboard.press("Control+z")  # twice, faster than the answers come
    screen.keyboard.press("Control+z")
    expect(box(screen)).to_have_value("repeat(2, 2) * column_repeat(3, 2) * spatial(4, 4)")
    screen.keyboard.press("Control+Shift+z")
    expect(box(screen)).to_have_value("repeat(2, 2) * spatial(4, 4)")


def test_drag_compare_copy(screen: Page, keep: Callable[..., None]):
    dragged(screen)
    compared(screen, keep)
    copied(screen)


def dragged(screen: Page) -> None:
    first, last = chip(screen, 1).bounding_box(), chip(screen, 3).bounding_box()
    assert first is not None
    assert last is not None
    screen.mouse.move(first["x"] + 8, first["y"] + 10)
    screen.mouse.down()
    screen.mouse.move(last["x"] + last["width"] - 4, last["y"] + 10, steps=6)
    expect(chip(screen, 3)).to_have_class(re.compile("kw-after"))
    screen.mouse.up()
    expect(box(screen)).to_have_value("spatial(8, 4) * repeat(1, 2) * repeat(2, 1)")
    expect(screen.get_by_role("group", name="Change factor")).to_have_count(0)
    # Escape puts it back.
    screen.mouse.move(first["x"] + 8, first["y"] + 10)
    screen.mouse.down()
    screen.mouse.move(last["x"] + last["width"] - 4, last["y"] + 10, steps=6)
    screen.keyboard.press("Escape")
    screen.mouse.up()
    expect(screen.locator(".kw-after")).to_have_count(0)
    expect(box(screen)).to_have_value("spatial(8, 4) * repeat(1, 2) * repeat(2, 1)")
    screen.get_by_role("button", name="Undo").click()
    expect(box(screen)).to_have_value("repeat(2, 1) * spatial(8, 4) * repeat(1, 2)")


def compared(screen: Page, keep: Callable[..., None]) -> None:
    root = screen.locator(".kw-mapping")
    root.get_by_role("button", name="equal to …?").click()
    other = root.get_by_label("Equal to which mapping")
    verdict = root.get_by_role("group", name="Compare")
    other.fill("repeat(2, 1) * spatial(4, 1) * spatial(2, 4) * repeat(1, 2)")
    expect(verdict).to_contain_text("equal")
    other.fill("spatial(8, 4) * repeat(2, 2)")
    expect(verdict).to_contain_text("first at worker 0, step 2: (8, 0) here, (1, 0) there")
    verdict.get_by_role("button", name="show").click()
    expect(root).to_have_attribute("data-step", "2")
    other.fill("spatial(8, 4) * repeat(2, 2")
    expect(verdict).to_contain_text("the text is no mapping")
    other.fill("spatial(8, 4) * repeat(2, 2)")
    keep("mapping-equal", root)
    box(screen).fill("column_spatial(8, 4) * repeat(2, 2)")
    expect(verdict).to_contain_text("first at worker 1, step 0: (2, 0) here, (0, 2) there")


def test_python_and_the_browser_keep_in_step(screen: Page):
    root = screen.locator(".kw-mapping")
    box(screen).fill("spatial(2, 2)")
    expect(root.locator(".kw-facts")).to_contain_text("2 × 2 tasks")
    box(screen).fill("spatial(2, 4)  *  repeat( 2,1)")
    expect(root.locator(".kw-facts")).to_contain_text("4 × 4 tasks")
    expect(box(screen)).to_have_value("spatial(2, 4)  *  repeat( 2,1)")  # as it was typed
    cell = screen.locator(".jp-CodeCell .cm-content").nth(1)
    cell.fill(
        "said = str(x.mapping); x.mapping = wb.repeat(3, 3); x.select(worker=0, step=4); said"
    )
    screen.keyboard.press("Control+Enter")
    expect(screen.locator(".jp-OutputArea-output").last).to_contain_text(
        "spatial(2, 4) * repeat(2, 1)"
    )
    expect(box(screen)).to_have_value("repeat(3, 3)")
    expect(root.locator("tr.kw-now")).to_contain_text("(1, 1)")
    root.get_by_role("button", name="Undo").click()
    expect(box(screen)).to_have_value("spatial(2, 4) * repeat(2, 1)")


def copied(screen: Page) -> None:
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    root = screen.locator(".kw-mapping")
    tools = root.get_by_role("group", name="Copy and save")
    for name, start in (
        ("Copy the picture as SVG", "<svg "),
        ("Copy the picture as HTML", "<img "),
        (
            "Copy a text from which wb.explore restores this screen",
            "kw1:mapping?text=column_spatial(8,+4)",
        ),
        ("Copy the expression", "column_spatial(8, 4) * repeat(2, 2)"),
    ):
        tools.get_by_role("button", name=name).click()
        expect(tools.get_by_role("status")).to_contain_text("copied")
        read = "navigator.clipboard.readText()"
        screen.wait_for_function(f"s => {read}.then(t => t.startsWith(s))", arg=start)
    with screen.expect_download() as download:
        tools.get_by_role("button", name="Save as one HTML file that needs nothing else").click()
    assert download.value.path().read_text(encoding="utf-8").startswith("<!doctype html>")


def test_ten_million_tasks_and_three_dims(
    open_notebook: Callable[..., Any], keep: Callable[..., None]
):
    big = 'import workbench as wb\nwb.explore(wb.parse_mapping("repeat(64, 64) * spatial(64, 40)"))'
    cube = "wb.explore(wb.auto_map(8, 16, 24, workers=32))"
    notebook = open_notebook("large.ipynb", big, cube)
    notebook.run_all()
    page = notebook.page
    root = page.locator(".kw-mapping").first
    root.locator("canvas[data-painted]").wait_for()
    expect(root.locator(".kw-facts")).to_contain_text("4096 × 2560 tasks · 2560 workers")
    expect(root.locator(".kw-note")).to_have_text(
        "Shown: rows 0 to 511 of 4096, columns 0 to 511 of 2560."
    )
    root.get_by_label("rows from, 0 to 4095").fill("1000")
    root.get_by_label("rows from, 0 to 4095").press("Enter")
    expect(root.locator(".kw-note")).to_contain_text("rows 1000 to 1511")
    expect(root.get_by_label("rows from, 0 to 4095")).to_have_value("1000")
    keep("mapping-large", root)
    # A step goes where its task lies.
    root.get_by_label("Grid of workers").focus()
    page.keyboard.press("ArrowUp")
    expect(root.locator(".kw-note")).to_contain_text("rows 3584 to 4095 of 4096, columns 2048")
    expect(root.locator("tr.kw-now")).to_contain_text("(4032, 2520)")
    solid = page.locator(".kw-mapping").nth(1)
    solid.get_by_label("slice i =, 0 to 7").fill("7")
    solid.get_by_label("slice i =, 0 to 7").press("Enter")
    keep("mapping-slice", solid)
