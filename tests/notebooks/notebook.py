"""Notebooks for the tests: run from top to bottom, and written so that only what counts changes."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
MOST_SECONDS = 60
MACHINE = "machine"
"""Tag of a cell whose output is different on each machine: times, processors, versions."""

_KEPT_TAGS = {MACHINE, "raises-exception", "hide-input", "remove-output"}
_WIDGET = "application/vnd.jupyter.widget-view+json"
_NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?( ?(ns|µs|ms|s)\b)?")


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    """Run a notebook in a copy of all of them, on a kernel of this very Python without a GPU.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        When a cell raises that is not tagged ``raises-exception``.
    nbclient.exceptions.CellTimeoutError
        When a cell takes longer than 60 s.
    """
    here = folder / "notebooks"
    shutil.copytree(FOLDER, here, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_*"))
    book = nbformat.read(path, as_version=4)
    with _jupyter(folder / "jupyter"):
        client = NotebookClient(
            book,
            timeout=MOST_SECONDS,
            kernel_name="python3",
            store_widget_state=False,
            record_timing=False,
            resources={"metadata": {"path": str(here)}},
        )
        return client.execute()


@contextmanager
def _jupyter(folder: Path) -> Iterator[None]:
    """Settings of Jupyter that belong to nobody: this Python, the checkout, no GPU."""
    spec = folder / "share" / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = {"argv": command, "display_name": "Python 3 (ipykernel)", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(kernel))
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    own = {
        "JUPYTER_PATH": str(folder / "share"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": path,
        "CUDA_VISIBLE_DEVICES": "",
    }
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def normal(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without what changes from save to save: state, times, versions."""
    book = copy.deepcopy(book)
    book.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
        }
    )
    book.nbformat, book.nbformat_minor = 4, 5
    number = 0
    for place, cell in enumerate(book.cells):
        cell.id = f"cell-{place:02}"
        tags = [tag for tag in cell.metadata.get("tags", []) if tag in _KEPT_TAGS]
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            number += 1
            cell.execution_count = number
            cell.outputs = list(_outputs(cell.outputs, number))
    return book


def _outputs(outputs: list[Any], number: int) -> Iterator[Any]:
    """Streams in one piece, a static picture instead of a live widget."""
    stream: Any = None
    for output in outputs:
        if output.output_type == "stream":
            if stream is not None and stream.name == output.name:
                stream.text += output.text
                continue
            stream = output
        else:
            stream = None
        if output.output_type == "execute_result":
            output.execution_count = number
        if "data" in output:
            output.metadata = nbformat.from_dict({})
            if set(output.data) - {_WIDGET, "text/plain"}:
                output.data.pop(_WIDGET, None)
        yield output


def text(book: nbformat.NotebookNode) -> str:
    """As it is written to a file."""
    return nbformat.writes(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def said(cell: nbformat.NotebookNode) -> list[str]:
    """What a code cell shows, as words: kinds of data and texts, numbers left out."""
    found: list[str] = []
    for output in cell.outputs:
        found.append(" ".join([output.output_type, *sorted(output.get("data", {}))]))
        plain = output.get("text") or output.get("data", {}).get("text/plain", "")
        plain = plain or "\n".join(output.get("traceback", ()))
        found += [" ".join(_NUMBER.sub("#", line).split()) for line in plain.splitlines()]
    return found
