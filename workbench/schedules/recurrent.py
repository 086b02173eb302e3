"""Recurrent layers: all steps of LSTM, GRU or a plain cell as one kernel.

What the inputs contribute is one matrix product over all steps, made before. What is left, the
product with the state of the step before, must go step by step: a block takes one item of the batch
through all of them and keeps the state in shared memory. Threads are neighbouring units, so that
rows of the transposed weights are read side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.expr import Expr, Var
from workbench.ir.stmt import Allocate, Assign, Declare, Evaluate, If, Seq, Stmt, Store
from workbench.ir.types import DType, Scope, TensorType, f16, f32, i32
from workbench.runtime.jit import host
from workbench.schedules.axes import launched, over_blocks, power_of_two
from workbench.schedules.lanes import LANE, loop

if TYPE_CHECKING:
    from workbench.ir.module import Module
    from workbench.ir.target import Target

Activation = Callable[[Expr], Expr]

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
"""Gates of each cell, in ONNX's order: z r h of GRU, i o f c of LSTM."""

_THREADS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Recurrent:
    """A recurrent layer, in one direction or two.

    Its kernel takes x [steps, batch, ways · gates · hidden], what the inputs contribute, biases
    included; r [ways, hidden / lanes, hidden, gates, lanes], the weights vector by vector of units,
    as they are read; h0 [ways, batch, hidden]; for LSTM c0 of that shape; then, if there are, the
    peepholes p [ways, 3 · hidden], the bias rb [ways, hidden] inside the product of GRU's last
    gate, and the lengths i32 [batch]. It gives y [steps, ways, batch, hidden], the last h and, for
    LSTM, the last c.

    Attributes
    ----------
    cell : str
        ``rnn``, ``gru`` or ``lstm``.
    steps, batch, hidden : int
        Extents.
    dtype : DType
        Of all tensors; halves are computed in f32.
    activations : tuple of tuple of callable
        For each way f, g, h as far as the cell has them.
    reverse : tuple of bool
        For each way whether the last step comes first.
    after : bool
        GRU: whether the reset gate is applied after the product.
    coupled : bool
        LSTM: whether the forget gate is what the input gate leaves.
    peepholes, biased, lengths : bool
        Which of the optional inputs there are.

    Source: the formulas of LSTM, GRU and RNN in ONNX's Operators.md.
    """

    cell: str
    steps: int
    batch: int
    hidden: int
    dtype: DType
    activations: tuple[tuple[Activation, ...], ...]
    reverse: tuple[bool, ...] = (False,)
    after: bool = False
    coupled: bool = False
    peepholes: bool = False
    biased: bool = False
    lengths: bool = False

    def build(self, target: Target) -> Module:
        """The program for a target, level `script`."""
        threads = max(lanes(), min(_THREADS, power_of_two(self.hidden)))
        return _Layer(self, lanes() if target.kind == "cpu" else threads).module()


def lanes() -> int:
    """Neighbouring units whose weights lie side by side: lanes of a vector of this machine."""
    return host().lanes


