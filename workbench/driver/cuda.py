"""The CUDA target: CUDA C++ at once, the cubin when NVRTC is here, a launch when a GPU is."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workbench.codegen.cuda import generate, shared_plan
from workbench.codegen.source import Source
from workbench.driver.backend import Run, lacks
from workbench.driver.occupancy import Occupancy, occupancy
from workbench.ir.module import Module
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
        self._cubin: Cubin | None = None
        self._launcher: GpuLauncher | None = None
        self._lock = threading.Lock()
        if nvrtc.installed():  # else the source can be read all the same
            self.cubin()
        self.ms = (time.perf_counter() - start) * 1e3

    @property
    def source(self) -> Source:
        """CUDA C++."""
        return self._source

    def cubin(self) -> Cubin:
        """The compiled kernel."""
        with self._lock:
            if self._cubin is None:
                s = self._source
                self._cubin = nvrtc.compile(
                    s.text, s.name, self._arch, lines=s.lines, cache=self._cache
                )
            return self._cubin

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
        cubin = self.cubin()
        with self._lock:
            if self._launcher is None:
                kernel = self._module.kernel
                assert kernel.launch is not None
                types = tuple(p.type for p in kernel.params)
                self._launcher = GpuLauncher(
                    cubin.data, cubin.entry, kernel.launch, types, self._dynamic_bytes
                )
            return self._launcher.prepare(args)

    def clock(self) -> EventClock:
        """Events of the current stream."""
        return EventClock()
