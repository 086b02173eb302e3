"""The house rules that files can break: room cards, sizes, versions, nothing of a machine."""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

import workbench

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workbench"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted({path.parent for path in MODULES} - {PACKAGE})
FILES = [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]
CORE = ("base", "mapping", "ir", "script", "passes", "codegen", "interp", "runtime", "driver")

DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

MOST_LINES = 400
MOST_FUNCTION_LINES = 40
# Lines of code: docstrings, which the house wants long, comments and blank lines do not count.
# A ratchet towards 16,000, where the design wants it: lower it when the core has shrunk.
MOST_CORE_LINES = 16_994


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("room", ROOMS, ids=place)
def test_every_module_stands_on_its_room_card(room: Path):
    assert (room / "__init__.py").exists(), "no room card"
    card = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    modules = {path.stem for path in room.glob("*.py")} - {"__init__"}
    modules |= {path.parent.name for path in room.glob("*/__init__.py")}
    named = {name for row in card.splitlines() for name in re.findall(r"[a-z_0-9]+", row)}
    assert modules <= named, f"not on the card: {sorted(modules - named)}"
    assert "may import" in card.lower()
    assert "start reading" in card.lower()
    assert "add one more" in card.lower()
    listed = re.findall(r"^ {4}([a-z_0-9]+) {2,}\S", card, re.MULTILINE)
    assert set(listed) <= modules, f"on the card but not there: {sorted(set(listed) - modules)}"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_files_and_functions_stay_small(path: Path):
    assert lines(path) <= MOST_LINES
    if not path.is_relative_to(PACKAGE):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = {
        node.name: length
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := _body_lines(node)) > MOST_FUNCTION_LINES
    }
    assert long == {}


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the signature to the end, without the docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def test_the_compiler_core_stays_compact():
    core = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in CORE]
    assert sum(code_lines(path) for path in core) <= MOST_CORE_LINES


def code_lines(path: Path) -> int:
    """Lines that hold code, without those of docstrings."""
    source = path.read_text(encoding="utf-8")
    quiet = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER,
    }  # fmt: skip
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in quiet:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            code.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(code)


def test_the_face_is_small():
    assert lines(PACKAGE / "__init__.py") < 60


def test_no_cupboards():
    words = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    parts = {part for path in MODULES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert not words & parts


def test_versions_are_equal():
    versions = {
        json.loads(path.read_text(encoding="utf-8"))["version"]
        for path in (
            ROOT / "extension" / "package.json",
            ROOT / "extension" / "lab" / "package.json",
            PACKAGE / "labextension" / "package.json",
        )
    }
    assert versions == {workbench.__version__}


# Built from pieces, so that this file does not name what it looks for.
MACHINE = re.compile(
    "|".join(
        [
            r"/wor" + r"k/",
            r"/ro" + r"ot/",
            r"/ho" + r"me/[a-z]",
            r"\bfiles\.pytho" + r"nhosted\.org",
            r"\bregistry\.(npm|yarn)",
            r"\bpypi\.org/simple",
        ]
    )
)


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def test_no_tracked_file_names_a_machine_or_a_registry():
    wrong: list[str] = []
    for path in tracked():
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_bytes().decode(errors="replace").splitlines(), 1):
            if found := MACHINE.search(line):
                wrong.append(f"{place(path)}:{number}: {found.group()}")
    assert wrong == []
