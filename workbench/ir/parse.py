"""The text form of a module, read back: `parse(text(m))` is alike `m`."""

from __future__ import annotations

import re

from workbench.base.errors import ParseError, WorkbenchError
from workbench.ir.expr import Binary, BinaryOp, Const, Expr, Load, Var
from workbench.ir.lex import Cursor, Token
from workbench.ir.module import Function, Launch, Level, Module, Table
from workbench.ir.parse_expr import Env, expression, kind_of
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
from workbench.ir.types import DType, Scope, TensorType, Type, dtype, i32
from workbench.mapping import parse_layout, parse_mapping

_INTEGER = re.compile(r"-?\d+")


def parse(text: str, name: str = "<ir>") -> Module:
    """Read a module from its text.

    Parameters
    ----------
    text : str
        As `workbench.ir.text.text` writes it.
    name : str
        What errors call the text.

    Returns
    -------
    Module
        Not verified; its spans are places of the text.

    Raises
    ------
    ParseError
        With the place and what was expected there.

    Examples
    --------
    >>> module = parse('''
    ... func fill(a: f32[8]) launch(grid=1, block=8)
    ...   a[threadIdx.x] = 1.0
    ... ''')
    >>> module.kernel.launch.threads
    8
    """
    c = Cursor(text, name)
    try:
        return _module(c)
    except RecursionError:
        c.fail("this is nested too deeply to read")


def _module(c: Cursor) -> Module:
    level = Level.SCRIPT
    _skip_remarks(c)
    if c.accept("level"):
        word = c.of_kind("name")
        if word.text not in [each.value for each in Level]:
            c.fail(f"there is no level {word.text!r}", word, "script or lowered")
        level = Level(word.text)
        c.of_kind("newline")
    tables: list[Table] = []
    functions: list[Function] = []
    scope: dict[str, Var] = {}
    results: dict[str, DType | None] = {}
    while c.token.kind != "end":
        if c.token.kind == "remark":
            c.take()
        elif c.at("table"):
            table_name, table = _table(c)
            tables.append(table)
            scope[table_name] = table.var
        else:
            functions.append(_function(c, Env(dict(scope), results)))
            results[functions[-1].name] = functions[-1].result
    if not functions:
        c.fail("a module needs at least one function")
    return Module(tuple(functions), tuple(tables), level)


def _skip_remarks(c: Cursor) -> None:
    while c.token.kind == "remark":
        c.take()


def _table(c: Cursor) -> tuple[str, Table]:
    start = c.expect("table")
    name = c.of_kind("name")
    c.expect(":")
    kind = _type(c, Scope.CONSTANT)
    if not isinstance(kind, TensorType):
        c.fail(f"a table is a tensor, not {kind}", start)
    c.expect("=")
    c.expect("[")
    values: list[int | float] = []
    env = Env({}, {})
    while not c.at("]"):
        number = expression(c, env)
        if not isinstance(number, Const):
            c.fail("a table holds numbers", start)
        values.append(number.value)
        if not c.accept(","):
            break
    c.expect("]")
    c.of_kind("newline")
    return name.text, Table(Var(name.text, kind), tuple(values), span=c.span(start))


def _type(c: Cursor, scope: Scope = Scope.GLOBAL) -> Type:
    """``f32``, ``f32[64, 8]`` or ``f32[64, 8] @ layout``."""
    token = c.of_kind("name")
    try:
        kind = dtype(token.text)
    except WorkbenchError as error:
        c.fail(error.message, token, error.hint)
    if not c.accept("["):
        return kind
    shape: list[int] = []
    while not c.at("]"):
        shape.append(_number(c))
        if not c.accept(","):
            break
    c.expect("]")
    layout = _given(c, "layout") if c.accept("@") else None
    return TensorType(kind, tuple(shape), scope, layout)


def _given(c: Cursor, what: str):
    """A layout or a mapping, read by the room that owns them."""
    content, span = c.raw_layout() if what == "layout" else c.raw(".on(")
    try:
        return parse_layout(content) if what == "layout" else parse_mapping(content)
    except WorkbenchError as error:
        raise ParseError(error.message, span, error.hint) from None


def _number(c: Cursor) -> int:
    sign = "-" if c.accept("-") else ""
    token = c.of_kind("number")
    if not _INTEGER.fullmatch(token.text):
        c.fail(f"expected an integer, found {token.text!r}", token)
    return int(sign + token.text)


