"""Figures as JSON lines, with machine, versions, date and commit."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from workbench.base.errors import WorkbenchError
from workbench.bench.entries import Entry
from workbench.bench.figure import Figure, Settings
from workbench.runtime.devices import Driver, Llvm, Nvrtc, machine

_PACKAGE = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
_PEERS = (
    "numpy",
    "onnx",
    "llvmlite",
    "numba",
    "onnxruntime",
    "torch",
    "cupy-cuda13x",
    "cupy-cuda12x",
)


def lines(entry: Entry, figures: Sequence[Figure], settings: Settings) -> list[str]:
    """One JSON text for each figure, all that is needed to tell what it means."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    moment = {"date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")}
    about = {"entry": entry.name, "label": entry.label, "quick": settings.quick, "load": load}
    return [
        json.dumps(about | figure.json() | moment | where(), ensure_ascii=False)
        for figure in figures
    ]


def save(entry: Entry, texts: Sequence[str]) -> Path:
    """Append lines to the entry's file and give its path.

    In a checkout that is ``workbench/bench/results``; an installed package is left as it is, and
    the file goes to ``bench-results`` in the current folder.

    Raises
    ------
    WorkbenchError
        When the folder cannot be written.
    """
    checkout = (_PACKAGE.parent / "pyproject.toml").exists()
    folder = RESULTS if checkout else Path.cwd() / "bench-results"
    path = folder / f"{entry.name}.jsonl"
    try:
        folder.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{text}\n" for text in texts))
    except OSError as error:
        raise WorkbenchError(f"{path} cannot be written: {error.strerror}") from error
    return path


@functools.cache
def where() -> dict[str, object]:
    """The machine, the versions of all that counts, and the commit."""
    facts = machine()
    gpus = facts.driver.gpus if isinstance(facts.driver, Driver) else ()
    versions = {"python": facts.python, "workbench": facts.workbench}
    if isinstance(facts.llvm, Llvm):
        versions["llvm"] = f"{facts.llvm.version} for {facts.llvm.cpu}"
    if isinstance(facts.nvrtc, Nvrtc):
        versions["nvrtc"] = ".".join(map(str, facts.nvrtc.version))
    for name in _PEERS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "device": f"{facts.cpu.name}, {facts.cpu.cores} cores",
        "gpu": ", ".join(gpu.name for gpu in gpus) or None,
        "system": facts.system,
        "versions": versions,
        "commit": _commit(),
    }


def _commit() -> str | None:
    """The checkout's commit, with ``+`` where files differ from it; None outside of one."""
    if not (_PACKAGE.parent / "pyproject.toml").exists():
        return None
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "workbench", "notebooks")
    return f"{head}{'+' if changed else ''}" if head else None


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=_PACKAGE.parent, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
