"""Equality of structure: the same program, whatever its variables are called."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import cast

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
    there: dict[Var, Var] = {}
    back: dict[Var, Var] = {}
    stack: list[tuple[object, object]] = [(a, b)]
    while stack:
        left, right = stack.pop()
        if isinstance(left, Var) and isinstance(right, Var):
            if left.type != right.type:
                return False
            if there.setdefault(left, right) is not right or back.setdefault(right, left) != left:
                return False
        elif isinstance(left, Const) and isinstance(right, Const):
            if left.type != right.type or not same_number(left.value, right.value):
                return False
        elif isinstance(left, Node) and isinstance(right, Node):
            if type(left) is not type(right):
                return False
            stack.extend(_pairs(left, right))
        elif isinstance(left, tuple) and isinstance(right, tuple):
            lefts, rights = cast("tuple[object, ...]", left), cast("tuple[object, ...]", right)
            if len(lefts) != len(rights):
                return False
            stack.extend(zip(reversed(lefts), reversed(rights), strict=True))
        elif isinstance(left, float) and isinstance(right, float):
            if not same_number(left, right):
                return False
        elif left != right:
            return False
    return True


def same_number(a: float, b: float) -> bool:
    """Equality in which NaN equals NaN and 0.0 differs from -0.0."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b and math.copysign(1, a) == math.copysign(1, b)


def peel(body: object) -> object:
    """`body` without the Seqs of one statement around it."""
    while isinstance(body, Seq) and len(body.body) == 1:
        body = body.body[0]
    return body


def _pairs(left: Node, right: Node) -> list[tuple[object, object]]:
    """Fields to compare, the last first."""
    names = [f.name for f in fields(left) if f.name not in _IGNORED]
    pairs: list[tuple[object, object]] = []
    for name in reversed(names):
        a, b = getattr(left, name), getattr(right, name)
        if name in _BODIES and not isinstance(left, Seq):
            a, b = peel(a), peel(b)
        pairs.append((a, b))
    return pairs
