"""A Module to a Kernel, for any target."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from workbench.base.doc import Line
from workbench.driver import cuda
from workbench.driver.backend import Backend
from workbench.driver.checked import CheckedBackend
from workbench.driver.cpu import CpuBackend
from workbench.driver.kernel import Kernel
from workbench.driver.lowering import Lowering, parameters_of
from workbench.driver.stages import Compilation, Stage
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.passes.base import Pass
from workbench.passes.default import PIPELINE
from workbench.runtime.cache import Cache, default_cache


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
    way = Lowering(module, goal, passes, script)
    cache = cache or default_cache()
    if goal.kind == "cpu":
        on_cpu = CpuBackend(way, cache)
        params, backend = on_cpu.params, on_cpu
    else:
        params, backend = parameters_of(way.lowered), _backend(way.lowered, goal, cache)
    return Kernel(module, goal, params, backend, functools.partial(_compilation, way, backend))


def _backend(module: Module, target: Target, cache: Cache) -> Backend:
    if target.kind == "cuda":
        return cuda.CudaBackend(module, target, cache)
    return CheckedBackend(module)


def _compilation(way: Lowering, backend: Backend) -> Compilation:
    stages = way.stages
    if way.target.kind != "interp":
        stages += (Stage(backend.source.language, backend.source, backend.ms),)
    return Compilation(way.module.kernel.name, way.target, way.lowered, backend.source, stages)
