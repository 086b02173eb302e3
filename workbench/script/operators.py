"""Python's operators on values: computed now where both are known, else IR."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.ir.build import Operand, binary, call, cast, const, floordiv, mul, select, unary
from workbench.ir.expr import Atomic, Binary, BinaryOp, Call, Const, Expr, Load, UnaryOp
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.traverse import walk
from workbench.ir.types import DType, boolean

_BINARY: dict[type[ast.operator], tuple[BinaryOp | None, Callable[[Any, Any], object]]] = {
    ast.Add: (BinaryOp.ADD, operator.add),
    ast.Sub: (BinaryOp.SUB, operator.sub),
    ast.Mult: (BinaryOp.MUL, operator.mul),
    ast.Div: (BinaryOp.DIV, operator.truediv),
    ast.FloorDiv: (BinaryOp.FLOORDIV, operator.floordiv),
    ast.Mod: (BinaryOp.FLOORMOD, operator.mod),
    ast.BitAnd: (BinaryOp.BITAND, operator.and_),
    ast.BitOr: (BinaryOp.BITOR, operator.or_),
    ast.BitXor: (BinaryOp.BITXOR, operator.xor),
    ast.LShift: (BinaryOp.SHL, operator.lshift),
    ast.RShift: (BinaryOp.SHR, operator.rshift),
    ast.Pow: (None, operator.pow),
    ast.MatMult: (None, operator.matmul),
}

_COMPARE: dict[type[ast.cmpop], tuple[BinaryOp | None, Callable[[Any, Any], object]]] = {
    ast.Lt: (BinaryOp.LT, operator.lt),
    ast.LtE: (BinaryOp.LE, operator.le),
    ast.Gt: (BinaryOp.GT, operator.gt),
    ast.GtE: (BinaryOp.GE, operator.ge),
    ast.Eq: (BinaryOp.EQ, operator.eq),
    ast.NotEq: (BinaryOp.NE, operator.ne),
    ast.Is: (None, operator.is_),
    ast.IsNot: (None, operator.is_not),
    ast.In: (None, lambda a, b: operator.contains(b, a)),
    ast.NotIn: (None, lambda a, b: not operator.contains(b, a)),
}

_UNARY: dict[type[ast.unaryop], tuple[UnaryOp | None, Callable[[Any], object]]] = {
    ast.USub: (UnaryOp.NEG, operator.neg),
    ast.UAdd: (None, operator.pos),
    ast.Invert: (UnaryOp.INVERT, operator.invert),
    ast.Not: (UnaryOp.NOT, operator.not_),
}

_POWER_LIMIT = 4
"""Up to here `x ** n` is written as products; above, floats use the intrinsic `pow`."""


def known_binary(op: ast.operator, a: object, b: object) -> object:
    """`a op b` by Python."""
    return _BINARY[type(op)][1](a, b)


def known_compare(op: ast.cmpop, a: object, b: object) -> bool:
    """`a op b` by Python."""
    return bool(_COMPARE[type(op)][1](a, b))


def known_unary(op: ast.unaryop, a: object) -> object:
    """`op a` by Python."""
    return _UNARY[type(op)][1](a)


def run_binary(op: ast.operator, a: Operand, b: Operand) -> Expr:
    """`a op b` in IR; at least one of them is an Expr.

    Raises
    ------
    WorkbenchError
        When there is no such operation on these types.
    """
    if isinstance(op, ast.Pow):
        return power(a, b)
    name = _BINARY[type(op)][0]
    if name is None:
        raise WorkbenchError("@ is no operator of scripts", hint="write the loops, or use *")
    if name in (BinaryOp.SHL, BinaryOp.SHR):
        return _shift(name, a, b)
    if name in (BinaryOp.FLOORDIV, BinaryOp.FLOORMOD):
        return _floor(name, a, b)
    return binary(name, a, b)


def _kind(a: Operand) -> DType | None:
    return a.type if isinstance(a, Expr) and isinstance(a.type, DType) else None


def _is_float(a: Operand) -> bool:
    kind = _kind(a)
    return isinstance(a, float) if kind is None else kind.is_float


def _floor(name: BinaryOp, a: Operand, b: Operand) -> Expr:
    if _is_float(a) or _is_float(b):
        hint = "write floor(x / y)" if name is BinaryOp.FLOORDIV else "write fmod(x, y)"
        raise WorkbenchError(f"{name.value} takes integers, not floats", hint=hint)
    if (isinstance(b, int) and b == 0) or (isinstance(b, Const) and b.value == 0):
        raise WorkbenchError("division by zero")
    return binary(name, a, b)


def _shift(name: BinaryOp, a: Operand, b: Operand) -> Expr:
    left, right = (const(x) if isinstance(x, bool | int | float) else x for x in (a, b))
    kind, amount = _kind(left), _kind(right)
    if kind is None or amount is None or not (kind.is_int and amount.is_int):
        raise WorkbenchError(f"{name.value} takes integers, not {kind} and {amount}")
    if isinstance(right, Const) and not 0 <= right.value < kind.bits:
        raise WorkbenchError(f"a shift of {kind} by {right.value} is undefined")
    # the left operand alone decides the type
    return binary(name, left, cast(right, kind))


def power(a: Operand, b: Operand) -> Expr:
    """`a ** b`: products for a small whole exponent, else the intrinsic ``pow`` of floats."""
    whole = b if isinstance(b, int) and not isinstance(b, bool) else None
    if whole is not None and isinstance(a, Expr) and 1 <= whole <= _POWER_LIMIT:
        square = mul(a, a) if whole > 1 else a
        return {1: a, 2: square, 3: mul(square, a), 4: mul(square, square)}[whole]
    if not (_is_float(a) or _is_float(b)):
        raise WorkbenchError(
            f"** of integers takes an exponent from 1 to {_POWER_LIMIT} known at translation",
            hint="for a power of two write 1 << n; for others convert to float",
        )
    return intrinsic("pow", [a, b])


def intrinsic(name: str, args: Sequence[Operand]) -> Call:
    """A call of an intrinsic; Python numbers take the type of the other arguments."""
    row = INTRINSICS.get(name)
    kinds = [k for k in map(_kind, args) if k is not None and k.is_float]
    if row is not None and row.pure and kinds:
        # build.call would make a Python float an f32, and so widen f16
        args = [cast(const(a), kinds[0]) if isinstance(a, int | float) else a for a in args]
    try:
        return call(name, *args)
    except WorkbenchError as error:
        fits = row is not None and len(args) == len(row.parameters)
        if fits and not error.hint and any(map(_is_whole, args)):
            error.hint = "convert an integer first: f32(x)"
        raise


def _is_whole(a: Operand) -> bool:
    kind = _kind(a)
    return isinstance(a, int) if kind is None else kind.is_int


def run_compare(op: ast.cmpop, a: Operand, b: Operand) -> Expr:
    """`a op b` in IR."""
    name = _COMPARE[type(op)][0]
    assert name is not None
    return binary(name, a, b)


def run_unary(op: ast.unaryop, a: Operand) -> Operand:
    """`op a` in IR."""
    name = _UNARY[type(op)][0]
    return a if name is None else unary(name, a)


def both(a: Expr, b: Expr) -> Expr:
    """`a and b` of two bools; where `b` could fail, it is looked at only if `a` holds."""
    if _may_fail(b):
        return select(a, b, False)
    return binary(BinaryOp.AND, a, b)


def either(a: Expr, b: Expr) -> Expr:
    """`a or b` of two bools; where `b` could fail, it is looked at only if `a` does not hold."""
    if _may_fail(b):
        return select(a, True, b)
    return binary(BinaryOp.OR, a, b)


def _may_fail(expr: Expr) -> bool:
    """Whether computing it can fault or be noticed, so that `and` must be able to skip it."""
    for node in walk(expr):
        match node:
            case Load() | Atomic():
                return True
            case Call():
                row = INTRINSICS.get(node.function)
                if row is None or not row.pure:
                    return True
            case Binary(op=BinaryOp.FLOORDIV | BinaryOp.FLOORMOD, b=divisor):
                if not isinstance(divisor, Const):
                    return True
            case _:
                pass
    return False


def ceil_divide(a: Operand, b: Operand) -> Expr:
    """`a / b` rounded up, of integers."""
    if _is_float(a) or _is_float(b):
        raise WorkbenchError("ceil_div takes integers, not floats")
    return floordiv(binary(BinaryOp.SUB, binary(BinaryOp.ADD, a, b), 1), b)


def is_bool(a: Operand) -> bool:
    """Whether it is a bool, known or not."""
    return isinstance(a, bool) or _kind(a) == boolean
