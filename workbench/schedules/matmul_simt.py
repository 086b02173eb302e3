"""Tiled matrix product without tensor cores: shared tiles, a register tile per thread.

It fits every definition that sums a product of two factors over one axis, where one factor does
not depend on the last output axis and the other not on the one before: plain, batched and
transposed products alike. Extents need not divide the tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ScheduleError
from workbench.ir import build
from workbench.ir.expr import Binary, BinaryOp, Builtin, Expr, Var
from workbench.ir.stmt import Allocate, Evaluate, For, ForTask, If, Seq, Stmt, Store
from workbench.ir.traverse import substitute, variables
from workbench.ir.types import DType, Scope, TensorType, i32
from workbench.mapping import repeat, spatial
from workbench.schedules.axes import kernel
from workbench.schedules.compute import Reducer
from workbench.schedules.extents import divides

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.ir.module import Module
    from workbench.mapping import TaskMapping
    from workbench.schedules.compute import Compute


def factors(compute: Compute) -> tuple[Expr, Expr] | None:
    """The row factor and the column factor of a matrix product; None when it is none."""
    reduction = compute.reduction
    if reduction is None or reduction.reducer is not Reducer.SUM or len(reduction.axes) != 1:
        return None
    value = reduction.value
    if len(compute.axes) < 2 or not isinstance(value, Binary) or value.op is not BinaryOp.MUL:
        return None
    row, column = compute.axes[-2:]
    for a, b in ((value.a, value.b), (value.b, value.a)):
        if column not in variables(a) and row not in variables(b):
            return a, b
    return None


@dataclass(frozen=True, slots=True)
class MatmulSimt:
    """The knobs of the template.

    Attributes
    ----------
    threads : tuple of int
        Threads of a block along rows and columns.
    each : tuple of int
        Rows and columns of a thread's register tile.
    depth : int
        How much of the reduction lies in shared memory at a time.
    """

    threads: tuple[int, int] = (16, 16)
    each: tuple[int, int] = (4, 4)
    depth: int = 16

    def build(self, compute: Compute) -> Module:
        """The scheduled program.

        Raises
        ------
        ScheduleError
            When the definition is no matrix product, or the tiles do not suit the threads.
        """
        found = factors(compute)
        if found is None:
            raise ScheduleError(f"{compute.name} is no matrix product")
        workers = prod(self.threads)
        if workers % self.depth:
            raise ScheduleError(f"{workers} threads cannot copy tiles of depth {self.depth}")
        return _Product(self, compute, *found).module()


@dataclass(frozen=True, slots=True, eq=False)
class _Product:
    """One product being scheduled."""

    knobs: MatmulSimt
    compute: Compute
    left: Expr
    right: Expr

    @property
    def tile(self) -> tuple[int, int]:
        """Rows and columns of a block."""
        (a, b), (c, d) = self.knobs.threads, self.knobs.each
        return a * c, b * d

    def module(self) -> Module:
        """The whole kernel."""
        shape = self.compute.output.tensor.extents
        m, n = shape[-2:]
        counts = (*shape[:-2], -(-m // self.tile[0]), -(-n // self.tile[1]))
        block = tuple(Var(f"b{d}", i32) for d in range(len(shape)))
        body = ForTask(block, spatial(*counts), Builtin("blockIdx.x"), self.block(block))
        threads = prod(self.knobs.threads)
        notes = (f"tiles of {self.tile} by {self.knobs.depth}, {self.knobs.each} per thread",)
        return kernel(self.compute, body, prod(counts), threads, notes)

    def block(self, block: Sequence[Var]) -> Stmt:
        """What one block does."""
        rows, columns = self.tile
        depth = self.knobs.depth
        # one column of padding: threads along k then store into different banks
        a = Var("a_tile", TensorType(_dtype(self.left), (depth, rows + 1), Scope.SHARED))
        b = Var("b_tile", TensorType(_dtype(self.right), (depth, columns), Scope.SHARED))
        acc = Var("acc", TensorType(_dtype(self.value), self.knobs.each, Scope.REGISTER))
        first = [build.mul(block[-2], rows), build.mul(block[-1], columns)]
        i, j = Var("i", i32), Var("j", i32)
        zero = Store(acc, (i, j), build.const(0, _dtype(self.value)))
        k0 = Var("k0", i32)
        rounds = -(-self.extent // depth)
        body = Seq(
            (
                self._copy(a, block, first, k0),
                self._copy_right(b, block, first, k0),
                Evaluate(build.call("syncthreads")),
                self._multiply(a, b, acc),
                Evaluate(build.call("syncthreads")),
            )
        )
        return Seq(
            (
                Allocate(a),
                Allocate(b),
                Allocate(acc),
                self._each(i, j, zero),
                For(k0, build.const(0), build.const(rounds), build.const(1), body),
                self._store(acc, block, first),
            )
        )

    @property
    def value(self) -> Expr:
        """The product that is summed."""
        assert self.compute.reduction is not None
        return self.compute.reduction.value

    @property
    def extent(self) -> int:
        """Terms of the sum."""
        assert self.compute.reduction is not None
        return self.compute.reduction.extents[0]

    def _copy(self, to: Var, block: Sequence[Var], first: Sequence[Expr], k0: Var) -> Stmt:
        """The rows of the left factor; neighbouring threads take neighbours along k."""
        row, k = Var("row", i32), Var("k", i32)
        rows, depth = self.tile[0], self.knobs.depth
        mapping = self._covering(rows, depth)
        at = [build.add(first[0], row), build.add(build.mul(k0, depth), k)]
        value = self._guarded(self.left, block, {-2: at[0]}, at[1], rows)
        return ForTask((row, k), mapping, Builtin("threadIdx.x"), Store(to, (k, row), value))

    def _copy_right(self, to: Var, block: Sequence[Var], first: Sequence[Expr], k0: Var) -> Stmt:
        """The columns of the right factor; neighbouring threads take neighbouring columns."""
        k, column = Var("k", i32), Var("column", i32)
        columns, depth = self.tile[1], self.knobs.depth
        mapping = self._covering(depth, columns)
        at = [build.add(first[1], column), build.add(build.mul(k0, depth), k)]
        value = self._guarded(self.right, block, {-1: at[0]}, at[1], columns)
        return ForTask((k, column), mapping, Builtin("threadIdx.x"), Store(to, (k, column), value))

    def _covering(self, slow: int, fast: int) -> TaskMapping:
        """All threads over a tile, the fast dimension first."""
        threads = prod(self.knobs.threads)
        wide = min(fast, threads)
        high = threads // wide
        if fast % wide or slow % high:
            raise ScheduleError(f"{threads} threads do not cover a tile of {slow} by {fast}")
        return repeat(slow // high, fast // wide) * spatial(high, wide)

    def _guarded(
        self, factor: Expr, block: Sequence[Var], place: dict[int, Expr], k: Expr, tile: int
    ) -> Expr:
        """The factor at a place, 0 past the edge."""
        assert self.compute.reduction is not None
        axes, shape = self.compute.axes, self.compute.output.tensor.extents
        values: dict[Var, Expr] = dict(zip(axes[:-2], block, strict=False))
        tests: list[Expr] = []
        for d, at in place.items():
            values[axes[d]] = at
            tests += [build.less(at, shape[d])] if not divides(tile, shape[d]) else []
        values[self.compute.reduction.axes[0]] = k
        tests += [build.less(k, self.extent)] if not divides(self.knobs.depth, self.extent) else []
        value = substitute(factor, values)
        zero = build.const(0, _dtype(factor))
        return build.select(build.all_of(*tests), value, zero) if tests else value

    def _each(self, i: Var, j: Var, body: Stmt) -> Stmt:
        """`body` for every element of the register tile."""
        zero, one = build.const(0), build.const(1)
        inner = For(j, zero, build.const(self.knobs.each[1]), one, body, unroll=0)
        return For(i, zero, build.const(self.knobs.each[0]), one, inner, unroll=0)

    def _multiply(self, a: Var, b: Var, acc: Var) -> Stmt:
        row, column, k = Var("row", i32), Var("column", i32), Var("k", i32)
        i, j = Var("i", i32), Var("j", i32)
        high, wide = self.knobs.threads
        left = build.load(a, (k, build.add(build.mul(i, high), row)))
        right = build.load(b, (k, build.add(build.mul(j, wide), column)))
        total = build.add(build.load(acc, (i, j)), build.mul(left, right))
        inner = self._each(i, j, Store(acc, (i, j), total))
        loop = For(k, build.const(0), build.const(self.knobs.depth), build.const(1), inner)
        return ForTask((row, column), spatial(high, wide), Builtin("threadIdx.x"), loop)

    def _store(self, acc: Var, block: Sequence[Var], first: Sequence[Expr]) -> Stmt:
        assert self.compute.reduction is not None
        row, column, i, j = (Var(name, i32) for name in ("row", "column", "i", "j"))
        high, wide = self.knobs.threads
        shape, tile = self.compute.output.tensor.extents, self.tile
        at = [
            build.add(first[0], build.mul(i, high), row),
            build.add(first[1], build.mul(j, wide), column),
        ]
        index = (*block[:-2], *at)
        values: dict[Var, Expr] = dict(zip(self.compute.axes, index, strict=True))
        total = build.load(acc, (i, j))
        value = substitute(self.compute.value, {**values, self.compute.reduction.result: total})
        done: Stmt = Store(self.compute.output, index, value)
        pairs = zip(at, shape[-2:], tile, strict=True)
        tests = [build.less(a, extent) for a, extent, unit in pairs if not divides(unit, extent)]
        if tests:
            done = If(build.all_of(*tests), done)
        body = self._each(i, j, done)
        return ForTask((row, column), spatial(high, wide), Builtin("threadIdx.x"), body)


def _dtype(value: Expr) -> DType:
    kind = value.type
    assert isinstance(kind, DType)
    return kind
