"""Expressions as text, with as few parentheses as the grammar of `parse` allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from workbench.ir.expr import (
    COMPARISONS,
    Atomic,
    Binary,
    BinaryOp,
    Builtin,
    Call,
    Cast,
    Const,
    Extract,
    Load,
    Pack,
    Select,
    Unary,
    UnaryOp,
    Var,
)
from workbench.ir.node import Node
from workbench.ir.traverse import fold
from workbench.ir.types import DType, f32, i32

if TYPE_CHECKING:
    from workbench.ir.expr import Expr

SELECT, NOT, COMPARE, UNARY, POSTFIX, ATOM = 0, 3, 4, 11, 12, 13
"""Binding strength; those between are in `BINARY`."""

BINARY: dict[BinaryOp, int] = {
    BinaryOp.OR: 1,
    BinaryOp.AND: 2,
    **dict.fromkeys(COMPARISONS, COMPARE),
    BinaryOp.BITOR: 5,
    BinaryOp.BITXOR: 6,
    BinaryOp.BITAND: 7,
    BinaryOp.SHL: 8,
    BinaryOp.SHR: 8,
    BinaryOp.ADD: 9,
    BinaryOp.SUB: 9,
    BinaryOp.MUL: 10,
    BinaryOp.DIV: 10,
    BinaryOp.FLOORDIV: 10,
    BinaryOp.FLOORMOD: 10,
    BinaryOp.TRUNCDIV: 10,
    BinaryOp.TRUNCMOD: 10,
}
"""Infix operators and how strongly they bind; MIN and MAX are written as calls."""


class Piece(NamedTuple):
    """Text of an expression and how strongly its outermost operator binds."""

    text: str
    power: int

    def at(self, power: int) -> str:
        """The text, in parentheses where it binds less than `power`."""
        return self.text if self.power >= power else f"({self.text})"


def expression(expr: Expr, names: Mapping[Var, str]) -> str:
    """Text of an expression whose variables are called as `names` says."""
    return fold(expr, lambda node, parts: _piece(node, parts, names)).text


def constant(value: int | float | bool, type: DType) -> str:
    """A constant; f32, i32 and bool are told by their form, other types by a suffix.

    Examples
    --------
    >>> from workbench.ir.types import f64, i64
    >>> constant(2.0, f32), constant(2, i64), constant(-float("inf"), f64)
    ('2.0', '2i64', '-inf_f64')
    """
    if type.kind == "b":
        return str(bool(value))
    suffix = "" if type in (f32, i32) else type.name
    if not type.is_float:
        return f"{math.trunc(value)}{suffix}"
    real = value * 1.0
    if abs(real) < math.inf:
        return f"{real!r}{suffix}"
    return f"{real!r}{'_' if suffix else ''}{suffix}"


def element(tensor: str, index: tuple[str, ...], lanes: int) -> str:
    """An access: ``a[i, j]``, or ``a[i, j:+4]`` for four neighbours from j on."""
    tail = f":+{lanes}" if lanes > 1 else ""
    return f"{tensor}[{', '.join(index)}{tail}]"


def _piece(node: Node, parts: tuple[Piece, ...], names: Mapping[Var, str]) -> Piece:
    match node:
        case Const():
            text = constant(node.value, node.type)
            return Piece(text, UNARY if text.startswith("-") else ATOM)
        case Var():
            return Piece(names.get(node, node.name), ATOM)
        case Builtin():
            return Piece(node.name, ATOM)
        case Unary() | Binary() | Select():
            return _operator(node, parts)
        case Load():
            index = tuple(p.text for p in parts)
            return Piece(element(_name(node.tensor, names), index, node.type.lanes), POSTFIX)
        case Extract():
            return Piece(f"{parts[0].at(POSTFIX)}[{node.lane}]", POSTFIX)
        case Atomic():
            return _atomic(node, parts, names)
        case Cast() | Pack():
            return _called(node.type.name, parts)
        case Call():
            return _called(node.function, parts)
        case _:
            raise AssertionError(f"{type(node).__name__} is no expression")


def _called(name: str, parts: tuple[Piece, ...]) -> Piece:
    return Piece(f"{name}({', '.join(p.text for p in parts)})", POSTFIX)


def _name(tensor: Var, names: Mapping[Var, str]) -> str:
    return names.get(tensor, tensor.name)


def _operator(node: Unary | Binary | Select, parts: tuple[Piece, ...]) -> Piece:
    if isinstance(node, Select):
        cond, a, b = parts
        return Piece(f"{a.at(1)} if {cond.at(1)} else {b.at(SELECT)}", SELECT)
    if isinstance(node, Unary):
        if node.op is UnaryOp.NOT:
            return Piece(f"not {parts[0].at(NOT)}", NOT)
        literal = isinstance(node.a, Const) and node.op is UnaryOp.NEG
        # -1 is a constant, -(1) is the negation of one
        return Piece(f"{node.op.value}{parts[0].at(ATOM + 1 if literal else UNARY)}", UNARY)
    if node.op not in BINARY:
        return _called(node.op.value, parts)
    power = BINARY[node.op]
    left = power + 1 if power == COMPARE else power
    return Piece(f"{parts[0].at(left)} {node.op.value} {parts[1].at(power + 1)}", power)


def _atomic(node: Atomic, parts: tuple[Piece, ...], names: Mapping[Var, str]) -> Piece:
    """``atomic_add(t[i], value)``; ``atomic_cas(t[i], compare, value)``."""
    rank = len(node.index)
    place = element(_name(node.tensor, names), tuple(p.text for p in parts[:rank]), 1)
    value = parts[rank].text
    rest = value if node.compare is None else f"{parts[rank + 1].text}, {value}"
    return Piece(f"atomic_{node.op.value}({place}, {rest})", POSTFIX)
