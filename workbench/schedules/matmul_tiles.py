"""The extents of a matrix product on a CPU, and how they are cut into blocks and register tiles."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.alike import alike
from workbench.ir.expr import Cast, Expr, Load
from workbench.ir.traverse import variables
from workbench.schedules.extents import rough
from workbench.schedules.lanes import dtype_of, even

if TYPE_CHECKING:
    from workbench.ir.types import DType
    from workbench.schedules.compute import Compute


def in_panels(right: Expr, compute: Compute) -> Load | None:
    """What a right factor loads, where it lies in panels: ``w[n // width, k, n % width]``."""
    load = right.a if isinstance(right, Cast) else right
    if not isinstance(load, Load) or len(load.index) != 3 or compute.reduction is None:
        return None
    column, width = compute.axes[-1], load.tensor.tensor.extents[-1]
    wanted = build.floordiv(column, width), compute.reduction.axes[0], build.floormod(column, width)
    pairs = zip(load.index, wanted, strict=True)
    same = all(alike(a, b) and variables(a) == variables(b) for a, b in pairs)
    return load if same else None


LEAST_WORK = 2**20
"""Products that a block should have, lest handing it out costs more than it gives."""


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """One product being scheduled: a definition, its factors, and the template's knobs."""

    compute: Compute
    left: Expr
    right: Expr
    lanes: int
    each: tuple[int, int]
    depth: int = 1
    tile: tuple[int, int] = (1, 1)
    blocks: int = 1

    @property
    def lead(self) -> tuple[int, ...]:
        """Extents of the batches that have a right factor each; other batches are more rows."""
        extents, used = self.compute.output.tensor.extents[:-2], variables(self.right)
        own = [d for d, axis in enumerate(self.compute.axes[:-2]) if axis in used]
        return extents[: own[-1] + 1] if own else ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """M, N, K; the rows of batches that share a right factor are one after the other."""
        assert self.compute.reduction is not None
        *rows, n = self.compute.output.tensor.extents[len(self.lead) :]
        return prod(rows), n, self.compute.reduction.extents[0]

    @property
    def packed(self) -> Load | None:
        """What the right factor loads, where that lies in panels of this width already."""
        load = in_panels(self.right, self.compute)
        fits = load is not None and load.tensor.tensor.extents[-1] == self.unit[1]
        return load if fits else None

    @property
    def unit(self) -> tuple[int, int]:
        """Rows and columns of a register tile."""
        rows, vectors = self.each
        return rows, vectors * self.lanes

    @property
    def panels(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Blocks, and register tiles in a block, along rows and columns."""
        unit, (m, n, k) = self.unit, map(rough, self.shape)
        high, wide = self.tile
        lead = rough(prod(self.lead))
        while True:
            down, across = even(m, high, unit[0]), even(n, wide, unit[1])
            sums = down[1] * unit[0] * across[1] * unit[1]
            if lead * down[0] * across[0] >= self.blocks or sums * k < 2 * LEAST_WORK:
                return even(self.shape[0], high, unit[0]), even(self.shape[1], wide, unit[1])
            if down[1] * unit[0] > across[1] * unit[1]:
                high = down[1] * unit[0] // 2
            else:
                wide = across[1] * unit[1] // 2

    @property
    def stretches(self) -> tuple[int, int]:
        """How often factors are copied, and terms of the sum each time."""
        rounds, units = even(self.shape[2], self.depth, self.lanes)
        return rounds, units * self.lanes if rounds > 1 else self.shape[2]

    @property
    def sums(self) -> tuple[int, ...]:
        """Shape of scratch memory for sums: of all the block where they are added to, tile by tile.

        Else it has those of one register tile.
        """
        (_, high), (_, wide) = self.panels
        tile = prod(self.unit)
        return (wide, high, tile) if self.stretches[0] > 1 else (tile,)

    @property
    def dtype(self) -> DType:
        """Of the sum."""
        assert self.compute.reduction is not None
        return dtype_of(self.compute.reduction.value)
