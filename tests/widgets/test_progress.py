"""The bar for long work: what it says, and that an interrupt keeps what is there."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from workbench.widgets import progress as room
from workbench.widgets.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_interrupt_ends_the_block_and_keeps_what_is_there():
    found: list[int] = []
    with Progress("timing", 10) as progress:
        for k in range(10):
            if k == 4:
                raise KeyboardInterrupt
            found.append(k)
            progress.step()
    assert found == [0, 1, 2, 3]
    assert progress.stopped
    assert re.search(r"4 of 10 · stopped after \d", progress.text())


def test_another_exception_passes():
    progress = Progress("timing", 10)
    with pytest.raises(ValueError, match="no"), progress:
        raise ValueError("no")
    assert not progress.stopped
    assert "failed" in progress.text()


def test_a_terminal_gets_one_line_and_a_file_nothing(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr(room.sys, "stderr", terminal)
    monkeypatch.setattr(room, "EVERY_S", 0.0)
    with Progress("tuning", 2) as progress:
        progress.step(said="best 3.1 µs")
        progress.step()
    shown = terminal.getvalue().split("\r\x1b[2K")
    assert [re.search(r"(\d) of 2", part)[1] for part in shown[1:]] == ["0", "1", "2", "2"]
    assert shown[-1].endswith("· best 3.1 µs\n")

    monkeypatch.setattr(room.sys, "stderr", file := io.StringIO())
    with Progress("tuning", 2) as progress:
        progress.step(2)
    assert file.getvalue() == ""


def test_a_notebook_gets_a_bar_that_is_updated(monkeypatch: pytest.MonkeyPatch):
    shown: list[dict[str, str]] = []

    class Handle:
        def update(self, data: dict[str, str], raw: bool) -> None:
            assert raw
            shown.append(data)

    def display(data: dict[str, str], **_: Any) -> Handle:
        shown.append(data)
        return Handle()

    monkeypatch.setattr(room, "_display", lambda: display)
    with Progress("<b>", 2) as progress:
        progress.step(2)
    assert 'aria-valuenow="2"' in shown[-1]["text/html"]
    assert "&lt;b&gt;" in shown[-1]["text/html"]
    assert "<b>" not in shown[-1]["text/html"]


def test_a_shell_without_a_kernel_is_a_terminal():
    InteractiveShell.instance()
    try:
        assert room._display() is None
    finally:
        InteractiveShell.clear_instance()
