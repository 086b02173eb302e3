"""An ONNX model that no one here wrote, before and after fusion, beside onnxruntime.

The text-orientation classifier of rapidocr, at the size that its pictures have.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.bench.figure import Figure, Goal, Settings, absent, duration, times
from workbench.bench.turns import in_turns
from workbench.graph import CompiledGraph, from_onnx
from workbench.runtime import nvrtc
from workbench.runtime.following import cores
from workbench.runtime.timing import Run, ratio

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

_FILE = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
_DIMS = {"x_0": 1, "x_2": 48, "x_3": 192}
_SHAPE = (1, 3, 48, 192)
_ARCH = "sm_90a"


def model(settings: Settings) -> list[Figure]:
    """Kernels, traffic, cubins and latency."""
    path = _path()
    if path is None:
        return [absent("classifier", 'rapidocr is not installed; python -m pip install ".[test]"')]
    flow = from_onnx(path)
    fused = flow.optimize().compile("cpu", _DIMS)
    plain = flow.compile("cpu", _DIMS)
    return [*_counts(fused, plain), *_cubins(path), *_latency(path, fused, plain, settings)]


def _path() -> Path | None:
    found = importlib.util.find_spec("rapidocr")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "models" / _FILE
    return path if path.exists() else None


def _counts(fused: CompiledGraph, plain: CompiledGraph) -> list[Figure]:
    (operators, launches), (before, after) = fused.launches, fused.traffic_bytes
    return [
        Figure("launches", launches, facts={"before": operators}),
        Figure("kernels", len(fused.kernels), facts={"before": len(plain.kernels)}),
        Figure(
            "bytes read and written", after, facts={"before": before, "saved": fused.saved_bytes}
        ),
        Figure("bytes of workspace", fused.memory.arena_bytes),
    ]


def _cubins(path: Path) -> list[Figure]:
    name, goal, unit = f"all kernels on {_ARCH}", Goal(0), "bytes spilled"
    if not nvrtc.installed():
        return [absent(name, "NVRTC is not installed", goal, unit)]
    compiled = from_onnx(path).optimize().compile(f"cuda:{_ARCH}", _DIMS)
    used = [each for kernel in compiled.kernels if (each := kernel.resources) is not None]
    facts = {"kernels": len(used), "most registers": max(each.registers for each in used)}
    spilled = sum(each.spill_bytes for each in used)
    return [Figure(name, spilled, unit, goal=goal, conditions="as ptxas reports", facts=facts)]


def _latency(
    path: Path, fused: CompiledGraph, plain: CompiledGraph, settings: Settings
) -> list[Figure]:
    x = np.random.default_rng(0).standard_normal(_SHAPE, dtype=np.float32)
    runs: dict[str, Run] = {"fused": lambda: fused({"x": x}), "one each": lambda: plain({"x": x})}
    session = _onnxruntime(path)
    if session is not None:
        runs["onnxruntime"] = lambda: session.run(None, {"x": x})
    found = in_turns(runs, settings.budget_s)
    threads = {"threads": cores()}
    figures = [
        duration("fused", found["fused"], facts=threads),
        duration("a kernel for each operator", found["one each"], facts=threads),
        times("what fusion gives", ratio(found["one each"], found["fused"])),
    ]
    if session is None:
        return [*figures, absent("onnxruntime", "onnxruntime is not installed")]
    (theirs,), (ours,) = session.run(None, {"x": x}), fused({"x": x}).values()
    agreement = float(np.abs(theirs - ours).max())
    return [
        *figures,
        duration("onnxruntime", found["onnxruntime"], facts=threads),
        times("onnxruntime ÷ workbench", ratio(found["onnxruntime"], found["fused"])),
        Figure("largest difference from onnxruntime", agreement, goal=Goal(1e-4)),
    ]


def _onnxruntime(path: Path) -> Any:
    """A session with as many threads as our own launches use; None where it is not installed."""
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
