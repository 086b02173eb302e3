"""Matrix product for a CPU: a block of threads is one vector, a register tile of vectors each.

A block makes a tile of the product. It copies a stretch along k of both factors into scratch
memory, the left one by rows, the right one in panels as wide as a register tile, and multiplies
panel by panel: elements of the left factor are the same for all lanes, hence broadcast. Edges
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
from workbench.ir.expr import BinaryOp, Builtin, Expr, Var
from workbench.ir.stmt import Allocate, Declare, Evaluate, For, ForTask, If, Seq, Stmt, Store
from workbench.ir.traverse import substitute
from workbench.ir.types import DType, Scope, TensorType, i32
from workbench.mapping import spatial
from workbench.runtime.cpu_launch import cores
from workbench.schedules.axes import kernel
from workbench.schedules.lanes import LANE, dtype_of, equal, even, loop, neighbours, smaller
from workbench.schedules.matmul_simt import factors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.ir.compute import Compute
    from workbench.ir.module import Module


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
        Most of the reduction in scratch memory at a time.
    tile : tuple of int
        Rows and columns of a block, at most; tiles are made even.
    blocks : int
        Smaller tiles where there were fewer blocks than this, so that host threads share them.
    """

    lanes: int = 16
    each: tuple[int, int] = (6, 4)
    depth: int = 384
    tile: tuple[int, int] = (512, 512)
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
        return _Product(self, compute, *found).module()


LEAST_WORK = 2**20
"""Products that a block should have, lest handing it out costs more than it gives."""

_TILES = {16: ((6, 4), (12, 2), (8, 3), (24, 1)), 8: ((6, 2), (4, 3), (12, 1))}
"""Register tiles that leave room for operands, by lanes; 4 lanes have the registers of 8."""


