"""The CPU target: LLVM IR, compiled in memory, run over a pool of threads."""

from __future__ import annotations

from workbench.base.errors import BuildError
from workbench.driver.backend import Backend
from workbench.ir.module import Module
from workbench.runtime.cache import Cache


def CpuBackend(module: Module, cache: Cache | None) -> Backend:
    """One kernel as machine code of this processor."""
    del cache
    raise BuildError(
        f"{module.kernel.name}: the CPU target is still being built", hint='use "interp"'
    )
