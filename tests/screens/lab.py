"""What tests of JupyterLab do with it, as a person with a keyboard would."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def palette(page: Page, words: str) -> None:
    """Run a command by its name."""
    field = page.locator(".lm-CommandPalette-input")

    # keys that come while JupyterLab is busy starting are lost
    for patience_ms in (2_000, 5_000, 30_000):
        page.keyboard.press("Control+Shift+C")
        try:
            expect(field).to_be_visible(timeout=patience_ms)
            break
        except AssertionError:
            continue
    field.fill(words)
    page.locator(".lm-CommandPalette-item.lm-mod-active", has_text=words).wait_for()
    page.keyboard.press("Enter")
