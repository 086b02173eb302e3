"""A factor of an integer product, and what a dequantizing operator does, read off definitions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.expr import Binary, BinaryOp, Cast, Const, Expr, Load, Select, Var
from workbench.ir.traverse import rewrite, substitute
from workbench.ir.types import DType, f32, i8, i32, u8

if TYPE_CHECKING:
    from workbench.graph.operator import Operator


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """An element less its zero point, or 0 where a test fails.

    Attributes
    ----------
    load : Load
        The element.
    zero : Expr or None
        What is taken off from it, i32.
    tests : Expr or None
        Where there is an element; None for everywhere.
    """

    load: Load
    zero: Expr | None = None
    tests: Expr | None = None

    @classmethod
    def of(cls, value: Expr) -> Factor | None:
        """Read off an expression; None where it is no such factor."""
        tests = None
        if isinstance(value, Select) and isinstance(value.b, Const) and value.b.value == 0:
            tests, value = value.cond, value.a
        zero = None
        if isinstance(value, Binary) and value.op is BinaryOp.SUB:
            zero, value = _plain(value.b), value.a
            zero = build.const(int(zero.value)) if isinstance(zero, Const) else zero
        load = _plain(value)
        return cls(load, zero, tests) if isinstance(load, Load) else None

    def value(self, kind: DType) -> Expr:
        """The factor in a number type."""
        found = build.cast(self.load, kind)
        if self.zero is not None:
            found = build.sub(found, build.cast(self.zero, kind))
        if self.tests is None:
            return found
        return build.select(self.tests, found, build.const(0, kind))

    def zero_above(self, to: DType) -> Expr:
        """The zero point (i32) once elements are in the 8-bit type `to`."""
        zero = build.const(0) if self.zero is None else build.cast(self.zero, i32)
        here = self.load.type
        moved = 0 if here == to else 128 if to == u8 else -128
        if isinstance(zero, Const):
            return build.const(int(zero.value) + moved)
        return build.add(zero, moved) if moved else zero


def _plain(value: Expr) -> Expr:
    """A value without the casts that keep it."""
    while isinstance(value, Cast) and value.type in (i32, f32):
        inner = value.a.type
        if not isinstance(inner, DType) or not inner.is_int:
            break
        value = value.a
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Dequantized:
    """``(load - zero) * scale``, element by element.

    Attributes
    ----------
    load : Load
        The integer of 8 bits.
    zero : Expr or None
        Its zero point.
    scale : Expr
        f32.
    axes : tuple of Var
        Of the operator's output.
    """

    load: Load
    zero: Expr | None
    scale: Expr
    axes: tuple[Var, ...]

    @classmethod
    def of(cls, op: Operator) -> Dequantized | None:
        """What an operator does, if that is all."""
        value = op.compute.value if op.compute and op.injective else None
        if not isinstance(value, Binary) or value.op is not BinaryOp.MUL or value.type != f32:
            return None
        if not isinstance(value.a, Cast):
            return None
        factor = Factor.of(value.a.a)
        if factor is None or factor.tests is not None or factor.load.type not in (u8, i8):
            return None
        if tuple(factor.load.index) != op.definition.axes:
            return None
        return cls(factor.load, factor.zero, value.b, op.definition.axes)

    def with_input(self, old: Var, new: Var) -> Dequantized:
        """The same with another variable for a tensor."""
        return self._each(lambda e: rewrite(e, lambda _: None, {old: new}))

    def at(self, index: tuple[Expr, ...]) -> Dequantized:
        """One element."""
        values = dict(zip(self.axes, index, strict=True))
        return self._each(lambda e: substitute(e, values))

    def _each(self, change: Change) -> Dequantized:
        load = change(self.load)
        assert isinstance(load, Load)
        zero = None if self.zero is None else change(self.zero)
        return replace(self, load=load, zero=zero, scale=change(self.scale))


if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Expr], Expr]
