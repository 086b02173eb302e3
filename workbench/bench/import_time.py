"""C10: `import workbench` in a fresh process, and what it must not load."""

from __future__ import annotations

from workbench.bench.figure import Figure, Goal, Settings, duration
from workbench.bench.fresh import in_process, measured

_CHILD = """
import json, sys, time
before = set(sys.modules)
start, cpu = time.perf_counter(), time.process_time()
import workbench
ms, cpu_ms = (time.perf_counter() - start) * 1e3, (time.process_time() - cpu) * 1e3
loaded = set(sys.modules) - before
heavy = {"numpy", "onnx", "llvmlite", "cupy", "cuda", "torch", "IPython", "anywidget"}
found = {"ms": ms, "cpu_ms": cpu_ms, "modules": len(loaded), "heavy": sorted(heavy & loaded)}
print(json.dumps(found))
"""


def import_time(settings: Settings) -> list[Figure]:
    """Wall and processor time, and heavy packages that came along."""
    in_process(_CHILD)  # leaves the byte code behind
    samples = [in_process(_CHILD) for _ in range(settings.processes)]
    facts = {"modules": samples[0]["modules"]}
    heavy = samples[0]["heavy"]
    wall = measured("import", [each["ms"] for each in samples])
    processor = measured("import", [each["cpu_ms"] for each in samples])
    return [
        duration("wall time", wall, Goal(400), facts),
        duration("processor time", processor),
        Figure(
            "heavy packages loaded",
            len(heavy),
            goal=Goal(0),
            conditions="numpy, onnx, llvmlite, CuPy, cuda, torch, IPython, anywidget",
            facts={"which": " ".join(heavy)} if heavy else {},
        ),
    ]
