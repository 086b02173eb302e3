"""Code in a new process; a cache of compiled kernels that begins empty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.runtime.cache import default_cache
from workbench.runtime.devices import cpu
from workbench.runtime.timing import Measurement

_PACKAGE = Path(__file__).parents[1]
_VARIABLE = "WORKBENCH_CACHE"


@contextmanager
def empty_cache() -> Iterator[Path]:
    """A folder of its own for compiled kernels, also for processes started meanwhile."""
    before = os.environ.get(_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
        os.environ[_VARIABLE] = folder
        default_cache.cache_clear()
        try:
            yield Path(folder)
        finally:
            default_cache.cache_clear()
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before


def in_process(code: str, *arguments: str) -> dict[str, Any]:
    """What `code` prints as its last line, read as JSON, run in a new Python process.

    Raises
    ------
    WorkbenchError
        When it fails; with the last line of its complaint.
    """
    path = os.pathsep.join([str(_PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=_environment() | {"PYTHONPATH": path.rstrip(os.pathsep)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        complaint = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise WorkbenchError(f"a process of the bench failed: {complaint}")
    return json.loads(done.stdout.splitlines()[-1])


def _environment() -> dict[str, str]:
    """The variables of a process; byte code is kept, as it is where nobody forbids it."""
    if not sys.dont_write_bytecode:
        return dict(os.environ)
    rest = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return rest | {"PYTHONPYCACHEPREFIX": _byte_code().name}


@cache
def _byte_code() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="workbench-bench-")


def measured(name: str, samples_ms: Sequence[float]) -> Measurement:
    """Samples of one process each as a measurement."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0
    return Measurement(
        name,
        tuple(1e3 * ms for ms in samples_ms),
        device=cpu().name,
        clock="one fresh process per sample, perf_counter",
        load=load,
    )
