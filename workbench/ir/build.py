"""Constructors that find types, adapt literals and fold the trivial.

A Python number among the operands is weak: it takes the type of the other operand where its kind
allows (an int anywhere, a float beside a float; a float beside an integer makes both f32).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce as _reduce

from workbench.base.errors import WorkbenchError
from workbench.ir.expr import (
    COMPARISONS,
    Binary,
    BinaryOp,
    Call,
    Cast,
    Const,
    Expr,
    Load,
    Select,
    Unary,
    UnaryOp,
    Var,
)
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.stmt import Seq, Stmt
from workbench.ir.types import DType, boolean, f32, f64, i32, i64

Operand = Expr | int | float | bool
_BITS = {BinaryOp.BITAND, BinaryOp.BITOR, BinaryOp.BITXOR}
_SHIFTS = {BinaryOp.SHL, BinaryOp.SHR}
_LOGICAL = {BinaryOp.AND, BinaryOp.OR}
_SAME = {(BinaryOp.ADD, 0), (BinaryOp.SUB, 0), (BinaryOp.MUL, 1), (BinaryOp.FLOORDIV, 1)}
_ZERO = {(BinaryOp.MUL, 0), (BinaryOp.FLOORMOD, 1)}

_FOLD: dict[BinaryOp, Callable[[int, int], int | bool]] = {
    BinaryOp.ADD: lambda a, b: a + b,
    BinaryOp.SUB: lambda a, b: a - b,
    BinaryOp.MUL: lambda a, b: a * b,
    BinaryOp.MIN: min,
    BinaryOp.MAX: max,
    BinaryOp.LT: lambda a, b: a < b,
    BinaryOp.LE: lambda a, b: a <= b,
    BinaryOp.GT: lambda a, b: a > b,
    BinaryOp.GE: lambda a, b: a >= b,
    BinaryOp.EQ: lambda a, b: a == b,
    BinaryOp.NE: lambda a, b: a != b,
    BinaryOp.AND: lambda a, b: a and b,
    BinaryOp.OR: lambda a, b: a or b,
}


def const(value: int | float | bool, type: DType | None = None) -> Const:
    """A number of `type`, by default bool, i32 (i64 if it needs it) or f32.

    An integer wraps into an integer type; a float stays as given and is rounded by the target.
    """
    if type is None:
        whole = i32 if -(2**31) <= value < 2**31 else i64
        type = f32 if isinstance(value, float) else boolean if isinstance(value, bool) else whole
    if type.kind == "b":
        return Const(bool(value), type)
    if type.is_float:
        return Const(value * 1.0 if value.__class__ in (int, float) else float(value), type)
    if isinstance(value, float) and not math.isfinite(value):
        raise WorkbenchError(f"{value} is no {type}")
    return Const(type.wrap(+value if isinstance(value, int) else int(value)), type)


def promote(a: DType, b: DType) -> DType:
    """The type in which `a` and `b` meet.

    A float wins over an integer, the wider over the narrower, f16 and bf16 meet in f32; signed
    and unsigned meet in a signed type that holds both (u64 with a signed type in f64 is refused).
    """
    if a.scalar == b.scalar:
        return a if a.lanes >= b.lanes else b
    lanes = max(a.lanes, b.lanes)
    if a.is_float and b.is_float:
        wide = f32 if a.bits == b.bits else max(a, b, key=lambda t: t.bits)
        return wide.vector(lanes)
    if a.is_float or b.is_float:
        return (a if a.is_float else b).vector(lanes)
    if "b" in (a.kind, b.kind):
        return (b if a.kind == "b" else a).vector(lanes)
    if a.kind == b.kind:
        return max(a, b, key=lambda t: t.bits).vector(lanes)
    signed, unsigned = (a, b) if a.kind == "i" else (b, a)
    if signed.bits > unsigned.bits:
        return signed.vector(lanes)
    if unsigned.bits == 64:
        raise WorkbenchError(f"{a} and {b} have no common integer type", hint="cast one of them")
    return DType(f"i{unsigned.bits * 2}", "i", unsigned.bits * 2, lanes)


def _type(operand: Expr) -> DType:
    if isinstance(operand, Var) and not isinstance(operand.type, DType):
        raise WorkbenchError(f"{operand.name} is a tensor; index it", span=operand.span)
    kind = operand.type
    if not isinstance(kind, DType):
        raise WorkbenchError("this has no value", span=operand.span)
    return kind


def unify(a: Operand, b: Operand) -> tuple[Expr, Expr]:
    """Both operands in one type; see the module's note on Python numbers."""
    if isinstance(a, int | float) and isinstance(b, int | float):
        wide = f32 if isinstance(a, float) or isinstance(b, float) else None
        left, right = const(a, wide), const(b, wide)
    elif isinstance(a, int | float):
        right, left = unify(b, a)
        return left, right
    elif isinstance(b, int | float):
        kind = _type(a)
        if kind.is_float or (not isinstance(b, float) and kind.kind != "b"):
            return a, cast(const(b, _literal_type(b, kind)), kind)
        left, right = a, const(b)
    else:
        left, right = a, b
    meet = promote(_type(left), _type(right))
    return cast(left, meet), cast(right, meet)


