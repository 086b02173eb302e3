"""The CPU target: LLVM IR, compiled in memory, run over a pool of threads."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Sequence
from typing import Any

from workbench.codegen.llvm.kernel import generate
from workbench.codegen.source import Source
from workbench.driver.backend import Run, lacks
from workbench.driver.content import COMPILER, content
from workbench.driver.lowering import Lowering, parameters_of
from workbench.ir.module import Launch
from workbench.runtime import jit
from workbench.runtime.arguments import Parameter
from workbench.runtime.cache import Cache, key
from workbench.runtime.cpu_launch import CpuLauncher
from workbench.runtime.jit import CpuBinary

KIND = "kernel"
"""What the cache calls such entries."""


class CpuBackend:
    """One kernel as machine code of this processor.

    The disk holds it under the text of the module as written, so that a kernel known there is
    lowered only when its stages are looked at.

    Parameters
    ----------
    way : Lowering
        The module, not lowered yet.
    cache : Cache or None
        Where machine code is kept; `kept` is the key and the content of the entry there.
    """

    on_gpu = False

    def __init__(self, way: Lowering, cache: Cache | None) -> None:
        self._way = way
        self._lock = threading.Lock()
        self._made: tuple[Source, float] | None = None
        self.kept: tuple[str, bytes] | None = None
        kept = content(way.module) if cache and COMPILER else None
        if cache is None or COMPILER is None or kept is None:
            self.params = parameters_of(way.lowered)
            self._binary = jit.compile(self.source, cache=cache)
        else:
            start = time.perf_counter()
            passes = ";".join(each.spec() for each in way.passes)
            place = key(kept, passes, COMPILER, *jit.environment())
            entry = cache.get_or_build(place, self._entry, KIND)
            self.kept = (place, entry)
            head, _, code = entry.partition(b"\n")
            name, scratch_bytes, facts = json.loads(head)
            self.params = tuple(
                Parameter(p.name, p.type, stored, align_bytes, p.span)
                for p, (stored, align_bytes) in zip(way.module.kernel.params, facts, strict=True)
            )
            ms = (time.perf_counter() - start) * 1e3
            self._binary = CpuBinary(name, code, scratch_bytes, ms, lambda: self.source)
        launch = way.module.kernel.launch
        assert launch is not None, "verify lets no module without a launch pass"
        self._launcher = CpuLauncher(self._binary, launch, tuple(p.type for p in self.params))

    def given(self, numbers: Sequence[int | float], launch: Launch) -> CpuBackend:
        """The same machine code with its last parameters filled in, for a launch of its own."""
        other = copy.copy(self)
        kinds = tuple(p.type for p in self.params)
        other._launcher = CpuLauncher(self._binary, launch, kinds, numbers=numbers)
        return other

    def _entry(self) -> bytes:
        """What is kept: a line of facts that a launch needs, and the object file."""
        source = self.source
        facts = [(p.written, p.align_bytes) for p in parameters_of(self._way.lowered)]
        head = json.dumps([source.name, source.scratch_bytes, facts])
        return head.encode() + b"\n" + jit.compile(source).data

    @property
    def source(self) -> Source:
        """LLVM IR as generated."""
        return self._generated()[0]

    @property
    def ms(self) -> float:
        """What code generation and LLVM took, or reading the machine code from the disk [ms]."""
        return self._generated()[1] + self._binary.ms

    def _generated(self) -> tuple[Source, float]:
        with self._lock:
            if self._made is None:
                lowered = self._way.lowered
                start = time.perf_counter()
                host = jit.host()
                source = generate(lowered, lanes=host.lanes, extras=host.extras)
                self._made = source, (time.perf_counter() - start) * 1e3
            return self._made

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
