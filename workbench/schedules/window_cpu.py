"""Sliding windows on a CPU: convolution, depthwise convolution and pooling of blocked channels.

The last axis of the output holds a block of channels: these are the lanes. A thread keeps a
register tile of neighbouring columns by several blocks of channels; what is the same for all
lanes is broadcast. Padding costs nothing where it is not: the tiles at the edges of a row are
written out with only the terms that exist, a row outside is skipped as a whole.

Source: Georganas et al., "Anatomy of High-Performance Deep Learning Convolutions on SIMD
Architectures", SC 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ScheduleError
from workbench.ir import build
from workbench.ir.arith import prove, simplify
from workbench.ir.expr import Binary, BinaryOp, Builtin, Const, Expr, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Range
from workbench.ir.node import Node
from workbench.ir.stmt import Allocate, Declare, ForTask, If, Seq, Stmt, Store
from workbench.ir.traverse import substitute, variables
from workbench.ir.types import DType, Scope, TensorType, i32
from workbench.mapping import spatial
from workbench.schedules.axes import kernel
from workbench.schedules.combine import combined, start_value
from workbench.schedules.lanes import LANE, dtype_of, equal, loop, smaller
from workbench.schedules.window import Sliding, factors, is_dot, nest
from workbench.schedules.window_tiles import BLOCKS, CHUNKS, WIDEST, by_rows, candidates, cost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from workbench.ir.module import Module
    from workbench.schedules.compute import Compute

UNROLLED = 64
"""Terms of a window that are written out."""


@dataclass(frozen=True, slots=True)
class WindowCpu:
    """The knobs of the template.

    Attributes
    ----------
    each : tuple of int
        Columns and blocks of channels of a register tile.
    flat : bool
        Whether the last two spatial axes are walked as one.
    rows : int
        Rows of a register tile; several only where its columns are a whole row.
    """

    each: tuple[int, int]
    flat: bool = False
    rows: int = 1

    def build(self, compute: Compute) -> Module:
        """The scheduled program.

        Raises
        ------
        ScheduleError
            When the definition is no window over blocked channels, or the tile does not suit.
        """
        window = Sliding.of(compute, self.flat)
        if window is None:
            raise ScheduleError(f"{compute.name} is no window over blocked channels")
        return _Program(self, window.compute, window).module()


def fitted(compute: Compute, lanes: int) -> WindowCpu | None:
    """The template with knobs that suit a definition; None where it does not fit.

    Parameters
    ----------
    lanes : int
        Elements of 32 bits in a vector of the machine.
    """
    if compute.output.tensor.extents[-1] != lanes:
        return None
    options = [(cost(t.each, t.rows, w), t) for w in _windows(compute) for t in _candidates(w)]
    return min(options, key=lambda option: option[0], default=(0, None))[1]


def space(compute: Compute) -> list[WindowCpu]:
    """All legal candidates."""
    return [t for w in _windows(compute) for t in _candidates(w)]


def _windows(compute: Compute) -> list[Sliding]:
    """The definition as a window, and as one that walks two spatial axes as one."""
    plain = Sliding.of(compute, flat=False)
    flat = plain and Sliding.of(compute, flat=True)
    return [window for window in (plain, flat) if window]


def _candidates(window: Sliding) -> Iterator[WindowCpu]:
    for (width, blocks), rows in candidates(window):
        yield WindowCpu((width, blocks), window.flat, rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    """One window being scheduled."""

    knobs: WindowCpu
    compute: Compute
    window: Sliding

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the output."""
        return self.compute.output.tensor.extents

    def module(self) -> Module:
        """The whole kernel."""
        (width, blocks), high = self.knobs.each, self.knobs.rows
        if self.shape[1] % blocks or width * blocks * high > WIDEST:
            raise ScheduleError(f"tiles of {width} by {blocks} do not suit {self.shape}")
        lead = self.shape[:1] + self.shape[2 : -3 if self.window.flat else self.window.spot]
        counts = [self.shape[0], self.shape[1] // blocks, *lead[1:]]
        lines = rows = -(-lead[-1] // high) if len(lead) > 1 else 1
        if len(lead) > 1:
            # a block walks several rows, so that weights stay in its cache
            least = CHUNKS if by_rows(self.window) else 1
            chunks = min(lines, max(least, -(-BLOCKS // prod(counts[:-1]))))
            rows = -(-lines // chunks)
            counts[-1] = -(-lines // rows)
        block = tuple(Var(f"b{d}", i32) for d in range(len(counts)))
        axes = self.compute.axes
        values: dict[Var, Expr] = {axes[0]: block[0], axes[-1]: LANE}
        values |= {axis: build.const(0) for axis in axes[self.window.spot + 1 : -1]}
        values |= zip(axes[2:], block[2:], strict=False)
        first = build.mul(block[1], blocks)
        if len(lead) > 1:
            start = build.mul(block[-1], rows)
            left = build.sub(lines, start)
            count = smaller(left, rows) if lines % rows else build.const(rows)
            walk = self.row if high == 1 else self.band
            row_axis = axes[len(lead)]
            body = loop(
                "row", count, lambda i: walk({**values, row_axis: build.add(start, i)}, first)
            )
        else:
            body = self.row(values, first)
        order = list(range(len(counts)))
        if len(lead) > 1 and by_rows(self.window):
            order = [0, *order[2:], 1]
        grid = spatial(*(counts[d] for d in order))
        whole = ForTask(tuple(block[d] for d in order), grid, Builtin("blockIdx.x"), body)
        tile = f"{high} rows of {width} columns" if high > 1 else f"{width} columns"
        note = f"{tile} by {blocks} blocks of channels in registers, {rows * high} rows a block"
        return kernel(self.compute, whole, prod(counts), self.shape[-1], (note,))

    def band(self, values: Mapping[Var, Expr], first: Expr) -> Stmt:
        """A tile of several whole rows; `values` has its number for the row.

        The first and the last are written out for rows that do not exist, in the window or at all.
        """
        axis, high = self.compute.axes[self.window.spot - 1], self.knobs.rows
        total = self.shape[self.window.spot - 1]
        line, last = values[axis], -(-total // high) - 1
        body = self._band(values, first, build.mul(line, high), high, None)
        tests = self.window.near
        for n in (last, 0):
            rows = min(high, total - n * high)
            if tests or rows < high:
                own = self._band(values, first, build.const(n * high), rows, n * high)
                body = If(equal(line, n), own, body)
        return body

    def _band(
        self, values: Mapping[Var, Expr], first: Expr, row: Expr, rows: int, number: int | None
    ) -> Stmt:
        axis, width = self.compute.axes[self.window.spot - 1], self.window.columns
        state = _Tile(
            self, {**values, axis: row}, first, build.const(0), rows * width, 0, row, number
        )
        return Seq((Allocate(state.acc), state.start(), state.terms(), state.store()))

    def row(self, values: Mapping[Var, Expr], first: Expr) -> Stmt:
        """All tiles of a row."""
        width = self.knobs.each[0]
        plain, others = self.window.tiles(width, self.window.clear())
        done: list[Stmt] = []
        if plain:
            # the tiles without conditions stand side by side
            start = plain[0]
            done.append(
                loop(
                    "tile",
                    len(plain),
                    lambda n: self.tile(
                        values, first, build.add(build.mul(n, width), start), width, None
                    ),
                )
            )
        for start, wide in others:
            done.append(self.tile(values, first, build.const(start), wide, start))
        return Seq(tuple(done))

    def tile(
        self, values: Mapping[Var, Expr], first: Expr, start: Expr, width: int, edge: int | None
    ) -> Stmt:
        """One register tile: sum up, then store."""
        state = _Tile(self, dict(values), first, start, width, edge)
        return Seq((Allocate(state.acc), state.start(), state.terms(), state.store()))


class _Tile:
    """A register tile; `edge` is the number of its first column where conditions hold.

    One of several rows begins at `row`, which is `number` where conditions on it hold.
    """

    def __init__(
        self,
        of: _Program,
        values: dict[Var, Expr],
        first: Expr,
        start: Expr,
        width: int,
        edge: int | None,
        row: Expr | None = None,
        number: int | None = None,
    ) -> None:
        self.of, self.values, self.first = of, values, first
        self.column, self.width, self.edge = start, width, edge
        self.first_row, self.number = row, number
        self.blocks = of.knobs.each[1]
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
            wide = self.of.shape[-2]
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

    def start(self) -> Stmt:
        """What the reduction starts from."""
        zero = start_value(self.reduction.reducer, self.kind)
        return self.each(lambda t, v: Store(self.acc, (t, v), zero))

    def store(self) -> Stmt:
        """Results to the output."""
        compute = self.of.compute

        def one(t: Expr, v: Expr) -> Stmt:
            at = self.at(t, v)
            total = build.load(self.acc, (t, v))
            value = substitute(compute.value, {**at, self.reduction.result: total})
            return Store(compute.output, tuple(at[a] for a in compute.axes), value)

        return self.each(one)

    def terms(self) -> Stmt:
        """The loops of the reduction around the terms."""
        loops, value = nest(self.reduction, self.of.window.value)
        window = self.of.window
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
