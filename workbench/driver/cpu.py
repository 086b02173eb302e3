"""The CPU target: LLVM IR, compiled in memory, run over a pool of threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.codegen.llvm.kernel import generate
from workbench.codegen.source import Source
from workbench.driver.backend import Run, lacks
from workbench.ir.module import Module
from workbench.runtime import jit
from workbench.runtime.cache import Cache
from workbench.runtime.cpu_launch import CpuLauncher


class CpuBackend:
    """One kernel as machine code of this processor.

    Parameters
    ----------
    module : Module
        Lowered.
    cache : Cache or None
        Where object files are kept.
    """

    on_gpu = False

    def __init__(self, module: Module, cache: Cache | None) -> None:
        self._source = generate(module, lanes=jit.host().lanes)
        self._binary = jit.compile(self._source, cache=cache)
        kernel = module.kernel
        assert kernel.launch is not None
        types = tuple(p.type for p in kernel.params)
        self._launcher = CpuLauncher(self._binary, kernel.launch, types)

    @property
    def source(self) -> Source:
        """LLVM IR as generated."""
        return self._source

    def binary(self) -> bytes:
        """The object file."""
        return self._binary.data

    def resources(self) -> None:
        """Nothing: a CPU has no such limits."""
        return

    def occupancy(self) -> None:
        """Nothing."""
        return

    def listing(self, kind: str) -> str:
        """Optimised LLVM IR, or assembly."""
        if kind == "llvm":
            return self._binary.ir()
        if kind == "asm":
            return self._binary.asm()
        raise lacks("cpu", kind)

    def prepare(self, args: Sequence[Any]) -> Run:
        """A launch over the host's cores."""
        return self._launcher.prepare(args)

    def clock(self) -> None:
        """The wall clock."""
        return
