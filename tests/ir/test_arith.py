"""Arithmetic: the same value for every assignment, no longer, and twice is once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ir.arith import assume, cost, prove, range_of, simplify
from workbench.ir.build import (
    add,
    all_of,
    binary,
    cast,
    const,
    floordiv,
    floormod,
    less,
    load,
    mul,
    sub,
)
from workbench.ir.expr import (
    Binary,
    BinaryOp,
    Builtin,
    Cast,
    Const,
    Expr,
    Select,
    Unary,
    UnaryOp,
    Var,
)
from workbench.ir.facts import Facts, of_function
from workbench.ir.linear import Range
from workbench.ir.module import Function, Launch
from workbench.ir.stmt import Seq
from workbench.ir.text import text
from workbench.ir.traverse import fold
from workbench.ir.types import DType, boolean, i8, i32, i64, u8, u32

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.ir.node import Node

W = Builtin("threadIdx.x")
B = Builtin("blockIdx.x")
R, K, N = (Var(name, i32) for name in "rkn")
GRID = Launch((1000, 1, 1), (128, 1, 1))
FACTS = of_function(Function("f", (N,), Seq(()), GRID)).bound(R, Range(0, 3), loop=True)


def digit(value: Expr, div: int, mod: int | None = None) -> Expr:
    found = Binary(BinaryOp.FLOORDIV, value, Const(div, i32), i32)
    return found if mod is None else Binary(BinaryOp.FLOORMOD, found, Const(mod, i32), i32)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (add(mul(floordiv(W, 8), 8), floormod(W, 8)), "threadIdx.x"),
        (
            add(mul(add(mul(R, 16), floordiv(W, 8)), 8), floormod(W, 8)),
            "threadIdx.x + r * 128",
        ),
        (floordiv(add(mul(R, 64), floormod(W, 64)), 64), "r"),
        (floormod(add(mul(R, 64), floormod(W, 64)), 64), "threadIdx.x tmod 64"),
        (digit(W, 8, 16), "threadIdx.x tdiv 8"),
        (add(mul(digit(W, 8, 4), 8), floormod(W, 8)), "threadIdx.x tmod 32"),
        (digit(digit(W, 4), 2), "threadIdx.x tdiv 8"),
        (floordiv(add(W, 128), 128), "1"),
        (floormod(add(W, 128), 128), "threadIdx.x"),
        (floordiv(add(mul(W, 4), 3), 8), "threadIdx.x tdiv 2"),
        (floormod(add(mul(W, 4), 3), 8), "threadIdx.x tmod 2 * 4 + 3"),
        (less(W, 128), "True"),
        (less(add(W, mul(R, 128)), 512), "True"),
        (less(add(W, mul(R, 128)), 500), "threadIdx.x + r * 128 < 500"),
        (binary(BinaryOp.LE, 0, W), "True"),
        (binary(BinaryOp.EQ, W, 200), "False"),
        (all_of(less(W, 128), less(R, 2)), "r < 2"),
        (binary(BinaryOp.MIN, W, 127), "threadIdx.x"),
        (binary(BinaryOp.MAX, W, 127), "127"),
        (Builtin("blockDim.x"), "128"),
        (Builtin("threadIdx.y"), "0"),
        (add(mul(R, 128), mul(B, 1000), W), "blockIdx.x * 1000 + threadIdx.x + r * 128"),
        (sub(add(W, R), W), "r"),
        (sub(const(5), W), "5 - threadIdx.x"),
        (cast(add(mul(R, 4), 1), i64), "i64(r * 4 + 1)"),
        # nothing is known of n, so that nothing is put in order that may wrap around
        (floordiv(N, 8), "n // 8"),
        (mul(add(N, 1), 2), "(n + 1) * 2"),
        (less(add(N, 1), add(N, 2)), "n + 1 < n + 2"),
        (floormod(add(N, mul(W, 8)), 8), "(n + threadIdx.x * 8) % 8"),
        (floordiv(mul(N, 8), 8), "n * 8 // 8"),
        (sub(N, N), "0"),
    ],
)
def test_what_a_reader_expects(expr: Expr, expected: str) -> None:
    assert text(simplify(expr, FACTS)) == expected


def test_addresses_past_i32_are_summed_in_i64() -> None:
    wide = add(mul(cast(B, i64), 2**24), cast(W, i64))
    assert text(simplify(wide, FACTS)) == "i64(blockIdx.x) * 16777216i64 + i64(threadIdx.x)"
    # in i32 the product may wrap around, and stays as it stands
    narrow = floordiv(mul(B, 2**24), 2**24)
    assert text(simplify(narrow, FACTS)) == "blockIdx.x * 16777216 // 16777216"


def test_guards_are_used_and_forgotten() -> None:
    cond = less(add(W, mul(R, 128)), 500)
    inside = assume(FACTS, cond)
    assert prove(less(add(mul(R, 128), W), 500), inside) is True
    assert prove(less(add(mul(R, 128), W, 12), 512), inside) is True
    assert prove(less(add(mul(R, 128), W), 499), inside) is None
    assert prove(less(add(mul(R, 128), W), 500), FACTS) is None
    outside = assume(FACTS, cond, holds=False)
    assert prove(cond, outside) is False
    assert range_of(N, assume(FACTS, all_of(less(0, N), less(N, 9)))) == Range(1, 8)
    assert range_of(W, assume(FACTS, binary(BinaryOp.EQ, W, 5))) == Range(5, 5)


def test_a_definition_is_put_in_place_where_it_is_no_longer() -> None:
    row, col = Var("row", i32), Var("col", i32)
    facts = _defined(_defined(FACTS, row, add(mul(R, 16), floordiv(W, 8))), col, floormod(W, 8))
    assert text(simplify(add(mul(row, 8), col), facts)) == "threadIdx.x + r * 128"
    assert text(simplify(add(mul(row, 9), col), facts)) == "row * 9 + col"
    assert text(simplify(less(row, 64), facts)) == "True"
    assert text(simplify(row, facts)) == "row"


def _defined(facts: Facts, var: Var, value: Expr) -> Facts:
    from workbench.ir.arith import form_of

    form = form_of(value, facts)
    assert form is not None
    return facts.defined(var, form)


def test_a_variable_that_changes_is_only_its_type() -> None:
    facts = Facts(FACTS.ranges, changing=frozenset({K}))
    assert range_of(K, assume(facts, less(K, 4))) == Range(*i32.bounds)


def test_loads_are_not_taken_for_equal() -> None:
    a = Var("a", i32[4])
    expr = sub(load(a, [0]), load(a, [0]))
    assert text(simplify(expr, FACTS)) == "a[0] - a[0]"


def test_a_sum_of_400_terms() -> None:
    total: Expr = const(0)
    variables = [Var(f"v{n}", i32) for n in range(400)]
    facts = Facts({v: Range(0, 9) for v in variables})
    for n, var in enumerate(variables):
        total = Binary(BinaryOp.ADD, total, mul(var, n + 1), i32)
    found = simplify(total, facts)
    assert range_of(found, facts) == Range(0, 9 * 400 * 401 // 2)
    assert cost(found) <= cost(total)


VARIABLES: dict[Var | Builtin, Range] = {
    Var("a", i32): Range(0, 7),
    Var("b", i32): Range(-3, 5),
    Var("c", i32): Range(2, 2),
    Var("far", i32): Range(2**31 - 3, 2**31 - 1),
    Var("low", i32): Range(-(2**31), -(2**31) + 2),
    Var("w", i64): Range(-2, 6),
    Var("u", u32): Range(0, 3),
    Var("high", u8): Range(250, 255),
    Var("s", i8): Range(-128, -125),
}
KINDS = (i32, i32, i32, i64, u32, u8, i8)


@st.composite
def expressions(draw: Any, kind: DType, depth: int = 4) -> Expr:
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        number = draw(st.sampled_from([0, 1, 2, 3, 4, 7, 8, 16, 127]))
        leaves = [v for v in VARIABLES if v.type == kind]
        return draw(st.sampled_from([const(number, kind), *leaves, *leaves]))
    sub_ = expressions(kind, depth - 1)
    choice = draw(st.integers(0, 8))
    if choice <= 3:
        op = draw(st.sampled_from("+ - * min max".split()))
        return Binary(BinaryOp(op), draw(sub_), draw(sub_), kind)
    if choice <= 5:
        op = draw(st.sampled_from(["//", "%"]))
        by = const(draw(st.sampled_from([1, 2, 3, 4, 8, 12])), kind)
        return Binary(BinaryOp(op), draw(sub_), by, kind)
    if choice == 6:
        return Cast(draw(expressions(draw(st.sampled_from(KINDS)), depth - 1)), kind)
    if choice == 7:
        return Unary(UnaryOp.NEG, draw(sub_), kind)
    op = draw(st.sampled_from("& | ^".split()))
    if draw(st.booleans()):
        return Binary(BinaryOp(op), draw(sub_), draw(sub_), kind)
    return Select(draw(conditions(depth - 1)), draw(sub_), draw(sub_), kind)


@st.composite
def conditions(draw: Any, depth: int = 3) -> Expr:
    kind = draw(st.sampled_from(KINDS))
    a, b = draw(expressions(kind, depth)), draw(expressions(kind, depth))
    first = Binary(BinaryOp(draw(st.sampled_from("< <= > >= == !=".split()))), a, b, boolean)
    if depth < 2 or draw(st.booleans()):
        return first
    op = draw(st.sampled_from(["and", "or"]))
    return Binary(BinaryOp(op), first, draw(conditions(depth - 1)), boolean)


def wrap(value: int, kind: DType) -> int:
    if kind.kind == "b":
        return int(bool(value))
    value %= 2**kind.bits
    return value - 2**kind.bits if kind.kind == "i" and value >> (kind.bits - 1) else value


def evaluate(expr: Expr, values: Mapping[Any, int]) -> int:
    """The meaning of the IR, written once more, in Python's integers."""

    def rule(node: Node, parts: tuple[int, ...]) -> int:
        match node:
            case Const():
                return int(node.value)
            case Var() | Builtin():
                return values[node]
            case Unary():
                return wrap(-parts[0], node.type)
            case Cast():
                return wrap(parts[0], node.type)
            case Select():
                return parts[1] if parts[0] else parts[2]
            case Binary():
                return wrap(OPERATORS[node.op](*parts), node.type)
            case _:
                raise AssertionError(node)

    return fold(expr, rule)


