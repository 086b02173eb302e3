"""Errors: what a user reads, in a file and in a notebook cell, and that nothing of it is lost."""

from __future__ import annotations

import inspect
import linecache
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.io import capture_output

from workbench.base import errors
from workbench.base.errors import BuildError, UnsupportedOp, WorkbenchError
from workbench.base.span import Span

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, WorkbenchError)
]
SOURCE = "def f(a):\n    b = aa + 1\n"


@pytest.fixture
def key() -> Iterator[str]:
    name = "<cell 7>"
    linecache.cache[name] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), name)
    yield name
    del linecache.cache[name]


def test_message_place_caret_hint_and_notes(key: str, golden: Callable[[str, str], None]):
    span = Span("In [7]", line=2, col=8, end_line=2, end_col=10, key=key)
    error = WorkbenchError("aa is not known here", span, "did you mean a?", ["a is f32[8]", "x"])
    golden("error.txt", str(error))


def test_a_span_over_lines_marks_the_rest_of_the_first(key: str):
    error = WorkbenchError("too long", Span("In [7]", 1, 4, 2, 6, key))
    assert str(error).splitlines()[-1] == "    |     ^^^^^"


def test_a_span_without_text_still_names_the_place(tmp_path: Path):
    error = WorkbenchError("gone", Span(str(tmp_path / "gone.py"), 3, 1))
    assert str(error) == f"gone\n  at {tmp_path / 'gone.py'}:3:2"


def test_a_file_is_read_for_its_line(tmp_path: Path):
    (tmp_path / "k.py").write_text(SOURCE)
    error = WorkbenchError("bad", Span(str(tmp_path / "k.py"), 2, 8, 2, 10))
    assert str(error).splitlines()[-2:] == ["  2 | b = aa + 1", "    |     ^^"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_survives_a_process_border(kind: type[WorkbenchError]):
    error = kind("message", Span("k.py", 1), "hint", ["note"])
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is kind
    assert str(found) == str(error)


def test_what_a_kind_adds_survives_too():
    found = pickle.loads(pickle.dumps(BuildError("m", log="line 1")))
    assert found.log == "line 1"
    found = pickle.loads(pickle.dumps(UnsupportedOp("m", op="Foo", opset=18)))
    assert (found.op, found.opset) == ("Foo", 18)


def test_a_cell_shows_the_message_and_no_trace_of_ours(key: str):
    shell = InteractiveShell.instance()
    cell = (
        "from workbench.base.errors import ScriptError\n"
        "from workbench.base.span import Span\n"
        f"raise ScriptError('aa is not known here', Span('In [7]', 2, 8, 2, 10, {key!r}))\n"
    )
    with capture_output() as shown:
        shell.run_cell(cell)
    InteractiveShell.clear_instance()
    assert shown.stdout.rstrip().splitlines() == [
        "ScriptError: aa is not known here",
        "  at In [7]:2:9",
        "  2 | b = aa + 1",
        "    |     ^^",
    ]
