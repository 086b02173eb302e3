"""Equality of structure: the same program, whatever its variables are called."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import cache
from typing import NamedTuple, cast

from workbench.ir.expr import Const, Var
from workbench.ir.node import Node
from workbench.ir.stmt import Seq

_IGNORED = frozenset({"span", "note", "notes"})
_BODIES = frozenset({"body", "then", "orelse"})


def alike(a: Node, b: Node) -> bool:
    """Whether `a` and `b` are the same up to names of variables, spans and notes.

    A body that is a Seq of one statement is that statement. Variables that occur free must have
    the same type and correspond one to one.

    Examples
    --------
    >>> from workbench.ir.build import add
    >>> from workbench.ir.types import f32, i32
    >>> i, j, x = Var("i", i32), Var("j", i32), Var("x", f32)
    >>> alike(add(i, 1), add(j, 1)), alike(add(i, j), add(i, i)), alike(add(i, 1), add(x, 1))
    (True, False, False)
    """
    same = _Pairing({}, {})
    stack: list[tuple[object, object]] = [(a, b)]
    while stack:
        left, right = stack.pop()
        below = _compare(left, right, same)
        if below is None:
            return False
        stack.extend(below)
    return True


class _Pairing(NamedTuple):
    """Which variable of one side stands for which of the other."""

    there: dict[Var, Var]
    back: dict[Var, Var]

    def holds(self, left: Var, right: Var) -> bool:
        """Whether the two may correspond; from now on they do."""
        if left.type != right.type:
            return False
        there, back = self.there.setdefault(left, right), self.back.setdefault(right, left)
        return there is right and back is left


Pairs = list[tuple[object, object]]


def _compare(left: object, right: object, same: _Pairing) -> Pairs | None:
    """What is left to compare, the last first; None where the two differ."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        lefts, rights = cast("tuple[object, ...]", left), cast("tuple[object, ...]", right)
        if len(lefts) != len(rights):
            return None
        return list(zip(reversed(lefts), reversed(rights), strict=True))
    if left.__class__ is not right.__class__:
        return None
    if isinstance(left, Node) and isinstance(right, Node):
        return _nodes(left, right, same)
    if isinstance(left, float) and isinstance(right, float):
        return [] if same_number(left, right) else None
    return [] if left == right else None


def _nodes(left: Node, right: Node, same: _Pairing) -> Pairs | None:
    if isinstance(left, Var) and isinstance(right, Var):
        return [] if same.holds(left, right) else None
    if isinstance(left, Const) and isinstance(right, Const):
        agree = left.type == right.type and same_number(left.value, right.value)
        return [] if agree else None
    return _pairs(left, right)


def same_number(a: float, b: float) -> bool:
    """Equality in which NaN equals NaN and 0.0 differs from -0.0."""
    if a != b:
        return a != a and b != b  # noqa: PLR0124
    return a != 0 or math.copysign(1, a) == math.copysign(1, b)


def peel(body: object) -> object:
    """`body` without the Seqs of one statement around it."""
    while isinstance(body, Seq) and len(body.body) == 1:
        body = body.body[0]
    return body


@cache
def _compared(kind: type[Node]) -> tuple[str, ...]:
    """Names of the fields that count, the last first."""
    return tuple(f.name for f in reversed(fields(kind)) if f.name not in _IGNORED)


def _pairs(left: Node, right: Node) -> Pairs:
    """Fields to compare, the last first."""
    pairs: Pairs = []
    for name in _compared(type(left)):
        a, b = getattr(left, name), getattr(right, name)
        if name in _BODIES and not isinstance(left, Seq):
            a, b = peel(a), peel(b)
        pairs.append((a, b))
    return pairs