OPERATORS = {
    BinaryOp.ADD: lambda a, b: a + b,
    BinaryOp.SUB: lambda a, b: a - b,
    BinaryOp.MUL: lambda a, b: a * b,
    BinaryOp.FLOORDIV: lambda a, b: a // b,
    BinaryOp.FLOORMOD: lambda a, b: a % b,
    # C's, on purpose by floats of numpy: towards zero
    BinaryOp.TRUNCDIV: lambda a, b: int(np.trunc(np.float64(a) / b)),
    BinaryOp.TRUNCMOD: lambda a, b: int(np.fmod(a, b)),
    BinaryOp.MIN: min,
    BinaryOp.MAX: max,
    BinaryOp.BITAND: lambda a, b: a & b,
    BinaryOp.BITOR: lambda a, b: a | b,
    BinaryOp.BITXOR: lambda a, b: a ^ b,
    BinaryOp.LT: lambda a, b: a < b,
    BinaryOp.LE: lambda a, b: a <= b,
    BinaryOp.GT: lambda a, b: a > b,
    BinaryOp.GE: lambda a, b: a >= b,
    BinaryOp.EQ: lambda a, b: a == b,
    BinaryOp.NE: lambda a, b: a != b,
    BinaryOp.AND: lambda a, b: a and b,
    BinaryOp.OR: lambda a, b: a or b,
}


