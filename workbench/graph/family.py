"""Kernels that serve several shapes: programs that differ in numbers alone share one.

A new shape of a model gives programs like those of another, with other extents, strides and trip
counts. The second such program is compiled with these numbers as parameters. Whenever a later
program has the same text but for numbers, and its numbers fit, the machine code is there already:
with them as arguments it *is* the new program. What does not fit is compiled for itself.

Programs are compared as they were scheduled, so that nothing is lowered for one that is served.
Where their numbers stand in places that take no variable, as in task mappings, or where not
knowing them would cost run time, they are compared once they are lowered.
"""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.driver.build import compile_module
from workbench.driver.cpu import CpuBackend
from workbench.driver.kernel import Kernel
from workbench.driver.lowering import Lowering
from workbench.driver.stages import Compilation, Stage
from workbench.graph.generic import Generic, Outline
from workbench.passes.default import PIPELINE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.ir.module import Module
    from workbench.ir.target import Target
    from workbench.passes.base import Pass

KEPT = 512
"""Programs that are remembered; the one that was used least recently goes."""

_SLOW = re.compile(r"masked\.(?:gather|scatter)|[us](?:div|rem) <")
"""What code has more of where it does not know enough."""


@dataclass
class _Family:
    """Programs of one outline that were compiled, the first kernel, and what all of them share."""

    seen: list[Outline] = field(default_factory=list[Outline])
    first: Callable[[], Kernel | None] = lambda: None
    shared: tuple[Generic, Kernel] | None = None
    refused: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def served(self, outline: Outline, way: Lowering) -> Kernel | None:
        """The kernel of a program whose numbers fit what is shared."""
        if self.shared is None:
            return None
        generic, kernel = self.shared
        arguments = generic.arguments(outline)
        return None if arguments is None else _filled(way, kernel, arguments)

    def kernel(self, outline: Outline, way: Lowering, passes: Sequence[Pass]) -> Kernel | None:
        """That of a program: the first has its own, later ones share one; None when refused."""
        with self.lock:
            found = self.served(outline, way)
            if found is not None or self.refused:
                return found
            self.seen.append(outline)
            if len(self.seen) > 1:
                return self._widened(outline, way, passes)
            found = compile_module(way.module, way.target)
            self.first = weakref.ref(found)
            return found

    def _widened(self, last: Outline, way: Lowering, passes: Sequence[Pass]) -> Kernel | None:
        """The kernel for all programs seen so far."""
        generic = Generic.of(self.seen)
        try:
            kernel = compile_module(generic.module(last), way.target, passes=passes)
        except WorkbenchError:
            # a number stands where no variable can
            self.refused = True
            return None
        own = self.first() or compile_module(way.module, way.target)
        self.refused = _slower(kernel.source, own.source)
        if self.refused:
            return None
        self.shared = generic, kernel
        return self.served(last, way)


class Families:
    """Kernels for the CPU, shared by programs that differ in numbers alone."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, ...], _Family] = OrderedDict()
        self._lock = threading.Lock()

    def served(self, module: Module, target: Target) -> Kernel | None:
        """The kernel of a module at level `script`, where nothing has to be compiled for it."""
        if target.kind != "cpu" or not self._known:
            return None
        way = Lowering(module, target, PIPELINE, ())
        found = self._family(way)
        return found and found[0].served(found[1], way)

    def kernel(self, module: Module, target: Target) -> Kernel:
        """The kernel of a module at level `script`.

        Raises
        ------
        WorkbenchError
            As `compile_module`.
        """
        kernel = None
        if target.kind == "cpu":
            way = Lowering(module, target, PIPELINE, ())
            while kernel is None and (found := self._family(way)):
                kernel = found[0].kernel(found[1], way, found[2])
        return kernel or compile_module(module, target)

    def _family(self, way: Lowering) -> tuple[_Family, Outline, Sequence[Pass]] | None:
        """Where a program belongs, and the passes that are left: as it was scheduled, or lowered;
        None where neither can be shared.
        """
        for passes in (PIPELINE, ()):
            outline = Outline.of(way.module if passes else way.lowered)
            if outline is None:
                return None
            with self._lock:
                family = self._known.setdefault(outline.pieces, _Family())
                self._known.move_to_end(outline.pieces)
                if len(self._known) > KEPT:
                    self._known.popitem(last=False)
            if not family.refused:
                return family, outline, passes
        return None


def _slower(code: str, own: str) -> bool:
    """Whether a generic kernel does what a program of its own does in a slower way."""
    more = len(_SLOW.findall(code)) - len(_SLOW.findall(own))
    lines = own.count("\n")
    return more * _RARE > lines or code.count("\n") > lines * _LONGER


def kernels(
    modules: Sequence[Module], target: Target, families: Families | None = None
) -> list[Kernel]:
    """The kernels of modules at level `script`, of different names.

    Parameters
    ----------
    families : Families, optional
        Those of the same graph for other shapes, which may serve these.

    Raises
    ------
    WorkbenchError
        As `compile_module`, naming the model's nodes.
    """

    def made(module: Module, ready: Kernel | None) -> Kernel:
        try:
            if ready is None and families is not None:
                return families.kernel(module, target)
            return ready or compile_module(module, target)
        except WorkbenchError as error:
            # the last note of a program says which nodes of the model it came from
            error.notes = (*error.notes, f"{module.kernel.name} comes {module.kernel.notes[-1]}")
            raise

    # what is there already is found without other threads: they would only wait for this one
    ready = [families.served(m, target) if families else None for m in modules]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(made, modules, ready))


_LONGER = 1.25
"""How much more code a generic kernel may have."""

_RARE = 200
"""Lines of code for each of which one may be slow that was not."""


def _filled(way: Lowering, generic: Kernel, arguments: Sequence[float]) -> Kernel:
    """A program that a generic kernel runs."""
    module, backend = way.module, generic.backend
    launch = module.kernel.launch
    assert launch is not None
    assert isinstance(backend, CpuBackend)

    def compilation() -> Compilation:
        made = generic.compilation
        stages = (*way.stages, Stage("generic", made.module), *made.stages[-1:])
        return Compilation(module.kernel.name, way.target, way.lowered, made.source, stages)

    params = [
        replace(known, name=p.name, type=p.type, span=p.span)
        for p, known in zip(module.kernel.params, generic.params, strict=False)
    ]
    return Kernel(module, way.target, params, backend.given(arguments, launch), compilation)
