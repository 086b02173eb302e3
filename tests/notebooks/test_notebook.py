"""The harness itself: what it leaves out, what it finds."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.notebook import execute, normal, said, text
from tests.notebooks.test_notebooks import noise

WIDGET = "application/vnd.jupyter.widget-view+json"


def run(folder: Path, *sources: str, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    cells = [new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
    nbformat.write(new_notebook(cells=cells), folder / "it.ipynb")
    return normal(execute(folder / "it.ipynb", folder))


def test_two_runs_write_the_same_file(tmp_path: Path) -> None:
    source = "import workbench as wb\nprint('a')\nprint('b')\nwb.repeat(4, 1) * wb.spatial(16, 8)"
    books = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        books.append(run(tmp_path / name, source, "1 + 1"))
    assert text(books[0]) == text(books[1])
    first, second = books[0].cells
    stream, picture = first.outputs
    assert stream.text == "a\nb\n"
    assert {"text/html", "text/plain", "image/svg+xml"} <= set(picture.data)
    assert second.outputs[0].data["text/plain"] == "2"
    assert noise(books[0]) == []


def test_a_cell_that_raises_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run(tmp_path, "1 / 0")


def test_a_mistake_that_is_meant_shows_our_words_alone(tmp_path: Path) -> None:
    source = "import workbench as wb\nwb.parse_mapping('spacial(4)')"
    (cell,) = run(tmp_path, source, tags=("raises-exception",)).cells
    (output,) = cell.outputs
    assert "did you mean spatial?" in "\n".join(output.traceback)
    assert noise(nbformat.v4.new_notebook(cells=[cell])) == []


@pytest.mark.parametrize(
    ("output", "what"),
    [
        (new_output("stream", name="stderr", text="a warning"), "writes to stderr"),
        (new_output("stream", text="/ho" + "me/someone/kernel.py:3"), "a path of one machine"),
        (new_output("stream", text="/tm" + "p/ipykernel_77/1.py"), "a temporary folder"),
        (new_output("stream", text="<object at 0x7f00aa55cc00>"), "an address in memory"),
        (new_output("error", ename="E", evalue="", traceback=["E"]), "raises E"),
        (new_output("display_data", {WIDGET: {"model_id": "1"}}), "the state of a widget"),
    ],
)
def test_noise_is_found(output: nbformat.NotebookNode, what: str) -> None:
    (found,) = noise(new_notebook(cells=[new_code_cell(execution_count=1, outputs=[output])]))
    assert what in found


def test_what_changes_from_save_to_save_is_left_out() -> None:
    cell = new_code_cell(
        "x",
        execution_count=7,
        metadata={"execution": {"iopub.status.busy": "now"}, "tags": ["machine", "mine"]},
        outputs=[
            new_output("display_data", {WIDGET: {"model_id": "1"}, "text/html": "<img>"}),
            new_output("stream", text="a"),
            new_output("stream", text="b"),
        ],
    )
    book = new_notebook(cells=[new_markdown_cell("# T"), cell], metadata={"widgets": {"s": 1}})
    found = normal(book)
    assert "widgets" not in found.metadata
    assert found.cells[1].metadata == {"tags": ["machine"]}
    assert found.cells[1].execution_count == 1
    assert [each.get("data") or each.text for each in found.cells[1].outputs] == [
        {"text/html": "<img>"},
        "ab",
    ]
    assert text(normal(found)) == text(found)


def test_numbers_and_units_are_not_compared_but_words_are() -> None:
    def cell(words: str) -> nbformat.NotebookNode:
        return new_code_cell(outputs=[new_output("stream", text=words)])

    assert said(cell("took 12.3 µs, 40 registers")) == said(cell("took  1.2e3 ms, 38 registers"))
    assert said(cell("40 registers")) != said(cell("40 bytes"))
