"""Rules of `arith`, one for each kind of node: what an operator makes of sums and ranges."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from workbench.ir.alike import alike
from workbench.ir.build import const, unary
from workbench.ir.expr import (
    COMPARISONS,
    FALSE,
    TRUE,
    Binary,
    BinaryOp,
    Builtin,
    Cast,
    Const,
    Expr,
    Load,
    Select,
    Unary,
    UnaryOp,
    Var,
    value_type,
)
from workbench.ir.facts import FAR, VARIABLE, Facts
from workbench.ir.linear import Atom, Form, Range, divide, of_atom, render, span, total
from workbench.ir.node import Node
from workbench.ir.traverse import children, fold, rebuild
from workbench.ir.types import DType

DIVISIONS = {BinaryOp.FLOORDIV: 0, BinaryOp.TRUNCDIV: 0, BinaryOp.FLOORMOD: 1, BinaryOp.TRUNCMOD: 1}
_TRUNCATING = {BinaryOp.FLOORDIV: BinaryOp.TRUNCDIV, BinaryOp.FLOORMOD: BinaryOp.TRUNCMOD}

WHERE = {
    BinaryOp.LT: Range(-FAR, -1),
    BinaryOp.LE: Range(-FAR, 0),
    BinaryOp.GT: Range(1, FAR),
    BinaryOp.GE: Range(0, FAR),
    BinaryOp.EQ: Range(0, 0),
}
"""Where the difference of two integers lies when the comparison holds."""


NEGATED = {
    BinaryOp.LT: BinaryOp.GE,
    BinaryOp.LE: BinaryOp.GT,
    BinaryOp.GT: BinaryOp.LE,
    BinaryOp.GE: BinaryOp.LT,
    BinaryOp.EQ: BinaryOp.NE,
    BinaryOp.NE: BinaryOp.EQ,
}
"""The comparison that holds where another does not, of integers."""


def negated(cond: Expr) -> Expr:
    """``not cond``, as a comparison where it is one of integers.

    For floats it is not: neither x < y nor x >= y holds where one is NaN.
    """
    if isinstance(cond, Binary) and cond.op in NEGATED:
        kind = cond.a.type
        if isinstance(kind, DType) and kind.is_int:
            return replace(cond, op=NEGATED[cond.op])
    return unary(UnaryOp.NOT, cond)


class Value(NamedTuple):
    """An expression and, for an integer scalar, what it is as a sum."""

    expr: Expr
    form: Form | None = None


def cost(expr: Expr) -> int:
    """Nodes of an expression, a shared one as often as it is read."""
    return fold(expr, lambda node, parts: 1 + sum(parts))


def final(value: Value, facts: Facts) -> Expr:
    """The sum in order where that is no longer than the expression as it stands."""
    kind, expr = value.expr.type, value.expr
    if value.form is None or isinstance(expr, Const | Builtin | Var):
        return expr
    assert isinstance(kind, DType)
    ordered = render(value.form, kind, facts.limits)
    # a cast of a sum reads better than a sum of casts, (1 - x) * 8 better than 8 - x * 8
    shorter = isinstance(expr, Cast) or any(coef < 0 for _, coef in value.form.terms)
    if ordered is None or cost(ordered) > cost(expr) - shorter:
        return expr
    return expr if alike_exactly(ordered, expr) else ordered


def alike_exactly(a: Expr, b: Expr) -> bool:
    """Whether two expressions are the same in the same variables."""
    if not alike(a, b):
        return False
    return all(
        x is y or not isinstance(x, Var) for x, y in zip(_variables(a), _variables(b), strict=True)
    )


def _variables(expr: Expr) -> list[Node]:
    found: list[Node] = []
    stack: list[Node] = [expr]
    while stack:
        top = stack.pop()
        found.append(top)
        if isinstance(top, Load):
            found.append(top.tensor)
        stack.extend(children(top))
    return found


def _scalar(kind: object) -> bool:
    return isinstance(kind, DType) and kind.is_int and kind.lanes == 1


@dataclass(frozen=True)
class Engine:
    """Rules for each kind of node, given what is known; `expand` puts definitions in place."""

    facts: Facts
    expand: bool

    def rule(self, node: Node, parts: tuple[Value, ...]) -> Value:
        """The value of a node from those of its operands."""
        match node:
            case Const() if _scalar(node.type):
                return Value(node, Form((), math.trunc(node.value)))
            case Var() if _scalar(node.type):
                return Value(node, self.facts.variable(node, expand=self.expand))
            case Builtin():
                return self.closed(node, self.facts.builtin(node, node.name))
            case Binary():
                return self.binary(node, parts)
            case Unary():
                return self.unary(node, parts)
            case Cast() if _scalar(node.type) and parts[0].form is not None:
                inside = Value(final(parts[0], self.facts), parts[0].form)
                return self.exact(node, (inside,), parts[0].form)
            case Select():
                return self.select(node, parts)
            case _:
                return self.opaque(node, parts)

    def closed(self, node: Expr, form: Form) -> Value:
        """A value whose constant, if it is one, is put in its place at once."""
        kind = value_type(node)
        return Value(node if form.terms else const(form.const, kind), form)

    def again(self, node: Node, parts: tuple[Value, ...]) -> Expr:
        """The node with its operands in their final form."""
        finals = [final(p, self.facts) for p in parts]
        new = rebuild(node, dict(zip(children(node), finals, strict=True)))
        return new  # pyright: ignore[reportReturnType]

    def opaque(self, node: Node, parts: tuple[Value, ...], lies: Range | None = None) -> Value:
        """A value that is an atom, in a range if that is known."""
        expr = self.again(node, parts)
        if not _scalar(expr.type):
            return Value(expr)
        assert isinstance(expr.type, DType)
        reach = Range(*expr.type.bounds)
        if isinstance(node, Load):
            reach = reach.meet(self.facts.ranges.get(("table", node.tensor), reach))
        reach = reach if lies is None else reach.meet(lies)
        if reach.lo == reach.hi:
            return self.closed(expr, Form((), reach.lo))
        forms = [p.form for p in parts]
        pure = isinstance(node, Binary | Unary | Cast) and all(f is not None for f in forms)
        key = (type(node), getattr(node, "op", None), *(f.key for f in forms if f))
        key = (*key, expr.type) if pure else node
        stable = pure and all(f is not None and f.stable for f in forms)
        places = [a.place for f in forms if f for a, _ in f.terms]
        place = max(places, default=VARIABLE)
        return Value(expr, of_atom(Atom(key, expr, reach, place, stable)))

    def exact(self, node: Node, parts: tuple[Value, ...], form: Form) -> Value:
        """A value that is `form`, if that cannot wrap around in the node's type."""
        kind = getattr(node, "type", None)
        assert isinstance(kind, DType)
        if not span(form, self.facts.limits).within(Range(*kind.bounds)):
            return self.opaque(node, parts)
        new = rebuild(node, {c: p.expr for c, p in zip(children(node), parts, strict=True)})
        if not form.terms:
            return Value(const(form.const, kind), form)
        return Value(new, form)  # pyright: ignore[reportArgumentType]

    def unary(self, node: Unary, parts: tuple[Value, ...]) -> Value:
        """Negation of sums, of truth."""
        (a,) = parts
        if node.op is UnaryOp.NOT and isinstance(a.expr, Const):
            return Value(FALSE if a.expr.value else TRUE)
        if node.op is UnaryOp.NOT and isinstance(a.expr, Binary):
            opposite = negated(a.expr)
            return Value(opposite) if isinstance(opposite, Binary) else self.opaque(node, parts)
        if node.op is UnaryOp.NEG and a.form is not None:
            return self.exact(node, parts, total(((a.form, -1),)))
        return self.opaque(node, parts)

    def select(self, node: Select, parts: tuple[Value, ...]) -> Value:
        """The branch that is taken, where that is known."""
        cond, a, b = parts
        if isinstance(cond.expr, Const):
            return a if cond.expr.value else b
        if a.form is None or b.form is None:
            return self.opaque(node, parts)
        return self.opaque(node, parts, self.span(a.form).union(self.span(b.form)))

    def span(self, form: Form) -> Range:
        """Where a form lies."""
        return span(form, self.facts.limits)

    def binary(self, node: Binary, parts: tuple[Value, ...]) -> Value:
        """Sums, digits, comparisons, logic."""
        a, b = parts
        if node.op in (BinaryOp.AND, BinaryOp.OR):
            return self.logical(node, parts)
        if a.form is None or b.form is None:
            return self.opaque(node, parts)
        if node.op in COMPARISONS:
            return self.comparison(node, parts, a.form, b.form)
        if node.op in DIVISIONS:
            return self.division(node, parts, a.form, b.form)
        same = _neutral(node.op, *parts)
        if same is not None:
            return same
        if node.op is BinaryOp.ADD:
            return self.exact(node, parts, total(((a.form, 1), (b.form, 1))))
        if node.op is BinaryOp.SUB:
            return self.exact(node, parts, total(((a.form, 1), (b.form, -1))))
        if node.op is BinaryOp.MUL and not (a.form.terms and b.form.terms):
            number, form = (b.form, a.form) if b.form.terms == () else (a.form, b.form)
            return self.exact(node, parts, total(((form, number.const),)))
        return self.other(node, parts, self.span(a.form), self.span(b.form))

    def logical(self, node: Binary, parts: tuple[Value, ...]) -> Value:
        """AND and OR with a side that is known."""
        decides = node.op is BinaryOp.OR
        for one, other in (parts, parts[::-1]):
            if isinstance(one.expr, Const):
                return Value(TRUE if decides else FALSE) if one.expr.value == decides else other
        return self.opaque(node, parts)

    def comparison(self, node: Binary, parts: tuple[Value, ...], a: Form, b: Form) -> Value:
        """A comparison, decided by the range of the difference if possible."""
        lies = self.span(total(((a, 1), (b, -1))))
        negative = node.op is BinaryOp.NE
        where = WHERE[BinaryOp.EQ if negative else node.op]
        if lies.within(where):
            return Value(FALSE if negative else TRUE)
        if lies.hi < where.lo or lies.lo > where.hi:
            return Value(TRUE if negative else FALSE)
        return self.opaque(node, parts)

    def division(self, node: Binary, parts: tuple[Value, ...], a: Form, b: Form) -> Value:
        """Digits by a constant; C's division where both sides are known to be no less than 0."""
        kind, lies = node.type, self.span(a)
        floor = node.op in _TRUNCATING or lies.lo >= 0
        by = self.span(b)
        if node.op in _TRUNCATING and lies.lo >= 0 and by.lo >= 1:
            node = replace(node, op=_TRUNCATING[node.op])
        if not b.terms and b.const > 0 and floor:
            found = divide(a, b.const, kind, self.facts.limits)
            if found is not None:
                return self.exact(node, parts, found[DIVISIONS[node.op]])
        if lies.lo < 0 or by.lo < 1:
            return self.opaque(node, parts)
        top = lies.hi // by.lo if DIVISIONS[node.op] == 0 else min(by.hi - 1, lies.hi)
        return self.opaque(node, parts, Range(0, top))

    def other(self, node: Binary, parts: tuple[Value, ...], a: Range, b: Range) -> Value:
        """Operators that make an atom, with the range that they give."""
        if node.op in (BinaryOp.MIN, BinaryOp.MAX):
            least = node.op is BinaryOp.MIN
            for one, first, second in ((parts[0], a, b), (parts[1], b, a)):
                if (first.hi <= second.lo) if least else (first.lo >= second.hi):
                    return one
        if a.lo == a.hi and b.lo == b.hi and node.op in _FOLDED:
            value = const(_FOLDED[node.op](a.lo, b.lo), node.type)
            return Value(value, Form((), math.trunc(value.value)))
        return self.opaque(node, parts, _reach(node.op, a, b))