class _Layer:
    """One layer being scheduled."""

    def __init__(self, of: Recurrent, threads: int) -> None:
        self.of, self.threads = of, threads
        self.kind = f32 if of.dtype == f16 else of.dtype
        ways, self.wide = len(of.reverse), GATES[of.cell] * of.hidden
        state = (ways, of.batch, of.hidden)

        def given(name: str, *shape: int) -> Var:
            return Var(name, TensorType(of.dtype, shape))

        def kept(name: str, *shape: int) -> Var:
            return Var(name, TensorType(self.kind, shape, Scope.SHARED))

        self.x = given("x", of.steps, of.batch, ways * self.wide)
        self.r = given("r", ways, -(-of.hidden // lanes()), of.hidden, GATES[of.cell], lanes())
        self.starts = [given(f"{s}0", *state) for s in ("hc" if of.cell == "lstm" else "h")]
        self.p, self.rb = given("p", ways, 3 * of.hidden), given("rb", ways, of.hidden)
        self.lens = Var("lengths", TensorType(i32, (of.batch,)))
        self.y = given("y", of.steps, *state)
        self.ends = [given(f"{s.name[0]}_last", *state) for s in self.starts]
        # the states before and after a step, since units still read the one before
        self.h = kept("h", 2, of.hidden)
        self.c, self.z, self.rh = (kept(n, of.hidden) for n in ("c", "z", "rh"))
        self.way, self.item, self.step = (Var(n, i32) for n in ("way", "item", "step"))
        self.length, self.time = Var("length", i32), Var("time", i32)
        self.chunk = Var("chunk", i32)

    def module(self) -> Module:
        """The whole kernel."""
        of = self.of
        optional = ((self.p, of.peepholes), (self.rb, of.biased), (self.lens, of.lengths))
        params = [self.x, self.r, *self.starts, *(v for v, there in optional if there)]
        scratch = [self.h, self.c] if of.cell == "lstm" else [self.h]
        if of.cell == "gru" and not of.after:
            scratch += [self.z, self.rh]
        length = [Declare(self.length, build.load(self.lens, (self.item,)))] if of.lengths else []
        body = Seq(
            (
                *map(Allocate, scratch),
                *length,
                self._units(self._start),
                _BARRIER,
                loop("step", of.steps, self._step),
                self._units(self._end),
            )
        )
        ways = len(of.reverse)
        whole = over_blocks((self.way, self.item), (ways, of.batch), body)
        note = f"{of.steps} steps, a block per item and way, threads along {of.hidden} units"
        every = (*params, self.y, *self.ends)
        return launched(of.cell, every, whole, ways * of.batch, self.threads, (note,))

    def _units(self, body: Callable[[Expr], Stmt]) -> Stmt:
        """`body` for all units, each by its thread."""

        def chunk(n: Var) -> Stmt:
            self.chunk = n
            unit = build.add(build.mul(n, self.threads), LANE)
            inner = body(unit)
            ragged = self.of.hidden % self.threads
            return If(build.less(unit, self.of.hidden), inner) if ragged else inner

        return loop("chunk", -(-self.of.hidden // self.threads), chunk)

    def _load(self, tensor: Var, *index: Expr) -> Expr:
        return build.cast(build.load(tensor, index), self.kind)

    def _start(self, unit: Expr) -> Stmt:
        h = Store(
            self.h, (build.const(0), unit), self._load(self.starts[0], self.way, self.item, unit)
        )
        if self.of.cell != "lstm":
            return h
        return Seq(
            (h, Store(self.c, (unit,), self._load(self.starts[1], self.way, self.item, unit)))
        )

    def _end(self, unit: Expr) -> Stmt:
        last = [build.load(self.h, (build.const(self.of.steps % 2), unit))]
        if self.of.cell == "lstm":
            last.append(build.load(self.c, (unit,)))
        stores = (
            Store(to, (self.way, self.item, unit), build.cast(value, self.of.dtype))
            for to, value in zip(self.ends, last, strict=True)
        )
        return Seq(tuple(stores))

    def _step(self, step: Var) -> Stmt:
        self.step = step
        time: Expr = step
        if any(self.of.reverse):
            last = build.sub(self.length if self.of.lengths else self.of.steps, 1)
            time = build.sub(last, step)
            # past the end of an item nothing is read that counts, and 0 is stored where it stands
            time = build.select(self._live, time, step) if self.of.lengths else time
            time = time if all(self.of.reverse) else build.select(self._first, step, time)
        parts: list[Stmt] = [Declare(self.time, time)]
        if self.of.cell == "gru" and not self.of.after:
            parts += [self._units(self._reset), _BARRIER]
        cells = {"rnn": self._rnn, "gru": self._gru, "lstm": self._lstm}
        return Seq((*parts, self._units(cells[self.of.cell]), _BARRIER))

    @property
    def _first(self) -> Expr:
        return build.less(self.way, 1)

    def _activations(self) -> list[Activation]:
        """Of both ways, where they are the same; else each chooses its own."""
        first, last = self.of.activations[0], self.of.activations[-1]
        return [f if f is g else self._either(f, g) for f, g in zip(first, last, strict=True)]

    def _either(self, f: Activation, g: Activation) -> Activation:
        return lambda v: build.select(self._first, f(v), g(v))

    @property
    def _live(self) -> Expr:
        return build.less(self.step, self.length)

    def _old(self, unit: Expr) -> Expr:
        return build.load(self.h, (build.floormod(self.step, 2), unit))

    def _sums(
        self, unit: Expr, gates: Sequence[int], start: Sequence[Expr], vector: Var | None = None
    ) -> tuple[list[Stmt], list[Var]]:
        """Sums over the state, of the step before or `vector`, times weights of some gates."""
        accs = [Var(f"gate{g}", self.kind) for g in gates]
        value = Var("value", self.kind)

        def term(k: Var) -> Stmt:
            state = self._old(k) if vector is None else build.load(vector, (k,))
            parts: list[Stmt] = [Declare(value, state)]
            for g, acc in zip(gates, accs, strict=True):
                weight = self._load(self.r, *self._place(unit, k, g))
                parts.append(Assign(acc, build.add(acc, build.mul(value, weight))))
            return Seq(tuple(parts))

        begun = [Declare(acc, s) for acc, s in zip(accs, start, strict=True)]
        return [*begun, loop("k", self.of.hidden, term)], accs

    def _place(self, unit: Expr, k: Expr, gate: int) -> tuple[Expr, ...]:
        """Where the weight lies that `unit` has in a gate for the unit `k` of the step before."""
        if self.threads == lanes():
            return self.way, self.chunk, k, build.const(gate), LANE
        vector, lane = build.floordiv(unit, lanes()), build.floormod(unit, lanes())
        return self.way, vector, k, build.const(gate), lane

    def _at(self, gate: int, unit: Expr) -> Expr:
        return build.add(unit, gate * self.of.hidden)

    def _inputs(self, unit: Expr, gates: Sequence[int]) -> list[Expr]:
        start = build.mul(self.way, self.wide)
        places = (build.add(start, self._at(g, unit)) for g in gates)
        return [self._load(self.x, self.time, self.item, place) for place in places]

    def _done(self, unit: Expr, parts: Sequence[Stmt], value: Expr, c: Expr | None = None) -> Stmt:
        """The end of a step: the new state of a unit, kept and given."""
        h, given = Var("h_new", self.kind), Var("given", self.kind)
        old, zero = self._old(unit), build.const(0, self.kind)
        live = self.of.lengths
        after = build.sub(1, build.floormod(self.step, 2))
        stores: list[Stmt] = [
            Declare(given, value),
            Declare(h, build.select(self._live, given, old) if live else given),
            Store(self.h, (after, unit), h),
        ]
        if c is not None:
            before = build.load(self.c, (unit,))
            stores.append(
                Store(self.c, (unit,), build.select(self._live, c, before) if live else c)
            )
        shown = build.select(self._live, h, zero) if live else h
        out = Store(
            self.y, (self.time, self.way, self.item, unit), build.cast(shown, self.of.dtype)
        )
        return Seq((*parts, *stores, out))

    def _rnn(self, unit: Expr) -> Stmt:
        parts, (acc,) = self._sums(unit, [0], self._inputs(unit, [0]))
        return self._done(unit, parts, self._activations()[0](acc))

    def _reset(self, unit: Expr) -> Stmt:
        """GRU's first two gates, where the third needs the state as reset by all units."""
        parts, (z, r) = self._sums(unit, [0, 1], self._inputs(unit, [0, 1]))
        f = self._activations()[0]
        keep = Store(self.z, (unit,), f(z))
        return Seq((*parts, keep, Store(self.rh, (unit,), build.mul(f(r), self._old(unit)))))

    def _gru(self, unit: Expr) -> Stmt:
        f, g = self._activations()
        z = Var("update", self.kind)
        if not self.of.after:
            parts, (acc,) = self._sums(unit, [2], self._inputs(unit, [2]), self.rh)
            parts.append(Declare(z, build.load(self.z, (unit,))))
            fresh = g(acc)
        else:
            first = (
                self._load(self.rb, self.way, unit) if self.of.biased else build.const(0, self.kind)
            )
            start = [*self._inputs(unit, [0, 1]), first]
            parts, (acc_z, acc_r, inner) = self._sums(unit, [0, 1, 2], start)
            parts.append(Declare(z, f(acc_z)))
            (x,) = self._inputs(unit, [2])
            fresh = g(build.add(x, build.mul(f(acc_r), inner)))
        mixed = build.add(build.mul(build.sub(1.0, z), fresh), build.mul(z, self._old(unit)))
        return self._done(unit, parts, mixed)

    def _lstm(self, unit: Expr) -> Stmt:
        f, g, h = self._activations()
        parts, (acc_i, acc_o, acc_f, acc_c) = self._sums(
            unit, range(4), self._inputs(unit, range(4))
        )
        old, i, c = (Var(n, self.kind) for n in ("c_old", "input", "c_new"))

        def peeped(acc: Expr, gate: int, state: Expr) -> Expr:
            if not self.of.peepholes:
                return acc
            return build.add(
                acc, build.mul(self._load(self.p, self.way, self._at(gate, unit)), state)
            )

        parts += [Declare(old, build.load(self.c, (unit,))), Declare(i, f(peeped(acc_i, 0, old)))]
        forget = build.sub(1.0, i) if self.of.coupled else f(peeped(acc_f, 2, old))
        fresh = build.add(build.mul(forget, old), build.mul(i, g(acc_c)))
        parts.append(Declare(c, fresh))
        return self._done(unit, parts, build.mul(f(peeped(acc_o, 1, c)), h(c)), c)


_BARRIER = Evaluate(build.call("syncthreads"))
