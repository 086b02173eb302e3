"""Matrix product of bytes for a CPU: the reduction in words of four, `dot4` in every lane.

A block of threads is one vector, a register tile of vectors each. The columns come in panels as
wide as a register tile; words of the rows are the same for all lanes and are read as they lie.
Nothing is copied, and edges are cut off only where results are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ScheduleError
from workbench.ir import build
from workbench.ir.expr import Call, Expr, Load, Var
from workbench.ir.stmt import Allocate, Seq, Stmt, Store
from workbench.ir.traverse import substitute
from workbench.ir.types import Scope, TensorType, i32
from workbench.runtime.following import cores
from workbench.schedules.axes import kernel, over_blocks
from workbench.schedules.compute import Reducer
from workbench.schedules.lanes import LANE, loop
from workbench.schedules.matmul_block import Block
from workbench.schedules.matmul_tiles import Product

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.ir.module import Module
    from workbench.schedules.compute import Compute

TILES = {16: ((6, 4), (12, 2), (8, 3), (4, 6), (24, 1)), 8: ((6, 2), (4, 3), (12, 1))}
"""Register tiles that leave room for operands, by lanes; 4 lanes have the registers of 8."""


def tile(compute: Compute, lanes: int) -> tuple[int, int]:
    """Rows and vectors of the register tile that suits the extents of a product."""
    *rows, n = compute.output.tensor.extents
    # a right factor for each batch has the rows of a batch
    m = prod(rows)

    def cost(each: tuple[int, int]) -> float:
        high, vectors = each
        padded = -(-m // high) * high * -(-n // (vectors * lanes)) * vectors * lanes
        return padded * (1 + (high + 2 * vectors) / (high * vectors) / 8)

    return min(TILES.get(lanes, TILES[8]), key=cost)


def words(compute: Compute) -> tuple[Load, Load] | None:
    """The words of rows and of panels that a product is made of; None where it is none."""
    reduction = compute.reduction
    if reduction is None or reduction.reducer is not Reducer.SUM or len(reduction.axes) != 1:
        return None
    value = reduction.value
    if not isinstance(value, Call) or value.function != "dot4" or len(compute.axes) < 2:
        return None
    x, w = value.args[:2]
    if not isinstance(x, Load) or not isinstance(w, Load) or len(w.index) < 4:
        return None
    return x, w


@dataclass(frozen=True, slots=True)
class MatmulWords:
    """The knobs of the template.

    Attributes
    ----------
    lanes : int
        Threads of a block: words in a vector of the machine.
    each : tuple of int
        Rows and vectors of a register tile; panels are as wide.
    tile : tuple of int
        Rows and columns of a block, at most; tiles are made even.
    blocks : int
        Smaller tiles where there were fewer blocks than this.
    """

    lanes: int = 16
    each: tuple[int, int] = (6, 4)
    tile: tuple[int, int] = (512, 256)
    blocks: int = 8

    @classmethod
    def fitted(cls, compute: Compute, lanes: int) -> MatmulWords | None:
        """The template with the rows that suit the panels of a product."""
        found = words(compute)
        if found is None:
            return None
        vectors = found[1].tensor.tensor.extents[-2] // lanes
        if vectors == 0 or found[1].tensor.tensor.extents[-2] % lanes:
            return None
        most = {16: 24, 8: 12}.get(lanes, 12) // vectors
        m = Product(compute, *found, lanes, (1, vectors)).shape[0]
        rows = -(-m // -(-m // max(1, most)))
        return cls(lanes, (rows, vectors), blocks=4 * cores())

    def build(self, compute: Compute) -> Module:
        """The scheduled program.

        Raises
        ------
        ScheduleError
            When the definition is no matrix product in words, or its panels are of another width.
        """
        found = words(compute)
        if found is None or found[1].tensor.tensor.extents[-2] != self.each[1] * self.lanes:
            raise ScheduleError(f"{compute.name} is no product of words in such panels")
        depth = found[0].tensor.tensor.extents[-1]
        of = Product(compute, *found, self.lanes, self.each, depth, self.tile, self.blocks)
        (down, high), (across, wide) = of.panels
        counts = (*of.lead, down, across)
        block = tuple(Var(f"b{d}", i32) for d in range(len(counts)))
        sums = Var("c_tile", TensorType(i32, (1, *of.unit), Scope.SHARED))
        none = Var("none", i32)
        body = Seq((Allocate(sums), _Words(of, block, none, none, sums, Var("k0", i32)).multiply()))
        whole = over_blocks(block, counts, body)
        note = f"tiles of {(high * of.unit[0], wide * of.unit[1])}, {of.unit} in registers"
        return kernel(compute, whole, prod(counts), self.lanes, (note,))


@dataclass(frozen=True, slots=True, eq=False)
class _Words(Block):
    """What one block does."""

    def tile(self, down: Expr, across: Expr) -> Stmt:
        """One register tile."""
        acc = Var("acc", TensorType(i32, self.of.each, Scope.REGISTER))
        start = self.vectors(lambda i, v: Store(acc, (i, v), build.const(0)))

        def here(i: Expr, v: Expr) -> Sequence[Expr]:
            return build.const(0), i, build.add(build.mul(v, self.of.lanes), LANE)

        keep = self.vectors(lambda i, v: Store(self.c, tuple(here(i, v)), build.load(acc, (i, v))))
        terms = loop("k", self.of.shape[2], lambda k: self._term(acc, k, down, across))
        done = self.store(down, across, lambda i, v: tuple(here(i, v)))
        return Seq((Allocate(acc), start, terms, keep, done))

    def _term(self, acc: Var, k: Expr, down: Expr, across: Expr) -> Stmt:
        """Four terms of every sum."""
        right = self.of.right
        assert isinstance(right, Load)
        batches = dict(zip(self.of.compute.axes[: len(self.of.lead)], self.block, strict=False))
        lead = [substitute(e, batches) for e in right.index[:-4]]
        panel = build.add(build.mul(self.block[-1], self.of.panels[1][1]), across)
        top = build.add(self.first(0), build.mul(down, self.of.unit[0]))

        def add(i: Expr, v: Expr) -> Stmt:
            place = build.add(build.mul(v, self.of.lanes), LANE)
            column = build.load(right.tensor, (*lead, panel, k, place, 0), lanes=4)
            row = self.factor(0, self.inside(0, build.add(top, i)), k)
            return Store(acc, (i, v), build.call("dot4", row, column, build.load(acc, (i, v))))

        return self.vectors(add)
