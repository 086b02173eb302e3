"""Screens that share one selection: picked in one, it lights up in the other."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.screens.test_program_screen import SCRIPT

pytestmark = pytest.mark.browser

PAIR = """import workbench as wb
ROWS = wb.repeat(4, 1) * wb.spatial(4, 16)
mapping = wb.explore(ROWS); mapping"""


def test_a_worker_picked_in_a_mapping_lights_its_program(
    open_notebook: Callable[..., Any], keep: Callable[..., None]
):
    program = SCRIPT.replace("wb.explore(transpose)", "program = wb.explore(transpose)\nprogram")
    notebook = open_notebook("linked.ipynb", PAIR, program, "wb.link(mapping, program)")
    notebook.run_all()
    page = notebook.page
    picked, root = page.locator(".kw-mapping"), page.locator(".kw-program")
    python = root.get_by_label("Python code")
    picked.get_by_label("Grid of workers").focus()
    for _ in range(17):
        page.keyboard.press("ArrowRight")
    expect(picked).to_have_attribute("data-worker", "17")
    said = root.locator(".kw-mine-said")
    # Worker 17 is in the second row of 16 workers: it copies column 1 of rows 1, 5, 9 and 13.
    expect(said).to_have_text(re.compile(r"worker 17 of .*: \(1, 1\) \(5, 1\) \(9, 1\) \(13, 1\)"))
    lit = python.locator(".kw-mine")
    expect(lit).to_have_text(
        [
            re.compile("for i, j in ROWS"),
            re.compile(r"tile\[i, j\] = a\["),
            re.compile("for i, j in ROWS"),
            re.compile(r"b\[x \+ i, y \+ j\] = tile"),
        ]
    )
    keep("program-linked", root)
    page.keyboard.press("Home")
    expect(said).to_have_text(re.compile(r"worker 0 of .*: \(0, 0\)"))
    # Another mapping is in no line of this program, whoever of its workers is picked.
    expect(lit).to_have_count(4)
    picked.get_by_label("Mapping expression").fill("spatial(8, 8)")
    expect(said).to_be_hidden()
    expect(lit).to_have_count(0)
    picked.get_by_label("Mapping expression").fill("repeat(4, 1) * spatial(4, 16)")
    expect(said).to_have_text(re.compile(r"worker 0 of .*: \(0, 0\)"))
    expect(lit).to_have_count(4)
