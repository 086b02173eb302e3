"""A Module to a Kernel, for any target."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence

from workbench.base.doc import Line
from workbench.driver import cuda
from workbench.driver.backend import Backend
from workbench.driver.checked import CheckedBackend
from workbench.driver.cpu import CpuBackend
from workbench.driver.kernel import Kernel
from workbench.driver.stages import Compilation, Stage
from workbench.ir.effects import alignments, written
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.ir.verify import verify
from workbench.passes.base import Pass, StageRecord
from workbench.passes.default import PIPELINE
from workbench.passes.default import run as run_passes
from workbench.runtime.arguments import Parameter
from workbench.runtime.cache import Cache


@functools.cache
def default_cache() -> Cache:
    """The cache in the user's folder; one object, so that it warns once."""
    return Cache()


def compile_module(
    module: Module,
    target: Target | str = "cpu",
    *,
    passes: Sequence[Pass] = PIPELINE,
    cache: Cache | None = None,
    script: Sequence[Line] = (),
) -> Kernel:
    """Compile a module.

    Parameters
    ----------
    module : Module
        At level `script` or `lowered`, its last function a kernel.
    target : Target or str
        ``cpu``, ``interp``, ``cuda`` or ``cuda:sm_90a``.
    passes : sequence of Pass
        What lowers it; the interpreter takes the module as it is.
    cache : Cache, optional
        Where machine code is kept; the user's folder when not given.
    script : sequence of Line
        The text it was translated from, to be the first stage.

    Returns
    -------
    Kernel
        Ready to be called. Where NVRTC is missing a CUDA kernel still shows its source.

    Raises
    ------
    VerifyError, PassError, CodegenError
        When the module cannot become this target's code.
    BuildError
        When the target's compiler refuses it.
    """
    goal = target if isinstance(target, Target) else Target.parse(target)
    if goal.kind == "cuda":
        goal = cuda.resolve(goal)
    stages = [Stage("script", tuple(script))] if script else []
    stages.append(Stage("module", module))
    if goal.kind == "interp":
        verify(module)
        lowered = module
    else:
        lowered = run_passes(module, goal, passes, lambda r: stages.append(_stage(r)))
    start = time.perf_counter()
    backend = _backend(lowered, goal, cache or default_cache())
    ms = (time.perf_counter() - start) * 1e3
    if goal.kind != "interp":
        stages.append(Stage(backend.source.language, backend.source, ms))
    launch = lowered.kernel.launch
    assert launch is not None, "verify lets no module without a launch pass"
    done = Compilation(lowered.kernel.name, goal, lowered, backend.source, tuple(stages))
    return Kernel(done, parameters_of(lowered), launch, backend)


def parameters_of(module: Module) -> tuple[Parameter, ...]:
    """What the arguments of a module's kernel must be."""
    stored = written(module)[module.kernel.name]
    aligned = alignments(module)
    return tuple(
        Parameter(p.name, p.type, p in stored, aligned.get(p, 0), p.span)
        for p in module.kernel.params
    )


def _backend(module: Module, target: Target, cache: Cache) -> Backend:
    match target.kind:
        case "cpu":
            return CpuBackend(module, cache)
        case "cuda":
            return cuda.CudaBackend(module, target, cache)
        case _:
            return CheckedBackend(module)


def _stage(record: StageRecord) -> Stage:
    return Stage(record.name, record.module, record.ms, record.changes)
