"""Where a script is written: cells, files, columns, and text that is not to be had."""

from __future__ import annotations

import doctest
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

from workbench.base.errors import ScriptError
from workbench.ir.stmt import Store
from workbench.ir.traverse import walk
from workbench.lang import dims, f32, launch, threadIdx
from workbench.script import Script


def in_this_file(a: f32[8], b: f32[8]):
    launch(grid=1, block=8)
    b[threadIdx.x] = a[threadIdx.x]


def test_lines_and_columns_count_from_the_top_of_the_file() -> None:
    script = Script.from_function(in_this_file)
    line = in_this_file.__code__.co_firstlineno
    assert script.first_line == line
    assert (script.span.line, script.span.col, script.span.end_col) == (line, 4, 16)
    assert script.span.file == __file__
    assert script.text.startswith("def in_this_file(")
    assert script.text.rstrip().endswith("b[threadIdx.x] = a[threadIdx.x]")
    store = next(n for n in walk(script.translate().kernel.body) if isinstance(n, Store))
    assert store.span is not None
    assert (store.span.line, store.span.col, store.span.end_col) == (line + 2, 4, 18)


def test_every_node_knows_its_place(define: Callable[..., Script]) -> None:
    script = define("""
        def f(a: f32[8, 8], n: i32):
            launch(grid=1, block=8)
            x = threadIdx.x
            acc = 0.0
            for k in range(n):
                acc += a[x, k] * 2 + (1.0 if k > 3 and a[k, x] < 1.0 else -acc)
            for i, j in spatial(2, 4).on(x):
                a[i, j] = exp(acc) ** 2 / 3
    """)
    for node in walk(script.translate().kernel):
        assert node.span is not None, node
        assert node.span.file == "In [7]"


def test_columns_are_characters_not_bytes(define: Callable[..., Script]) -> None:
    script = define("""
        def f(größe: f32[8]):
            launch(grid=1, block=8)
            größe[0] = größe[1] + ärger
    """)
    with pytest.raises(ScriptError, match="'ärger' is not defined") as caught:
        script.translate()
    assert caught.value.span is not None
    assert (caught.value.span.col, caught.value.span.end_col) == (26, 31)


def test_cells_of_ipython_are_called_by_their_number() -> None:
    shell = InteractiveShell.instance()
    try:
        shell.run_cell("from workbench.lang import *\nfrom workbench.script import Script")
        cell = (
            "def f(a: f32[8]):\n    launch(grid=1, block=8)\n    a[0] = typo\n"
            "script = Script.from_function(f)"
        )
        result = shell.run_cell(cell, store_history=True)
        result.raise_error()
        number = shell.execution_count - 1
        script = shell.user_ns["script"]
        with pytest.raises(ScriptError, match=rf"at In \[{number}\]:3:12") as caught:
            script.translate()
        assert "a[0] = typo" in str(caught.value)
    finally:
        InteractiveShell.clear_instance()


def test_the_decorated_function_is_found_among_others_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "twice.py"
    body = "def f(a: f32[8]):\n    launch(grid=1, block={})\n    a[0] = 0.0\n"
    mark = "def identity(fn): return fn\n"
    first, second = body.format(1), body.format(2)
    path.write_text(f"from workbench.lang import *\n{mark}{first}first = f\n@identity\n{second}")
    spec = importlib.util.spec_from_file_location("twice", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["twice"] = module
    spec.loader.exec_module(module)
    blocks = []
    for fn in (module.first, module.f):
        found = Script.from_function(fn).translate().kernel.launch
        assert found is not None
        blocks.append(found.block[0])
    assert blocks == [1, 2]
    assert Script.from_function(module.f).first_line == 7


def test_a_file_that_changed_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "changed.py"
    path.write_text("from workbench.lang import *\ndef f(a: f32[8]):\n    launch(1, 1)\n")
    spec = importlib.util.spec_from_file_location("changed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path.write_text("# a new first line\n" + path.read_text())
    with pytest.raises(ScriptError, match="import it again"):
        Script.from_function(module.f)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: eval("lambda a: a"), "the source text of <lambda> is not to be had"),
        (lambda: lambda a: a, "<lambda> is not found"),
        (lambda: len, "a script is made from a plain function, not from builtin"),
        (lambda: 3, "a script is made from a plain function, not from int"),
        (lambda: Script, "a script is made from a plain function, not from type"),
    ],
)
def test_what_has_no_source_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        Script.from_function(make())  # pyright: ignore[reportArgumentType]


def test_functions_from_exec_say_where_to_write_them() -> None:
    space: dict[str, object] = {"f32": f32}
    exec("def f(a: f32[8]): pass", space)
    with pytest.raises(ScriptError, match="write the function in a file or in a notebook cell"):
        Script.from_function(space["f"])  # pyright: ignore[reportArgumentType]


def test_params_and_dims(define: Callable[..., Script]) -> None:
    script = define("""
        M, N = dims("M N")
        def f(a: f32[N, 3, M], n: i64, flag: bool, b: "f16[M]"):
            launch(grid=N, block=M)
    """)
    assert [(p.name, str(p.annotation)) for p in script.params] == [
        ("a", "f32[N, 3, M]"),
        ("n", "i64"),
        ("flag", "bool"),
        ("b", "f16[M]"),
    ]
    assert script.dims == ("N", "M")
    kernel = script.translate({"M": 4, "N": 5}).kernel
    assert [str(p.type) for p in kernel.params] == ["f32[5, 3, 4]", "i64", "bool", "f16[4]"]
    assert kernel.launch is not None
    assert (kernel.launch.grid, kernel.launch.block) == ((5, 1, 1), (4, 1, 1))
    with pytest.raises(ScriptError, match="the extent M of f is not bound"):
        script.translate({"N": 5})


def test_a_script_may_stand_in_a_doctest() -> None:
    text = """
    >>> def f(a: f32[8]):
    ...     launch(grid=1, block=8)
    ...     a[threadIdx.x] = 0.0
    >>> Script.from_function(f).span.file
    '<doctest example[0]>'
    """
    names = {"Script": Script, "f32": f32, "launch": launch, "threadIdx": threadIdx}
    test = doctest.DocTestParser().get_doctest(text, names, "example", None, 0)
    assert doctest.DocTestRunner().run(test) == (0, 2)


def test_text_annotations_see_the_names_around_the_function() -> None:
    # this file has `from __future__ import annotations`, so they are strings
    rows, columns = dims("rows columns")
    kind = f32

    def local(a: kind[rows, columns], b: f32[rows]):
        launch(grid=1, block=1)

    script = Script.from_function(local)
    assert script.dims == ("rows", "columns")
    assert str(script.params[0].annotation) == "f32[rows, columns]"


def test_cells_of_jupyter_are_called_by_their_number() -> None:
    cells = [
        "import workbench as wb\nfrom workbench.lang import *",
        "@wb.script\ndef f(a: f32[8]):\n    launch(grid=1, block=8)\n    a[0] = typo",
        "f.compile('interp')",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(book, allow_errors=True, kernel_name="python3", timeout=60).execute()
    (error,) = book.cells[2].outputs
    assert error.output_type == "error"
    shown = "\n".join(error.traceback)
    assert "In [2]:4:12" in shown
    assert "a[0] = typo" in shown
    assert "Traceback" not in shown, "only the message, no stack of ours"
    assert "site-packages" not in shown
