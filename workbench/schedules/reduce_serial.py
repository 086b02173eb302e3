"""One thread per output element, which reduces on its own: short reductions, convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.expr import Expr, Var
from workbench.ir.stmt import For, Seq, Stmt, Store
from workbench.ir.traverse import substitute
from workbench.schedules.axes import kernel, tiles
from workbench.schedules.combine import State, flat

if TYPE_CHECKING:
    from workbench.ir.module import Module
    from workbench.ir.types import DType
    from workbench.schedules.compute import Compute


@dataclass(frozen=True, slots=True)
class ReduceSerial:
    """The knobs of the template.

    Attributes
    ----------
    threads : int
        Threads of a block.
    """

    threads: int = 256

    def build(self, compute: Compute) -> Module:
        """The scheduled program."""
        reduction = compute.reduction
        assert reduction is not None, f"{compute.name} reduces nothing"
        plan = tiles(compute.output.tensor.extents, self.threads)

        def body(index: tuple[Expr, ...]) -> Stmt:
            at = dict(zip(compute.axes, index, strict=True))
            state = State.of(reduction)
            loops = tuple(Var(v.name, v.type) for v in reduction.axes)
            inner = {**at, **dict(zip(reduction.axes, loops, strict=True))}
            step: Stmt = state.take(
                substitute(reduction.value, inner), flat(loops, reduction.extents)
            )
            for var, extent in reversed(list(zip(loops, reduction.extents, strict=True))):
                kind: DType = var.type  # pyright: ignore[reportAssignmentType]
                ends = (build.const(0, kind), build.const(extent, kind), build.const(1, kind))
                step = For(var, *ends, step)
            value = substitute(compute.value, {**at, reduction.result: state.result})
            return Seq((*state.start(), step, Store(compute.output, index, value)))

        note = f"one thread per element, tiles of {plan.tile}"
        return kernel(compute, plan.each(body), plan.blocks, plan.threads, (note,))