def _function(c: Cursor, env: Env) -> Function:
    start = c.expect("func")
    name = c.of_kind("name")
    c.expect("(")
    params: list[Var] = []
    while not c.at(")"):
        param = c.of_kind("name")
        c.expect(":")
        params.append(_declare(c, env, param, _type(c)))
        if not c.accept(","):
            break
    c.expect(")")
    result: DType | None = None
    if c.accept("->"):
        kind = _type(c)
        if not isinstance(kind, DType):
            c.fail(f"a function returns a number, not {kind}", start)
        result = kind
    launch = _launch(c) if c.at("launch") else None
    span = c.span(start)
    c.of_kind("newline")
    notes: list[str] = []
    while c.token.kind == "remark":
        notes.append(c.take().text)
    body = _block(c, env)
    return Function(name.text, tuple(params), body, launch, result, tuple(notes), span=span)


def _declare(c: Cursor, env: Env, name: Token, kind: Type) -> Var:
    if name.text in env.own:
        c.fail(f"{name.text} is declared twice in this scope", name)
    var = Var(name.text, kind, span=c.span(name))
    env.variables[name.text] = var
    env.own.add(name.text)
    return var


def _launch(c: Cursor) -> Launch:
    c.expect("launch")
    c.expect("(")
    c.expect("grid")
    c.expect("=")
    grid = _extents(c)
    c.expect(",")
    c.expect("block")
    c.expect("=")
    block = _extents(c)
    c.expect(")")
    return Launch(grid, block)


def _extents(c: Cursor) -> tuple[int, int, int]:
    if not c.accept("("):
        return (_number(c), 1, 1)
    found = [_number(c)]
    while c.accept(",") and not c.at(")"):
        found.append(_number(c))
    c.expect(")")
    if len(found) > 3:
        c.fail(f"a launch has up to 3 extents, not {len(found)}")
    x, y, z = (*found, 1, 1)[:3]
    return (x, y, z)


def _block(c: Cursor, env: Env) -> Stmt:
    """An indented block; one statement alone is itself."""
    _skip_remarks(c)
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
    kind = _type(c) if c.accept(":") else None
    value = expression(c, env) if c.accept("=") else None
    if kind is None and value is not None:
        kind = kind_of(c, value, start)
    if not isinstance(kind, DType):
        c.fail("a local needs a number type or a value", start)
    span = c.span(start)
    return Declare(_declare(c, env, name, kind), value, _end_note(c), span=span)


def _allocate(c: Cursor, env: Env, start: Token) -> Stmt:
    name = c.of_kind("name")
    c.expect(":")
    kind = _type(c, Scope(start.text))
    if not isinstance(kind, TensorType):
        c.fail(f"{start.text} needs a tensor, such as f32[16, 16]", start)
    span = c.span(start)
    c.of_kind("newline")
    return Allocate(_declare(c, env, name, kind), span=span)


def _for(c: Cursor, env: Env, start: Token) -> Stmt:
    names = [c.of_kind("name")]
    while c.accept(","):
        names.append(c.of_kind("name"))
    kind: Type = _type(c) if c.accept(":") else i32
    c.expect("in")
    scope = env.inside()
    if not c.at("range"):
        mapping = _given(c, "mapping")
        for word in (".", "on", "("):
            c.expect(word)
        worker = expression(c, env)
        c.expect(")")
        span = c.span(start)
        c.of_kind("newline")
        variables = tuple(_declare(c, scope, n, kind) for n in names)
        return ForTask(variables, mapping, worker, _block(c, scope), span=span)
    if len(names) != 1:
        c.fail("a range has one variable", names[1])
    bounds = _range(c, env, kind)
    unroll = _unroll(c)
    span = c.span(start)
    note = _end_note(c)
    var = _declare(c, scope, names[0], kind)
    return For(var, *bounds, _block(c, scope), unroll, note, span=span)


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
    factor = _number(c)
    c.expect(")")
    return factor


def _while(c: Cursor, env: Env, start: Token) -> Stmt:
    cond = expression(c, env)
    span = c.span(start)
    c.of_kind("newline")
    return While(cond, _block(c, env.inside()), span=span)


def _if(c: Cursor, env: Env, start: Token) -> Stmt:
    cond = expression(c, env)
    span = c.span(start)
    c.of_kind("newline")
    then = _block(c, env.inside())
    other: Stmt | None = None
    again = c.accept("elif")
    if again:
        other = _if(c, env, again)
    elif c.accept("else"):
        c.of_kind("newline")
        other = _block(c, env.inside())
    return If(cond, then, other, span=span)


def _scope(c: Cursor, env: Env, start: Token) -> Stmt:
    span = c.span(start)
    c.of_kind("newline")
    body = _block(c, env.inside())
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
