"""ONNX's own test data (onnx 1.22.0) case by case, through the backend; also as a program.

``python -m tests.graph.suite [GROUP …] [--match TEXT]`` prints what fails and why.
The comparison and its tolerances are those of ``onnx.backend.test.runner``.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.runner import Runner

from workbench.base.errors import UnsupportedOp, WorkbenchError
from workbench.graph.onnx.backend import WorkbenchBackend

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
CORE_TYPES = {
    getattr(TensorProto, name)
    for name in (
        "FLOAT FLOAT16 DOUBLE BOOL INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64".split()
    )
}
FOLDERS = {
    "node": "node",
    "converted": "pytorch-converted",
    "operator": "pytorch-operator",
    "simple": "simple",
}
GROUPS = ("core", "other", "converted", "operator", "simple", "light")


def group_of(case: Path) -> str:
    """``core`` for ONNX's own domain and the number types every kernel has, else ``other``."""
    if case.parent.name != "node":
        return next(g for g, folder in FOLDERS.items() if folder == case.parent.name)
    model = onnx.load(case / "model.onnx")
    ends = (*model.graph.input, *model.graph.output)
    plain = all(
        v.type.HasField("tensor_type") and v.type.tensor_type.elem_type in CORE_TYPES for v in ends
    )
    return "core" if plain and {o.domain for o in model.opset_import} == {""} else "other"


def cases(group: str) -> list[Path]:
    """The folders (of light models: the files) of a group, by name."""
    if group == "light":
        return sorted((DATA / "light").glob("*.onnx"))
    folder = "node" if group in ("core", "other") else group
    found = sorted((DATA / FOLDERS[folder]).iterdir())
    return [c for c in found if group_of(c) == group] if folder == "node" else found


def value(file: Path, kind: onnx.TypeProto) -> Any:
    """What a .pb file holds: an array, a list of them, or None."""
    data = file.read_bytes()
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    return numpy_helper.to_array(TensorProto.FromString(data))


def values(folder: Path, kind: str, ends: Sequence[onnx.ValueInfoProto]) -> list[Any]:
    """The inputs or outputs of a data set."""
    count = len(list(folder.glob(f"{kind}_*.pb")))
    return [value(folder / f"{kind}_{n}.pb", ends[n].type) for n in range(count)]


def light(case: Path, model: onnx.ModelProto) -> tuple[list[Any], list[Any]]:
    """What a light model is called with, and what it gives."""
    known = {t.name for t in model.graph.initializer}
    inputs = [
        Runner.generate_dummy_data(v, seed=0, name=case.stem)
        for v in model.graph.input
        if v.name not in known
    ]
    file = case.with_name(f"{case.stem}_output_0.pb")
    return inputs, [value(file, model.graph.output[0].type)]


def outcome(case: Path) -> str:
    """``passed``, or what went wrong."""
    try:
        model = onnx.load(case if case.suffix == ".onnx" else case / "model.onnx")
        prepared = WorkbenchBackend.prepare(model)
        if case.suffix == ".onnx":
            sets = [light(case, model)]
        else:
            sets = [
                (values(f, "input", model.graph.input), values(f, "output", model.graph.output))
                for f in sorted(case.glob("test_data_set*"))
            ]
        for inputs, wanted in sets:
            Runner.assert_similar_outputs(wanted, prepared.run(inputs), rtol=1e-3, atol=1e-7)
    except UnsupportedOp as error:
        return f"unsupported: {error.message} {' '.join(error.notes)}"
    except WorkbenchError as error:
        return f"{type(error).__name__}: {error.message}"
    except Exception as error:  # anything else is a failure like others, and must not end the run
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return "passed"


def outcomes(found: Sequence[Path], processes: int = os.cpu_count() or 1) -> dict[Path, str]:
    """What came of each case."""
    # a fork of a process with threads may wait for ever for what one of them held
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return dict(zip(found, pool.map(outcome, found, chunksize=8), strict=True))


def main() -> None:
    """Run groups and print what failed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("groups", nargs="*", default=list(GROUPS))
    parser.add_argument("--match", default="", help="text that names of cases hold")
    args = parser.parse_args()
    for group in args.groups:
        start = time.perf_counter()
        results = outcomes([c for c in cases(group) if args.match in c.name])
        counts = Counter(r == "passed" for r in results.values())
        seconds = time.perf_counter() - start
        print(f"== {group}: {counts[True]} of {len(results)} pass, {seconds:.0f} s")
        for case, result in results.items():
            if result != "passed":
                print(f"{case.name}: {result}")


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
