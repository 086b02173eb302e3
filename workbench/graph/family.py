"""Kernels that serve several shapes: programs that differ in numbers alone share one.

A new shape of a model gives programs like those of another, with other extents, strides and trip
counts. The second such program is compiled with these numbers as parameters. Whenever a later
program has the same text but for numbers, and its numbers fit, the machine code is there already:
with them as arguments it *is* the new program. What does not fit is compiled for itself.

Programs are compared as they were scheduled, so that nothing is lowered for one that is served.
Where their numbers stand in places that take no variable, as in mappings of tasks to threads, or
where not knowing them would cost run time, they are compared once they are lowered.
"""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.base.errors import LaunchError, WorkbenchError
from workbench.codegen.llvm.kernel import generate
from workbench.driver.build import compile_module
from workbench.driver.cpu import CpuBackend
from workbench.driver.cuda import CudaBackend, resolve
from workbench.driver.kernel import Kernel
from workbench.driver.lowering import Lowering
from workbench.driver.stages import Compilation, Stage
from workbench.graph.generic import Generic
from workbench.graph.outline import Number, Outline
from workbench.passes.default import PIPELINE
from workbench.runtime import nvrtc
from workbench.runtime.jit import host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.ir.module import Module
    from workbench.ir.target import Target
    from workbench.passes.base import Pass

KEPT = 512
"""Programs that are remembered; the one that was used least recently goes."""

_SLOW = re.compile(r"masked\.(?:gather|scatter)|[us](?:div|rem) <")
"""What code has more of where it does not know enough."""

_RARE = 200
"""Lines of code for each of which one may be slow that was not."""

_FULL, _ENOUGH = 0.5, 0.7
"""Of the warps that a multiprocessor can hold, how many are plenty; of those that a program of its
own has resident, how many a generic one may not go below."""


@dataclass
class Family:
    """Programs of one outline that were compiled, the first kernel, and what all of them share."""

    seen: list[Outline] = field(default_factory=list[Outline])
    first: Callable[[], Kernel | None] = lambda: None
    shared: tuple[Generic, Kernel] | None = None
    refused: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fitting(self, outline: Outline) -> tuple[Kernel, list[Number]] | None:
        """What is shared, and its arguments for a program; None where that does not fit."""
        if self.shared is None and not self._again(outline):
            return None
        assert self.shared is not None
        generic, kernel = self.shared
        arguments = generic.arguments(outline)
        return None if arguments is None else (kernel, arguments)

    def _again(self, *outlines: Outline) -> bool:
        """Share the first kernel, where programs are the same as its own."""
        kernel = self.first()
        if kernel is None or any(o != self.seen[0] for o in outlines):
            return False
        self.shared = Generic.exact(outlines[0]), kernel
        return True

    def served(self, outline: Outline, way: Lowering) -> Kernel | None:
        """The kernel of a program whose numbers fit what is shared."""
        found = self.fitting(outline)
        return found and _filled(way, *found)

    def widen(self, outline: Outline, target: Target, others: Sequence[Outline] = ()) -> bool:
        """Make what is shared serve a program as well; False where nothing can be shared.

        Parameters
        ----------
        outline : Outline
            Of a program as it was scheduled.
        others : sequence of Outline
            What it may be for other shapes.
        """

        def way() -> Lowering:
            return Lowering(Generic.whole(outline), target, PIPELINE, ())

        with self.lock:
            if self.refused:
                return False
            if self.shared is None:
                self._again(outline, *others)
            if self.shared is not None:
                # a kernel that has no parameters serves nothing else
                wanted = [outline] if self.shared[0].slots else [outline, *others]
                if all(self.fitting(each) is not None for each in wanted):
                    return True
            # where others are told, it is told how large the numbers get
            seen = [*self.seen, *others, outline]
            return self._share(seen, 2 if others else 4, way, target, PIPELINE)

    def kernel(self, outline: Outline, way: Lowering, passes: Sequence[Pass]) -> Kernel | None:
        """That of a program: the first has its own, later ones share one; None when refused."""
        with self.lock:
            found = self.served(outline, way)
            if found is not None or self.refused:
                return found
            if self.seen:
                return self._widened(outline, way, passes)
            self.seen.append(outline)
            found = compile_module(way.module, way.target)
            self.first = weakref.ref(found)
            return found

    def _widened(self, last: Outline, way: Lowering, passes: Sequence[Pass]) -> Kernel | None:
        """The kernel for all programs seen so far and one more."""
        seen = [*self.seen, last]
        if self._share(seen, 4, lambda: way, way.target, passes):
            return self.served(last, way)
        return None if self.refused else compile_module(way.module, way.target)

    def _share(
        self,
        seen: list[Outline],
        margin: int,
        way: Callable[[], Lowering],
        target: Target,
        passes: Sequence[Pass],
    ) -> bool:
        """Compile what programs share, for numbers that are so many times larger too; `way` is
        that of the last one, lowered for itself.

        False where that has to be compiled for itself, as with an array of a single element, and
        where this is refused for all.
        """
        # on a GPU the size of shared tensors decides how many blocks run side by side
        generic = Generic.of(seen, margin, 1 if target.kind == "cuda" else margin)
        if generic.arguments(seen[-1]) is None:
            return False
        try:
            kernel = compile_module(generic.module(seen[-1]), target, passes=passes)
        except WorkbenchError:
            # a number stands where no variable can
            self.refused = True
            return False
        slower = _slower_on_gpu if target.kind == "cuda" else _slower
        self.refused = slower(kernel, self.first(), way)
        if not self.refused:
            self.shared, self.seen = (generic, kernel), seen
        return not self.refused


