"""Every notebook runs from top to bottom, and is committed so that it reads without a kernel.

``python -m pytest tests/notebooks --update-golden`` runs them all and writes what they show.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pytest

from tests.notebooks.notebook import FOLDER, MACHINE, execute, normal, said, text

BOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 3_000_000
by_name = pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)

# Built from pieces, so that this file does not name what it looks for.
_NOISE = {
    "a path of one machine": r"/wor" + r"k/|/ro" + r"ot/|/ho" + r"me/\w|/U" + r"sers/\w|[A-Z]:\\\\",
    "a temporary folder": r"/tm" + r"p/|ipykernel_\d+|pytest-of",
    "an address in memory": r"\bat 0x[0-9a-f]{6,}",
    "an installed package": r"site-pack" + r"ages",
    "a stack trace": r"Traceback \(most recent call last\)",
    "the state of a widget": r"application/vnd\.jupyter\.widget",
    "a server": r"https?://(localhost|127\.0\.0\.1)",
}


@cache
def ran(path: Path) -> nbformat.NotebookNode:
    """The notebook, run now; once for all tests."""
    with TemporaryDirectory(prefix="workbench-notebooks-") as folder:
        return normal(execute(path, Path(folder)))


def committed(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def noise(book: nbformat.NotebookNode) -> list[str]:
    """What a reader should not see in the outputs of a notebook."""
    found: list[str] = []
    for cell in code(book):
        for output in cell.outputs:
            shown = f"In [{cell.execution_count}]"
            if output.get("name") == "stderr":
                found.append(f"{shown} writes to stderr: {output.text[:200]}")
            expected = "raises-exception" in cell.metadata.get("tags", ())
            if output.output_type == "error" and not expected:
                found.append(f"{shown} raises {output.ename}")
            words = nbformat.writes(
                nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[output])])
            )
            found += [
                f"{shown} shows {what}" for what, how in _NOISE.items() if re.search(how, words)
            ]
    return found


@by_name
def test_it_runs_and_shows_what_is_committed(path: Path, request: pytest.FixtureRequest) -> None:
    found = ran(path)
    assert noise(found) == []
    if request.config.getoption("--update-golden"):
        path.write_text(text(found), encoding="utf-8")
        return
    for old, new in zip(code(committed(path)), code(found), strict=True):
        if MACHINE not in new.metadata.get("tags", ()):
            assert said(old) == said(new), (
                f"{path.name}: In [{new.execution_count}] shows something else now; run\n"
                "python -m pytest tests/notebooks --update-golden\n"
                f"and look, or tag the cell `{MACHINE}` if its words depend on the machine"
            )


@by_name
def test_it_reads_without_a_kernel(path: Path, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        ran(path)
    book = committed(path)
    nbformat.validate(book)
    assert path.stat().st_size <= MOST_BYTES
    assert noise(book) == []
    shown = [output for cell in code(book) for output in cell.outputs]
    pictures = [each for each in shown if "text/html" in each.get("data", {})]
    assert shown, "no cell has an output"
    assert pictures, "no cell shows a picture"
    assert text(normal(book)) == path.read_text(encoding="utf-8"), (
        f"{path.name} holds what changes from save to save; "
        "run python -m pytest tests/notebooks --update-golden"
    )


@by_name
def test_its_first_cell_is_its_title(path: Path) -> None:
    first, *_ = committed(path).cells
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