def _literal_type(value: int | float, kind: DType) -> DType:
    """The lane type a weak literal takes, refusing an integer that does not fit."""
    lane = kind.element
    if lane.is_int and lane.wrap(math.trunc(value)) != math.trunc(value):
        raise WorkbenchError(f"{value} does not fit in {lane}")
    return lane


def cast(a: Operand, to: DType) -> Expr:
    """`a` converted to `to`; a scalar converted to a vector type fills every lane."""
    expr = const(a) if isinstance(a, int | float) else a
    kind = _type(expr)
    if kind == to:
        return expr
    if isinstance(expr, Const) and to.lanes == 1 and not (kind.is_float and to.is_int):
        return const(expr.value, to)
    return Cast(expr, to, span=expr.span)


def binary(op: BinaryOp, a: Operand, b: Operand) -> Expr:
    """`a op b` with types unified; integers known now are computed.

    Raises
    ------
    WorkbenchError
        When the operator does not take these types.
    """
    left, right = unify(truth(a), truth(b)) if op in _LOGICAL else unify(a, b)
    if op is BinaryOp.DIV and not _type(left).is_float:
        left, right = cast(left, _to_float(_type(left))), cast(right, _to_float(_type(right)))
    kind = _type(left)
    if op in _BITS | _SHIFTS and kind.is_float:
        raise WorkbenchError(f"{op.value} takes integers, not {kind}")
    # as in Python, a bool counts as 0 or 1, where it is not combined with another bool
    if kind.kind == "b" and op not in _LOGICAL | _BITS | {BinaryOp.EQ, BinaryOp.NE}:
        left, right = cast(left, i32.vector(kind.lanes)), cast(right, i32.vector(kind.lanes))
        kind = _type(left)
    result = boolean.vector(kind.lanes) if op in COMPARISONS | _LOGICAL else kind
    return _fold(op, left, right, result) or Binary(op, left, right, result)


def _to_float(kind: DType) -> DType:
    return (f64 if kind.bits == 64 else f32).vector(kind.lanes)