_NEUTRAL = {BinaryOp.ADD: 0, BinaryOp.SUB: 0, BinaryOp.MUL: 1}


def _neutral(op: BinaryOp, a: Value, b: Value) -> Value | None:
    """The one operand that is the result, the other being the 0 of a sum or the 1 of a product."""
    if op not in _NEUTRAL:
        return None
    none = Form((), _NEUTRAL[op]).key
    if b.form is not None and b.form.key == none:
        return a
    commutes = op is not BinaryOp.SUB
    return b if commutes and a.form is not None and a.form.key == none else None


_FOLDED: dict[BinaryOp, Callable[[int, int], int]] = {
    BinaryOp.BITAND: lambda a, b: a & b,
    BinaryOp.BITOR: lambda a, b: a | b,
    BinaryOp.BITXOR: lambda a, b: a ^ b,
}


def _reach(op: BinaryOp, a: Range, b: Range) -> Range | None:
    """Where the result lies, if that is more than its type says and nothing wraps around."""
    if op is BinaryOp.MIN:
        return Range(min(a.lo, b.lo), min(a.hi, b.hi))
    if op is BinaryOp.MAX:
        return Range(max(a.lo, b.lo), max(a.hi, b.hi))
    if op is BinaryOp.SHR and 0 <= b.lo == b.hi < 64:
        return Range(a.lo >> b.lo, a.hi >> b.lo)
    if a.lo < 0 or b.lo < 0:
        return None
    if op is BinaryOp.BITAND:
        return Range(0, min(a.hi, b.hi))
    if op in (BinaryOp.BITOR, BinaryOp.BITXOR):
        return Range(0, (1 << max(a.hi.bit_length(), b.hi.bit_length())) - 1)
    return None
