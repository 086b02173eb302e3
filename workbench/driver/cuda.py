"""The CUDA target: CUDA C++ at once, the cubin when NVRTC is here, a launch when a GPU is."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from workbench.codegen.cuda import generate, shared_plan
from workbench.codegen.source import Source
from workbench.driver.backend import Run, lacks
from workbench.driver.occupancy import Occupancy, occupancy
from workbench.ir.module import Launch, Module
from workbench.ir.target import Target
from workbench.runtime import nvrtc, sass
from workbench.runtime.cache import Cache
from workbench.runtime.gpu_launch import EventClock, GpuLauncher, device_arch
from workbench.runtime.nvrtc import Cubin, Resources

DEFAULT_ARCH = "sm_90a"
"""What code is made for where there is no GPU."""


def resolve(target: Target) -> Target:
    """The target with an architecture: that of the GPU that is here, else the default."""
    return target if target.arch else Target("cuda", device_arch() or DEFAULT_ARCH)


class CudaBackend:
    """One kernel in CUDA C++.

    Parameters
    ----------
    module : Module
        Lowered.
    target : Target
        With its architecture.
    cache : Cache or None
        Where cubins are kept.
    """

    on_gpu = True

    def __init__(self, module: Module, target: Target, cache: Cache | None) -> None:
        start = time.perf_counter()
        self._module = module
        self._arch = target.arch
        self._cache = cache
        self._source = generate(module, target)
        self._dynamic_bytes = shared_plan(module).dynamic_bytes
        # once for all launches that it is given to
        self._built: Callable[[], Cubin] = functools.cache(self._build)
        self._launcher: Callable[[], GpuLauncher] = functools.cache(self._loaded)
        if nvrtc.installed():  # else the source can be read all the same
            self.cubin()
        self.ms = (time.perf_counter() - start) * 1e3

    @property
    def source(self) -> Source:
        """CUDA C++."""
        return self._source

    def given(self, numbers: Sequence[int | float], launch: Launch) -> CudaBackend:
        """The same machine code with its last parameters filled in, for a launch of its own."""
        other = copy.copy(self)
        other._launcher = functools.cache(lambda: self._launcher().given(numbers, launch))
        return other

    def cubin(self) -> Cubin:
        """The compiled kernel."""
        return self._built()

    def _build(self) -> Cubin:
        s = self._source
        return nvrtc.compile(s.text, s.name, self._arch, lines=s.lines, cache=self._cache)

    def _loaded(self) -> GpuLauncher:
        cubin, kernel = self.cubin(), self._module.kernel
        assert kernel.launch is not None
        types = tuple(p.type for p in kernel.params)
        return GpuLauncher(cubin.data, cubin.entry, kernel.launch, types, self._dynamic_bytes)

    def binary(self) -> bytes:
        """The cubin."""
        return self.cubin().data

    def resources(self) -> Resources:
        """What ptxas reports, and the shared memory that the launch adds."""
        return replace(self.cubin().resources, dynamic_shared_bytes=self._dynamic_bytes)

    def occupancy(self) -> Occupancy:
        """How many blocks share a multiprocessor."""
        launch = self._module.kernel.launch
        assert launch is not None
        used = self.resources()
        shared = used.shared_bytes + used.dynamic_shared_bytes
        return occupancy(self._arch, launch.threads, used.registers, shared)

    def listing(self, kind: str) -> str:
        """PTX or SASS."""
        s = self._source
        if kind == "ptx":
            return nvrtc.ptx(s.text, s.name, self._arch, lines=s.lines, cache=self._cache)
        if kind == "sass":
            return sass.disassemble(self.binary())
        raise lacks("cuda", kind)

    def prepare(self, args: Sequence[Any]) -> Run:
        """A launch on CuPy's current stream."""
        return self._launcher().prepare(args)

    def clock(self) -> EventClock:
        """Events of the current stream."""
        return EventClock()
