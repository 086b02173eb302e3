"""Text of IR: read back alike, and readable to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from tests.ir.strategies import modules
from workbench.base.errors import ParseError
from workbench.ir.alike import alike
from workbench.ir.expr import Binary, BinaryOp, Builtin, Const, Extract, Select, Unary, UnaryOp, Var
from workbench.ir.module import Function, Launch, Module
from workbench.ir.naming import names
from workbench.ir.parse import parse
from workbench.ir.stmt import Declare, For, Return, Seq, Store
from workbench.ir.text import doc, number, text
from workbench.ir.traverse import walk
from workbench.ir.types import boolean, f32, f64, i32, i64
from workbench.ir.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.ir.expr import Expr

ALL = """\
level script

table t: i32[3] = [1, -2, 3]

func sq(x: f32) -> f32
  return x * x

func work(a: f32[64, 8], b: f32[64, 8] @ column_major(64, 8), n: i64) launch(grid=1, block=(16, 8))
  # repeat(4, 1) * spatial(16, 8): 128 workers, 4 tasks each
  shared s: f32[16, 16] @ row_major(16, 16).swizzle(2, 2, 2)
  register acc: f32[4]
  for i, j in (repeat(4, 1) * spatial(16, 8)).on(threadIdx.x)
    b[i, j] = a[i, j] * 2.0
  var x: f32 = -inf
  var y: f64
  let k: i32 = (1 + t[0]) * -3 - -(1)
  x += sq(x)
  y = nan_f64
  for r in range(4) unroll  # repeat(4)
    acc[r] += x if r < k and not r == 2 else 0.5
    let v: f32x4 = a[r, 4:+4]
    a[r, 0:+4] = v
    x = v[2] * f32x4(1.0)[0] - f32x2(x, 1.0)[1]
    if r tmod 2 == 0
      break
    elif r // 2 == 1
      scope
        let z: i64 = 3i64 << 2i64
        a[0, 0] = f32(z)
      continue
    else
      pass
  for q: i64 in range(8i64, 0i64, -2i64) no_unroll
    a[q, 0] = max(x, 1e-07) / 3.0
  while x < 1.0 or not (x < 2.0 and y > 0.5f64)
    return
  syncthreads()
  let old: f32 = atomic_add(a[0, 0], 1.0)
  atomic_add(s[threadIdx.x, threadIdx.y], old)"""


def test_every_form_is_read_and_written_as_it_stands() -> None:
    module = parse(ALL)
    verify(module)
    assert text(module) == ALL.removeprefix("level script\n\n")


@given(modules(written=True))
@settings(max_examples=40)
def test_text_is_read_back_alike(module: Module) -> None:
    verify(module)
    again = parse(text(module))
    verify(again)
    assert alike(again, module)
    assert text(again) == text(module)


def test_a_sum_of_5000_terms_is_no_deeper_than_one() -> None:
    total: Expr = Builtin("threadIdx.x")
    for n in range(5000):
        total = Binary(BinaryOp.ADD, total, Const(n, i32), i32)
    module = Module((Function("f", (), Return(total), None, i32),))
    again = parse(text(module))
    verify(again)
    assert alike(again, module)


def test_nesting_without_end_is_an_error_not_a_crash() -> None:
    with pytest.raises(ParseError, match="nested too deeply"):
        parse(f"func f() -> i32\n  return {'(' * 5000}1{')' * 5000}")


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Const(-1, i32), "-1"),
        (Unary(UnaryOp.NEG, Const(1, i32), i32), "-(1)"),
        (Unary(UnaryOp.NEG, Const(-1, i32), i32), "-(-1)"),
        (Const(-0.0, f32), "-0.0"),
        (Const(float("-inf"), f64), "-inf_f64"),
        (Const(2**40, i64), "1099511627776i64"),
        (Const(1e22, f32), "1e+22"),
    ],
)
def test_constants_keep_sign_and_type(expr: Expr, expected: str) -> None:
    assert text(expr) == expected
    kind = expr.type
    assert not isinstance(kind, type(None))
    source = f"func f() -> {kind}\n  return {expected}"
    found = parse(source).kernel.body
    assert isinstance(found, Return)
    assert found.value is not None
    assert alike(found.value, expr)


def test_parentheses_are_as_few_as_the_grammar_allows() -> None:
    a, b, c = (Var(n, i32) for n in "abc")
    p, q = Var("p", boolean), Var("q", boolean)
    less = Binary(BinaryOp.LT, a, b, boolean)

    def op(name: str, x: Expr, y: Expr) -> Binary:
        kind = x.type
        assert not isinstance(kind, type(None))
        return Binary(BinaryOp(name), x, y, boolean if kind == boolean else i32)

    assert text(op("-", op("-", a, b), c)) == "a - b - c"
    assert text(op("-", a, op("-", b, c))) == "a - (b - c)"
    assert text(op("*", op("+", a, b), c)) == "(a + b) * c"
    assert text(op("+", op("*", a, b), c)) == "a * b + c"
    assert text(op("min", op("+", a, b), c)) == "min(a + b, c)"
    assert text(op("&", op("<<", a, b), c)) == "a << b & c"
    assert text(op("and", op("or", p, q), less)) == "(p or q) and a < b"
    assert text(Unary(UnaryOp.NOT, less, boolean)) == "not a < b"
    assert text(Binary(BinaryOp.EQ, less, p, boolean)) == "(a < b) == p"
    assert text(Unary(UnaryOp.NEG, op("+", a, b), i32)) == "-(a + b)"
    assert text(op("+", Select(p, a, b, i32), c)) == "(a if p else b) + c"
    assert text(Select(p, a, Select(q, b, c, i32), i32)) == "a if p else b if q else c"
    v = Var("v", f32.vector(4))
    assert text(Extract(v, 2, f32)) == "v[2]"
    assert text(Extract(Binary(BinaryOp.ADD, v, v, v.type), 2, f32)) == "(v + v)[2]"


def test_alike_sees_structure_not_names() -> None:
    one = parse("func f(a: i32) -> i32\n  let x: i32 = a + 1\n  return x * x")
    two = parse("func f(b: i32) -> i32\n  scope\n    let y: i32 = b + 1\n    return y * y")
    other = parse("func f(b: i32) -> i32\n  let y: i32 = b + 1\n  return y * b")
    assert alike(one, two)
    assert not alike(one, other)
    assert not alike(one, parse(text(one).replace("1", "2")))
    assert not alike(one, parse(text(one).replace("i32", "i64").replace("1", "1i64")))


def test_names_are_reused_where_scopes_do_not_meet() -> None:
    zero, one, four = Const(0, i32), Const(1, i32), Const(4, i32)
    a = Var("a", f32[4])

    def loop(body: object) -> For:
        return For(Var("r", i32), zero, four, one, body)  # pyright: ignore[reportArgumentType]

    def store(var: Var) -> Store:
        return Store(a, (var,), Const(1.0, f32))

    first, second = loop(Seq(())), loop(Seq(()))
    nested = loop(loop(Seq(())))
    function = Function("f", (a,), Seq((first, second, nested)), Launch((1, 1, 1), (1, 1, 1)))
    given = names(function)
    assert given[first.var] == given[second.var] == given[nested.var] == "r"
    assert isinstance(nested.body, For)
    assert given[nested.body.var] == "r_1"
    assert store(first.var).tensor is a


def test_names_of_the_language_are_given_to_nobody() -> None:
    module = Module((Function("f", (Var("exp", i32), Var("for", i32)), Seq(())),))
    assert text(module).splitlines()[0] == "func f(exp_1: i32, for_: i32)"
    assert alike(parse(text(module)), module)


def test_lines_know_their_statement_and_place() -> None:
    module = parse(ALL, "all.wir")
    numbers = number(module)
    lines = doc(module).lines
    assert [n for n in numbers.values()] == list(range(1, len(numbers) + 1))
    statements = {n for n in numbers.values()}
    shown = {line.node for line in lines if line.node}
    assert shown == statements
    for line in lines:
        if line.node and line.text.strip() != "else":
            assert line.span is not None
            assert line.span.file == "all.wir"
            assert line.span.source_line().strip() == line.text.strip()


def test_numbers_do_not_depend_on_the_text() -> None:
    module = parse(ALL)
    assert number(module) == number(module)
    declared = [n for n in walk(module) if isinstance(n, Declare)]
    assert len({number(module)[d] for d in declared}) == len(declared)


BAD = {
    "misspelt variable": "func f(width: i32) -> i32\n  return widht + 1",
    "misspelt intrinsic": "func f(x: f32) -> f32\n  return exq(x)",
    "no such type": "func f(x: f33) -> f32\n  return x",
    "no such axis": "func f() -> i32\n  return threadIdx.w",
    "not a level": "level high\n\nfunc f()\n  pass",
    "open bracket": "func f(a: f32[4]) launch(grid=1, block=1)\n  a[0 = 1.0",
    "missing block": "func f(a: i32)\nfunc g(a: i32)\n  pass",
    "wild indentation": "func f(a: i32)\n    return\n  return",
    "chained comparison": "func f(a: i32) -> bool\n  return 0 < a < 4",
    "number too large": "func f() -> i32\n  return 4294967296",
    "bad mapping": "func f() launch(grid=1, block=1)\n  for i in spatal(4).on(0)\n    pass",
    "bad layout": "func f() launch(grid=1, block=1)\n  shared s: f32[4] @ row_majr(4)",
    "twice": "func f(a: i32)\n  let a: i32 = 1",
    "target": "func f(a: i32)\n  a + 1 = 2",
    "arguments": "func f(a: f32) -> f32\n  return fma(a, a)",
    "argument types": "func f(a: i32) -> i32\n  return exp(a)",
    "tensor operand": "func f(a: f32[4]) launch(grid=1, block=1)\n  a[0] = a + 1.0",
    "nothing": "",
}


def test_what_cannot_be_read_is_told_with_its_place(golden: Callable[[str, str], None]) -> None:
    found: list[str] = []
    for what, source in BAD.items():
        with pytest.raises(ParseError) as caught:
            parse(source)
        found.append(f"{what}\n{caught.value}\n")
    golden("parse_errors.txt", "\n".join(found))
