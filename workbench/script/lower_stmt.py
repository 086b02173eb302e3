"""Statements of Python to IR: one rule per kind of syntax, nothing else is taken."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import cast as typed

from workbench.ir.build import const, truth
from workbench.ir.expr import Atomic, Call
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.stmt import Break, Continue, Evaluate, If, Return
from workbench.ir.traverse import locate
from workbench.ir.types import DType
from workbench.script.context import Context, Done, describe, one, runs
from workbench.script.convert import convert
from workbench.script.lower_assign import lower_annotated, lower_assign, lower_augmented
from workbench.script.lower_loop import lower_for, lower_while
from workbench.script.scope import bound_for_sure

_UNSUPPORTED: dict[type[ast.stmt], tuple[str, str | None]] = {
    ast.With: ("with", None),
    ast.AsyncWith: ("async with", None),
    ast.AsyncFor: ("async for", None),
    ast.Try: ("try", None),
    ast.TryStar: ("try", None),
    ast.Raise: ("raise", "a condition known at translation can be checked with assert"),
    ast.FunctionDef: ("a def inside a script", "define it outside and decorate it with @wb.script"),
    ast.AsyncFunctionDef: ("async def", None),
    ast.ClassDef: ("class", None),
    ast.Import: ("import", "import at the top of the file or cell"),
    ast.ImportFrom: ("import", "import at the top of the file or cell"),
    ast.Global: ("global", None),
    ast.Nonlocal: ("nonlocal", None),
    ast.Delete: ("del", None),
    ast.Match: ("match", "use if and elif"),
}


def lower_body(ctx: Context, body: list[ast.stmt]) -> None:
    """Lower statements one after the other into the innermost open block."""
    for stmt in body:
        rule = _RULES.get(type(stmt))
        if rule is None:
            word, hint = _UNSUPPORTED.get(type(stmt), (type(stmt).__name__, None))
            raise ctx.error(stmt, f"{word} is not part of the script language", hint)
        with ctx.at(stmt):
            rule(ctx, stmt)


def _expression(ctx: Context, node: ast.Expr) -> None:
    if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return
    value = ctx.whole_value(node.value)
    if isinstance(value, Done):
        return
    if isinstance(value, Atomic) or (isinstance(value, Call) and _acts(value)):
        ctx.emit(Evaluate(value, span=ctx.span(node)))
        return
    raise ctx.error(node, f"this does nothing: it is {describe(value)}", "assign it or remove it")


def _acts(call: Call) -> bool:
    row = INTRINSICS.get(call.function)
    return row is None or call.type is None


def _pass(ctx: Context, node: ast.Pass) -> None:
    del ctx, node


def _if(ctx: Context, node: ast.If) -> None:
    test = ctx.value(node.test)
    if not runs(test):
        lower_body(ctx, node.body if ctx.holds(node.test, test) else node.orelse)
        return
    cond, span = truth(ctx.number(node.test, test)), ctx.span(node)
    both = bound_for_sure(node.body) & bound_for_sure(node.orelse)
    depth = len(ctx.bodies) - 1
    new = {name: depth for name in both if ctx.scope.find(name) is None}
    outer, ctx.hoisted = ctx.hoisted, {**new, **ctx.hoisted}
    with ctx.block() as then:
        lower_body(ctx, node.body)
    other = None
    if node.orelse:
        with ctx.block() as other:
            lower_body(ctx, node.orelse)
    ctx.hoisted = {name: d for name, d in outer.items() if name in ctx.hoisted}
    orelse = one(other, span) if other else None
    ctx.emit(If(locate(cond, ctx.span(node.test)), one(then, span), orelse, span=span))


def _break(ctx: Context, node: ast.Break | ast.Continue) -> None:
    word = "break" if isinstance(node, ast.Break) else "continue"
    if ctx.loops and ctx.loops[-1] == "static":
        raise ctx.error(
            node,
            f"{word} cannot leave a loop that is written out at translation",
            "loop with range(...), or put the rest of the turn under an if",
        )
    ctx.emit((Break if word == "break" else Continue)(span=ctx.span(node)))


def _return(ctx: Context, node: ast.Return) -> None:
    span = ctx.span(node)
    if node.value is None:
        if ctx.result is not None:
            raise ctx.error(node, f"this function returns {ctx.result}; give a value")
        ctx.emit(Return(None, span=span))
        return
    if ctx.launch is not None:
        raise ctx.error(node, "a kernel returns nothing", "store the result in a tensor")
    number = ctx.operand(node.value)
    if ctx.result is None:
        first = const(number) if isinstance(number, bool | int | float) else number
        assert isinstance(first.type, DType)
        ctx.result = first.type
    with ctx.at(node.value):
        value = locate(convert(number, ctx.result, "the result"), span)
    ctx.emit(Return(value, span=span))


def _assert(ctx: Context, node: ast.Assert) -> None:
    if not ctx.holds(node.test, ctx.known(node.test, "what assert checks")):
        text = ctx.known(node.msg, "the message of assert") if node.msg else None
        message = str(text) if text is not None else f"{ast.unparse(node.test)} does not hold"
        raise ctx.error(node.test, message)


_RULES: dict[type[ast.stmt], Callable[[Context, ast.stmt], None]] = typed(
    "dict[type[ast.stmt], Callable[[Context, ast.stmt], None]]",
    {
        ast.Expr: _expression,
        ast.Pass: _pass,
        ast.Assign: lower_assign,
        ast.AnnAssign: lower_annotated,
        ast.AugAssign: lower_augmented,
        ast.If: _if,
        ast.For: lambda ctx, node: lower_for(ctx, node, lower_body),
        ast.While: lambda ctx, node: lower_while(ctx, node, lower_body),
        ast.Break: _break,
        ast.Continue: _break,
        ast.Return: _return,
        ast.Assert: _assert,
    },
)
