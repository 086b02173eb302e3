"""The browser in which what a person waits for is measured, a page with our drawings, a figure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.bench.figure import Figure, Goal

STATIC = Path(__file__).parents[1] / "widgets" / "static"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")


class Absent(Exception):
    """What is missing to measure in a browser, and what brings it."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window, as playwright gives it.

    Raises
    ------
    Absent
        When there is no browser, or no playwright.
    """
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise Absent("Chromium is not on PATH")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Absent('playwright is not installed; python -m pip install ".[test]"') from None
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield started
        finally:
            started.close()


def page_with(browser: Any, script: bool = True) -> Any:
    """A new page with a place called ``el``, our style and, if asked for, our drawings."""
    page = browser.new_page(viewport={"width": 1100, "height": 1000})
    page.set_content("<body><div id='el'></div></body>")
    page.add_style_tag(path=str(STATIC / "workbench.css"))
    if script:
        page.add_script_tag(path=str(STATIC / "standalone.js"))
    return page


def waited(name: str, samples: Sequence[float], conditions: str, goal: Goal | None) -> Figure:
    """The median of what a person waited [ms], its quartiles, and the slowest of all."""
    ordered = sorted(samples)
    low, middle, high = (ordered[len(ordered) * k // 4] for k in (1, 2, 3))
    facts = {"samples": len(ordered), "slowest ms": round(ordered[-1], 1)}
    return Figure(name, middle, "ms", low, high, goal, conditions, facts)
