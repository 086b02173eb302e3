"""Where there is no JupyterLab: pages made by nbconvert, without scripts; plain terminals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page

from tests.screens.test_hostile import views
from workbench.view.bundle import bundle

ROOT = Path(__file__).parents[2]


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.mark.browser
def test_a_page_of_nbconvert_shows_every_picture_without_scripts(plain_page: Page, tmp_path: Path):
    pictured = [bundle(view) for view in views().values()]
    outputs = [nbformat.v4.new_output("display_data", each) for each in pictured]
    cells = [nbformat.v4.new_code_cell("show", outputs=[each]) for each in outputs]
    source, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    (tmp_path / "page.html").write_text(source, encoding="utf-8")
    plain_page.goto((tmp_path / "page.html").as_uri())
    pictures = plain_page.locator(".jp-OutputArea-output img")
    assert pictures.count() == len(pictured)
    for number in range(len(pictured)):
        box = pictures.nth(number).bounding_box()
        # a picture that is not drawn has the size of its missing sign
        assert box is not None
        assert box["width"] > 300
        assert box["height"] > 80
        described = pictures.nth(number).get_attribute("alt")
        assert described is not None
        assert len(described) > 10


def test_a_terminal_shows_tables():
    script = "import workbench as wb; m = wb.repeat(2, 1) * wb.spatial(2, 4)\nm\n"
    command = [
        sys.executable,
        "-m",
        "IPython",
        "--no-banner",
        "--no-confirm-exit",
        "--simple-prompt",
    ]
    found = subprocess.run(
        command, input=script, capture_output=True, text=True, timeout=120, cwd=ROOT, check=True
    )
    assert "8 workers" in found.stdout
    assert "<svg" not in found.stdout
