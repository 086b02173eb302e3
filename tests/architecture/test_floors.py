"""The house rules that imports can break: floors, lazy packages, imports inside functions."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workbench"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Rooms that may import an optional heavy package where they use it.
MAY_IMPORT_INSIDE = ("runtime/", "bench/", "graph/onnx/")
# Packages with a room of their own; lazy() must not smuggle them past the import contracts.
KEPT_APART = {
    "anywidget": ("widgets/",),
    "ipywidgets": ("widgets/",),
    "IPython": ("widgets/",),
    "cuda": ("runtime/", "bench/"),
    "cupy": ("runtime/", "bench/"),
    "onnx": ("graph/onnx/", "bench/"),
    "onnxruntime": ("bench/",),
    "torch": ("bench/",),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    script = (
        "import sys; from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", "import sys; sys.path.insert(0, '.'); " + script],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_a_floor_imports_only_floors_below_it():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("where", "line", "contract"),
    [
        ("base/bad.py", "import workbench.ir", "a floor imports only floors below it"),
        ("mapping/bad.py", "import workbench.ir", "a floor imports only floors below it"),
        ("cellar/__init__.py", "", "a floor imports only floors below it"),
        ("ir/bad.py", "import IPython", "only widgets imports Jupyter"),
        ("ir/bad.py", "import cupy", "only runtime touches a driver"),
        ("mapping/bad.py", "import onnx", "only graph.onnx reads ONNX"),
        ("runtime/bad.py", "import torch", "only bench runs peers"),
        ("runtime/bad.py", "import workbench.codegen", "a floor imports only floors below it"),
    ],
)
def test_the_contracts_bite(tmp_path: Path, where: str, line: str, contract: str):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ("base", "mapping", "ir", "codegen", "runtime"):
        (tmp_path / "workbench" / room).mkdir(parents=True)
        (tmp_path / "workbench" / room / "__init__.py").write_text("")
    (tmp_path / "workbench" / "__init__.py").write_text("")
    (tmp_path / "workbench" / where).parent.mkdir(exist_ok=True)
    (tmp_path / "workbench" / where).write_text(line)
    done = lint(tmp_path)
    assert done.returncode != 0
    broken = [row for row in done.stdout.splitlines() if "BROKEN" in row or "cellar" in row]
    assert any(contract in row for row in broken), done.stdout


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_imports_stand_at_the_top(path: Path):
    if place(path).startswith(MAY_IMPORT_INSIDE):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    inside = {
        node.lineno
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not inside, f"imports inside functions of {place(path)}, lines {sorted(inside)}"


def test_lazy_packages_keep_to_their_rooms():
    wrong: list[str] = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="lazy"), args=[ast.Constant(value=str(name)), *_]):
                    rooms = KEPT_APART.get(name.partition(".")[0])
                    if rooms is not None and not place(path).startswith(rooms):
                        wrong.append(f"{place(path)}:{node.lineno}: {name}")
    assert wrong == []


def test_the_environment_is_read_in_runtime_only():
    wrong = [
        place(path)
        for path in MODULES
        if not place(path).startswith(("runtime/", "bench/"))
        and ("os.environ" in (text := path.read_text(encoding="utf-8")) or "os.getenv" in text)
    ]
    assert wrong == []


LOADED = """
import sys
import workbench
heavy = ["numpy.linalg", "onnx", "cupy", "cuda", "torch", "llvmlite", "IPython", "ipywidgets",
         "anywidget", "onnxruntime", "jupyterlab"]
from types import ModuleType
print([name for name in heavy if name in sys.modules and type(sys.modules[name]) is ModuleType])
"""


def test_import_workbench_loads_no_heavy_package():
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "[]"
