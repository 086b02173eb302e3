"""The wheel: all that a user needs, nothing else, small, and it runs from where it was put."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import workbench

ROOT = Path(__file__).parents[2]
MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_name_and_size(wheel: Path):
    assert wheel.name == f"kernel_workbench-{workbench.__version__}-py3-none-any.whl"
    assert wheel.stat().st_size <= MOST_BYTES


def test_it_holds_every_file_of_the_package_and_the_notebooks(names: set[str]):
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "workbench").rglob("*")
        if path.is_file() and not {"__pycache__", "labextension"} & set(path.parts)
    }
    notebooks = {
        f"workbench/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "notebooks").rglob("*.*")
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)
    }
    inside = {name for name in names if name.startswith("workbench/")}
    assert inside == package | notebooks


def test_it_holds_nothing_else(names: set[str]):
    info = f"kernel_workbench-{workbench.__version__}.dist-info/"
    rest = {name for name in names if not name.startswith("workbench/")}
    share = f"kernel_workbench-{workbench.__version__}.data/data/share/"
    lab = f"{share}jupyter/labextensions/@kernel-workbench/lab/"
    built = ROOT / "workbench" / "labextension"
    extension = {p.relative_to(built).as_posix() for p in built.rglob("*") if p.is_file()}
    assert {"package.json", "schemas/@kernel-workbench/lab/settings.json"} <= extension
    assert rest == {
        info + name
        for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    } | {lab + name for name in (*extension, "install.json")}


def test_it_runs_from_where_it_was_put(wheel: Path, tmp_path: Path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from workbench import cli; "
        "assert cli.__file__.startswith(sys.path[0]); sys.exit(cli.main(['doctor']))"
    )
    command = [sys.executable, "-I", "-S", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"+ workbench   {workbench.__version__}")


def test_every_requirement_is_bounded(wheel: Path):
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
    rows = archive.read(name).decode().splitlines()
    needs = [row.partition(": ")[2] for row in rows if row.startswith("Requires-Dist")]
    assert needs
    loose = [
        need
        for need in needs
        if not need.startswith("kernel-workbench[")
        and "==" not in need.partition(";")[0]
        and not {"<", ">"} <= set(need.partition(";")[0])
    ]
    assert loose == []
    macos = [
        need
        for need in needs
        if need.startswith(("nvidia-", "cuda-", "cupy-")) and "darwin" not in need
    ]
    assert macos == []
