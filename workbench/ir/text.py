"""IR as readable text, and the number of each statement.

The same module gives the same numbers to every text made from it, so that screens can link the
lines of two texts.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.base.doc import Doc
from workbench.ir.alike import peel
from workbench.ir.expr import Binary, BinaryOp, Const, Expr, Load, Var
from workbench.ir.module import Function, Launch, Level, Module, Table
from workbench.ir.naming import names
from workbench.ir.node import Node
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
from workbench.ir.text_expr import constant, element, expression
from workbench.ir.traverse import inner, walk
from workbench.ir.types import DType, Type, i32

WIDTH = 100
"""Columns after which the parameters of a function and the numbers of a table are wrapped."""

AUGMENTED = frozenset({BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL, BinaryOp.DIV})
"""Operators that are written ``x += e`` where that says the same."""


def text(node: Node) -> str:
    """Text of a module, function, statement or expression; `parse` reads that of a module back.

    Examples
    --------
    >>> from workbench.ir.build import add, mul
    >>> i = Var("i", i32)
    >>> text(mul(add(i, 1), 8))
    '(i + 1) * 8'
    """
    if isinstance(node, Module):
        return doc(node).text()
    called = names(node)
    out = Doc()
    if isinstance(node, Function):
        _function(node, _Writer(out, called, {}, _assigned(node)))
    elif isinstance(node, Stmt):
        _statement(node, _Writer(out, called, {}, _assigned(node)))
    elif isinstance(node, Expr):
        return expression(node, called)
    else:
        raise AssertionError(f"{type(node).__name__} has no text of its own")
    return out.text()


def doc(module: Module) -> Doc:
    """The text of a module, line by line, each with its span and statement number."""
    out = Doc()
    called = names(module)
    writer = _Writer(out, called, number(module), _assigned(module))
    if module.level is not Level.SCRIPT:
        out.line(f"level {module.level.value}")
    for table in module.tables:
        _table(table, writer)
    for place, function in enumerate(module.functions):
        if place or module.tables or module.level is not Level.SCRIPT:
            out.line("")
        _function(function, writer)
    return out


def number(module: Module) -> dict[Node, int]:
    """A number for every function and statement, from 1 in text order; a Seq has none."""
    found: dict[Node, int] = {}
    for function in module.functions:
        stack: list[Node] = [function]
        while stack:
            top = stack.pop()
            if not isinstance(top, Seq):
                found.setdefault(top, len(found) + 1)
            stack.extend(reversed(inner(top)))
    return found


@dataclass(frozen=True)
class _Writer:
    """Where the lines go, and what is known of the module."""

    out: Doc
    called: Mapping[Var, str]
    numbers: Mapping[Node, int]
    assigned: frozenset[Var]

    def expr(self, expr: Expr) -> str:
        """Text of an expression."""
        return expression(expr, self.called)

    def place(self, tensor: Var, index: tuple[Expr, ...], lanes: int) -> str:
        """Text of an access."""
        return element(self.called[tensor], tuple(map(self.expr, index)), lanes)

    def line(self, content: str, node: Node, note: str = "") -> None:
        """One line for `node`."""
        tail = f"  # {note}" if note else ""
        self.out.line(content + tail, node.span, self.numbers.get(node, 0))


def _assigned(root: Node) -> frozenset[Var]:
    return frozenset(n.var for n in walk(root) if isinstance(n, Assign))


def _table(table: Table, w: _Writer) -> None:
    kind = table.var.tensor
    head = f"table {w.called[table.var]}: {kind.dtype}[{', '.join(map(str, kind.shape))}] = ["
    body = ", ".join(constant(v, kind.dtype) for v in table.values)
    if len(head) + len(body) < WIDTH:
        w.out.line(f"{head}{body}]")
        return
    w.out.line(head)
    with w.out.indent():
        for row in textwrap.wrap(body, WIDTH - 2):
            w.out.line(row)
    w.out.line("]")


def _function(function: Function, w: _Writer) -> None:
    head = f"func {function.name}("
    params = [f"{w.called[p]}: {p.type}" for p in function.params]
    tail = f") -> {function.result}" if function.result else ")"
    if function.launch:
        tail += f" {_launch(function.launch)}"
    if len(head) + len(", ".join(params)) + len(tail) <= WIDTH:
        w.line(head + ", ".join(params) + tail, function)
    else:
        joint = ",\n" + " " * len(head)
        for row in (head + joint.join(params) + tail).splitlines():
            w.line(row, function)
    with w.out.indent():
        for note in function.notes:
            w.out.line(f"# {note}")
        _body(function.body, w)


def _launch(launch: Launch) -> str:
    return f"launch(grid={_extents(launch.grid)}, block={_extents(launch.block)})"


def _extents(xyz: tuple[int, int, int]) -> str:
    """``8``, ``(8, 2)`` or ``(8, 2, 4)``: trailing ones are left out."""
    x, y, z = xyz
    if z != 1:
        return f"({x}, {y}, {z})"
    return str(x) if y == 1 else f"({x}, {y})"


def _body(body: Stmt, w: _Writer) -> None:
    content = peel(body)
    stmts = content.body if isinstance(content, Seq) else (content,)
    if not stmts:
        w.out.line("pass")
    for stmt in stmts:
        assert isinstance(stmt, Stmt)
        _statement(stmt, w)


def _block(head: str, node: Node, body: Stmt, w: _Writer, note: str = "") -> None:
    w.line(head, node, note)
    with w.out.indent():
        _body(body, w)


def _statement(stmt: Stmt, w: _Writer) -> None:
    match stmt:
        case Seq():
            _block("scope", stmt, stmt, w)
        case For():
            _block(_for(stmt, w), stmt, stmt.body, w, stmt.note)
        case ForTask():
            given = str(stmt.mapping)
            given = f"({given})" if " * " in given else given
            variables = ", ".join(w.called[v] for v in stmt.vars)
            head = f"for {variables} in {given}.on({w.expr(stmt.worker)})"
            _block(head, stmt, stmt.body, w)
        case While():
            _block(f"while {w.expr(stmt.cond)}", stmt, stmt.body, w)
        case If():
            _if(stmt, w)
        case _:
            _simple(stmt, w)


def _simple(stmt: Stmt, w: _Writer) -> None:
    match stmt:
        case Declare():
            word = "var" if stmt.value is None or stmt.var in w.assigned else "let"
            value = "" if stmt.value is None else f" = {w.expr(stmt.value)}"
            w.line(f"{word} {w.called[stmt.var]}: {stmt.var.type}{value}", stmt)
        case Allocate():
            kind = stmt.var.tensor
            rest = str(kind).removeprefix(f"{kind.scope.value} ")
            w.line(f"{kind.scope.value} {w.called[stmt.var]}: {rest}", stmt)
        case Assign():
            target = w.called[stmt.var]
            w.line(_update(target, stmt.value, w), stmt)
        case Store():
            lanes = stmt.value.type.lanes if isinstance(stmt.value.type, DType) else 1
            target = w.place(stmt.tensor, stmt.index, lanes)
            w.line(_update(target, stmt.value, w), stmt)
        case Evaluate():
            w.line(w.expr(stmt.value), stmt)
        case Break():
            w.line("break", stmt)
        case Continue():
            w.line("continue", stmt)
        case Return():
            w.line("return" if stmt.value is None else f"return {w.expr(stmt.value)}", stmt)
        case _:
            raise AssertionError(f"{type(stmt).__name__} is no simple statement")


def _update(target: str, value: Expr, w: _Writer) -> str:
    """``target = value``, or ``target += b`` where `value` is ``target + b``."""
    match value:
        # by the text: in it two numbers differ that are equal in one call only
        case Binary(a=Load() | Var()) if value.op in AUGMENTED and w.expr(value.a) == target:
            return f"{target} {value.op.value}= {w.expr(value.b)}"
        case _:
            return f"{target} = {w.expr(value)}"


def _for(stmt: For, w: _Writer) -> str:
    kind: Type = stmt.var.type
    typed = "" if kind == i32 else f": {kind}"
    start, stop, step = stmt.start, stmt.stop, stmt.step
    bounds = [w.expr(start), w.expr(stop), w.expr(step)]
    if isinstance(step, Const) and step.value == 1:
        bounds.pop()
        if isinstance(start, Const) and start.value == 0:
            bounds.pop(0)
    tail = {None: "", 0: " unroll", 1: " no_unroll"}.get(stmt.unroll, f" unroll({stmt.unroll})")
    return f"for {w.called[stmt.var]}{typed} in range({', '.join(bounds)}){tail}"


def _if(stmt: If, w: _Writer) -> None:
    _block(f"if {w.expr(stmt.cond)}", stmt, stmt.then, w)
    rest = peel(stmt.orelse)
    while isinstance(rest, If):
        _block(f"elif {w.expr(rest.cond)}", rest, rest.then, w)
        rest = peel(rest.orelse)
    if rest is not None:
        assert isinstance(rest, Stmt)
        w.line("else", stmt)
        with w.out.indent():
            _body(rest, w)
