"""Random expressions with one defined value, and what may be used at a place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from workbench.ir.build import call, cast, const, floormod, load, select, unary
from workbench.ir.expr import Binary, BinaryOp, Builtin, Const, Expr, UnaryOp, Var
from workbench.ir.module import Function, Launch
from workbench.ir.types import (
    DType,
    TensorType,
    bf16,
    boolean,
    f16,
    f32,
    f64,
    i8,
    i32,
    i64,
    u8,
    u32,
    u64,
)
from workbench.mapping import (
    Layout,
    TaskMapping,
    auto_map,
    column_major,
    column_repeat,
    predicated_auto_map,
    repeat,
    row_major,
    spatial,
)

Draw = Any
KINDS = (i32, i32, i32, f32, f32, i64, u8, u32, f64, f16, bf16, boolean, i8, u64)
LARGEST = {"f16": 512, "bf16": 64, "f32": 2**20, "f64": 2**40}
"""Whole numbers up to which a float type is used; well inside what it holds exactly."""


def _two_dims(worker: int) -> list[tuple[int, int]]:
    return [(worker % 3, worker // 3), (2 - worker % 3, 1)]


def _uneven(worker: int) -> list[tuple[int, int]]:
    return [(n, worker % 2) for n in range(worker % 4)]


MAPPINGS: tuple[TaskMapping, ...] = (
    spatial(4, 8),
    repeat(2, 3),
    repeat(4, 1) * spatial(2, 8),
    spatial(2, 2) * repeat(2, 2),
    repeat(2, 1, attrs="unroll").spatial(8, 4).repeat(1, 2),
    column_repeat(2, 3) * spatial(2, 2),
    (spatial(2, 2) * repeat(2, 2)).projection({1: 0}),
    auto_map(8, 8, workers=16),
    predicated_auto_map(7, 5, workers=16),
    TaskMapping((3, 4), 9, _two_dims),
    TaskMapping((3, 2), 8, _uneven),
    spatial(2, 1) * TaskMapping((3, 2), 8, _uneven) * repeat(1, 2),
)

LAYOUTS: tuple[Layout | None, ...] = (
    None,
    row_major(8, 8).swizzle(3),
    column_major(8, 8),
    row_major(2, 4) * column_major(4, 2),
)


@dataclass
class Place:
    """What may be used where code is being drawn."""

    draw: Draw
    launch: Launch
    params: list[Var]
    readable: list[Var] = field(default_factory=list)
    changeable: list[Var] = field(default_factory=list)
    tensors: list[Var] = field(default_factory=list)
    below: dict[Var, int] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    loop: str = ""
    names: list[int] = field(default_factory=lambda: [0])
    mappings: tuple[TaskMapping, ...] = MAPPINGS

    def inside(self, **changes: Any) -> Place:
        """A scope inside this one."""
        copies = {
            "readable": list(self.readable),
            "changeable": list(self.changeable),
            "tensors": list(self.tensors),
            "below": dict(self.below),
        }
        return replace(self, **{**copies, **changes})

    def pick(self, items: Any) -> Any:
        """One of these."""
        return self.draw(st.sampled_from(list(items)))

    def number(self, least: int, most: int) -> int:
        """An integer, both ends included."""
        return self.draw(st.integers(least, most))

    def new(self, kind: DType | TensorType, word: str = "v") -> Var:
        """A new variable; names repeat on purpose."""
        self.names[0] += 1
        return Var(f"{word}{self.names[0] % 3 or ''}", kind)


def _reach(kind: DType) -> int:
    return LARGEST[kind.scalar]


def _constant(p: Place, kind: DType) -> Const:
    if kind.kind == "b":
        return const(p.draw(st.booleans()), kind)
    if kind.is_float:
        return const(float(p.number(-4, 4)), kind)
    small = p.number(-9 if kind.kind == "i" else 0, 9)
    edge = p.pick([-(2 ** (kind.bits - 1)), 2 ** (kind.bits - 1) - 1, 2**kind.bits - 1])
    return const(p.pick([small, small, small, edge]), kind)


def expression(p: Place, kind: DType, depth: int) -> tuple[Expr, int]:
    """An expression of a scalar type; for floats, a bound of its magnitude (else 0)."""
    if depth <= 0 or p.number(0, 5) == 0:
        return _leaf(p, kind)
    if kind.kind == "b":
        return truth(p, depth), 0
    if kind.is_float:
        return _float(p, kind, depth)
    return _integer(p, kind, depth), 0


def integer(p: Place, kind: DType, depth: int) -> Expr:
    """An expression of an integer type or bool."""
    return expression(p, kind, depth)[0]


def _leaf(p: Place, kind: DType) -> tuple[Expr, int]:
    choices: list[tuple[Expr, int]] = [(_constant(p, kind), 4)]
    choices += [(v, 4) for v in p.readable if v.type == kind]
    if kind == i32:
        groups = ("threadIdx", "blockIdx", "blockDim", "gridDim")
        choices += [(Builtin(f"{p.pick(groups)}.{p.pick('xy')}"), 0)]
    loads = [t for t in p.tensors if t.tensor.dtype == kind]
    if loads and p.draw(st.booleans()):
        tensor = p.pick(loads)
        return load(tensor, [index_below(p, e) for e in tensor.tensor.extents]), 4
    return p.pick(choices)


def index_below(p: Place, extent: int) -> Expr:
    """An index that is in range."""
    fitting = [v for v, below in p.below.items() if below <= extent]
    if fitting and p.number(0, 3):
        return p.pick(fitting)
    return floormod(integer(p, i32, 1), extent)


def _integer(p: Place, kind: DType, depth: int) -> Expr:
    a = integer(p, kind, depth - 1)
    choice = p.number(0, 11)
    if choice <= 3:
        op = p.pick([BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL, BinaryOp.MIN, BinaryOp.MAX])
        return raw(op, a, integer(p, kind, depth - 1))
    if choice <= 6:
        divisor = const(p.pick([1, 2, 3, 4, 7, 8, 16]), kind)
        if p.number(0, 4) == 0:
            seven = raw(BinaryOp.BITAND, integer(p, kind, depth - 1), const(7, kind))
            divisor = raw(BinaryOp.ADD, seven, const(1, kind))
        return raw(p.pick([BinaryOp.FLOORDIV, BinaryOp.FLOORMOD]), a, divisor)
    if choice == 7:
        op = p.pick([BinaryOp.BITAND, BinaryOp.BITOR, BinaryOp.BITXOR])
        return raw(op, a, integer(p, kind, depth - 1))
    if choice == 8:
        amount = const(p.number(0, kind.bits - 1), kind)
        return raw(p.pick([BinaryOp.SHL, BinaryOp.SHR]), a, amount)
    if choice == 9:
        return unary(p.pick([UnaryOp.NEG, UnaryOp.INVERT]), a)
    if choice == 10:
        return select(truth(p, depth - 1), a, integer(p, kind, depth - 1))
    return _converted(p, kind, depth)


def raw(op: BinaryOp, a: Expr, b: Expr) -> Expr:
    """Without folding, so that passes have something to do."""
    kind = a.type
    assert isinstance(kind, DType)
    truth = op in (BinaryOp.LT, BinaryOp.LE, BinaryOp.GT, BinaryOp.GE, BinaryOp.EQ, BinaryOp.NE)
    return Binary(op, a, b, boolean if truth else kind)


def _converted(p: Place, kind: DType, depth: int) -> Expr:
    other = p.pick([k for k in KINDS if k != kind])
    value, _ = expression(p, other, depth - 1)
    if other.is_float and kind.kind == "u":
        value = call("abs", value)
    return cast(value, kind)


def _float(p: Place, kind: DType, depth: int) -> tuple[Expr, int]:
    a, high = expression(p, kind, depth - 1)
    choice = p.number(0, 8)
    if choice <= 3:
        op = p.pick([BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL, BinaryOp.MIN, BinaryOp.MAX])
        b, other = expression(p, kind, depth - 1)
        bound = high * other if op is BinaryOp.MUL else high + other
        if bound <= _reach(kind):
            return raw(op, a, b), bound
        return clamped(a, kind), 4
    if choice == 4:
        return unary(UnaryOp.NEG, a), high
    if choice == 5:
        b, other = expression(p, kind, depth - 1)
        return select(truth(p, depth - 1), a, b), max(high, other)
    if choice == 6:
        return call(p.pick(["abs", "floor", "ceil", "round", "trunc"]), a), high
    if choice == 7:
        small = raw(BinaryOp.BITAND, integer(p, i32, depth - 1), const(3, i32))
        return cast(small, kind), 4
    other = p.pick([k for k in (f16, bf16, f32, f64) if k != kind])
    b, bound = expression(p, other, depth - 1)
    return (cast(b, kind), bound) if bound <= _reach(kind) else (cast(clamped(b, other), kind), 4)


def clamped(a: Expr, kind: DType) -> Expr:
    return raw(BinaryOp.MAX, raw(BinaryOp.MIN, a, const(4.0, kind)), const(-4.0, kind))


def truth(p: Place, depth: int) -> Expr:
    choice = p.number(0, 5)
    if choice <= 2 or depth <= 0:
        kind = p.pick([k for k in KINDS if k.kind != "b"])
        op = p.pick([BinaryOp.LT, BinaryOp.LE, BinaryOp.GT, BinaryOp.GE, BinaryOp.EQ, BinaryOp.NE])
        a, b = expression(p, kind, depth - 1)[0], expression(p, kind, depth - 1)[0]
        return raw(op, a, b)
    if choice == 3:
        return unary(UnaryOp.NOT, truth(p, depth - 1))
    op = p.pick([BinaryOp.AND, BinaryOp.OR])
    return raw(op, truth(p, depth - 1), truth(p, depth - 1))


def value_of(p: Place, kind: DType, depth: int) -> Expr:
    """An expression that may be kept: a float is brought back to what a variable may hold."""
    expr, high = expression(p, kind, depth)
    return clamped(expr, kind) if high > 4 else expr