def assignments(expr: Expr) -> list[dict[Any, int]]:
    """The corners of the ranges of what occurs, and some between."""
    used = [v for v in VARIABLES if v in set(_nodes(expr))]
    points = [
        sorted({VARIABLES[v].lo, (VARIABLES[v].lo + VARIABLES[v].hi) // 2, VARIABLES[v].hi})
        for v in used
    ]
    rows = itertools.islice(itertools.product(*points), 243)
    return [dict(zip(used, row, strict=True)) for row in rows]


def _nodes(expr: Expr) -> list[Node]:
    found: list[Node] = []
    fold(expr, lambda node, parts: found.append(node))
    return found


RANGES = Facts(VARIABLES)


@given(st.sampled_from(KINDS).flatmap(expressions) | conditions())
@settings(max_examples=300)
def test_simplify_keeps_every_value(expr: Expr) -> None:
    found = simplify(expr, RANGES)
    assert found.type == expr.type
    assert cost(found) <= cost(expr)
    for values in assignments(expr):
        assert evaluate(found, values) == evaluate(expr, values), (text(expr), text(found))


@given(st.sampled_from(KINDS).flatmap(expressions) | conditions())
@settings(max_examples=200)
def test_simplify_twice_is_once(expr: Expr) -> None:
    once = simplify(expr, RANGES)
    assert simplify(once, RANGES) is once, (text(expr), text(once))


@given(st.sampled_from(KINDS).flatmap(expressions))
@settings(max_examples=200)
def test_ranges_hold_every_value(expr: Expr) -> None:
    lies = range_of(expr, RANGES)
    assert lies.within(Range(*expr.type.bounds))
    for values in assignments(expr):
        assert lies.lo <= evaluate(expr, values) <= lies.hi


@given(conditions(2), st.sampled_from(KINDS).flatmap(lambda kind: expressions(kind, 3)))
@settings(max_examples=200)
def test_what_is_assumed_holds(cond: Expr, expr: Expr) -> None:
    """Where a condition holds, or does not, what follows from it is right."""
    both = Binary(BinaryOp.AND, cond, binary(BinaryOp.EQ, expr, expr), boolean)
    for holds in (True, False):
        facts = assume(RANGES, cond, holds=holds)
        found = simplify(expr, facts)
        for values in assignments(both):
            if bool(evaluate(cond, values)) is holds:
                assert evaluate(found, values) == evaluate(expr, values), (text(cond), text(expr))
