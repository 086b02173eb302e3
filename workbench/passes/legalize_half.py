"""Arithmetic of 16-bit floats is done in f32."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from workbench.ir.expr import COMPARISONS, Binary, Call, Cast, Const, Expr, Unary
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.module import Module
from workbench.ir.node import Node
from workbench.ir.target import Target
from workbench.ir.traverse import rewrite
from workbench.ir.types import DType, f32
from workbench.passes.base import Pass


@dataclass(frozen=True)
class LegalizeHalf(Pass):
    """Operators and functions of f16 and bf16 compute in f32 and round after every operation.

    Loads, stores, casts, selections, vectors and shuffles of halves stay. For ``+ - * /`` and the
    square root the result is the one of a machine that computes in half: f32 has more than twice
    the digits, so rounding twice is rounding once.
    Source: Figueroa, "When is double rounding innocuous?", SIGNUM 1995.
    """

    def __call__(self, module: Module, target: Target) -> Module:
        """The module without arithmetic in halves."""
        del target
        return rewrite(module, _rule)


def is_half(kind: object) -> bool:
    """Whether this is f16 or bf16, of any lanes."""
    return isinstance(kind, DType) and kind.is_float and kind.bits == 16


def _rule(node: Node) -> Expr | None:
    match node:
        case Binary() if is_half(node.a.type):
            wide = f32.vector(node.type.lanes)
            kind = node.type if node.op in COMPARISONS else wide
            new = replace(node, a=_widen(node.a), b=_widen(node.b), type=kind)
            return new if node.op in COMPARISONS else Cast(new, node.type, span=node.span)
        case Unary() if is_half(node.type):
            new = replace(node, a=_widen(node.a), type=f32.vector(node.type.lanes))
            return Cast(new, node.type, span=node.span)
        case Call():
            return _call(node)
        case _:
            return None


def _call(node: Call) -> Expr | None:
    row = INTRINSICS.get(node.function)
    if row is None or not row.pure or not any(is_half(a.type) for a in node.args):
        return None
    args = tuple(_widen(a) if is_half(a.type) else a for a in node.args)
    if not is_half(node.type):
        return replace(node, args=args)
    assert node.type is not None
    new = replace(node, args=args, type=f32.vector(node.type.lanes))
    return Cast(new, node.type, span=node.span)


def _widen(expr: Expr) -> Expr:
    """A half as f32, which holds every half exactly."""
    assert isinstance(expr.type, DType)
    wide = f32.vector(expr.type.lanes)
    if isinstance(expr, Const) and expr.type.scalar == "f16" and _exact_f16(float(expr.value)):
        return replace(expr, type=wide)
    return Cast(expr, wide, span=expr.span)


def _exact_f16(value: float) -> bool:
    """Whether a number is a half already, so that its constant needs no rounding."""
    try:
        return struct.unpack("e", struct.pack("e", value))[0] == value
    except OverflowError:
        return False
