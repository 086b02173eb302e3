"""Reductions step by step: what a template keeps while it reduces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr, Var
from workbench.ir.stmt import Assign, Declare, If, Seq, Stmt
from workbench.ir.types import DType, boolean
from workbench.schedules.compute import Reducer, Reduction
from workbench.schedules.extents import varies

_OPS = {
    Reducer.SUM: BinaryOp.ADD,
    Reducer.PROD: BinaryOp.MUL,
    Reducer.MAX: BinaryOp.MAX,
    Reducer.MIN: BinaryOp.MIN,
}


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The variables of a running reduction: the best or total so far, and for arg-reductions
    the position of the best (-1 before the first value).
    """

    reduction: Reduction
    value: Var
    position: Var | None

    @classmethod
    def of(cls, reduction: Reduction, suffix: str = "") -> State:
        """Fresh variables."""
        kind = reduction.value.type
        assert isinstance(kind, DType)
        value = Var(f"acc{suffix}", kind)
        if reduction.reducer in _OPS:
            return cls(reduction, value, None)
        assert isinstance(reduction.result.type, DType)
        return cls(reduction, value, Var(f"best{suffix}", reduction.result.type))

    @property
    def vars(self) -> tuple[Var, ...]:
        """All of them."""
        return (self.value,) if self.position is None else (self.value, self.position)

    def start(self) -> list[Stmt]:
        """Declare them with what a reduction starts from."""
        return [Declare(v, e) for v, e in zip(self.vars, self._starts(), strict=True)]

    def again(self) -> list[Stmt]:
        """Set them to what a reduction starts from."""
        return [Assign(v, e) for v, e in zip(self.vars, self._starts(), strict=True)]

    def _starts(self) -> list[Expr]:
        kind = self.value.type
        assert isinstance(kind, DType)
        starts: list[Expr] = [start_value(self.reduction.reducer, kind)]
        if self.position is not None:
            assert isinstance(self.position.type, DType)
            starts.append(build.const(-1, self.position.type))
        return starts

    def take(self, value: Expr, position: Expr | None) -> Stmt:
        """Put one more value in."""
        fresh = Var("value", self.value.type)
        if self.position is None:
            return self._combine(value, fresh)
        assert position is not None
        op = BinaryOp.GT if self.reduction.reducer is Reducer.ARGMAX else BinaryOp.LT
        better = build.binary(op, fresh, self.value)
        # of equals the first counts; threads may meet them in any order
        equal = build.binary(BinaryOp.EQ, fresh, self.value)
        earlier = build.less(position, self.position)
        empty = build.less(self.position, 0)
        tie = build.binary(BinaryOp.OR, build.all_of(equal, earlier), empty)
        won = build.binary(BinaryOp.OR, better, tie)
        if isinstance(position, Var):
            # a position that comes from another thread may be empty itself
            won = build.all_of(won, build.binary(BinaryOp.GE, position, 0))
        then = Seq((Assign(self.value, fresh), Assign(self.position, position)))
        return Seq((Declare(fresh, value), If(won, then)))

    def _combine(self, value: Expr, fresh: Var) -> Stmt:
        """Put in one more value, where only the total or the extreme counts."""
        reducer, kind = self.reduction.reducer, self.value.type
        extreme = reducer in (Reducer.MAX, Reducer.MIN)
        if not extreme or not isinstance(kind, DType) or not kind.is_float:
            return Assign(self.value, combined(reducer, self.value, value))
        # what is kept is never NaN, so that a comparison says as much as fmax and costs less
        op = BinaryOp.GT if reducer is Reducer.MAX else BinaryOp.LT
        won = build.select(build.binary(op, fresh, self.value), fresh, self.value)
        return Seq((Declare(fresh, value), Assign(self.value, won)))

    @property
    def result(self) -> Expr:
        """What stands for the reduction's result."""
        return self.value if self.position is None else self.position


def combined(reducer: Reducer, a: Expr, b: Expr) -> Expr:
    """`a` and `b` put together."""
    kind = a.type
    assert isinstance(kind, DType)
    whole = build.binary(_OPS[reducer], a, b)
    return build.cast(whole, kind)


def start_value(reducer: Reducer, kind: DType) -> Expr:
    """What a reduction in `kind` starts from."""
    if reducer in (Reducer.SUM, Reducer.PROD):
        return build.const(int(reducer is Reducer.PROD), kind)
    lowest = reducer in (Reducer.MAX, Reducer.ARGMAX)
    if kind.is_float:
        return build.const(float("-inf") if lowest else float("inf"), kind)
    if kind == boolean:
        return build.const(not lowest, kind)
    ends = (
        (0, 2**kind.bits - 1)
        if kind.kind == "u"
        else (-(2 ** (kind.bits - 1)), 2 ** (kind.bits - 1) - 1)
    )
    return build.const(ends[0] if lowest else ends[1], kind)


def flat(axes: Sequence[Expr], extents: Sequence[int]) -> Expr:
    """The row-major position of `axes`."""
    total: Expr = build.const(0) if not axes else axes[0]
    for axis, extent in list(zip(axes, extents, strict=True))[1:]:
        total = build.add(build.mul(total, extent), axis)
    return total


def unflat(position: Expr, extents: Sequence[int]) -> list[Expr]:
    """The axes at a row-major position, which must lie inside."""
    found: list[Expr] = []
    stride = 1
    slowest = next((d for d, e in enumerate(extents) if varies(e) or e != 1), 0)
    for place, extent in reversed(list(enumerate(extents))):
        part = build.floordiv(position, stride)
        stride *= extent
        # what lies inside needs no modulus along the slowest axis
        found.append(part if place == slowest else build.floormod(part, extent))
        if not varies(extent) and extent == 1:
            found[-1] = build.const(0)
    return found[::-1]


def across_lanes(state: State, lanes: int) -> list[Stmt]:
    """A butterfly of shuffles: afterwards every lane holds the result of all."""
    found: list[Stmt] = []
    mask = lanes // 2
    while mask:
        found.append(take_all(state, [build.call("shfl_xor", v, mask) for v in state.vars]))
        mask //= 2
    return found


def take_all(state: State, values: Sequence[Expr]) -> Stmt:
    """Put in what another thread has reduced."""
    if len(values) == 1:
        return state.take(values[0], None)
    # both are read before either is changed
    names = [Var(f"other_{v.name}", v.type) for v in state.vars]
    declared = [Declare(n, v) for n, v in zip(names, values, strict=True)]
    return Seq((*declared, state.take(names[0], names[1])))
