"""An exported page: opened from a disk, drawn without a kernel, silent on every network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

import workbench as wb
from workbench.view import as_json, mapping_view
from workbench.widgets import export

pytestmark = pytest.mark.browser

FRAGMENT = wb.repeat(2, 1) * wb.spatial(8, 4) * wb.repeat(1, 2)


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Callable[[object], Page]]:
    """Open the exported page of a thing; whatever it asks for but itself is a fault."""
    pages: list[Page] = []
    asked: list[str] = []
    faults: list[str] = []

    def open_page(thing: object, text: str = "", scripts: bool = True) -> Page:
        path = wb.export_html(thing, tmp_path / "view.html")
        if text:
            path.write_text(text, encoding="utf-8")
        page = browser.new_page(
            viewport={"width": 1100, "height": 900}, java_script_enabled=scripts
        )
        page.on("request", lambda request: note(request, path.as_uri()))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    def note(request: Request, own: str) -> None:
        if request.url != own and not request.url.startswith(("data:", "blob:")):
            asked.append(request.url)

    yield open_page
    for page in pages:
        page.context.close()
    assert asked == []
    assert faults == []


def test_a_page_from_a_disk_is_live_without_a_kernel(
    opened: Callable[..., Page], keep: Callable[..., None]
):
    explorer = wb.explore(FRAGMENT)
    explorer.select(worker=5, step=2)
    page = opened(explorer)
    root = page.locator(".kw-mapping")
    root.locator("canvas[data-painted]").wait_for()
    expect(root).to_have_attribute("data-worker", "5")
    expect(root.locator("tr.kw-now")).to_contain_text("(9, 2)")
    root.get_by_label("Grid of workers").focus()
    page.keyboard.press("ArrowRight")
    expect(root).to_have_attribute("data-worker", "6")
    # What needs Python is not there, and the row of tools says why.
    expect(root.get_by_label("Mapping expression")).not_to_be_editable()
    for name in ("+ factor", "equal to …?", "Undo"):
        expect(root.get_by_role("button", name=name)).to_have_count(0)
    tools = root.get_by_role("group", name="Copy and save")
    expect(tools).to_contain_text("a saved page: to change something, open it in a notebook")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keep("export-mapping", root)
    tools.get_by_role("button", name="Copy the table as text").click()
    expect(tools).to_contain_text("copied text")
    assert page.evaluate("navigator.clipboard.readText()").startswith(str(FRAGMENT))
    tools.get_by_role("button", name="Copy the picture as PNG").click()
    expect(tools).to_contain_text("copied PNG")


def test_without_scripts_a_page_shows_the_table(opened: Callable[..., Page]):
    page = opened(FRAGMENT, scripts=False)
    expect(page.locator("pre")).to_contain_text("16 × 8 tasks · 32 workers")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 99}, "version 99, which this screen does not know"),
        ({"kind": "poem"}, "no drawing for a poem view"),
    ],
)
def test_a_view_that_is_newer_is_said_so_and_its_table_stands(
    opened: Callable[..., Page],
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
    words: str,
):
    view = {**as_json(mapping_view(FRAGMENT)), **change}
    monkeypatch.setattr(export, "as_json", lambda _: view)
    page = opened(FRAGMENT)
    expect(page.get_by_role("note")).to_contain_text(words)
    expect(page.locator(".kw-refused")).to_contain_text("16 × 8 tasks · 32 workers")


def test_names_in_a_page_are_text(opened: Callable[..., Page]):
    def evil(worker: int) -> list[tuple[int]]:
        return [(worker,)]

    evil.__name__ = "</script><script>document.title='bad'</script><img src=x onerror=1>"
    page = opened(wb.TaskMapping((2,), 2, evil))
    box = page.get_by_label("Mapping expression")
    expect(box).to_have_value(f"TaskMapping((2,), 2, {evil.__name__})")
    assert page.title() != "bad"
    assert page.locator("#kw-view img").count() == 0
