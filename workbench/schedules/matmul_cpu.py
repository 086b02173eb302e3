"""Matrix product for a CPU: a block of threads is one vector, a register tile of vectors each.

A block makes a tile of the product. It copies a stretch along k of both factors into scratch
memory, the left one by rows, the right one in panels as wide as a register tile, and multiplies
panel by panel: the panel stays in the first-level cache while all rows of the left factor pass by,
whose elements are the same for all lanes, hence broadcast. Edges
are cut off where the factors are copied and where results are stored; the multiplication itself
has no masks.

Source: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34
(2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ScheduleError
from workbench.ir import build
from workbench.ir.expr import Var
from workbench.ir.stmt import Allocate, Evaluate, For, Seq, Stmt
from workbench.ir.types import Scope, TensorType, i32
from workbench.runtime.following import cores
from workbench.runtime.jit import host
from workbench.schedules.axes import kernel, over_blocks
from workbench.schedules.extents import rough
from workbench.schedules.lanes import dtype_of
from workbench.schedules.matmul_block import Block
from workbench.schedules.matmul_simt import factors
from workbench.schedules.matmul_tiles import Product, in_panels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.ir.module import Module
    from workbench.schedules.compute import Compute


@dataclass(frozen=True, slots=True)
class MatmulCpu:
    """The knobs of the template.

    Attributes
    ----------
    lanes : int
        Threads of a block: elements of 32 bits in a vector of the machine.
    each : tuple of int
        Rows and vectors of a register tile.
    depth : int
        Most of the reduction in scratch memory at a time: a panel of the right factor as deep as
        this should fit in the first-level cache, since every register tile above it reads it.
    tile : tuple of int
        Rows and columns of a block, at most; tiles are made even.
    blocks : int
        Smaller tiles where there were fewer blocks than this, so that host threads share them.
    """

    lanes: int = 16
    each: tuple[int, int] = (6, 4)
    depth: int = 128
    tile: tuple[int, int] = (2048, 1024)
    blocks: int = 4

    def build(self, compute: Compute) -> Module:
        """The scheduled program.

        Raises
        ------
        ScheduleError
            When the definition is no matrix product.
        """
        found = factors(compute)
        if found is None:
            raise ScheduleError(f"{compute.name} is no matrix product")
        knobs = self.lanes, self.each, self.depth, self.tile, self.blocks
        return _module(Product(compute, *found, *knobs))


REGISTER_TILES = {16: ((6, 4), (12, 2), (8, 3), (24, 1)), 8: ((6, 2), (4, 3), (12, 1))}
"""Register tiles that leave room for operands, by lanes; 4 lanes have the registers of 8."""


LONG = 2**31
"""Products of numbers that take a core tens of milliseconds."""


def fitted(compute: Compute, lanes: int) -> MatmulCpu:
    """The template with the register tile that suits the extents of a product.

    The more of a tile lies past the edge, and the more operands are loaded for each product, the
    worse.
    """
    found = factors(compute)
    assert found is not None
    assert compute.reduction is not None
    m, n, k = map(rough, Product(compute, *found, lanes, (1, 1)).shape)
    bits = dtype_of(compute.reduction.value).bits
    words = max(1, bits // 32)

    def cost(each: tuple[int, int]) -> float:
        rows, vectors = each
        padded = -(-m // rows) * rows * -(-n // (vectors * lanes)) * vectors * lanes
        return padded * (1 + (rows + vectors) / (rows * vectors) / 8)

    tiles = [(-(-r // words), v) for r, v in REGISTER_TILES.get(lanes, REGISTER_TILES[8])]
    # blocks that take long need not be many: each copies its own stretches of the factors
    blocks = cores() if m * n * k > LONG else 2 * cores()
    each = min(tiles, key=cost)
    packed = in_panels(found[1], compute) is not None
    return MatmulCpu(lanes, each, _depth(each[1] * lanes * bits // 8, packed), blocks=blocks)


def _depth(row_bytes: int, packed: bool) -> int:
    """Rows of a panel that take two thirds of the first-level cache.

    Half of it where the panels are packed: the next one comes there meanwhile.

    Source: Low et al., "Analytical Modeling Is Enough for High-Performance BLIS", ACM TOMS 43
    (2016), section 4: the panel stays, rows of the left factor and of the sums pass by.
    """
    level1 = host().level1_bytes
    return max(16, (level1 // 2 if packed else level1 * 2 // 3) // row_bytes // 16 * 16)


def _module(of: Product) -> Module:
    """The whole kernel."""
    (down, high), (across, wide) = of.panels
    counts = (*of.lead, down, across)
    block = tuple(Var(f"b{d}", i32) for d in range(len(counts)))
    body = over_blocks(block, counts, _block(of, block))
    tile = high * of.unit[0], wide * of.unit[1]
    note = f"tiles of {tile} by {of.stretches[1]}, {of.unit} in registers"
    return kernel(of.compute, body, prod(counts), of.lanes, (note,))


def _block(of: Product, block: Sequence[Var]) -> Stmt:
    """What one block does."""
    (_, high), (_, wide) = of.panels
    (rounds, depth), (rows, columns) = of.stretches, of.unit
    state = Block(
        of,
        block,
        Var("a_tile", TensorType(dtype_of(of.left), (high * rows, depth), Scope.SHARED)),
        Var("b_tile", TensorType(dtype_of(of.right), (wide, depth, columns), Scope.SHARED)),
        Var("c_tile", TensorType(of.dtype, of.sums, Scope.SHARED)),
        Var("k0", i32),
    )
    zero, sync = build.const(0), Evaluate(build.call("syncthreads"))
    again = (sync,) if rounds > 1 else ()
    copies, scratch = [state.copy_left()], [state.a, state.c]
    if of.packed is None:
        copies.append(state.copy_right())
        scratch.append(state.b)
    body = Seq((*copies, sync, state.multiply(), *again))
    stretches = For(state.k0, zero, build.const(rounds), build.const(1), body)
    return Seq((*map(Allocate, scratch), stretches))
