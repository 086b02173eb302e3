"""A few rows times a matrix on a CPU: the matrix streams by once, sums stay in the first cache.

Such a product takes as long as it takes to read the matrix, so that it is read as it lies: a
block makes a strip of columns for all rows, and adds up several terms of each sum at a time. A
thread is a lane of each vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ScheduleError
from workbench.ir import build
from workbench.ir.expr import Expr, Var
from workbench.ir.stmt import Allocate, Declare, If, Seq, Stmt, Store
from workbench.ir.traverse import substitute
from workbench.ir.types import Scope, TensorType, i32
from workbench.runtime.following import cores
from workbench.schedules.axes import kernel, over_blocks
from workbench.schedules.extents import divides, varies
from workbench.schedules.lanes import LANE, dtype_of, equal, even, loop, smaller
from workbench.schedules.matmul_simt import factors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.ir.module import Module
    from workbench.schedules.compute import Compute, Reduction


MOST_ROWS = 8
"""Rows from which on copying the matrix into panels pays."""


@dataclass(frozen=True, slots=True)
class MatvecCpu:
    """The knobs of the template.

    Attributes
    ----------
    lanes : int
        Threads of a block: elements of 32 bits in a vector of the machine.
    terms : int
        Rows of the matrix that are read together.
    columns : int
        Columns of a block, at most; strips are made even.
    """

    lanes: int = 16
    terms: int = 8
    columns: int = 1024

    def build(self, compute: Compute) -> Module:
        """The scheduled program.

        Raises
        ------
        ScheduleError
            When the definition is no matrix product.
        """
        found = factors(compute)
        if found is None or compute.reduction is None:
            raise ScheduleError(f"{compute.name} is no matrix product")
        *lead, rows, n = compute.output.tensor.extents
        strips, vectors = even(n, self.columns, self.lanes)
        kind = dtype_of(compute.reduction.value)
        sums = Var("sums", TensorType(kind, (rows, vectors * self.lanes), Scope.SHARED))
        block = tuple(Var(f"b{d}", i32) for d in range(len(lead) + 1))
        counts = (*lead, strips)
        body = _Strip(self, compute, compute.reduction, *found, block, sums).whole()
        body = over_blocks(block, counts, body)
        note = f"strips of {vectors * self.lanes} columns, {self.terms} terms at a time"
        return kernel(compute, body, prod(counts), self.lanes, (note,))


def few_rows(compute: Compute, lanes: int) -> MatvecCpu:
    """The template with knobs that suit the extents."""
    rows, n = compute.output.tensor.extents[-2:]
    # the factors of one step stay in registers
    terms = max(2, min(8, 3 * lanes // 2 // rows))
    # rows of a strip are long runs in memory, which prefetching wants; one strip per core
    return MatvecCpu(lanes, terms, min(4096, max(-(-n // cores()), 1024)))


@dataclass(frozen=True, slots=True, eq=False)
class _Strip:
    """What one block does."""

    knobs: MatvecCpu
    compute: Compute
    reduction: Reduction
    left: Expr
    right: Expr
    block: Sequence[Var]
    sums: Var

    @property
    def rows(self) -> int:
        """Rows of the result."""
        return self.compute.output.tensor.extents[-2]

    def whole(self) -> Stmt:
        """Clear the sums, add up, store."""
        k, terms = self.reduction.extents[0], self.knobs.terms
        kind = self.sums.tensor.dtype
        zero = self._each(lambda i, v: Store(self.sums, (i, self._lane(v)), build.const(0, kind)))
        steps: list[Stmt] = [Allocate(self.sums), zero]
        if k >= terms:
            steps.append(loop("step", k // terms, lambda s: self._add(build.mul(s, terms), terms)))
        if not divides(terms, k):
            steps.append(loop("k", k, lambda k: self._add(k, 1), start=k - k % terms))
        return Seq((*steps, self._each(self._store)))

    def _lane(self, v: Expr) -> Expr:
        """The column of this thread in vector `v` of the strip."""
        return build.add(build.mul(v, self.knobs.lanes), LANE)

    def _column(self, v: Expr) -> Expr:
        """The same in the whole matrix."""
        return build.add(build.mul(self.block[-1], self.sums.tensor.extents[1]), self._lane(v))

    def _vectors(self, body: Callable[[Expr], Stmt]) -> Stmt:
        """`body` for all vectors of the strip; the one at the edge by itself, behind a test."""
        n, lanes = self.compute.output.tensor.extents[-1], self.knobs.lanes
        each, full = self.sums.tensor.extents[1] // lanes, n // lanes
        strips = -(-n // (each * lanes))
        if not varies(n) and n == strips * each * lanes:
            return loop("v", each, body)
        left = build.sub(full, build.mul(self.block[-1], each))
        whole = loop("v", smaller(left, each), body)
        if divides(lanes, n):
            return whole
        last = build.const(full - (strips - 1) * each)
        edge = If(build.less(self._column(last), n), body(last))
        return Seq((whole, If(equal(self.block[-1], strips - 1), edge)))

    def _each(self, body: Callable[[Expr, Expr], Stmt]) -> Stmt:
        """`body` for all rows and vectors."""
        return loop("i", self.rows, lambda i: self._vectors(lambda v: body(i, v)))

    def _at(self, k: Expr) -> dict[Var, Expr]:
        lead = dict(zip(self.compute.axes[:-2], self.block, strict=False))
        return {**lead, self.reduction.axes[0]: k}

    def _add(self, first: Expr, count: int) -> Stmt:
        """Take in `count` terms of all sums."""
        ks = [build.add(first, d) for d in range(count)]
        row = self.compute.axes[-2]
        a: list[list[Var]] = []
        declared: list[Stmt] = []
        for i in range(self.rows):
            at = {row: build.const(i)}
            values = [substitute(self.left, {**self._at(k), **at}) for k in ks]
            a.append([Var("a", dtype_of(value)) for value in values])
            declared += map(Declare, a[-1], values)

        def term(v: Expr) -> Stmt:
            at = {self.compute.axes[-1]: self._column(v)}
            values = [substitute(self.right, {**self._at(k), **at}) for k in ks]
            b = [Var("b", dtype_of(value)) for value in values]
            place = self._lane(v)
            sums: list[Stmt] = []
            for i, mine in enumerate(a):
                index = build.const(i), place
                total = _dot(build.load(self.sums, index), mine, b)
                sums.append(Store(self.sums, index, total))
            return Seq((*map(Declare, b, values), *sums))

        return Seq((*declared, self._vectors(term)))

    def _store(self, i: Expr, v: Expr) -> Stmt:
        index = (*self.block[:-1], i, self._column(v))
        values: dict[Var, Expr] = dict(zip(self.compute.axes, index, strict=True))
        values[self.reduction.result] = build.load(self.sums, (i, self._lane(v)))
        return Store(self.compute.output, index, substitute(self.compute.value, values))


def _dot(total: Expr, a: Sequence[Var], b: Sequence[Var]) -> Expr:
    for left, right in zip(a, b, strict=True):
        total = build.add(total, build.mul(left, right))
    return total
