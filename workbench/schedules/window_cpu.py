"""Sliding windows on a CPU: convolution, depthwise convolution and pooling of blocked channels.

The last axis of the output holds a block of channels: these are the lanes. A thread keeps a
register tile of neighbouring columns by several blocks of channels; what is the same for all
lanes is broadcast. Padding costs nothing where it is not: the tiles at the edges of a row are
written out with only the terms that exist, a row outside is skipped as a whole.

Source: Georganas et al., "Anatomy of High-Performance Deep Learning Convolutions on SIMD
Architectures", SC 2018.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ScheduleError
from workbench.ir import build
from workbench.ir.expr import Expr, Var
from workbench.ir.stmt import Allocate, For, If, Seq, Stmt
from workbench.ir.types import i32
from workbench.schedules.axes import kernel, over_blocks
from workbench.schedules.extents import divides, rough
from workbench.schedules.lanes import LANE, equal, loop, smaller
from workbench.schedules.window import Sliding
from workbench.schedules.window_tile import Tile, Tiles
from workbench.schedules.window_tiles import (
    BLOCKS,
    CHUNKS,
    SUMS_BYTES,
    WIDEST,
    by_rows,
    candidates,
    cost,
    narrower,
    stretch,
    sums_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from workbench.ir.module import Module
    from workbench.schedules.compute import Compute


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
    turns : int or None
        Turns of the outermost loop of a sum in a stretch, 0 for all; None leaves it to the caches.
    """

    each: tuple[int, int]
    flat: bool = False
    rows: int = 1
    turns: int | None = None

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
        return _Program.of(self, window).module()


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
    """All legal candidates; those whose sums are made in stretches without these as well."""
    found = [(w, t) for w in _windows(compute) for t in _candidates(w)]
    whole = [replace(t, turns=0) for w, t in found if stretch(w, t.each[1])]
    return [*(t for _, t in found), *whole]


def _windows(compute: Compute) -> list[Sliding]:
    """The definition as a window, and as one that walks two spatial axes as one."""
    plain = Sliding.of(compute, flat=False)
    flat = plain and not plain.open and Sliding.of(compute, flat=True)
    return [window for window in (plain, flat) if window]


