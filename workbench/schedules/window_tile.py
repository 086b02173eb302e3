"""One register tile of a sliding window: what it starts from, its terms, where its sums go.

Where the weights of a sum do not stay in the first cache, it is made in stretches: all tiles of a
block take the same few weights before any takes the next, and keep their sums in scratch memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.arith import prove, simplify
from workbench.ir.expr import Binary, BinaryOp, Const, Expr, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Range
from workbench.ir.node import Node
from workbench.ir.stmt import Allocate, Declare, If, Seq, Stmt, Store
from workbench.ir.traverse import substitute, variables
from workbench.ir.types import DType, Scope, TensorType, i32
from workbench.schedules.combine import combined, start_value
from workbench.schedules.lanes import LANE, dtype_of, loop, smaller
from workbench.schedules.window import Sliding, factors, is_dot, nest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.schedules.compute import Compute

UNROLLED = 64
"""Terms of a window that are written out."""


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """What the register tiles of a block have in common.

    Attributes
    ----------
    window : Sliding
        What it slides.
    blocks : int
        Blocks of channels of a tile.
    turns : int
        Turns of the outermost loop of a sum in a stretch; 0 where sums are made in one go.
    sums : Var
        Scratch memory for those of a block: columns of its rows, blocks of channels, lanes. Where
        tiles overlap, which would add to a sum twice, there are two of it, taken in turn.
    stretch : Var
        The number of the stretch.
    """

    window: Sliding
    blocks: int
    turns: int
    sums: Var
    stretch: Var = field(default_factory=lambda: Var("k0", i32))

    @classmethod
    def of(cls, window: Sliding, blocks: int, turns: int, rows: int) -> Tiles:
        """Those of a block of so many rows."""
        shape = rows * window.columns, blocks, window.compute.output.tensor.extents[-1]
        shape = (2, *shape) if window.open else shape
        kind = TensorType(dtype_of(window.reduction.value), shape, Scope.SHARED)
        return cls(window, blocks, turns, Var("sums", kind))

    @property
    def compute(self) -> Compute:
        """The definition."""
        return self.window.compute

    @property
    def rounds(self) -> int:
        """Stretches of a sum."""
        extent = nest(self.window.reduction, self.window.value)[0][0][1]
        assert isinstance(extent, int)
        return -(-extent // self.turns) if self.turns else 1


class Tile:
    """A register tile; `edge` is the number of its first column where conditions hold.

    It is in the row `line` of its block. One of several rows begins at `row`, which is `number`
    where conditions on it hold.
    """

    def __init__(
        self,
        of: Tiles,
        values: dict[Var, Expr],
        first: Expr,
        start: Expr,
        width: int,
        edge: int | None,
        line: Expr,
        row: Expr | None = None,
        number: int | None = None,
    ) -> None:
        self.of, self.values, self.first, self.line = of, values, first, line
        self.column, self.width, self.edge = start, width, edge
        self.first_row, self.number = row, number
        self.blocks = of.blocks
        self.reduction = of.window.reduction
        kind = self.reduction.value.type
        assert isinstance(kind, DType)
        self.kind = kind
        self.acc = Var("acc", TensorType(kind, (width, self.blocks), Scope.REGISTER))

    def at(self, t: Expr, v: Expr) -> dict[Var, Expr]:
        """The output's axes for an element of the tile."""
        axes, window = self.of.compute.axes, self.of.window
        found = {**self.values, axes[1]: build.add(self.first, v)}
        place = build.add(self.column, t)
        if self.first_row is not None:
            down, along = build.floordiv(t, window.columns), build.floormod(t, window.columns)
            found[axes[window.spot - 1]] = build.add(self.first_row, down)
            found[axes[window.spot]] = along
        elif window.flat:
            wide = self.of.compute.output.tensor.extents[-2]
            found[axes[-3]], found[axes[-2]] = (
                build.floordiv(place, wide),
                build.floormod(place, wide),
            )
        else:
            found[axes[window.spot]] = place
        return found

    def each(self, body: Callable[[Expr, Expr], Stmt], places: Sequence[int] | None = None) -> Stmt:
        """`body` for some columns of the tile, or all, and all blocks."""
        places = range(self.width) if places is None else places
        return _each(places, lambda t: loop("v", self.blocks, lambda v: body(t, v), unroll=0))

    def whole(self) -> Stmt:
        """Sum up, then store."""
        zero = start_value(self.reduction.reducer, self.kind)
        start = self.each(lambda t, v: Store(self.acc, (t, v), zero))
        return Seq((Allocate(self.acc), start, self.terms(), self.store()))

    def store(self) -> Stmt:
        """Results to the output; of a stretch, sums to where the next one finds them."""
        if not self.of.turns:
            return self.each(lambda t, v: self.result(t, v, build.load(self.acc, (t, v))))
        sums = self.of.sums

        def more(t: Expr, v: Expr) -> Stmt:
            before = build.add(self.of.stretch, 1)
            return self._add(t, v, build.load(sums, self.here(t, v, before)))

        def keep(t: Expr, v: Expr) -> Stmt:
            return Store(sums, self.here(t, v, self.of.stretch), build.load(self.acc, (t, v)))

        return Seq((If(build.less(0, self.of.stretch), self.each(more)), self.each(keep)))

    def here(self, t: Expr, v: Expr, number: Expr) -> tuple[Expr, ...]:
        """Where a sum lies in scratch memory after a stretch: those of a tile side by side."""
        row = build.mul(self.line, self.of.window.columns)
        place = build.add(row, self.column, t), v, LANE
        return (build.floormod(number, 2), *place) if self.of.window.open else place

    def finish(self) -> Stmt:
        """The sums of all stretches to the output."""
        last = build.const(self.of.rounds - 1)

        def one(t: Expr, v: Expr) -> Stmt:
            return self.result(t, v, build.load(self.of.sums, self.here(t, v, last)))

        return loop("t", self.width, lambda t: loop("v", self.blocks, lambda v: one(t, v)))

    def result(self, t: Expr, v: Expr, total: Expr) -> Stmt:
        """One result to the output."""
        compute, at = self.of.compute, self.at(t, v)
        value = substitute(compute.value, {**at, self.reduction.result: total})
        return Store(compute.output, tuple(at[a] for a in compute.axes), value)

    def terms(self) -> Stmt:
        """The loops of the reduction around the terms."""
        window, turns = self.of.window, self.of.turns
        loops, value = nest(self.reduction, window.value)
        if turns:
            (var, extent), done = loops[0], build.mul(self.of.stretch, turns)
            assert isinstance(extent, int)
            value = substitute(value, {var: build.add(done, var)})
            uneven = extent % turns != 0
            loops[0] = var, smaller(build.sub(extent, done), turns) if uneven else turns
        tests = window.row if self.first_row is None else window.far
        deciding = {a for test in self.conditions for a in variables(test)}
        deciding &= set(self.reduction.axes)
        values = {**self.values, self.of.compute.axes[1]: self.first}
        return self._loops(loops, value, [substitute(t, values) for t in tests], deciding, {})

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """Those that decide which columns of the tile exist."""
        window = self.of.window
        own = window.column if self.edge is not None else ()
        return own if self.number is None else (*own, *window.near)

    def _loops(
        self,
        nest: Sequence[tuple[Var, Expr | int]],
        value: Expr,
        tests: list[Expr],
        deciding: set[Var],
        fixed: dict[Var, int],
    ) -> Stmt:
        if not nest:
            return self._sum(value, fixed)
        (var, extent), rest = nest[0], nest[1:]
        later = {v for v, _ in rest}
        ready = [t for t in tests if not variables(t) & later]
        waiting = [t for t in tests if t not in ready]

        def within(place: Expr, known: dict[Var, int]) -> Stmt:
            put = {var: place}
            inner = [(v, substitute(e, put) if isinstance(e, Node) else e) for v, e in rest]
            left = [substitute(t, put) for t in waiting]
            body = self._loops(inner, substitute(value, put), left, deciding, known)
            return _guarded([substitute(t, put) for t in ready], body)

        if var in deciding and isinstance(extent, int):
            # which columns exist is known for each place in the window
            return Seq(tuple(within(build.const(n), {**fixed, var: n}) for n in range(extent)))
        for test in ready:
            if isinstance(test, Binary) and test.op is BinaryOp.LT and test.a is var:
                # terms from a number on do not count: the loop ends there
                extent, ready = smaller(test.b, extent), [t for t in ready if t is not test]
        sizes = [e if isinstance(e, int) else UNROLLED for _, e in nest]
        small = not ready and prod(sizes) * self.width * self.blocks <= UNROLLED
        return loop(var.name, extent, lambda n: within(n, fixed), unroll=0 if small else None)

    def _sum(self, value: Expr, fixed: dict[Var, int]) -> Stmt:
        """One term of every sum of the tile, those columns that exist."""
        places = self._exist(fixed) if self.edge is not None else range(self.width)
        if not places:
            return Seq(())
        axes = self.of.compute.axes
        parts = factors(value, axes[1], axes[self.of.window.spot])
        if parts is None:
            return self.each(lambda t, v: self._add(t, v, substitute(value, self.at(t, v))), places)
        common, own = parts
        if is_dot(value):
            return self.each(lambda t, v: self._dot(t, v, common, own), places)
        kept = Var("w", TensorType(dtype_of(own), (self.blocks,), Scope.REGISTER))

        def fetch(v: Expr) -> Stmt:
            return Store(kept, (v,), substitute(own, self.at(build.const(places[0]), v)))

        def column(t: Expr) -> Stmt:
            x = Var("x", dtype_of(common))
            term = Declare(x, substitute(common, self.at(t, build.const(0))))
            add = lambda v: self._add(t, v, build.mul(x, build.load(kept, (v,))))  # noqa: E731
            return Seq((term, loop("v", self.blocks, add, unroll=0)))

        weights = loop("v", self.blocks, fetch, unroll=0)
        return Seq((Allocate(kept), weights, _each(places, column)))

    def _dot(self, t: Expr, v: Expr, common: Expr, own: Expr) -> Stmt:
        """One word of every sum: read where it is used, which the machine does in one go."""
        at = self.at(t, v)
        total = build.load(self.acc, (t, v))
        both = substitute(common, at), substitute(own, at)
        return Store(self.acc, (t, v), build.call("dot4", *both, total))

    def _add(self, t: Expr, v: Expr, term: Expr) -> Stmt:
        total = combined(self.reduction.reducer, build.load(self.acc, (t, v)), term)
        return Store(self.acc, (t, v), total)

    def _exist(self, fixed: dict[Var, int]) -> Sequence[int]:
        """The columns of this tile that the conditions leave."""
        edge, window, axes = self.edge or 0, self.of.window, self.of.compute.axes
        known = Facts({v: Range(n, n) for v, n in fixed.items()})

        def holds(t: int) -> bool:
            down, along = divmod(t, window.columns) if self.first_row is not None else (0, t)
            facts = known.bound(axes[window.spot], Range(edge + along, edge + along))
            if self.number is not None:
                row = self.number + down
                facts = facts.bound(axes[window.spot - 1], Range(row, row))
            return all(prove(c, facts) for c in self.conditions)

        return [t for t in range(self.width) if holds(t)]


def _each(places: Sequence[int], body: Callable[[Expr], Stmt]) -> Stmt:
    """`body` for places of a tile: a loop where they stand side by side."""
    if places[-1] - places[0] + 1 == len(places):
        return loop("t", places[-1] + 1, body, 0, places[0])
    return Seq(tuple(body(build.const(t)) for t in places))


def _guarded(tests: Sequence[Expr], body: Stmt) -> Stmt:
    left = [t for t in (simplify(t, Facts()) for t in tests) if not _true(t)]
    return If(build.all_of(*left), body) if left else body


def _true(test: Expr) -> bool:
    return isinstance(test, Const) and bool(test.value)
