"""The command ``workbench``: open the notebooks, explain a model, say what this machine can do."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.base.version import __version__
from workbench.bench import entries
from workbench.bench.figure import Settings, report
from workbench.bench.record import lines, save
from workbench.graph import from_onnx
from workbench.runtime.devices import (
    Driver,
    Gpu,
    Llvm,
    Machine,
    Missing,
    Nvrtc,
    Tool,
    extra,
    machine,
)
from workbench.view.explain import explanation, text

_TOUR = "00_tour.ipynb"
_PACKAGE = Path(__file__).parent
_SHIPPED = (".ipynb", ".py", ".md", ".png")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands after ``workbench``; the process's own when not given.

    Returns
    -------
    int
        Exit status: 0 when all went well, 1 for a mistake that the user can mend.
    """
    known, rest = _parser().parse_known_args(arguments)
    try:
        if known.command == "lab":
            return lab(known.folder, [argument for argument in rest if argument != "--"])
        if rest:
            raise WorkbenchError(f"workbench {known.command} does not know {' '.join(rest)}")
        if known.command == "explain":
            return explain(known.model, known.target, extents(",".join(known.dims)), known.json)
        if known.command == "bench":
            return bench(known.names, Settings(known.quick), known.json, known.save)
        print(json.dumps(dataclasses.asdict(machine())) if known.json else doctor(machine()))
    except WorkbenchError as error:
        print(f"workbench: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="workbench", description=__doc__)
    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser(
        "lab",
        help="open JupyterLab on the tour",
        description="Open JupyterLab on the tour. Further arguments go to JupyterLab.",
    )
    one.add_argument(
        "--folder",
        type=Path,
        help="where to put the notebooks if they are not here; files there are never overwritten",
    )
    one = commands.add_parser(
        "explain",
        help="what an ONNX model becomes: its kernels, what was fused, what was not and why",
    )
    one.add_argument("model", type=Path, help="an ONNX file")
    one.add_argument("--target", default="cpu", help="cpu, interp, cuda or cuda:sm_90a")
    one.add_argument(
        "--dims",
        action="append",
        default=[],
        metavar="n=1,…",
        help="values of the model's open dims; may be given several times",
    )
    one.add_argument("--json", action="store_true", help="as JSON")
    one = commands.add_parser("doctor", help="what this machine can do, and what to install")
    one.add_argument("--json", action="store_true", help="as JSON")
    _add_bench(commands)
    return parser


def _add_bench(commands: Any) -> None:
    names = ", ".join(entry.name for entry in entries.ENTRIES)
    one = commands.add_parser(
        "bench",
        help="measure figures against their goals",
        description=f"Measure figures against their goals. Entries: {names}.",
    )
    one.add_argument("names", nargs="*", help="entries to run; all when none is named")
    one.add_argument("--json", action="store_true", help="one JSON line per figure")
    one.add_argument("--save", action="store_true", help="keep the JSON lines in a file, too")
    one.add_argument("--quick", action="store_true", help="only show that the entries work")


def explain(model: Path, target: str, dims: Mapping[str, int], as_json: bool) -> int:
    """Print what a model becomes for a target.

    Parameters
    ----------
    model : path
        An ONNX file.
    target : str
        What it would be compiled for; nothing is compiled.
    dims : mapping of str to int
        Values of its open dims.
    as_json : bool
        Print JSON, also where the model is refused.

    Returns
    -------
    int
        0, or 1 when the model is refused: bad, or with operators that are not supported.
    """
    try:
        found = explanation(from_onnx(model), target, dims)
    except WorkbenchError as error:
        if not as_json:
            raise
        told = {"error": error.message, "hint": error.hint, "notes": error.notes}
        print(json.dumps({"kind": type(error).__name__, **told}))
        return 1
    print(json.dumps(dataclasses.asdict(found)) if as_json else text(found))
    return 0


def extents(said: str) -> dict[str, int]:
    """Dims as they are written after ``--dims``.

    Raises
    ------
    WorkbenchError
        When a part is not ``name=number``.

    Examples
    --------
    >>> extents("batch=1,height=224")
    {'batch': 1, 'height': 224}
    """
    found: dict[str, int] = {}
    for part in filter(None, said.split(",")):
        name, equals, value = part.rpartition("=")
        if not equals or not value.strip().isdecimal():
            raise WorkbenchError(f"--dims takes name=number, not {part!r}", hint="--dims n=1,k=64")
        found[name.strip()] = int(value)
    return found


def bench(names: Sequence[str], settings: Settings, as_json: bool, keep: bool) -> int:
    """Measure and print the entries with these names; all of them when none is given.

    Parameters
    ----------
    names : sequence of str
        Names or labels of entries.
    settings : Settings
        How much time to take.
    as_json : bool
        Print JSON lines instead of tables.
    keep : bool
        Save the JSON lines.

    Returns
    -------
    int
        0, also when a goal is not met: the figures say so themselves.

    Raises
    ------
    WorkbenchError
        For an unknown name, or when the lines cannot be saved.
    """
    if keep and settings.quick:
        raise WorkbenchError("figures taken with --quick mean nothing and are not saved")
    for entry, figures in entries.run(entries.chosen(names), settings):
        texts = lines(entry, figures, settings)
        title = f"{entry.label or '-':4} {entry.title}"
        print("\n".join(texts) if as_json else f"{report(title, figures)}\n", flush=True)
        if keep:
            path = save(entry, texts)
            if not as_json:
                print(f"  kept in {path}\n")
    return 0


def lab(folder: Path | None, arguments: Sequence[str]) -> int:
    """Open JupyterLab on the tour and wait until it ends.

    Parameters
    ----------
    folder : path or None
        Where the notebooks are to be; see :func:`notebooks`.
    arguments : sequence of str
        For JupyterLab.

    Returns
    -------
    int
        JupyterLab's exit status.

    Raises
    ------
    WorkbenchError
        When JupyterLab is not installed or the notebooks cannot be put there.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise WorkbenchError("JupyterLab is not installed", hint=extra("lab"))
    root = notebooks(folder, Path.cwd()).resolve()
    print(f"Opening {root / _TOUR}", flush=True)
    # A path as an argument would open the tour, too, but the printed address would not name it.
    place = [f"--ServerApp.root_dir={root}", f"--LabApp.default_url=/lab/tree/{_TOUR}"]
    command = [sys.executable, "-m", "jupyterlab", *place, *arguments]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0


def notebooks(folder: Path | None, here: Path) -> Path:
    """The folder to open: a checkout's own notebooks, else copies that belong to the user.

    Parameters
    ----------
    folder : path or None
        A folder for the copies.
    here : path
        The current folder. Its ``notebooks`` are opened where it is a checkout; otherwise the
        copies go to ``workbench-notebooks`` in it.

    Returns
    -------
    path
        A folder that contains the tour.

    Raises
    ------
    WorkbenchError
        When the installation has no notebooks or the folder cannot be written.
    """
    if folder is None:
        for checkout in (here, _PACKAGE.parent):
            if (checkout / "notebooks" / _TOUR).exists() and (checkout / "pyproject.toml").exists():
                return checkout / "notebooks"
    sources = [_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks"]
    source = next((each for each in sources if (each / _TOUR).exists()), None)
    if source is None:
        raise WorkbenchError(f"this installation has no {_TOUR}", hint="install it again")
    target = here / "workbench-notebooks" if folder is None else folder
    try:
        for path in sorted(source.rglob("*.*")):
            copy = target / path.relative_to(source)
            if path.is_file() and path.suffix in _SHIPPED and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
    except OSError as error:
        raise WorkbenchError(
            f"the notebooks cannot be copied to {target}: {error.strerror}",
            hint="name a folder of yours with --folder",
        ) from error
    return target


def doctor(facts: Machine) -> str:
    """The facts as an aligned table: what is there, what is missing, what to install.

    Parameters
    ----------
    facts : Machine
        From :func:`workbench.runtime.devices.machine`.

    Returns
    -------
    str
        Lines without a last newline.
    """
    rows: list[tuple[str, str | Missing]] = [
        ("workbench", f"{facts.workbench} on Python {facts.python}, {facts.system}"),
        ("CPU", f"{facts.cpu.name}, {_many(facts.cpu.cores, 'core')}, {facts.cpu.arch}"),
        ("LLVM", _text(facts.llvm)),
        ("NVRTC", _text(facts.nvrtc)),
        ("cuobjdump", _text(facts.cuobjdump)),
        ("nvdisasm", _text(facts.nvdisasm)),
        ("driver", _text(facts.driver)),
        *_gpu_rows(facts.driver),
        ("CuPy", _text(facts.cupy)),
        ("Graphviz", _text(facts.graphviz)),
        ("ONNX", _text(facts.onnx)),
        ("JupyterLab", _text(facts.jupyterlab)),
    ]
    width = max(len(name) for name, _ in rows)
    lines: list[str] = []
    for name, fact in rows:
        mark = "-" if isinstance(fact, Missing) else "+"
        lines.append(f"{mark} {name:{width}}  {fact.reason if isinstance(fact, Missing) else fact}")
        if isinstance(fact, Missing) and fact.remedy:
            lines.append(f"  {'':{width}}  to have it: {fact.remedy}")
    return "\n".join([*lines, "", *_abilities(facts)])


def _text(fact: Llvm | Nvrtc | Driver | Tool | Missing) -> str | Missing:
    match fact:
        case Missing():
            return fact
        case Llvm():
            features = " ".join(fact.features) or "no vector features"
            return (
                f"{fact.version} (llvmlite {fact.llvmlite}) for {fact.cpu}, "
                f"{fact.vector_bits}-bit vectors: {features}"
            )
        case Nvrtc():
            archs = " ".join(str(arch) for arch in fact.archs)
            return f"{fact.version[0]}.{fact.version[1]}, compiles for sm_ {archs}"
        case Driver():
            newest = f"{fact.cuda[0]}.{fact.cuda[1]}"
            return f"takes CUDA up to {newest}, {_many(len(fact.gpus), 'GPU')}"
        case Tool():
            return f"{fact.version}, {fact.path}" if fact.path else fact.version


def _many(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _gpu_rows(found: Driver | Missing) -> list[tuple[str, str | Missing]]:
    gpus: tuple[Gpu, ...] = () if isinstance(found, Missing) else found.gpus
    return [
        (
            f"GPU {number}",
            f"{gpu.name}, {gpu.arch}, {gpu.multiprocessors} multiprocessors, "
            f"{gpu.memory_bytes / 2**30:.0f} GiB",
        )
        for number, gpu in enumerate(gpus)
    ]


def _abilities(facts: Machine) -> list[str]:
    """What follows from the facts, one line per target."""
    gpu = isinstance(facts.driver, Driver) and facts.driver.gpus and isinstance(facts.cupy, Tool)
    able = {
        "interpret kernels and find faults": True,
        "run kernels on the CPU": isinstance(facts.llvm, Llvm),
        "compile CUDA and count registers": isinstance(facts.nvrtc, Nvrtc),
        "show SASS": isinstance(facts.cuobjdump, Tool) and isinstance(facts.nvdisasm, Tool),
        "run kernels on a GPU": bool(gpu),
        "draw graphs": isinstance(facts.graphviz, Tool),
    }
    can = "; ".join(name for name, yes in able.items() if yes)
    cannot = "; ".join(name for name, yes in able.items() if not yes)
    lines = [f"This machine can {can}."]
    return [*lines, f"It cannot yet {cannot}."] if cannot else lines


if __name__ == "__main__":
    sys.exit(main())