def _candidates(window: Sliding) -> Iterator[WindowCpu]:
    for (width, blocks), rows in candidates(window):
        yield WindowCpu((width, blocks), window.flat, rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    """One window being scheduled."""

    knobs: WindowCpu
    tiles: Tiles
    counts: tuple[int, ...]
    lines: int
    rows: int

    @classmethod
    def of(cls, knobs: WindowCpu, window: Sliding) -> _Program:
        """The window, cut into blocks: images, channels, what is before the rows, the rows."""
        (width, blocks), high = knobs.each, knobs.rows
        shape = window.compute.output.tensor.extents
        if shape[1] % blocks or width * blocks * high > WIDEST:
            raise ScheduleError(f"tiles of {width} by {blocks} do not suit {shape}")
        turns = stretch(window, blocks, knobs.turns)
        lead = shape[:1] + shape[2 : -3 if window.flat else window.spot]
        counts = [shape[0], shape[1] // blocks, *lead[1:]]
        lines = rows = -(-lead[-1] // high) if len(lead) > 1 else 1
        if len(lead) > 1:
            # a block walks several rows, so that weights stay in its cache
            least = CHUNKS if by_rows(window) else 1
            chunks = min(rough(lines), max(least, -(-BLOCKS // rough(prod(counts[:-1])))))
            most = SUMS_BYTES // (high * sums_bytes(window, blocks)) if turns else rough(lines)
            rows = min(-(-rough(lines) // chunks), max(1, most))
            counts[-1] = -(-lines // rows)
        tiles = Tiles.of(window, blocks, turns, rows * high)
        return cls(knobs, tiles, tuple(counts), lines, rows)

    @property
    def window(self) -> Sliding:
        """What is slid."""
        return self.tiles.window

    @property
    def compute(self) -> Compute:
        """The definition."""
        return self.window.compute

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the output."""
        return self.compute.output.tensor.extents

    @property
    def row_axis(self) -> Var | None:
        """The axis of the rows, where there are several."""
        return self.compute.axes[len(self.counts) - 1] if len(self.counts) > 2 else None

    def module(self) -> Module:
        """The whole kernel."""
        (width, blocks), high, tiles = self.knobs.each, self.knobs.rows, self.tiles
        block = tuple(Var(f"b{d}", i32) for d in range(len(self.counts)))
        axes = self.compute.axes
        values: dict[Var, Expr] = {axes[0]: block[0], axes[-1]: LANE}
        values |= {axis: build.const(0) for axis in axes[self.window.spot + 1 : -1]}
        values |= zip(axes[2:], block[2:], strict=False)
        first = build.mul(block[1], blocks)
        body = self.walk(values, first, block[-1])
        if tiles.turns:
            zero, rounds, step = build.const(0), build.const(tiles.rounds), build.const(1)
            sums = For(tiles.stretch, zero, rounds, step, body)
            body = Seq((Allocate(tiles.sums), sums, self.finish(values, first, block[-1])))
        order = list(range(len(self.counts)))
        if self.row_axis and by_rows(self.window):
            order = [0, *order[2:], 1]
        counts = [self.counts[d] for d in order]
        whole = over_blocks([block[d] for d in order], counts, body)
        tile = f"{high} rows of {width} columns" if high > 1 else f"{width} columns"
        note = (
            f"{tile} by {blocks} blocks of channels in registers, {self.rows * high} rows a block"
        )
        note += f", sums in {tiles.rounds} stretches" if tiles.turns else ""
        return kernel(self.compute, whole, prod(self.counts), self.shape[-1], (note,))

    def walk(self, values: Mapping[Var, Expr], first: Expr, chunk: Expr) -> Stmt:
        """All tiles of a block; `chunk` is its number along the rows."""
        axis = self.row_axis
        if axis is None:
            return self.row(values, first, build.const(0))
        start, lines, rows = build.mul(chunk, self.rows), self.lines, self.rows
        count = (
            build.const(rows) if divides(rows, lines) else smaller(build.sub(lines, start), rows)
        )
        walk = self.row if self.knobs.rows == 1 else self.band
        return loop("row", count, lambda i: walk({**values, axis: build.add(start, i)}, first, i))

    def finish(self, values: Mapping[Var, Expr], first: Expr, chunk: Expr) -> Stmt:
        """The sums of a block to the output."""
        axis, zero, columns = self.row_axis, build.const(0), self.window.columns
        if axis is None:
            return Tile(self.tiles, dict(values), first, zero, columns, None, zero).finish()
        rows, total = self.rows * self.knobs.rows, self.shape[len(self.counts) - 1]
        start = build.mul(chunk, rows)
        count = (
            build.const(rows) if divides(rows, total) else smaller(build.sub(total, start), rows)
        )

        def row(i: Expr) -> Stmt:
            own = {**values, axis: build.add(start, i)}
            return Tile(self.tiles, own, first, zero, columns, None, i).finish()

        return loop("row", count, row)

    def band(self, values: Mapping[Var, Expr], first: Expr, i: Expr) -> Stmt:
        """A tile of several whole rows; `values` has its number for the row.

        The first and the last are written out for rows that do not exist, in the window or at all.
        """
        axis, high = self.compute.axes[self.window.spot - 1], self.knobs.rows
        total = self.shape[self.window.spot - 1]
        line, last = values[axis], -(-total // high) - 1
        body = self._band(values, first, i, build.mul(line, high), high, None)
        tests = self.window.near
        for n in (last, 0):
            rows = min(high, total - n * high)
            if tests or rows < high:
                own = self._band(values, first, i, build.const(n * high), rows, n * high)
                body = If(equal(line, n), own, body)
        return body

    def _band(
        self,
        values: Mapping[Var, Expr],
        first: Expr,
        i: Expr,
        row: Expr,
        rows: int,
        number: int | None,
    ) -> Stmt:
        axis, width = self.compute.axes[self.window.spot - 1], rows * self.window.columns
        own, zero, line = {**values, axis: row}, build.const(0), build.mul(i, self.knobs.rows)
        return Tile(self.tiles, own, first, zero, width, 0, line, row, number).whole()

    def row(self, values: Mapping[Var, Expr], first: Expr, i: Expr) -> Stmt:
        """All tiles of a row."""
        width = self.knobs.each[0]

        def tile(start: Expr, wide: int, edge: int | None) -> Stmt:
            return Tile(self.tiles, dict(values), first, start, wide, edge, i).whole()

        if self.window.open and (edges := self.window.edges()):
            before, after = (-(-e // width) for e in edges)
            # tiles at one end may reach to where conditions of the other begin
            least = before * width + edges[1], after * width + edges[0], width + edges[1]
            if self.window.columns >= max(least):
                return self._any_row(before, after, edges[1], tile)
        plain, others = self.window.tiles(width, self.window.clear())
        done: list[Stmt] = []
        if plain:
            # the tiles without conditions stand side by side
            starts = lambda n: build.add(build.mul(n, width), plain[0])  # noqa: E731
            done.append(loop("tile", len(plain), lambda n: tile(starts(n), width, None)))
        done += [tile(build.const(start), wide, start) for start, wide in others]
        return Seq(tuple(done))

    def _any_row(
        self, before: int, after: int, edge: int, tile: Callable[[Expr, int, int | None], Stmt]
    ) -> Stmt:
        """All tiles of a row of any length: of the last ones, which overlap, one may be narrower.

        Parameters
        ----------
        before, after : int
            Tiles with conditions at either end.
        edge : int
            Columns with conditions at the end.
        """
        width, columns = self.knobs.each[0], self.window.columns
        done = [tile(build.const(n * width), width, n * width) for n in range(before)]
        start, stop, step = before * width, columns - after * width, build.const(width)
        at, least = Var("start", i32), narrower(width)
        body = tile(smaller(at, columns - edge - width), width, None)
        if least < width:
            narrow = tile(smaller(at, columns - edge - least), least, None)
            body = If(build.less(least, build.sub(stop, at)), body, narrow)
        done.append(For(at, build.const(start), build.const(stop), step, body))
        ends = [columns - n * width for n in range(after, 0, -1)]
        return Seq((*done, *(tile(build.const(n), width, n) for n in ends)))
