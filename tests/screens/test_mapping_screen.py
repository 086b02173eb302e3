"""The mapping screen as a person uses it: compose, break, mend, select, step."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

CELL = """import workbench as wb
wb.explore(wb.repeat(2, 1) * wb.spatial(8, 4) * wb.repeat(1, 2))"""


@pytest.fixture
def screen(open_notebook: Callable[..., Any]) -> Page:
    notebook = open_notebook("mapping.ipynb", CELL)
    notebook.run_all()
    notebook.page.locator(".kw-mapping canvas[data-painted]").wait_for()
    return notebook.page


def compose(page: Page, text: str) -> None:
    page.get_by_label("Mapping expression").fill(text)


def test_compose_break_mend_select_step(screen: Page, keep: Callable[..., None]):
    root = screen.locator(".kw-mapping")
    facts = root.locator(".kw-facts")
    expect(facts).to_have_text("16 × 8 tasks · 32 workers · 4 tasks each · every task once")

    compose(screen, "repeat(4, 1) * spatial(16, 8)")
    expect(facts).to_have_text("64 × 8 tasks · 128 workers · 4 tasks each · every task once")
    expect(root.locator(".kw-loops")).to_contain_text("i = r*16 + w//8")

    compose(screen, "repeat(4, 1) * spatial(16, 0)")
    problem = root.get_by_role("alert")
    expect(problem).to_contain_text("extent 0 of dim 1 is below 1")
    expect(problem.locator("mark")).to_have_text("0")
    expect(root.locator(".kw-loops")).to_contain_text("i = r*16 + w//8")  # nothing is lost
    keep("mapping-error", root)

    compose(screen, "repeat(2, 1) * spatial(8, 4) * repeat(1, 2)")
    expect(root.locator(".kw-error")).to_be_empty()
    expect(facts).to_contain_text("32 workers")

    stage = root.get_by_label("Grid of workers")
    stage.focus()
    for _ in range(5):
        screen.keyboard.press("ArrowRight")
    side = root.locator(".kw-side")
    expect(side).to_contain_text("Worker 5 lane 5 of warp 0")
    tasks = root.get_by_role("table", name="Tasks of worker 5 in order")
    expect(tasks.get_by_role("row")).to_have_text(
        [re.compile("order"), "0(1, 2)40 B", "1(1, 3)44 B", "2(9, 2)296 B", "3(9, 3)300 B"]
    )
    for _ in range(3):
        screen.keyboard.press("ArrowDown")
    expect(root).to_have_attribute("data-step", "2")
    expect(root.locator("tr.kw-now")).to_contain_text("(9, 2)")
    expect(root.locator(".kw-loops")).to_contain_text("# 1*8 + 5//4 = 9")
    memory = root.locator(".kw-memory")
    expect(memory).to_contain_text("Step 2, warp 0")
    expect(memory).to_contain_text("8 sectors: moves 256 B, uses 128 B")
    keep("mapping-light", root)

    screen.keyboard.press("t")
    expect(root.get_by_role("table", name="Tasks of every worker in order")).to_be_visible()
    keep("mapping-table", root)
    screen.keyboard.press("t")
    screen.keyboard.press("Escape")
    expect(root).to_have_attribute("data-step", "")


def test_a_layout_and_the_banks_it_meets(
    screen: Page, keep: Callable[..., None], audit: Callable[..., None]
):
    root = screen.locator(".kw-mapping")
    memory = root.get_by_role("region", name="Memory")
    compose(screen, "column_spatial(32, 2) * repeat(1, 16)")
    expect(memory).to_contain_text("32 passes: 32 different words of one bank")
    expect(memory).to_contain_text("would take: padded by one 1 pass, XOR-swizzled 1 pass.")
    memory.get_by_role("button", name="lanes × banks").press("Enter")
    expect(memory.get_by_role("img", name=re.compile("^row-major: .* 32 passes"))).to_be_visible()
    layout = memory.get_by_label("Layout")
    layout.focus()
    screen.keyboard.press("End")
    expect(layout).to_be_focused()
    expect(layout).to_have_value("XOR-swizzled")
    expect(memory.locator("code")).to_have_text("row_major(32, 32).swizzle(5, 0, 5)")
    cards = memory.locator("svg.kw-card")
    expect(cards).to_have_count(2)
    expect(memory.locator("figcaption")).to_have_text(
        ["row-major: 32 passes", "XOR-swizzled: 1 pass"]
    )
    expect(cards.first.locator(".kw-wait")).to_have_count(31)
    expect(cards.nth(1).locator(".kw-wait")).to_have_count(0)
    banks = memory.get_by_role("table", name="Banks, XOR-swizzled")
    expect(banks.get_by_role("row").nth(4)).to_have_text("33991")  # lane, bank, word 3*32+3, pass
    # A row is picked as a cell of the grid is, and its addresses are those of the layout.
    size = cards.nth(1).bounding_box()
    assert size is not None
    cards.nth(1).click(position={"x": size["width"] / 2, "y": size["height"] * 0.36})
    expect(root).to_have_attribute("data-worker", "10")
    tasks = root.get_by_role("table", name="Tasks of worker 10 in order")
    expect(tasks.get_by_role("columnheader").last).to_have_text("address (XOR-swizzled, 4 B)")
    expect(tasks.get_by_role("row").nth(1)).to_have_text("0(10, 0)1320 B")
    keep("mapping-banks", memory)
    audit(screen, ".kw-memory")
    memory.get_by_label("Element size").select_option("8")
    expect(memory.locator("figcaption").last).to_have_text("XOR-swizzled: 2 passes")
    compose(screen, "spatial(5, 7)")
    expect(memory.locator("code")).to_contain_text(
        "not XOR-swizzled, since rows of 7 elements are no power of two: row-major"
    )
    expect(cards).to_have_count(1)


def test_a_pointer_selects_and_leaves(screen: Page):
    root = screen.locator(".kw-mapping")
    canvas = root.locator("canvas")
    box = canvas.bounding_box()
    assert box is not None
    canvas.hover(position={"x": box["width"] - 20, "y": box["height"] - 12})
    expect(root).to_have_attribute("data-worker", "31")
    root.locator(".kw-side").hover()
    expect(root).to_have_attribute("data-worker", "0")
    canvas.click(position={"x": box["width"] - 20, "y": 30})
    root.locator(".kw-side").hover()
    expect(root).to_have_attribute("data-worker", "3")


def test_play_walks_through_the_steps_and_stops(screen: Page):
    root = screen.locator(".kw-mapping")
    root.get_by_role("button", name="play").click()
    expect(root.get_by_role("button", name="pause")).to_be_visible()
    expect(root).to_have_attribute("data-step", "3")
    expect(root.get_by_role("button", name="play")).to_be_visible()


def test_dark(open_notebook: Callable[..., Any], keep: Callable[..., None]):
    paper = "spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4)"
    big = f"wb.explore(wb.parse_mapping({paper!r}))"
    notebook = open_notebook("dark.ipynb", CELL, big, dark=True)
    notebook.run_all()
    roots = notebook.page.locator(".kw-mapping")
    expect(roots).to_have_count(2)
    expect(roots.first).to_have_class(re.compile("kw-dark"))
    roots.first.get_by_label("Grid of workers").focus()
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("ArrowDown")
    keep("mapping-dark", roots.first)
    roots.nth(1).locator("canvas[data-painted]").wait_for()
    keep("mapping-matmul-dark", roots.nth(1))


def test_the_static_twin(open_notebook: Callable[..., Any], keep: Callable[..., None]):
    notebook = open_notebook(
        "twin.ipynb", "import workbench as wb\nwb.repeat(4, 1) * wb.spatial(4, 8)"
    )
    notebook.run_all()
    image = notebook.page.locator(".jp-OutputArea-output img")
    expect(image).to_have_attribute("alt", re.compile(r"16 × 8 tasks · 32 workers"))
    keep("mapping-twin", image)