def _fold(op: BinaryOp, a: Expr, b: Expr, result: DType) -> Expr | None:
    kind = _type(a)
    if not (kind.is_int or kind.kind == "b") or kind.lanes != 1:
        return None
    if isinstance(a, Const) and isinstance(b, Const):
        x, y = math.trunc(a.value), math.trunc(b.value)
        if op in (BinaryOp.FLOORDIV, BinaryOp.FLOORMOD):
            if y == 0:
                raise WorkbenchError("division by zero")
            return const(x // y if op is BinaryOp.FLOORDIV else x % y, result)
        if op in _FOLD:
            return const(_FOLD[op](x, y), result)
        return None
    if isinstance(b, Const):
        return _fold_right(op, a, math.trunc(b.value), result)
    if isinstance(a, Const) and op in (BinaryOp.ADD, BinaryOp.MUL):
        return _fold_right(op, b, math.trunc(a.value), result)
    return None


def _fold_right(op: BinaryOp, a: Expr, b: int, result: DType) -> Expr | None:
    if type(b) is not int:  # an extent that varies from call to call
        return None
    if (op, b) in _SAME:
        return a
    return const(0, result) if (op, b) in _ZERO else None


def truth(a: Operand) -> Expr:
    """`a` as a bool: `a != 0`."""
    expr = const(a) if isinstance(a, int | float) else a
    return expr if _type(expr).kind == "b" else binary(BinaryOp.NE, expr, 0)


def unary(op: UnaryOp, a: Operand) -> Expr:
    """`op a`."""
    expr = const(a) if isinstance(a, int | float) else a
    if op is UnaryOp.NOT:
        expr = truth(expr)
    kind = _type(expr)
    if op is UnaryOp.INVERT and not kind.is_int:
        raise WorkbenchError(f"~ takes an integer, not {kind}")
    if op is UnaryOp.NEG and kind.kind == "b":
        expr, kind = cast(expr, i32), i32
    if isinstance(expr, Const):
        value = expr.value
        return const(_fold_unary(op, value), kind)
    return Unary(op, expr, kind)


def _fold_unary(op: UnaryOp, value: int | float | bool) -> int | float | bool:
    if op is UnaryOp.NOT:
        return not value
    return -value if op is UnaryOp.NEG else ~math.trunc(value)


def add(*terms: Operand) -> Expr:
    """Sum of all terms, from the left; an empty sum is 0."""
    return _reduce(lambda a, b: binary(BinaryOp.ADD, a, b), terms[1:], _expr(*terms[:1] or (0,)))


def mul(*factors: Operand) -> Expr:
    """Product of all factors, from the left; an empty product is 1."""
    start = _expr(*factors[:1] or (1,))
    return _reduce(lambda a, b: binary(BinaryOp.MUL, a, b), factors[1:], start)


def sub(a: Operand, b: Operand) -> Expr:
    """`a - b`."""
    return binary(BinaryOp.SUB, a, b)


def floordiv(a: Operand, b: Operand) -> Expr:
    """`a // b`, rounded down."""
    return binary(BinaryOp.FLOORDIV, a, b)


def floormod(a: Operand, b: Operand) -> Expr:
    """`a % b`, with the sign of `b`."""
    return binary(BinaryOp.FLOORMOD, a, b)


def less(a: Operand, b: Operand) -> Expr:
    """`a < b`."""
    return binary(BinaryOp.LT, a, b)


def all_of(*conditions: Operand) -> Expr:
    """Conjunction; an empty one is true."""
    start = truth(_expr(*conditions[:1] or (True,)))
    return _reduce(lambda a, b: binary(BinaryOp.AND, a, b), conditions[1:], start)


def _expr(a: Operand) -> Expr:
    return const(a) if isinstance(a, int | float) else a


def select(cond: Operand, a: Operand, b: Operand) -> Expr:
    """`a` where `cond`, else `b`."""
    left, right = unify(a, b)
    test = truth(cond)
    if isinstance(test, Const):
        return left if test.value else right
    return Select(test, left, right, _type(left))


def load(tensor: Var, index: Sequence[Operand], lanes: int = 1) -> Load:
    """`tensor[index]`, or `lanes` neighbours along the last dimension."""
    return Load(tensor, tuple(map(_expr, index)), tensor.tensor.dtype.vector(lanes))


def call(name: str, *args: Operand) -> Call:
    """A call of the intrinsic `name`; floats among the arguments are unified.

    Raises
    ------
    WorkbenchError
        When there is no such intrinsic, or it does not take these arguments.
    """
    row = INTRINSICS.get(name)
    if row is None:
        raise WorkbenchError(f"no intrinsic is called {name!r}")
    if len(args) != len(row.parameters):
        raise WorkbenchError(
            f"{name} takes {len(row.parameters)} arguments ({', '.join(row.parameters)}), "
            f"not {len(args)}"
        )
    exprs = tuple(map(_expr, args))
    if row.pure and not row.mixed and len(exprs) > 1:
        meet = _reduce(promote, map(_type, exprs))
        exprs = tuple(cast(e, meet) for e in exprs)
    try:
        result = row.rule(tuple(map(_type, exprs)))
    except WorkbenchError as error:
        raise WorkbenchError(f"{name} {error.message}") from None
    return Call(name, exprs, result)


def seq(*body: Stmt) -> Stmt:
    """The statements one after the other, nested Seqs spliced; one alone stays itself.

    Only for statements whose declarations may live on in the enclosing scope.
    """
    flat: list[Stmt] = []
    for stmt in body:
        flat.extend(stmt.body if isinstance(stmt, Seq) else (stmt,))
    return flat[0] if len(flat) == 1 else Seq(tuple(flat))
