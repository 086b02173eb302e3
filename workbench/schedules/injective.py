"""One thread per element, for definitions without a reduction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.ir.stmt import Store
from workbench.ir.traverse import substitute
from workbench.schedules.axes import kernel, tiles

if TYPE_CHECKING:
    from workbench.ir.expr import Expr
    from workbench.ir.module import Module
    from workbench.ir.stmt import Stmt
    from workbench.schedules.compute import Compute


@dataclass(frozen=True, slots=True)
class Injective:
    """The knobs of the template.

    Attributes
    ----------
    threads : int
        Threads of a block.
    """

    threads: int = 256

    def build(self, compute: Compute) -> Module:
        """The scheduled program."""
        plan = tiles(compute.output.tensor.extents, self.threads)

        def body(index: tuple[Expr, ...]) -> Stmt:
            value = substitute(compute.value, dict(zip(compute.axes, index, strict=True)))
            return Store(compute.output, index, value)

        note = f"one thread per element, tiles of {plan.tile}"
        return kernel(compute, plan.each(body), plan.blocks, plan.threads, (note,))
