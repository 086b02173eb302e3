"""Two matrix products with rows between them, for a CPU: what the first gives is never stored.

A block makes some rows of the second product. It multiplies the first for these rows, panel by
panel of the right factor, into scratch memory; works along the rows there, as the templates for
rows do; and multiplies what it has made of them with stretches of the second right factor.
Softmax attention has this form: scores, weights that sum up to one, a mean of values by weight.
It knows none of these: anything along the rows will do, with whatever masks it reads.

Source: the idea not to store the scores is from Dao et al., "FlashAttention: Fast and
Memory-Efficient Exact Attention with IO-Awareness", NeurIPS 2022. Here a block holds whole rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.expr import Expr, Var
from workbench.ir.stmt import Allocate, Evaluate, For, Seq, Stmt
from workbench.ir.types import Scope, TensorType, i32
from workbench.runtime.following import cores
from workbench.schedules.attention_block import (
    Attention,
    First,
    RowsInPlace,
    Second,
    Storage,
    Strip,
    passes_of,
)
from workbench.schedules.axes import launched, over_blocks
from workbench.schedules.extents import rough
from workbench.schedules.lanes import LANE, dtype_of, loop
from workbench.schedules.matmul_cpu import REGISTER_TILES
from workbench.schedules.matmul_simt import factors
from workbench.schedules.row_block import Place, RowBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.ir.module import Module
    from workbench.ir.types import DType
    from workbench.schedules.compute import Compute

ROWS = 96
"""Rows of a block, at most: with more, what is copied for a block costs nothing any more."""

FEWEST = 24
"""Rows of a block, at least: with fewer, copying costs as much as multiplying."""

ROOM_BYTES, MOST_BYTES = 2**19, 2**20
"""For the rows of a block: rather this, and at most that; they are to stay in a core's cache."""

DEEPEST = 512
"""Terms of a sum of the first product, at most: its left factor lies in scratch memory whole."""


@dataclass(frozen=True, slots=True)
class AttentionCpu:
    """The knobs of the template.

    Attributes
    ----------
    lanes : int
        Threads of a block: elements of 32 bits in a vector of the machine.
    each : tuple of int
        Rows and vectors of a register tile, of both products.
    high : int
        Register tiles of a block along rows.
    depth : int
        Terms of the second product's sum whose right factor is copied at a time.
    """

    lanes: int = 16
    each: tuple[int, int] = (6, 4)
    high: int = 8
    depth: int = 256

    def build(self, of: Attention, name: str) -> Module:
        """The scheduled program."""
        first, _ = self.strips(of)
        counts = (*first.lead, first.panels[0][0], 1)
        block = tuple(Var(f"b{d}", i32) for d in range(len(counts)))
        body = _block(self, of, block)
        body = over_blocks(block, counts, body)
        made = {of.scores, *(s.output for s in of.rows.steps)}
        read = (of.first, *(s.compute for s in of.rows.steps), of.second)
        inputs = dict.fromkeys(v for c in read for v in c.inputs if v not in made)
        note = f"{self.high * self.each[0]} rows of {of.rows.length} a block, not stored"
        params = (*inputs, of.second.output)
        return launched(name, params, body, prod(counts), self.lanes, (note,))

    def strips(self, of: Attention) -> tuple[Strip, Strip]:
        """Both products, as they are cut."""

        def strip(compute: Compute, depth: int) -> Strip:
            found = factors(compute)
            assert found is not None, f"{compute.name} is no matrix product"
            return Strip(compute, *found, self.lanes, self.each, depth, high=self.high)

        return strip(of.first, DEEPEST), strip(of.second, self.depth)


def fitted(of: Attention, lanes: int) -> AttentionCpu | None:
    """The template with knobs that suit the extents; None where the rows are too long for it."""
    m, n, _ = map(rough, AttentionCpu(lanes).strips(of)[0].shape)
    wide = rough(of.second.output.tensor.extents[-1])

    def cost(each: tuple[int, int]) -> float:
        rows, columns = each[0], each[1] * lanes
        padded = sum(-(-extent // columns) * columns for extent in (n, wide))
        return -(-m // rows) * rows * padded * (1 + (each[0] + each[1]) / prod(each) / 8)

    each = min(REGISTER_TILES.get(lanes, REGISTER_TILES[8]), key=cost)
    knobs = AttentionCpu(lanes, each)
    row_bytes = Storage.of(of, *knobs.strips(of)).row_bytes
    if min(m, FEWEST) * row_bytes > MOST_BYTES:
        return None
    batches = rough(prod(of.first.output.tensor.extents[:-2]))
    # two blocks for each core, if that leaves them enough rows, of whole register tiles
    shared = -(-m // -(-2 * cores() // batches))
    shared = -(-shared // each[0]) * each[0]
    most = min(ROWS, max(FEWEST, min(ROOM_BYTES // row_bytes, shared)))
    tiles = -(-m // each[0])
    blocks = -(-tiles // max(1, most // each[0]))
    return replace(knobs, high=-(-tiles // blocks))


def _block(knobs: AttentionCpu, of: Attention, block: Sequence[Var]) -> Stmt:
    """What one block does."""
    one, two = knobs.strips(of)
    storage, k = Storage.of(of, one, two), Var("k0", i32)

    def shared(name: str, dtype: DType, *shape: int) -> Var:
        return Var(name, TensorType(dtype, shape, Scope.SHARED))

    rows, columns = knobs.high * one.unit[0], one.unit[1]
    left = shared("a_tile", dtype_of(one.left), rows, one.stretches[1])
    right = shared("b_tile", dtype_of(one.right), 1, one.stretches[1], columns)
    first = First(one, block, left, right, storage.scores, k)
    (rounds, depth), wide = two.stretches, two.panels[1][1]
    right = shared("values", dtype_of(two.right), wide, depth, columns)
    total = shared("sums", two.dtype, *two.sums)
    second = Second(two, block, storage.weights, right, total, Var("k1", i32))
    zero, step, sync = build.const(0), build.const(1), Evaluate(build.call("syncthreads"))

    def row(number: Expr) -> Stmt:
        # those past the edge work on the last row, and count for none
        at = first.inside(0, build.add(first.first(0), number))
        place = Place((*block[:-2], at), number, LANE, build.const(True))
        how = RowBlock(rows, knobs.lanes)
        return RowsInPlace(
            how, of.rows, place, passes_of(of), storage=storage, left=two.left
        ).whole()

    scores = Seq((first.copy_left(), sync, first.multiply()))
    stretch = Seq((second.copy_right(), sync, second.multiply(), sync))
    count = build.mul(first.panels(0), one.unit[0])
    scratch = dict.fromkeys((*storage.all, first.a, first.b, second.b, second.c))
    return Seq((
        *map(Allocate, scratch),
        For(k, zero, step, step, scores),
        loop("row", count, row),
        sync,
        For(second.k0, zero, build.const(rounds), step, stretch),
    ))  # fmt: skip
