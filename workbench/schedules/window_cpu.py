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
from workbench.ir.expr import Builtin, Const, Expr, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Range
from workbench.ir.node import Node
from workbench.ir.stmt import Allocate, Declare, ForTask, If, Seq, Stmt, Store
from workbench.ir.traverse import substitute, variables
from workbench.ir.types import DType, Scope, TensorType, i32
from workbench.mapping import spatial
from workbench.schedules.axes import kernel
from workbench.schedules.combine import combined, start_value
from workbench.schedules.lanes import LANE, dtype_of, loop, smaller
from workbench.schedules.window import Sliding, even, factors, nest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from workbench.ir.compute import Compute
    from workbench.ir.module import Module

WIDEST = 28
"""Vectors of a register tile, at most: of 32 registers some hold operands."""

WIDEST_OF_16 = 12
"""The same where there are 16 registers."""

EDGES = 6
"""Tiles of a row that may be written out for their padding."""

BLOCKS = 16
"""Blocks of the grid to aim at, so that host threads can share them."""

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
    """

    each: tuple[int, int]
    flat: bool = False

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
    options = [(t, w) for w in _windows(compute) for t in _candidates(w)]
    return min(options, key=lambda option: _cost(*option), default=(None,))[0]


def space(compute: Compute) -> list[WindowCpu]:
    """All legal candidates."""
    return [t for w in _windows(compute) for t in _candidates(w)]


def _windows(compute: Compute) -> list[Sliding]:
    """The definition as a window, and as one that walks two spatial axes as one."""
    plain = Sliding.of(compute, flat=False)
    flat = plain and Sliding.of(compute, flat=True)
    return [window for window in (plain, flat) if window]


def _candidates(window: Sliding) -> Iterator[WindowCpu]:
    blocks = window.compute.output.tensor.extents[1] if window.shared else 1
    clear = window.clear()
    for count in (1, 2, 3, 4, 6, 8):
        if blocks % count:
            continue
        vectors = WIDEST if window.compute.output.tensor.extents[-1] >= 16 else WIDEST_OF_16
        widths = {even(window.columns, most) for most in range(1, vectors // count + 1)}
        for width in sorted(widths):
            if len(window.tiles(width, clear)[1]) <= EDGES:
                yield WindowCpu((width, count), window.flat)


def _cost(knobs: WindowCpu, window: Sliding) -> float:
    """Cycles per term and output vector, of loads, sums and what is lost at the end of a row."""
    width, blocks = knobs.each
    vectors = width * blocks
    loads = (width + blocks * 1.2) if window.shared else width + 1.0
    # a sum waits four cycles for the one before
    cycles = max(vectors, loads * 0.6, 4.0) + 0.35 * loads
    last = window.columns % width
    lost = (cycles * (width - last) / width if last else 0) / max(1, window.columns // width)
    shape = window.compute.output.tensor.extents
    rows = prod(shape[2 : -3 if window.flat else window.spot])
    total = shape[0] * shape[1] // blocks * rows
    starved = 0.0 if total >= BLOCKS else max(0.05, 0.3 / total)
    return (cycles + lost) / vectors + starved


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
        width, blocks = self.knobs.each
        if self.shape[1] % blocks or width * blocks > WIDEST:
            raise ScheduleError(f"tiles of {width} by {blocks} do not suit {self.shape}")
        lead = self.shape[:1] + self.shape[2 : -3 if self.window.flat else self.window.spot]
        counts = [self.shape[0], self.shape[1] // blocks, *lead[1:]]
        rows = 1
        if len(lead) > 1:
            # a block walks several rows, so that weights stay in its cache
            chunks = min(lead[-1], -(-BLOCKS // prod(counts[:-1])))
            rows = -(-lead[-1] // chunks)
            counts[-1] = -(-lead[-1] // rows)
        block = tuple(Var(f"b{d}", i32) for d in range(len(counts)))
        axes = self.compute.axes
        values: dict[Var, Expr] = {axes[0]: block[0], axes[-1]: LANE}
        values |= {axis: build.const(0) for axis in axes[self.window.spot + 1 : -1]}
        values |= zip(axes[2:], block[2:], strict=False)
        first = build.mul(block[1], blocks)
        if len(lead) > 1:
            start = build.mul(block[-1], rows)
            left = build.sub(lead[-1], start)
            count = smaller(left, rows) if lead[-1] % rows else build.const(rows)
            row_axis = axes[len(lead)]
            body = loop(
                "row", count, lambda i: self.row({**values, row_axis: build.add(start, i)}, first)
            )
        else:
            body = self.row(values, first)
        whole = ForTask(block, spatial(*counts), Builtin("blockIdx.x"), body)
        note = f"{width} columns by {blocks} blocks of channels in registers, {rows} rows a block"
        return kernel(self.compute, whole, prod(counts), self.shape[-1], (note,))

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
    """A register tile; `edge` is the number of its first column where conditions hold."""

    def __init__(
        self,
        of: _Program,
        values: dict[Var, Expr],
        first: Expr,
        start: Expr,
        width: int,
        edge: int | None,
    ) -> None:
        self.of, self.values, self.first = of, values, first
        self.column, self.width, self.edge = start, width, edge
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
        if window.flat:
            wide = self.of.shape[-2]
            found[axes[-3]], found[axes[-2]] = (
                build.floordiv(place, wide),
                build.floormod(place, wide),
            )
        else:
            found[axes[window.spot]] = place
        return found

    def each(self, body: Callable[[Expr, Expr], Stmt], low: int = 0, high: int = -1) -> Stmt:
        """`body` for the columns from `low` to before `high` and all blocks."""
        high = self.width if high < 0 else high
        return loop(
            "t", high, lambda t: loop("v", self.blocks, lambda v: body(t, v), unroll=0), 0, low
        )

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
        edge = self.of.window.column if self.edge is not None else ()
        deciding = {a for test in edge for a in variables(test)} & set(self.reduction.axes)
        tests = [substitute(t, self.values) for t in self.of.window.row]
        return self._loops(loops, value, tests, deciding, {})

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
        sizes = [e if isinstance(e, int) else UNROLLED for _, e in nest]
        small = not ready and prod(sizes) * self.width * self.blocks <= UNROLLED
        return loop(var.name, extent, lambda n: within(n, fixed), unroll=0 if small else None)

    def _sum(self, value: Expr, fixed: dict[Var, int]) -> Stmt:
        """One term of every sum of the tile, those columns that exist."""
        low, high = self._exist(fixed) if self.edge is not None else (0, self.width)
        if low >= high:
            return Seq(())
        axes = self.of.compute.axes
        parts = factors(value, axes[1], axes[self.of.window.spot])
        if parts is None:
            return self.each(
                lambda t, v: self._add(t, v, substitute(value, self.at(t, v))), low, high
            )
        common, own = parts
        kept = Var("w", TensorType(dtype_of(own), (self.blocks,), Scope.REGISTER))

        def fetch(v: Expr) -> Stmt:
            return Store(kept, (v,), substitute(own, self.at(build.const(low), v)))

        def column(t: Expr) -> Stmt:
            x = Var("x", dtype_of(common))
            term = Declare(x, substitute(common, self.at(t, build.const(0))))
            add = lambda v: self._add(t, v, build.mul(x, build.load(kept, (v,))))  # noqa: E731
            return Seq((term, loop("v", self.blocks, add, unroll=0)))

        weights = loop("v", self.blocks, fetch, unroll=0)
        return Seq((Allocate(kept), weights, loop("t", high, column, 0, low)))

    def _add(self, t: Expr, v: Expr, term: Expr) -> Stmt:
        total = combined(self.reduction.reducer, build.load(self.acc, (t, v)), term)
        return Store(self.acc, (t, v), total)

    def _exist(self, fixed: dict[Var, int]) -> tuple[int, int]:
        """The columns of this tile that the conditions leave; always side by side."""
        assert self.edge is not None
        column = self.of.compute.axes[self.of.window.spot]
        facts = Facts({v: Range(n, n) for v, n in fixed.items()})
        hold = [
            t
            for t in range(self.width)
            if all(
                prove(c, facts.bound(column, Range(self.edge + t, self.edge + t)))
                for c in self.of.window.column
            )
        ]
        return (hold[0], hold[-1] + 1) if hold else (0, 0)


def _guarded(tests: Sequence[Expr], body: Stmt) -> Stmt:
    left = [t for t in (simplify(t, Facts()) for t in tests) if not _true(t)]
    return If(build.all_of(*left), body) if left else body


def _true(test: Expr) -> bool:
    return isinstance(test, Const) and bool(test.value)
