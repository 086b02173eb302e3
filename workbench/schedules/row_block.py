"""Several threads per row, or one: reductions along rows and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.expr import Binary, BinaryOp, Builtin, Expr, Load, Var
from workbench.ir.stmt import (
    Allocate,
    Declare,
    Evaluate,
    For,
    ForTask,
    If,
    Seq,
    Stmt,
    Store,
)
from workbench.ir.target import Target
from workbench.ir.traverse import rewrite, substitute, walk
from workbench.ir.types import DType, Scope, TensorType, i32
from workbench.mapping import spatial
from workbench.schedules.axes import launched, tiles
from workbench.schedules.combine import State, across_lanes, flat, take_all, unflat
from workbench.schedules.extents import divides, rough, varies
from workbench.schedules.rows import Passes, Rows, RowStep, accesses, unsteady

if TYPE_CHECKING:
    from workbench.ir.module import Module
    from workbench.ir.node import Node
    from workbench.schedules.compute import Compute

WARP = 32


@dataclass(frozen=True, slots=True)
class RowBlock:
    """The knobs of the template.

    Attributes
    ----------
    rows : int
        Rows of a block.
    width : int
        Threads that work on one row: 1, or warps of 32; what the warps reduce meets in shared
        memory.
    scratch_bytes : int
        Shared memory of a block for elements that are kept between passes; what does not fit is
        computed again [byte].
    in_output : bool
        Whether what is kept lies in an output where one takes its place later: what is written
        comes into the caches while there is something to compute. For one row a block.
    """

    rows: int = 8
    width: int = WARP
    scratch_bytes: int = 40 * 1024
    in_output: bool = False

    def build(self, compute: Compute) -> Module:
        """The scheduled program of one reduction."""
        return self.build_rows(Rows.of(compute), compute.name)

    def build_rows(self, rows: Rows, name: str) -> Module:
        """The scheduled program of definitions over the same rows."""
        if self.width == 1:
            plan = tiles(rows.extents, self.rows)
            body = plan.each(lambda index: _row(self, rows, Place.alone(rows, index)))
            blocks, threads = plan.blocks, plan.threads
        else:
            body, blocks = self._shared(rows), -(-rows.count // self.rows)
            threads = self.rows * self.width
        made = {s.output for s in rows.steps}
        inputs = dict.fromkeys(v for s in rows.steps for v in s.compute.inputs if v not in made)
        note = (
            f"{self.width} threads per row of {rows.length}, {threads // self.width} rows a block"
        )
        return launched(name, (*inputs, *rows.outputs), body, blocks, threads, (note,))

    def _shared(self, rows: Rows) -> Stmt:
        """Blocks whose rows have several threads each."""
        row, worker = Var("row", i32), Var("worker", i32)
        number = build.add(build.mul(Builtin("blockIdx.x"), self.rows), row)
        # rows past the end work on the last row and store nothing: all threads must meet
        ragged = not divides(self.rows, rows.count)
        inside = build.less(number, rows.count) if ragged else build.const(True)
        if ragged:
            number = build.binary(BinaryOp.MIN, number, rows.count - 1)
        index = tuple(unflat(number, rows.extents))
        following: tuple[Expr, ...] = ()
        if self.in_output and self.rows == 1:
            after = build.binary(BinaryOp.MIN, build.add(number, 1), rows.count - 1)
            following = tuple(unflat(after, rows.extents))
        body = _row(self, rows, Place(index, row, worker, inside, following))
        return ForTask((row, worker), spatial(self.rows, self.width), Builtin("threadIdx.x"), body)


def fitting(rows: Rows, target: Target) -> RowBlock:
    """The knobs for some rows: threads along a row where its elements lie side by side.

    Examples
    --------
    >>> from workbench.ir.types import f32
    >>> from workbench.schedules.compute import Compute, Reducer, Reduction
    >>> x, i, r = Var("x", f32[64, 512]), Var("i", i32), Var("r", i32)
    >>> total = Var("total", f32)
    >>> sums = Reduction(Reducer.SUM, (r,), (512,), build.load(x, (i, r)), total)
    >>> rows = Rows.of(Compute("sum", (x,), Var("out", f32[64]), (i,), total, sums))
    >>> fitting(rows, Target("cpu")).width
    32
    """
    cpu = target.kind == "cpu"
    scratch_bytes = 192 * 1024 if cpu else RowBlock().scratch_bytes
    if rough(rows.length) < _SHORT or not rows.whole_registers or not rows.neighbours():
        return RowBlock(64 if cpu else 128, 1, scratch_bytes)
    if cpu:
        return RowBlock(1, WARP, scratch_bytes, in_output=True)
    if rough(rows.length) >= 4096 and rough(rows.count) <= 4096:
        return RowBlock(1, 8 * WARP)
    return RowBlock(8, WARP)


_SHORT = 8
"""Rows of fewer elements have one thread each."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a thread works.

    Attributes
    ----------
    index : tuple of Expr
        Its row.
    row, worker : Expr
        Number of the row in the block, of the thread in the row.
    inside : Expr
        Whether the row is there to be stored.
    following : tuple of Expr
        The row that comes after it and is to come into the caches meanwhile; empty for none.
    """

    index: tuple[Expr, ...]
    row: Expr
    worker: Expr
    inside: Expr
    following: tuple[Expr, ...] = ()

    @classmethod
    def alone(cls, rows: Rows, index: tuple[Expr, ...]) -> Place:
        """A thread that has a row for itself."""
        assert len(index) == len(rows.axes)
        return cls(index, Builtin("threadIdx.x"), build.const(0), build.const(True))


def _row(knobs: RowBlock, rows: Rows, place: Place) -> Stmt:
    """All passes over one row."""
    return Writer(knobs, rows, place, Passes.of(rows, knobs.scratch_bytes // knobs.rows)).whole()


@dataclass
class Writer:
    """Writes the passes over a row.

    Attributes
    ----------
    known : dict of Var to Expr
        What is known of the whole row, by tensor.
    kept : dict of Var to Var
        Where elements are kept between passes, by tensor.
    lent : dict of Var to RowStep
        What is kept in the place of an output, and the step that makes this output.
    inverses : dict of Var to Var
        One divided by what is known of the row.
    """

    knobs: RowBlock
    rows: Rows
    place: Place
    passes: Passes
    known: dict[Var, Expr] = field(default_factory=dict[Var, Expr])
    kept: dict[Var, Var] = field(default_factory=dict[Var, Var])
    lent: dict[Var, RowStep] = field(default_factory=dict[Var, RowStep])
    inverses: dict[Var, Var] = field(default_factory=dict[Var, Var])

    def __post_init__(self) -> None:
        """What elements are divided by, and may as well be multiplied by the inverse of."""
        elements = [s for s in self.rows.steps if self.rows.per_element(s)]
        nodes = [n for s in elements for n in walk(s.compute.value)]
        quotients = [n for n in nodes if isinstance(n, Binary) and n.op is BinaryOp.DIV]
        # a product is the last bit off now and then: much for a half, and for what is rounded
        exact = any(unsteady(n) for n in nodes)
        self.divisors = {
            n.b.tensor
            for n in quotients
            if isinstance(n.b, Load) and n.b.tensor.tensor.dtype.bits > 16 and not exact
        }

    def whole(self) -> Stmt:
        """All of them."""
        steps = [*self.allocate(), *self._of_row(0, {})]
        for number in range(len(self.passes.reduced)):
            steps += self._pass(number)
        return Seq(tuple(steps))

    def allocate(self) -> list[Stmt]:
        """Places for what is kept."""
        shape = (self.knobs.rows, self.rows.length)
        shape = shape[::-1] if self.knobs.width == 1 else shape
        for var in [s.output for s in self.rows.steps if s.output in self.passes.saved]:
            lends = self.knobs.in_output and self.knobs.rows == 1
            if lends and (step := self.passes.lender(var, self.lent.values())):
                self.lent[var] = step
            else:
                kind = TensorType(var.tensor.dtype, shape, Scope.SHARED)
                self.kept[var] = Var(f"{var.name}_row", kind)
        return [Allocate(v) for v in self.kept.values()]

    def _pass(self, number: int) -> list[Stmt]:
        """The elements of a row, what is reduced of them, and what follows for the row."""
        reduced = [(s, r) for s in self.passes.reduced[number] if (r := s.compute.reduction)]
        states = {s: State.of(r, f"_{i}") for i, (s, r) in enumerate(reduced)}
        steps = [each for state in states.values() for each in state.start()]
        if self.passes.elements[number] or reduced:
            steps += self._loop(number, states)
        if self.knobs.width > 1:
            for state in states.values():
                steps += across_lanes(state, min(WARP, self.knobs.width))
            if self.knobs.width > WARP:
                steps += self._across_warps(list(states.values()))
        return steps + self._of_row(number + 1, states)

    def _loop(self, number: int, states: Mapping[RowStep, State]) -> list[Stmt]:
        """A pass over every element of the row that is this thread's."""
        lengths, width = self.rows.lengths, self.knobs.width
        if width == 1:
            loops = [Var(f"r{d}", i32) for d in range(len(lengths))]
            inner = self._element(number, loops, states)
            for var, extent in reversed(list(zip(loops, lengths, strict=True))):
                inner = For(var, build.const(0), build.const(extent), build.const(1), inner)
            return [inner]
        total, found = prod(lengths), list[Stmt]()
        step, rounds = Var("step", i32), total // width
        if varies(total) or rounds:
            position = build.add(build.mul(step, width), self.place.worker)
            inner = self._element(number, unflat(position, lengths), states)
            if number == 1 and self.place.following:
                inner = Seq((*self._ahead(unflat(position, lengths)), inner))
            found.append(For(step, build.const(0), build.const(rounds), build.const(1), inner))
        if not divides(width, total):
            # the last elements apart, so that the others need no guard
            position = build.add(rounds * width, self.place.worker)
            last = self._element(number, unflat(position, lengths), states)
            found.append(If(build.less(position, total), last))
        return found

    def _element(self, number: int, inner: Sequence[Expr], states: Mapping[RowStep, State]) -> Stmt:
        """One element: what is made of it, stored, kept and reduced."""
        slot = (self.place.row, flat(inner, self.rows.lengths))
        slot = slot[::-1] if self.knobs.width == 1 else slot
        steps, here = self.begin(number, slot)
        lent = {v: (s.output, self._place(s, inner)) for v, s in self.lent.items()}
        here |= {v: build.load(where, index) for v, (where, index) in lent.items()}
        for each in self.passes.elements[number]:
            axes = self._axes(each, inner)
            var = each.output
            name = Var(var.name, var.tensor.dtype)
            steps.append(Declare(name, self._value(each.compute.value, axes, here)))
            here[var] = name
            if var in self.kept:
                steps.append(Store(self.kept[var], slot, name))
            if var in lent:
                steps.append(Store(*lent[var], name))
            if var in self.rows.outputs and self.passes.first[var] == number:
                store = Store(var, self._place(each, inner), name)
                steps.append(self.finish(store, slot))
        for each, state in states.items():
            axes, reduction = self._axes(each, inner), state.reduction
            own = flat([axes[a] for a in reduction.axes], reduction.extents)
            steps.append(state.take(self._value(reduction.value, axes, here), own))
        return Seq(tuple(steps))

    def _ahead(self, inner: Sequence[Expr]) -> list[Stmt]:
        """Have the caches fetch what the first pass reads of the next row.

        Processors fetch ahead by themselves, but not across pages of memory, and a row is often
        one; and they cannot begin with a row while they compute the one before.
        """
        made = {s.output for s in self.rows.steps}
        found: dict[Var, Stmt] = {}
        for step in (*self.passes.elements[0], *self.passes.reduced[0]):
            axes = self._axes(step, inner, self.place.following)
            for tensor, index in accesses(step)[:-1]:
                if tensor not in made and tensor.tensor.size == self.rows.count * self.rows.length:
                    where = tuple(substitute(e, axes) for e in index)
                    found.setdefault(tensor, Evaluate(build.load(tensor, where)))
        return list(found.values())

    def begin(self, number: int, slot: tuple[Expr, ...]) -> tuple[list[Stmt], dict[Var, Expr]]:
        """What is at hand for an element of pass `number`: of the row, and kept from others."""
        del number
        return [], self.known | {v: build.load(where, slot) for v, where in self.kept.items()}

    def finish(self, store: Store, slot: tuple[Expr, ...]) -> Stmt:
        """Store an element of an output."""
        del slot
        return _guarded(self.place.inside, store)

    def _of_row(self, ready: int, states: Mapping[RowStep, State]) -> list[Stmt]:
        """What is known of the whole row once `ready` passes are done."""
        found: list[Stmt] = []
        for step in self.rows.steps:
            var = step.output
            if self.passes.ready[var] != ready or self.rows.per_element(step):
                continue
            axes = self._axes(step, [build.const(0)] * len(self.rows.inner))
            if step in states:
                axes[states[step].reduction.result] = states[step].result
            name = Var(var.name, var.tensor.dtype)
            found.append(Declare(name, self._value(step.compute.value, axes, self.known)))
            self.known[var] = name
            if var in self.divisors:
                inverse = Var(f"{var.name}_inverse", name.type)
                one = build.const(1, var.tensor.dtype)
                found.append(Declare(inverse, build.binary(BinaryOp.DIV, one, name)))
                self.inverses[name] = inverse
            if var in self.rows.outputs:
                first = build.binary(BinaryOp.EQ, self.place.worker, 0)
                guard = build.all_of(first, self.place.inside)
                index = tuple(axes[a] for a in step.compute.axes)
                found.append(_guarded(guard, Store(var, index, name)))
        return found

    def _axes(
        self, step: RowStep, inner: Sequence[Expr], row: tuple[Expr, ...] = ()
    ) -> dict[Var, Expr]:
        """The axes of a definition for an element of this row, or of another."""
        where = dict(zip(self.rows.axes, row or self.place.index, strict=True))
        where |= dict(zip(self.rows.inner, inner, strict=True))
        return {axis: substitute(e, where) for axis, e in step.index.items()}

    def _place(self, step: RowStep, inner: Sequence[Expr]) -> tuple[Expr, ...]:
        """Where the output of a step has an element of this row."""
        axes = self._axes(step, inner)
        return tuple(axes[a] for a in step.compute.axes)

    def _value(self, value: Expr, axes: Mapping[Var, Expr], here: Mapping[Var, Expr]) -> Expr:
        """`value` at a place, with what is at hand there instead of loads."""

        def rule(node: Node) -> Node | None:
            match node:
                case Var():
                    return axes.get(node)
                case Load():
                    return here.get(node.tensor)
                case Binary(op=BinaryOp.DIV, b=Var() as b) if b in self.inverses:
                    # one division for the row instead of one for each element
                    return build.mul(node.a, self.inverses[b])
                case _:
                    return None

        return rewrite(value, rule)

    def _across_warps(self, states: Sequence[State]) -> list[Stmt]:
        """Partial results of the warps, through shared memory into every thread of the row."""
        warps = self.knobs.width // WARP
        warp = build.floordiv(self.place.worker, WARP)
        lane = build.floormod(self.place.worker, WARP)
        shape = (self.knobs.rows, warps)
        parts = {
            v: Var(f"{v.name}_of_warp", TensorType(_dtype(v), shape, Scope.SHARED))
            for state in states
            for v in state.vars
        }
        first = build.binary(BinaryOp.EQ, lane, 0)
        stores = [Store(p, (self.place.row, warp), v) for v, p in parts.items()]
        found: list[Stmt] = [*map(Allocate, parts.values()), If(first, Seq(tuple(stores)))]
        found.append(Evaluate(build.call("syncthreads")))
        for state in states:
            step = Var("w", i32)
            more = take_all(
                state, [build.load(parts[v], (self.place.row, step)) for v in state.vars]
            )
            found += state.again()
            found.append(For(step, build.const(0), build.const(warps), build.const(1), more))
        return found


def _guarded(guard: Expr, store: Stmt) -> Stmt:
    return store if getattr(guard, "value", None) is True else If(guard, store)


def _dtype(value: Expr) -> DType:
    return value.type  # pyright: ignore[reportReturnType]
