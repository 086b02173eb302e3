"""Expressions of the text form, read back."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.base.errors import WorkbenchError
from workbench.ir.expr import (
    BUILTINS,
    COMPARISONS,
    Atomic,
    AtomicOp,
    Binary,
    BinaryOp,
    Builtin,
    Call,
    Cast,
    Const,
    Expr,
    Extract,
    Load,
    Pack,
    Select,
    Unary,
    UnaryOp,
    Var,
)
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.lex import Cursor, Token
from workbench.ir.text_expr import BINARY, COMPARE, NOT
from workbench.ir.types import SCALARS, DType, TensorType, boolean, dtype, f32, i32

_INFIX = {op.value: op for op in BINARY}
_LOGICAL = (BinaryOp.AND, BinaryOp.OR)
_SPECIAL = re.compile(r"(inf|nan)(?:_(\w+))?")
_SUFFIX = re.compile(r"(bf16|f16|f32|f64|[iu](?:8|16|32|64))$")
_DTYPE = re.compile(rf"({'|'.join(SCALARS)})(x\d+)?")


@dataclass(frozen=True)
class Env:
    """What names mean at a place of the text."""

    variables: dict[str, Var]
    results: Mapping[str, DType | None]
    own: set[str] = field(default_factory=set)

    def inside(self) -> Env:
        """A scope inside this one."""
        return Env(dict(self.variables), self.results)


def expression(c: Cursor, env: Env) -> Expr:
    """Read an expression."""
    start = c.token
    value = _infix(c, env, 1)
    if not c.accept("if"):
        return value
    cond = _infix(c, env, 1)
    c.expect("else")
    other = expression(c, env)
    return Select(cond, value, other, kind_of(c, value, start), span=c.span(start))


def kind_of(c: Cursor, expr: Expr, start: Token) -> DType:
    """The number type of an operand."""
    if not isinstance(expr.type, DType):
        c.fail("a tensor or a call without a value is no operand", start)
    return expr.type


def _infix(c: Cursor, env: Env, least: int) -> Expr:
    """Operators that bind at least as strongly as `least`, all from the left."""
    start = c.token
    left = _prefix(c, env)
    while c.token.kind in ("op", "name"):
        op = _INFIX.get(c.token.text)
        if op is None or BINARY[op] < least:
            break
        power = BINARY[op]
        c.take()
        right = _infix(c, env, power + 1)
        result = kind_of(c, left, start)
        if op in COMPARISONS or op in _LOGICAL:
            result = boolean.vector(result.lanes)
        left = Binary(op, left, right, result, span=c.span(start))
        if power == COMPARE and c.token.text in _INFIX and BINARY[_INFIX[c.token.text]] == COMPARE:
            c.fail("comparisons do not chain; write parentheses or `and`")
    return left


def _prefix(c: Cursor, env: Env) -> Expr:
    start = c.token
    if c.accept("not"):
        return _unary(c, UnaryOp.NOT, _infix(c, env, NOT), start)
    if c.accept("~"):
        return _unary(c, UnaryOp.INVERT, _prefix(c, env), start)
    if c.accept("-"):
        if c.token.kind == "number" or _SPECIAL.fullmatch(c.token.text):
            return _postfix(c, _literal(c, start, -1))
        return _unary(c, UnaryOp.NEG, _prefix(c, env), start)
    return _postfix(c, _atom(c, env))


def _unary(c: Cursor, op: UnaryOp, a: Expr, start: Token) -> Unary:
    return Unary(op, a, kind_of(c, a, start), span=c.span(start))


def _postfix(c: Cursor, value: Expr) -> Expr:
    start = c.token
    while c.accept("["):
        lane = _integer(c)
        c.expect("]")
        kind = kind_of(c, value, start)
        value = Extract(value, lane, kind.element, span=c.span(start))
    return value


def _integer(c: Cursor) -> int:
    token = c.of_kind("number")
    if not token.text.isdigit():
        c.fail(f"expected an integer, found {token.text!r}", token)
    return int(token.text)


def _literal(c: Cursor, start: Token, sign: int) -> Const:
    token = c.take()
    special = _SPECIAL.fullmatch(token.text)
    if special:
        kind = dtype(special[2]) if special[2] else f32
        return Const(sign * float(special[1]), kind, span=c.span(start))
    suffix = _SUFFIX.search(token.text)
    digits = token.text[: suffix.start()] if suffix else token.text
    if digits.isdigit() and not (suffix and dtype(suffix[1]).is_float):
        kind = dtype(suffix[1]) if suffix else i32
        return Const(_fitting(c, sign * int(digits), kind, start), kind, span=c.span(start))
    kind = dtype(suffix[1]) if suffix else f32
    if not kind.is_float:
        c.fail(f"{token.text} is no integer", start)
    return Const(sign * float(digits), kind, span=c.span(start))


def _fitting(c: Cursor, value: int, kind: DType, start: Token) -> int:
    if kind.wrap(value) != value:
        c.fail(f"{value} does not fit in {kind}", start, "write its type, such as 1i64")
    return value


def _atom(c: Cursor, env: Env) -> Expr:
    start = c.token
    if start.kind == "number":
        return _literal(c, start, 1)
    if c.accept("("):
        value = expression(c, env)
        c.expect(")")
        return value
    if start.kind != "name":
        c.fail(f"expected an expression, found {c.found()}")
    if start.text in env.variables:
        return _variable(c, env)
    if start.text in ("True", "False"):
        return Const(c.take().text == "True", boolean, span=c.span(start))
    if _SPECIAL.fullmatch(start.text):
        return _literal(c, start, 1)
    if start.text in ("threadIdx", "blockIdx", "blockDim", "gridDim"):
        return _builtin(c)
    c.take()
    if c.at("("):
        return _call(c, env, start)
    close = difflib.get_close_matches(start.text, [*env.variables, *INTRINSICS], 1)
    hint = f"did you mean {close[0]}?" if close else "declare it with let or var before its use"
    c.fail(f"{start.text} is not declared here", start, hint)


def _builtin(c: Cursor) -> Builtin:
    start = c.take()
    c.expect(".")
    name = f"{start.text}.{c.take().text}"
    if name not in BUILTINS:
        c.fail(f"there is no {name}", start, "the axes are x, y and z")
    return Builtin(name, span=c.span(start))


def _variable(c: Cursor, env: Env) -> Expr:
    start = c.take()
    var = env.variables[start.text]
    if not isinstance(var.type, TensorType):
        return var
    index, lanes = indices(c, env)
    return Load(var, index, var.tensor.dtype.vector(lanes), span=c.span(start))


def indices(c: Cursor, env: Env) -> tuple[tuple[Expr, ...], int]:
    """``[i, j]`` or ``[i, j:+4]``."""
    c.expect("[")
    found: list[Expr] = []
    while not c.at("]"):
        found.append(expression(c, env))
        if not c.accept(","):
            break
    lanes = 1
    if c.accept(":"):
        c.expect("+")
        lanes = _integer(c)
    c.expect("]")
    return tuple(found), lanes


def _arguments(c: Cursor, env: Env) -> tuple[Expr, ...]:
    c.expect("(")
    found: list[Expr] = []
    while not c.at(")"):
        found.append(expression(c, env))
        if not c.accept(","):
            break
    c.expect(")")
    return tuple(found)


def _call(c: Cursor, env: Env, start: Token) -> Expr:
    name = start.text
    if name.startswith("atomic_"):
        return _atomic(c, env, start)
    args = _arguments(c, env)
    span = c.span(start)
    if _DTYPE.fullmatch(name):
        kind = dtype(name)
        if len(args) == 1:
            return Cast(args[0], kind, span=span)
        return Pack(args, kind, span=span)
    if name in ("min", "max"):
        if len(args) != 2:
            c.fail(f"{name} takes 2 arguments, not {len(args)}", start)
        return Binary(BinaryOp(name), *args, kind_of(c, args[0], start), span=span)
    if name in env.results:
        return Call(name, args, env.results[name], span=span)
    row = INTRINSICS.get(name)
    if row is None:
        known = [*INTRINSICS, *env.results, *SCALARS]
        close = difflib.get_close_matches(name, known, 1)
        c.fail(f"there is no {name}()", start, f"did you mean {close[0]}?" if close else None)
    if len(args) != len(row.parameters):
        takes = f"{len(row.parameters)} arguments ({', '.join(row.parameters)})"
        c.fail(f"{name} takes {takes}, not {len(args)}", start)
    try:
        result = row.rule(tuple(kind_of(c, a, start) for a in args))
    except WorkbenchError as error:
        c.fail(f"{name} {error.message}", start)
    return Call(name, args, result, span=span)


def _atomic(c: Cursor, env: Env, start: Token) -> Atomic:
    ops = {f"atomic_{op.value}": op for op in AtomicOp}
    op = ops.get(start.text)
    if op is None:
        c.fail(f"there is no {start.text}()", start, f"one of {', '.join(ops)}")
    c.expect("(")
    name = c.of_kind("name")
    tensor = env.variables.get(name.text)
    if tensor is None or not isinstance(tensor.type, TensorType):
        c.fail(f"{name.text} is no tensor", name)
    index, lanes = indices(c, env)
    c.expect(",")
    value = expression(c, env)
    compare: Expr | None = None
    if op is AtomicOp.COMPARE_EXCHANGE:
        c.expect(",")
        compare, value = value, expression(c, env)
    c.expect(")")
    kind = tensor.tensor.dtype.vector(lanes)
    return Atomic(op, tensor, index, value, compare, kind, span=c.span(start))
