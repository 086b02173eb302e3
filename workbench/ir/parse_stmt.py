"""Statements of the text form, read back."""

from __future__ import annotations

from workbench.ir.expr import Binary, BinaryOp, Const, Expr, Load, Var
from workbench.ir.lex import Cursor, Token
from workbench.ir.parse_expr import Env, expression, kind_of
from workbench.ir.parse_type import read_mapping, read_number, read_type
from workbench.ir.stmt import (
    Allocate,
    Assign,
    Break,
    Continue,
    Declare,
    Evaluate,
    For,
    ForTask,
    If,
    Return,
    Seq,
    Stmt,
    Store,
    While,
)
from workbench.ir.types import DType, Scope, TensorType, Type, i32


def declare(c: Cursor, env: Env, name: Token, kind: Type) -> Var:
    """A new variable in the scope."""
    if name.text in env.own:
        c.fail(f"{name.text} is declared twice in this scope", name)
    var = Var(name.text, kind, span=c.span(name))
    env.variables[name.text] = var
    env.own.add(name.text)
    return var


def skip_remarks(c: Cursor) -> None:
    """Pass comments that have a line of their own."""
    while c.token.kind == "remark":
        c.take()


def block(c: Cursor, env: Env) -> Stmt:
    """An indented block; one statement alone is itself."""
    skip_remarks(c)
    c.of_kind("indent")
    body: list[Stmt] = []
    while c.token.kind != "dedent":
        if c.token.kind == "remark":
            c.take()
        elif c.accept("pass"):
            c.of_kind("newline")
        else:
            body.append(_statement(c, env))
    c.take()
    return body[0] if len(body) == 1 else Seq(tuple(body))


def _statement(c: Cursor, env: Env) -> Stmt:
    start = c.token
    reader = _STATEMENTS.get(start.text) if start.kind == "name" else None
    if reader is None:
        found = _simple(c, env)
        c.of_kind("newline")
        return found
    c.take()
    return reader(c, env, start)


def _simple(c: Cursor, env: Env) -> Stmt:
    """An assignment, a store, or an expression for its effect."""
    start = c.token
    target = expression(c, env)
    word = c.accept("=", "+=", "-=", "*=", "/=")
    if word is None:
        return Evaluate(target, span=c.span(start))
    value = expression(c, env)
    span = c.span(start)
    if word.text != "=":
        op = BinaryOp(word.text[:-1])
        value = Binary(op, target, value, kind_of(c, target, start), span=span)
    if isinstance(target, Var):
        return Assign(target, value, span=span)
    if isinstance(target, Load):
        return Store(target.tensor, target.index, value, span=span)
    c.fail("only a variable or an element can be assigned", start)


def _end_note(c: Cursor) -> str:
    """The comment at the end of a line, and the end of the line."""
    note = c.take().text if c.token.kind == "note" else ""
    c.of_kind("newline")
    return note


def _let(c: Cursor, env: Env, start: Token) -> Stmt:
    name = c.of_kind("name")
    kind = read_type(c) if c.accept(":") else None
    value = expression(c, env) if c.accept("=") else None
    if kind is None and value is not None:
        kind = kind_of(c, value, start)
    if not isinstance(kind, DType):
        c.fail("a local needs a number type or a value", start)
    span = c.span(start)
    c.of_kind("newline")
    return Declare(declare(c, env, name, kind), value, span=span)


def _allocate(c: Cursor, env: Env, start: Token) -> Stmt:
    name = c.of_kind("name")
    c.expect(":")
    kind = read_type(c, Scope(start.text))
    if not isinstance(kind, TensorType):
        c.fail(f"{start.text} needs a tensor, such as f32[16, 16]", start)
    span = c.span(start)
    c.of_kind("newline")
    return Allocate(declare(c, env, name, kind), span=span)


def _for(c: Cursor, env: Env, start: Token) -> Stmt:
    names = [c.of_kind("name")]
    while c.accept(","):
        names.append(c.of_kind("name"))
    kind: Type = read_type(c) if c.accept(":") else i32
    c.expect("in")
    scope = env.inside()
    if not c.at("range"):
        mapping = read_mapping(c)
        for word in (".", "on", "("):
            c.expect(word)
        worker = expression(c, env)
        c.expect(")")
        span = c.span(start)
        c.of_kind("newline")
        variables = tuple(declare(c, scope, n, kind) for n in names)
        return ForTask(variables, mapping, worker, block(c, scope), span=span)
    if len(names) != 1:
        c.fail("a range has one variable", names[1])
    bounds = _range(c, env, kind)
    unroll = _unroll(c)
    span = c.span(start)
    note = _end_note(c)
    var = declare(c, scope, names[0], kind)
    return For(var, *bounds, block(c, scope), unroll, note, span=span)


def _range(c: Cursor, env: Env, kind: Type) -> tuple[Expr, Expr, Expr]:
    c.expect("range")
    start = c.expect("(")
    found = [expression(c, env)]
    while c.accept(","):
        found.append(expression(c, env))
    c.expect(")")
    if len(found) > 3 or not isinstance(kind, DType):
        c.fail("a range has a start, a stop and a step, all integers", start)
    if len(found) == 1:
        found.insert(0, Const(0, kind))
    if len(found) == 2:
        found.append(Const(1, kind))
    return found[0], found[1], found[2]


def _unroll(c: Cursor) -> int | None:
    if c.accept("no_unroll"):
        return 1
    if not c.accept("unroll"):
        return None
    if not c.accept("("):
        return 0
    factor = read_number(c)
    c.expect(")")
    return factor


def _while(c: Cursor, env: Env, start: Token) -> Stmt:
    cond = expression(c, env)
    span = c.span(start)
    c.of_kind("newline")
    return While(cond, block(c, env.inside()), span=span)


def _if(c: Cursor, env: Env, start: Token) -> Stmt:
    cond = expression(c, env)
    span = c.span(start)
    c.of_kind("newline")
    then = block(c, env.inside())
    other: Stmt | None = None
    again = c.accept("elif")
    if again:
        other = _if(c, env, again)
    elif c.accept("else"):
        c.of_kind("newline")
        other = block(c, env.inside())
    return If(cond, then, other, span=span)


def _scope(c: Cursor, env: Env, start: Token) -> Stmt:
    span = c.span(start)
    c.of_kind("newline")
    body = block(c, env.inside())
    return Seq(body.body if isinstance(body, Seq) else (body,), span=span)


def _leave(c: Cursor, env: Env, start: Token) -> Stmt:
    value = None
    if start.text == "return" and c.token.kind != "newline":
        value = expression(c, env)
    span = c.span(start)
    c.of_kind("newline")
    if start.text == "return":
        return Return(value, span=span)
    return Break(span=span) if start.text == "break" else Continue(span=span)


_STATEMENTS = {
    "let": _let,
    "var": _let,
    "shared": _allocate,
    "register": _allocate,
    "for": _for,
    "while": _while,
    "if": _if,
    "scope": _scope,
    "break": _leave,
    "continue": _leave,
    "return": _leave,
}