def shares(target: Target) -> bool:
    """Whether kernels for a target are shared: where they are compiled."""
    return target.kind == "cpu" or (target.kind == "cuda" and nvrtc.installed())


class Families:
    """Kernels that are shared by programs that differ in numbers alone.

    Parameters
    ----------
    target : Target
        What all of them are for.
    """

    def __init__(self, target: Target) -> None:
        self._wanted = target
        self._known: OrderedDict[tuple[str, ...], Family] = OrderedDict()
        self._lock = threading.Lock()

    @cached_property
    def target(self) -> Target:
        """What the kernels are for, architecture included."""
        return resolve(self._wanted) if self._wanted.kind == "cuda" else self._wanted

    def served(self, module: Module) -> Kernel | None:
        """The kernel of a module at level `script`, where nothing has to be compiled for it."""
        if not self._known or not shares(self.target):
            return None
        way = Lowering(module, self.target, PIPELINE, ())
        found = self._family(way)
        return found and found[0].served(found[1], way)

    def kernel(self, module: Module) -> Kernel:
        """The kernel of a module at level `script`.

        Raises
        ------
        WorkbenchError
            As `compile_module`.
        """
        kernel = None
        if shares(self.target):
            way = Lowering(module, self.target, PIPELINE, ())
            while kernel is None and (found := self._family(way)):
                kernel = found[0].kernel(found[1], way, found[2])
        return kernel or compile_module(module, self.target)

    def at(self, pieces: tuple[str, ...]) -> Family:
        """That of programs with this text between their numbers."""
        with self._lock:
            family = self._known.setdefault(pieces, Family())
            self._known.move_to_end(pieces)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
            return family

    def _family(self, way: Lowering) -> tuple[Family, Outline, Sequence[Pass]] | None:
        """Where a program belongs, and the passes that are left: as it was scheduled, or lowered;
        None where neither can be shared.
        """
        for passes in (PIPELINE, ()):
            outline = Outline.of(way.module if passes else way.lowered)
            if outline is None:
                return None
            family = self.at(outline.pieces)
            if not family.refused:
                return family, outline, passes
        return None


def _code(way: Lowering) -> str:
    """What LLVM would be given for a program."""
    return generate(way.lowered, lanes=host().lanes, extras=host().extras).text


def _slower(generic: Kernel, first: Kernel | None, way: Callable[[], Lowering]) -> bool:
    """Whether a generic kernel does what a program of its own does in a slower way.

    Parameters
    ----------
    first : Kernel or None
        That of one of the programs, if there is one.
    way : callable
        Gives that of another one, not compiled.
    """
    slow = len(_SLOW.findall(generic.source))
    if slow == 0:
        return False
    alone = first.source if first else _code(way())
    return (slow - len(_SLOW.findall(alone))) * _RARE > alone.count("\n")


def _slower_on_gpu(generic: Kernel, first: Kernel | None, way: Callable[[], Lowering]) -> bool:
    """The same for a GPU: whether fewer threads are resident, or registers go to memory."""
    try:
        spills, warps = _taken(generic)
        if spills == 0 and warps >= _FULL:
            return False
        if first is None:
            alone = way()
            first = compile_module(alone.module, alone.target, passes=alone.passes)
        own_spills, own_warps = _taken(first)
    except LaunchError:
        # not one block fits, or nothing is known of this architecture
        return True
    return spills > own_spills or warps < _ENOUGH * own_warps


def _taken(kernel: Kernel) -> tuple[int, float]:
    """Bytes of registers in memory, and the resident part of the warps that could be."""
    used, fit = kernel.resources, kernel.occupancy
    assert used is not None
    assert fit is not None
    return used.spill_bytes, fit.fraction


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
                return families.kernel(module)
            return ready or compile_module(module, target)
        except WorkbenchError as error:
            # the last note of a program says which nodes of the model it came from
            error.notes = (*error.notes, f"{module.kernel.name} comes {module.kernel.notes[-1]}")
            raise

    # what is there already is found without other threads: they would only wait for this one
    ready = [families.served(m) if families else None for m in modules]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(made, modules, ready))


def _filled(way: Lowering, generic: Kernel, arguments: Sequence[Number]) -> Kernel:
    """A program that a generic kernel runs."""
    return filled(way.module, way.target, generic, arguments, lambda: compilation(way, generic))


def compilation(way: Lowering, generic: Kernel) -> Compilation:
    """How a program comes about that another kernel runs."""
    made = generic.compilation
    stages = (*way.stages, Stage("generic", made.module), *made.stages[-1:])
    return Compilation(way.module.kernel.name, way.target, way.lowered, made.source, stages)


def filled(
    module: Module,
    target: Target,
    generic: Kernel,
    arguments: Sequence[Number],
    compilation: Callable[[], Compilation],
) -> Kernel:
    """A kernel that is another one with its last arguments given.

    Parameters
    ----------
    module : Module
        Says its name, its other parameters and its launch.
    generic : Kernel
        For a CPU or a GPU.
    compilation : callable
        As for `Kernel`.
    """
    launch, backend = module.kernel.launch, generic.backend
    assert launch is not None
    assert isinstance(backend, CpuBackend | CudaBackend)
    params = [
        replace(known, name=p.name, type=p.type, span=p.span)
        for p, known in zip(module.kernel.params, generic.params, strict=False)
    ]
    return Kernel(module, target, params, backend.given(arguments, launch), compilation)
