"""The command line: its table, its notebooks, its messages."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import workbench
from workbench import cli
from workbench.base.errors import WorkbenchError
from workbench.runtime.devices import Cpu, Driver, Gpu, Llvm, Machine, Missing, Nvrtc, Tool

ROOT = Path(__file__).parents[2]
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}

FULL = Machine(
    workbench="0.1.0",
    python="3.12.1",
    system="Linux 6.1",
    cpu=Cpu("A Processor", 16, "x86_64"),
    llvm=Llvm("20.1.0", "0.46.0", "znver4", ("avx2", "avx512f"), 512),
    nvrtc=Nvrtc((13, 0), (75, 80, 90)),
    cuobjdump=Tool("13.2.1", "/opt/cuobjdump"),
    nvdisasm=Tool("13.2.1", "/opt/nvdisasm"),
    driver=Driver((13, 0), (Gpu("A Card", "sm_90", 132, 80 << 30),)),
    cupy=Tool("14.0.0 (cupy-cuda13x)"),
    graphviz=Tool("12.0.0", "/usr/bin/dot"),
    onnx=Tool("1.22.0"),
    jupyterlab=Tool("4.6.6"),
)
BARE = replace(
    FULL,
    cpu=Cpu("A Processor", 1, "x86_64"),
    llvm=Missing("llvmlite is not installed", "python -m pip install llvmlite"),
    nvrtc=Missing("cuda-bindings is not installed", 'python -m pip install ".[toolchain]"'),
    driver=Missing("no NVIDIA driver on this machine"),
    cupy=Missing("not installed; it needs an NVIDIA GPU"),
)


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, **options
    )


def test_doctor_of_a_full_machine(golden: Callable[[str, str], None]):
    golden("doctor_full.txt", cli.doctor(FULL))


def test_doctor_of_a_bare_machine(golden: Callable[[str, str], None]):
    golden("doctor_bare.txt", cli.doctor(BARE))


def test_doctor_here(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["doctor"]) == 0
    assert capsys.readouterr().out.startswith(f"+ workbench   {workbench.__version__}")
    assert cli.main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["workbench"] == workbench.__version__


def test_version_and_unknown_words(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"workbench {workbench.__version__}\n"
    assert cli.main(["doctor", "--jsno"]) == 1
    assert capsys.readouterr().err == "workbench: workbench doctor does not know --jsno\n"


def test_lab_without_jupyterlab_says_what_to_install(tmp_path: Path):
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from workbench.cli import main; "
    done = run("-I", "-S", "-c", script + "sys.exit(main(['lab']))", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        'workbench: JupyterLab is not installed\n  hint: python -m pip install ".[lab]"\n'
    )


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose package holds the notebooks, as the wheel does."""
    package = tmp_path / "site" / "workbench"
    (package / "notebooks").mkdir(parents=True)
    for name in ("00_tour.ipynb", "01_task_mapping.ipynb"):
        (package / "notebooks" / name).write_text(json.dumps(NOTEBOOK))
    for name in ("matmul.py", "__pycache__/matmul.cpython-311.pyc"):
        path = package / "notebooks" / "kernels" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    monkeypatch.setattr(cli, "_PACKAGE", package)
    return package


def test_a_checkout_opens_its_own_notebooks(tmp_path: Path, installed: Path):
    here = tmp_path / "checkout"
    (here / "notebooks").mkdir(parents=True)
    (here / "notebooks" / "00_tour.ipynb").write_text("mine")
    (here / "pyproject.toml").write_text("")
    assert cli.notebooks(None, here) == here / "notebooks"


def test_elsewhere_the_user_gets_copies_and_keeps_what_he_changed(tmp_path: Path, installed: Path):
    target = cli.notebooks(None, tmp_path)
    assert target == tmp_path / "workbench-notebooks"
    copied = {path.relative_to(target).as_posix() for path in target.rglob("*.*")}
    assert copied == {"00_tour.ipynb", "01_task_mapping.ipynb", "kernels/matmul.py"}
    (target / "00_tour.ipynb").write_text("changed by the user")
    (target / "01_task_mapping.ipynb").unlink()
    assert cli.notebooks(None, tmp_path) == target
    assert (target / "00_tour.ipynb").read_text() == "changed by the user"
    assert json.loads((target / "01_task_mapping.ipynb").read_text()) == NOTEBOOK


def test_a_folder_that_cannot_be_made(tmp_path: Path, installed: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkbenchError) as caught:
        cli.notebooks(tmp_path / "file" / "below", tmp_path)
    assert str(caught.value) == (
        f"the notebooks cannot be copied to {tmp_path / 'file' / 'below'}: Not a directory\n"
        "  hint: name a folder of yours with --folder"
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_tour.ipynb").write_text(json.dumps(NOTEBOOK))
    (tmp_path / "pyproject.toml").write_text("")
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    own = {name: str(tmp_path / name.lower()) for name in folders}
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "lab", *options],
        cwd=tmp_path,
        env=os.environ | own | {"PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="the server is ended as a process group")
def test_lab_serves_the_tour(server: subprocess.Popen[str]):
    assert server.stderr is not None
    address = None
    for line in server.stderr:
        if match := re.search(r"(http://127\.0\.0\.1:\d+)(/lab\S*)\?token=(\w+)", line):
            address = match.groups()
            break
    assert address is not None
    host, page, token = address
    assert page == "/lab/tree/00_tour.ipynb"
    answer = fetch(f"{host}/api/contents/00_tour.ipynb?token={token}")
    assert json.loads(answer)["content"]["cells"] == []


def fetch(address: str) -> bytes:
    """What the server answers; it prints its address a moment before it listens."""
    for _ in range(100):
        try:
            return urllib.request.urlopen(address, timeout=60).read()
        except ConnectionError as error:
            refused = error
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
            refused = error.reason
        time.sleep(0.1)
    raise refused