def fitted(compute: Compute, lanes: int) -> MatmulCpu:
    """The template with the register tile that suits the extents of a product.

    The more of a tile lies past the edge, and the more operands are loaded for each product, the
    worse.
    """
    assert compute.reduction is not None
    m, n = compute.output.tensor.extents[-2:]
    words = max(1, dtype_of(compute.reduction.value).bits // 32)

    def cost(each: tuple[int, int]) -> float:
        rows, vectors = each
        padded = -(-m // rows) * rows * -(-n // (vectors * lanes)) * vectors * lanes
        return padded * (1 + (rows + vectors) / (rows * vectors) / 8)

    tiles = [(-(-r // words), v) for r, v in _TILES.get(lanes, _TILES[8])]
    return MatmulCpu(lanes, min(tiles, key=cost), blocks=2 * cores())


@dataclass(frozen=True, slots=True, eq=False)
class _Product:
    """One product being scheduled."""

    knobs: MatmulCpu
    compute: Compute
    left: Expr
    right: Expr

    @property
    def shape(self) -> tuple[int, int, int]:
        """M, N, K."""
        assert self.compute.reduction is not None
        m, n = self.compute.output.tensor.extents[-2:]
        return m, n, self.compute.reduction.extents[0]

    @property
    def unit(self) -> tuple[int, int]:
        """Rows and columns of a register tile."""
        rows, vectors = self.knobs.each
        return rows, vectors * self.knobs.lanes

    @property
    def panels(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Blocks, and register tiles in a block, along rows and columns."""
        (m, n, k), unit = self.shape, self.unit
        high, wide = self.knobs.tile
        lead = prod(self.compute.output.tensor.extents[:-2])
        while True:
            down, across = even(m, high, unit[0]), even(n, wide, unit[1])
            sums = down[1] * unit[0] * across[1] * unit[1]
            if lead * down[0] * across[0] >= self.knobs.blocks or sums * k < 2 * LEAST_WORK:
                return down, across
            if down[1] * unit[0] > across[1] * unit[1]:
                high = down[1] * unit[0] // 2
            else:
                wide = across[1] * unit[1] // 2

    @property
    def stretches(self) -> tuple[int, int]:
        """How often factors are copied, and terms of the sum each time."""
        rounds, units = even(self.shape[2], self.knobs.depth, self.knobs.lanes)
        return rounds, units * self.knobs.lanes if rounds > 1 else self.shape[2]

    @property
    def dtype(self) -> DType:
        """Of the sum."""
        assert self.compute.reduction is not None
        return dtype_of(self.compute.reduction.value)

    def module(self) -> Module:
        """The whole kernel."""
        lead = self.compute.output.tensor.extents[:-2]
        (down, high), (across, wide) = self.panels
        counts = (*lead, down, across)
        block = tuple(Var(f"b{d}", i32) for d in range(len(counts)))
        body = ForTask(block, spatial(*counts), Builtin("blockIdx.x"), self._block(block))
        tile = high * self.unit[0], wide * self.unit[1]
        note = f"tiles of {tile} by {self.stretches[1]}, {self.unit} in registers"
        return kernel(self.compute, body, prod(counts), self.knobs.lanes, (note,))

    def _block(self, block: Sequence[Var]) -> Stmt:
        """What one block does."""
        (_, high), (_, wide) = self.panels
        rounds, depth = self.stretches
        rows, columns = self.unit
        state = _Block(
            self,
            block,
            Var("a_tile", TensorType(dtype_of(self.left), (high * rows, depth), Scope.SHARED)),
            Var("b_tile", TensorType(dtype_of(self.right), (wide, depth, columns), Scope.SHARED)),
            Var("c_tile", TensorType(self.dtype, self._kept(high, wide), Scope.SHARED)),
            Var("k0", i32),
        )
        zero, sync = build.const(0), Evaluate(build.call("syncthreads"))
        again = (sync,) if rounds > 1 else ()
        body = Seq((state.copy_left(), state.copy_right(), sync, state.multiply(), *again))
        return Seq(
            (
                *map(Allocate, (state.a, state.b, state.c)),
                For(state.k0, zero, build.const(rounds), build.const(1), body),
            )
        )

    def _kept(self, high: int, wide: int) -> tuple[int, int, int]:
        """Sums in scratch memory: all of the block where they are added to, else a panel's."""
        rows, columns = self.unit
        return (high, wide * rows, columns) if self.stretches[0] > 1 else (1, rows, columns)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """The parts of a block's program; `a`, `b` and `c` lie in scratch memory."""

    of: _Product
    block: Sequence[Var]
    a: Var
    b: Var
    c: Var
    k0: Var

    @property
    def depth(self) -> Expr:
        """Terms of the sum in this stretch."""
        rounds, depth = self.of.stretches
        k = self.of.shape[2]
        left = build.sub(k, build.mul(self.k0, depth))
        return smaller(left, depth) if k % depth and rounds > 1 else build.const(depth)

    def panels(self, d: int) -> Expr:
        """Register tiles of this block along rows (0) or columns (1)."""
        blocks, each = self.of.panels[d]
        total = -(-self.of.shape[d] // self.of.unit[d])
        left = build.sub(total, build.mul(self.block[d - 2], each))
        return smaller(left, each) if total % each and blocks > 1 else build.const(each)

    def first(self, d: int) -> Expr:
        """The first row or column of the block."""
        return build.mul(self.block[d - 2], self.of.panels[d][1] * self.of.unit[d])

    def factor(self, d: int, at: Expr, k: Expr) -> Expr:
        """The left factor at a row (0), or the right one at a column (1)."""
        compute = self.of.compute
        assert compute.reduction is not None
        values: dict[Var, Expr] = dict(zip(compute.axes[:-2], self.block, strict=False))
        values[compute.axes[d - 2]] = at
        values[compute.reduction.axes[0]] = build.add(build.mul(self.k0, self.of.stretches[1]), k)
        return substitute((self.of.left, self.of.right)[d], values)

    def inside(self, d: int, at: Expr) -> Expr:
        """A row or column, the last one for those past the edge."""
        extent = self.of.shape[d]
        return smaller(at, extent - 1) if extent % self.of.unit[d] else at

    def copy_left(self) -> Stmt:
        """The left factor by rows; neighbouring threads take neighbours along k."""

        def copy(row: Expr) -> Stmt:
            at = self.inside(0, build.add(self.first(0), row))
            return self._along_k(lambda k: Store(self.a, (row, k), self.factor(0, at, k)))

        return loop("row", build.mul(self.panels(0), self.of.unit[0]), copy)

    def copy_right(self) -> Stmt:
        """The right factor in panels, whichever way it lies in memory."""
        width = self.of.unit[1]
        assert self.of.compute.reduction is not None
        down = neighbours(self.of.right, self.of.compute.reduction.axes[0])

        def copy(panel: Expr) -> Stmt:
            first = build.add(self.first(1), build.mul(panel, width))
            return self._turned(panel, first) if down else self._straight(panel, first)

        return loop("panel", self.panels(1), copy)

    def _turned(self, panel: Expr, first: Expr) -> Stmt:
        """A panel whose columns are runs in memory."""

        def store(k: Expr, column: Expr) -> Stmt:
            at = self.inside(1, build.add(first, column))
            return Store(self.b, (panel, k, column), self.factor(1, at, k))

        width = self.of.unit[1]
        return self._along_k(lambda k: loop("column", width, lambda c: store(k, c), unroll=0))

    def _straight(self, panel: Expr, first: Expr) -> Stmt:
        """A panel whose rows are runs in memory."""
        (lanes, vectors), n = (self.of.knobs.lanes, self.of.knobs.each[1]), self.of.shape[1]

        def rows(guarded: bool) -> Stmt:
            def store(k: Expr, v: Expr) -> Stmt:
                place = build.add(build.mul(v, lanes), LANE)
                at = build.add(first, place)
                value = self.factor(1, at, k)
                if guarded:
                    zero = build.const(0, dtype_of(value))
                    value = build.select(build.less(at, n), value, zero)
                return Store(self.b, (panel, k, place), value)

            inner = lambda k: loop("v", vectors, lambda v: store(k, v), unroll=0)  # noqa: E731
            return loop("k", self.depth, inner)

        if n % self.of.unit[1] == 0:
            return rows(guarded=False)
        fits = build.binary(BinaryOp.LE, build.add(first, self.of.unit[1]), n)
        return If(fits, rows(guarded=False), rows(guarded=True))

    def _along_k(self, store: Callable[[Expr], Stmt]) -> Stmt:
        """`store` for all of the stretch, a vector at a time."""
        lanes = self.of.knobs.lanes
        full = build.floordiv(self.depth, lanes)
        whole = loop("step", full, lambda s: store(build.add(build.mul(s, lanes), LANE)))
        if self.of.shape[2] % lanes == 0:
            return whole
        tail = build.add(build.mul(full, lanes), LANE)
        return Seq((whole, If(build.less(tail, self.depth), store(tail))))

    def multiply(self) -> Stmt:
        """All register tiles of the block."""
        return loop(
            "down",
            self.panels(0),
            lambda down: loop("across", self.panels(1), lambda across: self._tile(down, across)),
        )

    def _tile(self, down: Expr, across: Expr) -> Stmt:
        """One register tile."""
        acc = Var("acc", TensorType(self.of.dtype, self.of.knobs.each, Scope.REGISTER))
        rows, lanes = self.of.unit[0], self.of.knobs.lanes
        rounds = self.of.stretches[0]

        def here(i: Expr, v: Expr) -> tuple[Expr, ...]:
            """Where an element of the register tile lies in scratch memory."""
            column = build.add(build.mul(v, lanes), LANE)
            if rounds == 1:
                return build.const(0), i, column
            return down, build.add(build.mul(across, rows), i), column

        zero = build.const(0, self.of.dtype)
        start = self._each(lambda i, v: Store(acc, (i, v), zero))
        done = self._store(down, across, here)
        if rounds > 1:
            again = self._each(lambda i, v: Store(acc, (i, v), build.load(self.c, here(i, v))))
            start = If(equal(self.k0, 0), start, again)
            done = If(equal(self.k0, rounds - 1), done)
        keep = self._each(lambda i, v: Store(self.c, here(i, v), build.load(acc, (i, v))))
        return Seq((Allocate(acc), start, self._terms(acc, down, across), keep, done))

    def _terms(self, acc: Var, down: Expr, across: Expr) -> Stmt:
        """Sum up along k."""
        (rows, _), (lanes, vectors) = self.of.unit, (self.of.knobs.lanes, self.of.knobs.each[1])
        b = Var("b", TensorType(dtype_of(self.of.right), (vectors,), Scope.REGISTER))
        a = Var("a", dtype_of(self.of.left))

        def fetch(k: Expr, v: Expr) -> Stmt:
            place = across, k, build.add(build.mul(v, lanes), LANE)
            return Store(b, (v,), build.load(self.b, place))

        def add(i: Expr, v: Expr) -> Stmt:
            total = build.add(build.load(acc, (i, v)), build.mul(a, build.load(b, (v,))))
            return Store(acc, (i, v), total)

        def row(k: Expr, i: Expr) -> Stmt:
            element = build.load(self.a, (build.add(build.mul(down, rows), i), k))
            sums = loop("v", vectors, lambda v: add(i, v), unroll=0)
            return Seq((Declare(a, element), sums))

        def term(k: Expr) -> Stmt:
            loads = loop("v", vectors, lambda v: fetch(k, v), unroll=0)
            return Seq((Allocate(b), loads, loop("i", rows, lambda i: row(k, i), unroll=0)))

        return loop("k", self.depth, term)

    def _each(self, body: Callable[[Expr, Expr], Stmt]) -> Stmt:
        """`body` for every vector of the register tile."""
        rows, vectors = self.of.knobs.each
        return loop(
            "i", rows, lambda i: loop("v", vectors, lambda v: body(i, v), unroll=0), unroll=0
        )

    def _store(
        self, down: Expr, across: Expr, here: Callable[[Expr, Expr], tuple[Expr, ...]]
    ) -> Stmt:
        """A finished register tile to the output."""
        (rows, width), (m, n, _) = self.of.unit, self.of.shape
        compute = self.of.compute
        top = build.add(self.first(0), build.mul(down, rows))
        left = build.add(self.first(1), build.mul(across, width))

        def store(i: Expr, v: Expr) -> Stmt:
            assert compute.reduction is not None
            column = build.add(left, build.mul(v, self.of.knobs.lanes), LANE)
            index = (*self.block[:-2], build.add(top, i), column)
            values: dict[Var, Expr] = dict(zip(compute.axes, index, strict=True))
            total = build.load(self.c, here(i, v))
            value = substitute(compute.value, {**values, compute.reduction.result: total})
            one = Store(compute.output, index, value)
            return If(build.less(column, n), one) if n % width else one

        count = smaller(build.sub(m, top), rows) if m % rows else build.const(rows)
        vectors = self.of.knobs.each[1]
        return loop("i", count, lambda i: loop("v", vectors, lambda v: store(i, v)))
