"""One heat: some candidates compiled, checked against one another, and timed in turns.

A heat is data in and data out, so that any `concurrent.futures.Executor` can run it elsewhere:
kernels travel as the text of their IR, arrays as arrays.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy
from workbench.driver.build import compile_module
from workbench.ir.expr import Load
from workbench.ir.module import Module
from workbench.ir.parse import parse
from workbench.ir.traverse import walk
from workbench.ir.types import DType, TensorType
from workbench.runtime.memory import array_module
from workbench.runtime.timing import Clock, Measurement, compare

if TYPE_CHECKING:
    import numpy as np

    from workbench.driver.kernel import Kernel
else:
    np = lazy("numpy")

Outputs = dict[str, "np.ndarray"]


@dataclass(frozen=True)
class Heat:
    """What a worker gets.

    Attributes
    ----------
    kernels : tuple of (str, Module or str)
        Name of each candidate and its module, or the text of it.
    target : str
        What to compile for.
    args : tuple
        NumPy arrays and numbers, in the order of the parameters; never changed.
    expected : dict of str to ndarray, or None
        What the kernels must store, by parameter; None takes the first kernel's word for it.
    tolerance : float
        Largest difference allowed, relative to the largest expected value.
    sample_s : float
        Time for the samples of each [s].
    """

    kernels: tuple[tuple[str, Module | str], ...]
    target: str
    args: tuple[Any, ...]
    expected: Outputs | None
    tolerance: float
    sample_s: float


@dataclass
class Outcome:
    """What a heat found out about one candidate; `reason` is empty when it was timed."""

    name: str
    reason: str = ""
    timed: Measurement | None = None
    compile_ms: float = 0.0
    registers: int | None = None
    spill_bytes: int | None = None
    occupancy: float | None = None


@dataclass
class HeatResult:
    """All outcomes, and what the kernels stored."""

    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    stored: Outputs | None = None


def run_heat(heat: Heat) -> HeatResult:
    """Compile, check and time the candidates of a heat.

    What goes wrong with a candidate is an outcome, never an exception.
    """
    result = HeatResult(stored=heat.expected)
    runs: dict[str, Any] = {}
    clock: Clock | None = None
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        built = list(pool.map(lambda pair: _built(pair[0], pair[1], heat.target), heat.kernels))
    for outcome, kernel in built:
        result.outcomes.append(outcome)
        if kernel is None:
            continue
        try:
            args = _own(kernel, heat.args)
            run = kernel.prepare(*args)
            run()
            stored = {
                p.name: _host(a) for p, a in zip(kernel.params, args, strict=True) if p.written
            }
            clock = kernel.clock()
        except WorkbenchError as error:
            outcome.reason = error.message
            continue
        outcome.reason = differs(stored, result.stored, heat.tolerance)
        if not outcome.reason:
            result.stored = result.stored or stored
            runs[outcome.name] = run
    if runs:
        timed = compare(runs, clock, heat.sample_s)
        for outcome in result.outcomes:
            outcome.timed = timed.get(outcome.name)
    return result


def _built(name: str, module: Module | str, target: str) -> tuple[Outcome, Kernel | None]:
    outcome, start = Outcome(name), perf_counter()
    try:
        kernel = compile_module(parse(module) if isinstance(module, str) else module, target)
        resources = kernel.resources
    except WorkbenchError as error:
        outcome.reason = error.message
        return outcome, None
    outcome.compile_ms = (perf_counter() - start) * 1e3
    if resources is not None:
        outcome.registers, outcome.spill_bytes = resources.registers, resources.spill_bytes
        outcome.occupancy = kernel.occupancy.fraction if kernel.occupancy else None
        if resources.spill_bytes:
            outcome.reason = f"spills {resources.spill_bytes} bytes of registers"
            return outcome, None
    return outcome, kernel


def _own(kernel: Kernel, args: Sequence[Any]) -> list[Any]:
    """The arguments on the kernel's device, with memory of its own for what it stores.

    A tensor that is only stored begins as poison, so that an element which is left out shows.
    """
    xp = array_module(kernel.target.kind == "cuda")
    loaded = {n.tensor.name for n in walk(kernel.module) if isinstance(n, Load)}
    found: list[Any] = []
    for param, arg in zip(kernel.params, args, strict=True):
        if isinstance(param.type, DType) or not isinstance(arg, np.ndarray):
            found.append(arg)
        elif param.written and param.name not in loaded:
            poison = np.nan if arg.dtype.kind == "f" else 1
            found.append(xp.full(arg.shape, poison, arg.dtype))
        else:
            found.append(xp.array(arg))
    return found


def _host(array: Any) -> np.ndarray:
    return np.array(array.get() if hasattr(array, "get") else array)


def differs(stored: Outputs, expected: Mapping[str, Any] | None, tolerance: float) -> str:
    """How far the results are from what they should be, in words; empty when they are right."""
    for name, array in stored.items():
        if expected is None:
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                return f"{name} has elements that are no numbers, or that were not stored"
            continue
        if name not in expected:
            continue
        wanted = np.asarray(expected[name])
        if wanted.shape != array.shape:
            return f"{name} has shape {array.shape}; expected {wanted.shape}"
        if not array.size:
            continue
        distance = np.abs(array.astype(np.float64) - wanted.astype(np.float64))
        scale = float(np.max(np.abs(wanted))) or 1.0
        if not float(np.max(distance)) <= tolerance * scale:
            return f"{name} differs by up to {float(np.max(distance)):.3g}"
    return ""


def random_args(params: Sequence[DType | TensorType], seed: int = 0) -> tuple[Any, ...]:
    """Arguments for parameters of known extents: normal numbers, small integers."""
    random = np.random.default_rng(seed)
    found: list[Any] = []
    for kind in params:
        dtype = kind if isinstance(kind, DType) else kind.dtype
        shape = () if isinstance(kind, DType) else kind.extents
        if dtype.is_float:
            made = random.standard_normal(shape)
        else:
            made = random.integers(0, 2 if dtype.bits < 8 else 8, shape)
        array = np.asarray(made).astype(dtype.numpy_name)
        found.append(array.item() if isinstance(kind, DType) else array)
    return tuple(found)
