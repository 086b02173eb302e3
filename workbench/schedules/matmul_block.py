"""What one block of the matrix product for a CPU does: copy both factors, multiply, store."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr, Var
from workbench.ir.stmt import Allocate, Declare, Evaluate, If, Seq, Stmt, Store
from workbench.ir.traverse import rewrite, substitute
from workbench.ir.types import Scope, TensorType
from workbench.schedules.combine import unflat
from workbench.schedules.extents import divides, varies
from workbench.schedules.lanes import LANE, dtype_of, equal, loop, neighbours, smaller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.schedules.matmul_tiles import Product


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The parts of a block's program.

    Attributes
    ----------
    block : sequence of Var
        Its place: batches, down, across.
    a, b, c : Var
        Scratch memory: rows of the left factor, panels of the right one, sums.
    k0 : Var
        The number of the stretch along k.
    """

    of: Product
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
        whole = divides(depth, k) or rounds == 1
        return build.const(depth) if whole else smaller(left, depth)

    def panels(self, d: int) -> Expr:
        """Register tiles of this block along rows (0) or columns (1)."""
        blocks, each = self.of.panels[d]
        total = -(-self.of.shape[d] // self.of.unit[d])
        left = build.sub(total, build.mul(self.block[d - 2], each))
        whole = divides(each, total) or (not varies(blocks) and blocks == 1)
        return build.const(each) if whole else smaller(left, each)

    def first(self, d: int) -> Expr:
        """The first row or column of the block."""
        return build.mul(self.block[d - 2], self.of.panels[d][1] * self.of.unit[d])

    def place(self, row: Expr) -> dict[Var, Expr]:
        """The output's axes but the last, for a row of the whole product."""
        lead, axes = len(self.of.lead), self.of.compute.axes[:-1]
        extents = self.of.compute.output.tensor.extents[lead:-1]
        rows = [row] if len(extents) == 1 else unflat(row, extents)
        return dict(zip(axes, (*self.block[:lead], *rows), strict=True))

    def factor(self, d: int, at: Expr, k: Expr) -> Expr:
        """The left factor at a row (0), or the right one at a column (1)."""
        compute = self.of.compute
        assert compute.reduction is not None
        values: dict[Var, Expr] = {compute.axes[-1]: at}
        values |= dict(zip(compute.axes[: len(self.of.lead)], self.block, strict=False))
        if d == 0:
            values = self.place(at)
        start = build.mul(self.k0, self.of.stretches[1]) if self.of.stretches[0] > 1 else 0
        values[compute.reduction.axes[0]] = build.add(start, k)
        return substitute((self.of.left, self.of.right)[d], values)

    def element(self, row: Expr, k: Expr) -> Expr:
        """The left factor in scratch memory."""
        return build.load(self.a, (row, k))

    def inside(self, d: int, at: Expr) -> Expr:
        """A row or column, the last one for those past the edge."""
        extent = self.of.shape[d]
        return smaller(at, extent - 1) if not divides(self.of.unit[d], extent) else at

    def copy_left(self) -> Stmt:
        """The left factor by rows; neighbouring threads take neighbours along k."""

        def copy(row: Expr) -> Stmt:
            at = self.inside(0, build.add(self.first(0), row))
            return self._along_k(lambda k: Store(self.a, (row, k), self.factor(0, at, k)))

        return loop("row", build.mul(self.panels(0), self.of.unit[0]), copy)

    def copy_right(self) -> Stmt:
        """The right factor in panels, whichever way it lies in memory."""
        width = self.of.unit[1]

        def copy(panel: Expr) -> Stmt:
            return self.copy_panel(panel, build.add(self.first(1), build.mul(panel, width)))

        return loop("panel", self.panels(1), copy)

    def copy_panel(self, panel: Expr, first: Expr) -> Stmt:
        """The columns from `first` on as a panel."""
        assert self.of.compute.reduction is not None
        down = neighbours(self.of.right, self.of.compute.reduction.axes[0])
        return self._turned(panel, first) if down else self._straight(panel, first)

    def _turned(self, panel: Expr, first: Expr) -> Stmt:
        """A panel whose columns are runs in memory."""

        def store(k: Expr, column: Expr) -> Stmt:
            at = self.inside(1, build.add(first, column))
            return Store(self.b, (panel, k, column), self.factor(1, at, k))

        width = self.of.unit[1]
        return self._along_k(lambda k: loop("column", width, lambda c: store(k, c), unroll=0))

    def _straight(self, panel: Expr, first: Expr) -> Stmt:
        """A panel whose rows are runs in memory."""
        (lanes, vectors), n = (self.of.lanes, self.of.each[1]), self.of.shape[1]

        def rows(guarded: bool) -> Stmt:
            def store(k: Expr, v: Expr) -> Stmt:
                place = build.add(build.mul(v, lanes), LANE)
                at = build.add(first, place)
                value = self.factor(1, at, k)
                if guarded:
                    zero = build.const(0, dtype_of(value))
                    value = build.select(build.less(at, n), value, zero)
                return Store(self.b, (panel, k, place), value)

            return loop(
                "k", self.depth, lambda k: loop("v", vectors, lambda v: store(k, v), unroll=0)
            )

        if divides(self.of.unit[1], n):
            return rows(guarded=False)
        fits = build.binary(BinaryOp.LE, build.add(first, self.of.unit[1]), n)
        return If(fits, rows(guarded=False), rows(guarded=True))

    def _along_k(self, store: Callable[[Expr], Stmt]) -> Stmt:
        """`store` for all of the stretch, a vector at a time."""
        lanes = self.of.lanes
        full = build.floordiv(self.depth, lanes)
        whole = loop("step", full, lambda s: store(build.add(build.mul(s, lanes), LANE)))
        if divides(lanes, self.of.shape[2]):
            return whole
        tail = build.add(build.mul(full, lanes), LANE)
        return Seq((whole, If(build.less(tail, self.depth), store(tail))))

    def multiply(self) -> Stmt:
        """All register tiles of the block."""
        return loop(
            "across",
            self.panels(1),
            lambda across: loop("down", self.panels(0), lambda down: self.tile(down, across)),
        )

    def tile(self, down: Expr, across: Expr) -> Stmt:
        """One register tile."""
        acc = Var("acc", TensorType(self.of.dtype, self.of.each, Scope.REGISTER))
        width, lanes = self.of.unit[1], self.of.lanes
        rounds = self.of.stretches[0]

        def here(i: Expr, v: Expr) -> tuple[Expr, ...]:
            """Where an element of the register tile lies in scratch memory."""
            place = build.add(build.mul(i, width), build.mul(v, lanes), LANE)
            return (place,) if rounds == 1 else (across, down, place)

        def more(i: Expr, v: Expr) -> Stmt:
            """Add what the stretches before gave."""
            before = build.load(self.c, here(i, v))
            return Store(acc, (i, v), build.add(build.load(acc, (i, v)), before))

        zero = build.const(0, self.of.dtype)
        start = self.vectors(lambda i, v: Store(acc, (i, v), zero))
        keep = self.vectors(lambda i, v: Store(self.c, here(i, v), build.load(acc, (i, v))))
        nearer = () if self.of.packed is None else (self.nearer(down, across),)
        body = [*nearer, Allocate(acc), start, self.terms(acc, down, across), keep]
        done = self.store(down, across, here)
        if rounds > 1:
            # sums come from memory after the products: at once they would be waited for
            body.insert(-1, If(build.less(0, self.k0), self.vectors(more)))
            done = If(equal(self.k0, rounds - 1), done)
        return Seq((*body, done))

    def nearer(self, down: Expr, across: Expr) -> Stmt:
        """A part of the next panel comes nearer with each register tile of this one.

        Weights come from memory, and waiting for them at the head of each panel is felt.
        """
        wide, depth, packed = self.of.panels[1][1], self.of.stretches[1], self.of.packed
        assert packed is not None
        each = -(-depth // self.of.panels[0][1])
        panel = build.add(build.mul(self.block[-1], wide), across, 1)
        panel = smaller(panel, -(-self.of.shape[1] // self.of.unit[1]) - 1)
        first = build.add(build.mul(self.k0, depth), build.mul(down, each))

        def fetch(k: Expr, v: Expr) -> Stmt:
            row = smaller(build.add(first, k), self.of.shape[2] - 1)
            place = build.add(build.mul(v, self.of.lanes), LANE)
            return Evaluate(build.load(packed.tensor, (panel, row, place)))

        vectors = self.of.each[1]
        return loop("k", each, lambda k: loop("v", vectors, lambda v: fetch(k, v), unroll=0))

    def terms(self, acc: Var, down: Expr, across: Expr) -> Stmt:
        """Sum up along k."""
        (rows, _), (lanes, vectors) = self.of.unit, (self.of.lanes, self.of.each[1])
        b = Var("b", TensorType(dtype_of(self.of.right), (vectors,), Scope.REGISTER))
        a = Var("a", dtype_of(self.of.left))
        panel = build.add(build.mul(self.block[-1], self.of.panels[1][1]), across)
        packed, right = self.of.packed, self.of.right
        start = build.mul(self.k0, self.of.stretches[1])

        def fetch(k: Expr, v: Expr) -> Stmt:
            place = build.add(build.mul(v, lanes), LANE)
            if packed is None:
                return Store(b, (v,), build.load(self.b, (across, k, place)))
            value = build.load(packed.tensor, (panel, build.add(start, k), place))
            return Store(b, (v,), rewrite(right, lambda n: value if n is packed else None))

        def add(i: Expr, v: Expr) -> Stmt:
            total = build.add(build.load(acc, (i, v)), build.mul(a, build.load(b, (v,))))
            return Store(acc, (i, v), total)

        def row(k: Expr, i: Expr) -> Stmt:
            element = self.element(build.add(build.mul(down, rows), i), k)
            sums = loop("v", vectors, lambda v: add(i, v), unroll=0)
            return Seq((Declare(a, element), sums))

        def term(k: Expr) -> Stmt:
            loads = loop("v", vectors, lambda v: fetch(k, v), unroll=0)
            near = self.near(down, across, k)
            return Seq((*near, Allocate(b), loads, loop("i", rows, lambda i: row(k, i), unroll=0)))

        return loop("k", self.depth, term)

    def near(self, down: Expr, across: Expr, k: Expr) -> tuple[Stmt, ...]:
        """Sums that are added to after the products come nearer, some with each term."""
        each = prod(self.of.unit) // self.of.stretches[1]
        if self.of.stretches[0] == 1 or each == 0:
            return ()
        return (Evaluate(build.load(self.c, (across, down, build.mul(k, each)))),)

    def vectors(self, body: Callable[[Expr, Expr], Stmt]) -> Stmt:
        """`body` for every vector of the register tile."""
        rows, vectors = self.of.each
        return loop(
            "i", rows, lambda i: loop("v", vectors, lambda v: body(i, v), unroll=0), unroll=0
        )

    def store(
        self, down: Expr, across: Expr, here: Callable[[Expr, Expr], tuple[Expr, ...]]
    ) -> Stmt:
        """A finished register tile to the output."""
        (rows, width), (m, n, _) = self.of.unit, self.of.shape
        compute = self.of.compute
        top = build.add(self.first(0), build.mul(down, rows))
        left = build.add(self.first(1), build.mul(across, width))

        def store(i: Expr, v: Expr) -> Stmt:
            assert compute.reduction is not None
            column = build.add(left, build.mul(v, self.of.lanes), LANE)
            values = {**self.place(build.add(top, i)), compute.axes[-1]: column}
            index = tuple(values[axis] for axis in compute.axes)
            values[compute.reduction.result] = build.load(self.c, here(i, v))
            one = Store(compute.output, index, substitute(compute.value, values))
            return one if divides(width, n) else If(build.less(column, n), one)

        whole = divides(rows, m)
        count = build.const(rows) if whole else smaller(build.sub(m, top), rows)
        vectors = self.of.each[1]
        return loop("i", count, lambda i: loop("v", vectors, lambda v: store(i, v)))
