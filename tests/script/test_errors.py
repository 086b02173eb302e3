"""Every message of the front end, with its caret and hint, as goldens.

The folder `bad` holds scripts that cannot be translated, a chapter a file, divided by ``===``. Each
is the body of a kernel after its launch, or a whole cell where it has a ``def f(``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.base.errors import WorkbenchError
from workbench.script import Script

BAD = Path(__file__).parent / "bad"
FRAME = """
def f(a: f32[8], b: f32[8], c: i32[8], n: i32):
    launch(grid=4, block=32)
"""


def cell(case: str) -> str:
    if "def f(" in case:
        return case
    return FRAME.lstrip("\n") + textwrap.indent(case, "    ")


@pytest.mark.parametrize("chapter", sorted(path.stem for path in BAD.glob("*.txt")))
def test_messages(
    chapter: str, define: Callable[..., Script], golden: Callable[[str, str], None]
) -> None:
    found: list[str] = []
    for case in (BAD / f"{chapter}.txt").read_text().rstrip("\n").split("\n===\n"):
        with pytest.raises(WorkbenchError) as caught:
            define(cell(case), "f" if "def f(" in case else "").translate()
        error = caught.value
        assert error.span is not None
        assert error.span.source_line().strip(), "the place is a line of the script"
        found.append(f"{case}\n---\n{type(error).__name__}: {error}\n")
    golden(f"{chapter}.txt", "\n".join(found))
