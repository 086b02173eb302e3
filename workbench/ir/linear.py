"""Sums of integer terms, their ranges, and their division by constants.

A form stands for the exact integer that an expression has at run time: whoever makes one has
proved that nothing wraps around on the way.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import gcd
from typing import NamedTuple

from workbench.ir.expr import Binary, BinaryOp, Cast, Const, Expr, Unary, UnaryOp, value_type
from workbench.ir.types import DType


class Range(NamedTuple):
    """Integers from `lo` to `hi`, both included."""

    lo: int
    hi: int

    def within(self, other: Range) -> bool:
        """Whether `other` holds all of it."""
        return other.lo <= self.lo and self.hi <= other.hi

    def meet(self, other: Range) -> Range:
        """What both hold; itself when they have nothing in common, as in code that never runs."""
        lo, hi = max(self.lo, other.lo), min(self.hi, other.hi)
        return Range(lo, hi) if lo <= hi else self

    def times(self, k: int) -> Range:
        """All products with `k`."""
        return Range(min(self.lo * k, self.hi * k), max(self.lo * k, self.hi * k))

    def plus(self, other: Range) -> Range:
        """All sums."""
        return Range(self.lo + other.lo, self.hi + other.hi)

    def union(self, other: Range) -> Range:
        """The smallest range that holds both."""
        return Range(min(self.lo, other.lo), max(self.hi, other.hi))


@dataclass(frozen=True, slots=True)
class Atom:
    """A part of a sum that is not taken apart further.

    Attributes
    ----------
    key : hashable
        Equal for atoms that have the same value.
    expr : Expr
        What computes it.
    range : Range
        Where it lies.
    place : int
        Where a reader expects it in a sum: block coordinates, variables, thread coordinates,
        loop variables.
    stable : bool
        Whether it has one value wherever its variables are in scope.
    op, base, by
        ``//`` or ``%``, the form that is divided and the divisor; else empty.
    """

    key: Hashable
    expr: Expr
    range: Range
    place: int = 0
    stable: bool = True
    op: str = ""
    base: Form | None = None
    by: int = 1


@dataclass(frozen=True, slots=True)
class Form:
    """The sum of ``coef * atom`` and a constant; no coefficient is 0, no atom occurs twice."""

    terms: tuple[tuple[Atom, int], ...] = ()
    const: int = 0

    @property
    def key(self) -> Hashable:
        """Equal for forms of the same value."""
        return (self.varying, self.const)

    @property
    def varying(self) -> frozenset[tuple[Hashable, int]]:
        """The terms without the constant, as a key."""
        return frozenset((atom.key, coef) for atom, coef in self.terms)

    @property
    def stable(self) -> bool:
        """Whether all atoms are."""
        return all(atom.stable for atom, _ in self.terms)


Limits = tuple[tuple[frozenset[tuple[Hashable, int]], Range], ...]
"""Known ranges of sums of terms, each sum as `Form.varying`."""


def total(forms: Iterable[tuple[Form, int]]) -> Form:
    """The sum of ``coef * form``, with quotients and remainders put together where they fit."""
    coefs: dict[Hashable, int] = {}
    atoms: dict[Hashable, Atom] = {}
    constant = 0
    for form, factor in forms:
        constant += form.const * factor
        for atom, coef in form.terms:
            atoms.setdefault(atom.key, atom)
            coefs[atom.key] = coefs.get(atom.key, 0) + coef * factor
    terms = tuple((atoms[key], coef) for key, coef in coefs.items() if coef)
    return _rejoin(Form(terms, constant))


def of_atom(atom: Atom) -> Form:
    """The form that is one atom."""
    return Form(((atom, 1),))


def _rejoin(form: Form) -> Form:
    """``(X // c) * c + X % c`` is X; ``(X // c % n) * c + X % c`` is ``X % (c * n)``."""
    for low, m in form.terms:
        if low.op != "%" or low.base is None:
            continue
        for high, k in form.terms:
            joined = _joined(low, high) if k == m * low.by else None
            if joined is None:
                continue
            rest = tuple(t for t in form.terms if t[0] is not low and t[0] is not high)
            return total(((Form(rest, form.const), 1), (joined, m)))
    return form


def _joined(low: Atom, high: Atom) -> Form | None:
    """X, or ``X % (c * n)``, where `low` is ``X % c`` and `high` the digit above it."""
    base = low.base
    assert base is not None
    if high.op == "//" and high.by == low.by and high.base is not None:
        return base if high.base.key == base.key else None
    if high.op != "%" or high.base is None or len(high.base.terms) != 1 or high.base.const:
        return None
    digit, coef = high.base.terms[0]
    same = digit.op == "//" and digit.by == low.by and digit.base is not None and coef == 1
    if not same or digit.base is None or digit.base.key != base.key:
        return None
    kind = value_type(low.expr)
    found = divide(base, low.by * high.by, kind)
    return None if found is None else found[1]


def span(form: Form, limits: Limits = ()) -> Range:
    """Where the value of a form lies."""
    found = _sum(form.terms, form.const)
    if not limits or not form.terms:
        return found
    mine = form.varying
    for key, bound in limits:
        if key <= mine:
            rest = [t for t in form.terms if (t[0].key, t[1]) not in key]
            found = found.meet(bound.plus(_sum(rest, form.const)))
        elif (opposite := frozenset((k, -c) for k, c in key)) <= mine:
            rest = [t for t in form.terms if (t[0].key, t[1]) not in opposite]
            found = found.meet(bound.times(-1).plus(_sum(rest, form.const)))
    return found


def _sum(terms: Iterable[tuple[Atom, int]], number: int) -> Range:
    found = Range(number, number)
    for atom, coef in terms:
        found = found.plus(atom.range.times(coef))
    return found


def divide(form: Form, c: int, kind: DType, limits: Limits = ()) -> tuple[Form, Form] | None:
    """``form // c`` and ``form % c`` for a positive c, rounded down as in Python.

    Returns
    -------
    tuple of Form, or None
        None where a part that is left to divide does not fit in `kind`, the type to compute in.

    Examples
    --------
    >>> from workbench.ir.expr import Builtin
    >>> from workbench.ir.types import i32
    >>> w = of_atom(Atom("w", Builtin("threadIdx.x"), Range(0, 63)))
    >>> quotient, rest = divide(total([(w, 1), (Form(const=128), 1)]), 64, i32)
    >>> quotient.const, quotient.terms, rest.key == w.key
    (2, (), True)
    """
    high = Form(tuple((a, k // c) for a, k in form.terms if k % c == 0), form.const // c)
    rest = Form(tuple((a, k) for a, k in form.terms if k % c), form.const % c)
    found = _divide_rest(rest, c, kind, limits)
    if found is None:
        return None
    return total(((high, 1), (found[0], 1))), found[1]


def _divide_rest(rest: Form, c: int, kind: DType, limits: Limits) -> tuple[Form, Form] | None:
    """Divide a form without multiples of c in it."""
    lies = span(rest, limits)
    if lies.lo // c == lies.hi // c:
        k = lies.lo // c
        return Form(const=k), total(((rest, 1), (Form(const=-c * k), 1)))
    for g in sorted({gcd(k, c) for _, k in rest.terms if type(k + c) is int} - {1, c})[::-1]:
        # rest = g * coarse + fine with 0 <= fine < g, so fine does not reach the quotient
        coarse = Form(tuple((a, k // g) for a, k in rest.terms if k % g == 0), rest.const // g)
        fine = Form(tuple((a, k) for a, k in rest.terms if k % g), rest.const % g)
        if not span(fine, limits).within(Range(0, g - 1)):
            continue
        found = divide(coarse, c // g, kind, limits)
        if found is not None:
            return found[0], total(((found[1], g), (fine, 1)))
    return _digits(rest, c, kind, lies, limits)


def _digits(
    rest: Form, c: int, kind: DType, lies: Range, limits: Limits
) -> tuple[Form, Form] | None:
    """Atoms for the quotient and the remainder; a digit of a digit is one digit."""
    quotient: Form | None = None
    single = rest.terms[0][0] if len(rest.terms) == 1 and not rest.const else None
    if single is not None and rest.terms[0][1] == 1 and single.base is not None:
        if single.op == "//":
            deeper = divide(single.base, single.by * c, kind, limits)
            quotient = None if deeper is None else deeper[0]
        elif single.by % c == 0:
            inner = divide(single.base, c, kind, limits)
            outer = None if inner is None else divide(inner[0], single.by // c, kind, limits)
            if inner is not None and outer is not None:
                return outer[1], inner[1]
    expr = render(rest, kind, limits)
    if expr is None:
        return None
    plain = lies.lo >= 0
    if quotient is None:
        reach = Range(lies.lo // c, lies.hi // c)
        quotient = of_atom(_digit("//", rest, c, expr, reach, plain))
    return quotient, of_atom(_digit("%", rest, c, expr, Range(0, c - 1), plain))


def _digit(op: str, base: Form, c: int, expr: Expr, lies: Range, plain: bool) -> Atom:
    """``base // c`` or ``base % c``; C's where `plain`, the base being no less than 0."""
    kind = value_type(expr)
    names = {
        "//": BinaryOp.TRUNCDIV if plain else BinaryOp.FLOORDIV,
        "%": BinaryOp.TRUNCMOD if plain else BinaryOp.FLOORMOD,
    }
    node = Binary(names[op], expr, Const(c, kind), kind)
    place = max((a.place for a, _ in base.terms), default=0)
    return Atom((op, base.key, c), node, lies, place, base.stable, op, base, c)


def render(form: Form, kind: DType, limits: Limits = ()) -> Expr | None:
    """The sum as an expression of type `kind`, in the order a reader expects.

    Returns
    -------
    Expr or None
        None where a part of the sum does not fit in `kind`.
    """
    fits = Range(*kind.bounds)
    ordered = sorted(form.terms, key=lambda term: term[0].place)
    if ordered and ordered[0][1] < 0:
        # 5 - x and y - x read better than -x + y
        ordered.sort(key=lambda term: term[1] < 0)
    found: Expr | None = None
    done: tuple[tuple[Atom, int], ...] = ()
    for atom, coef in ordered:
        done = (*done, (atom, coef))
        part = _product(atom, abs(coef), kind, fits)
        if part is None or not span(Form(done), limits).within(fits):
            return None
        if found is None:
            found = part if coef > 0 else Unary(UnaryOp.NEG, part, kind)
        else:
            op = BinaryOp.ADD if coef > 0 else BinaryOp.SUB
            found = Binary(op, found, part, kind)
    if not span(form, limits).within(fits):
        return None
    if found is None:
        return Const(form.const, kind)
    if not form.const:
        return found
    if abs(form.const) > fits.hi:
        return None
    op = BinaryOp.ADD if form.const > 0 else BinaryOp.SUB
    return Binary(op, found, Const(abs(form.const), kind), kind)


def _product(atom: Atom, coef: int, kind: DType, fits: Range) -> Expr | None:
    """``atom * coef`` in `kind`, if nothing wraps around."""
    if not atom.range.within(fits) or not atom.range.times(coef).within(fits):
        return None
    value = atom.expr if atom.expr.type == kind else Cast(atom.expr, kind)
    if coef == 1:
        return value
    return Binary(BinaryOp.MUL, value, Const(coef, kind), kind) if coef <= fits.hi else None
