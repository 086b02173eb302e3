"""Shorter integer expressions, guards that are proved dropped, loops of one turn undone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from workbench.ir import facts as known
from workbench.ir.arith import assume, form_of, prove, range_of, simplify
from workbench.ir.arith_rules import negated
from workbench.ir.expr import Binary, BinaryOp, Builtin, Const, Expr, Load, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Range
from workbench.ir.module import Function, Module
from workbench.ir.node import Node
from workbench.ir.stmt import Break, Continue, Declare, For, ForTask, If, Return, Seq, Stmt, While
from workbench.ir.target import Target
from workbench.ir.traverse import children, inner, rebuild, substitute, walk
from workbench.ir.types import DType, boolean
from workbench.passes.base import Pass
from workbench.passes.pure import pure

NOTHING = Seq(())
"""What is left of a statement that does nothing."""


@dataclass(frozen=True)
class Simplify(Pass):
    """Integers are put in order by what is known of loops, launch, guards and definitions.

    A definition is put in its place where that makes the expression no longer; a guard that
    always holds goes, with all that can never run; a loop of one turn becomes its body.
    """

    def __call__(self, module: Module, target: Target) -> Module:
        """The module, shorter or the same."""
        del target
        functions = tuple(_function(f, module) for f in module.functions)
        if all(a is b for a, b in zip(functions, module.functions, strict=True)):
            return module
        return replace(module, functions=functions)


def _function(function: Function, module: Module) -> Function:
    body = _statement(function.body, known.of_function(function, module)).stmt
    return function if body is function.body else replace(function, body=body)


class _Step(NamedTuple):
    """A statement, and what is known after it."""

    stmt: Stmt
    facts: Facts


def _statement(stmt: Stmt, facts: Facts) -> _Step:
    match stmt:
        case Seq():
            return _Step(_sequence(stmt, facts), facts)
        case For():
            return _Step(_for(stmt, facts), facts)
        case If():
            return _if(stmt, facts)
        case While():
            return _Step(_while(stmt, facts), facts)
        case ForTask():
            worker, body = simplify(stmt.worker, facts), _statement(stmt.body, facts).stmt
            return _Step(_changed(stmt, {stmt.worker: worker, stmt.body: body}), facts)
        case Declare():
            return _declare(stmt, facts)
        case _:
            return _Step(_expressions(stmt, facts), facts)


def _changed(stmt: Stmt, done: dict[Node, Node]) -> Stmt:
    new = rebuild(stmt, done)
    assert isinstance(new, Stmt)
    return new


def _expressions(stmt: Stmt, facts: Facts) -> Stmt:
    """A statement without statements in it, its expressions simplified."""
    return _changed(stmt, {e: simplify(e, facts) for e in children(stmt) if isinstance(e, Expr)})


def _sequence(stmt: Seq, facts: Facts) -> Stmt:
    """Statements in order; what stands after one that always leaves never runs."""
    body: list[Stmt] = []
    for each in stmt.body:
        new, facts = _statement(each, facts)
        body.extend(new.body if isinstance(new, Seq) else (new,))
        if leaves(new):
            break
    same = len(body) == len(stmt.body) and all(a is b for a, b in zip(body, stmt.body, strict=True))
    return stmt if same else replace(stmt, body=tuple(body))


def leaves(stmt: Stmt) -> bool:
    """Whether nothing after `stmt` in its sequence runs."""
    match stmt:
        case Return() | Break() | Continue():
            return True
        case Seq():
            return any(map(leaves, stmt.body))
        case If():
            return stmt.orelse is not None and leaves(stmt.then) and leaves(stmt.orelse)
        case _:
            return False


def _declare(stmt: Declare, facts: Facts) -> _Step:
    new = _expressions(stmt, facts)
    assert isinstance(new, Declare)
    value, kind = new.value, new.var.type
    scalar = isinstance(kind, DType) and kind.is_int and kind.lanes == 1
    if value is None or not scalar or stmt.var in facts.changing:
        return _Step(new, facts)
    form = form_of(value, facts)
    if form is not None and form.stable and not isinstance(value, Var | Builtin):
        return _Step(new, facts.defined(stmt.var, form))
    # another name of a variable is a name that someone chose: it stays, but is known
    return _Step(new, facts.bound(stmt.var, range_of(value, facts)))


def _for(stmt: For, facts: Facts) -> Stmt:
    start, stop = simplify(stmt.start, facts), simplify(stmt.stop, facts)
    step = stmt.step
    assert isinstance(step, Const)
    turns = _turns(start, stop, int(step.value), facts)
    if turns.lo > turns.hi:
        return NOTHING
    if isinstance(start, Const) and _once(start, stop, int(step.value)) and not _own_exit(stmt):
        return _statement(substitute(stmt.body, {stmt.var: start}), facts).stmt
    inside = facts.bound(stmt.var, turns, loop=True)
    upwards = int(step.value) > 0
    inside = assume(
        inside, Binary(BinaryOp.LT if upwards else BinaryOp.GT, stmt.var, stop, boolean)
    )
    body = _statement(stmt.body, inside).stmt
    if body is NOTHING or (isinstance(body, Seq) and not body.body):
        return NOTHING if pure(start) and pure(stop) else stmt
    return _changed(stmt, {stmt.start: start, stmt.stop: stop, stmt.body: body})


def _turns(start: Expr, stop: Expr, step: int, facts: Facts) -> Range:
    """Where the loop variable lies inside the loop; empty when there is no turn."""
    first, last = range_of(start, facts), range_of(stop, facts)
    if step < 0:
        low, high = Range(last.lo + 1, last.hi + 1), first
        if first.lo == first.hi and last.lo == last.hi:
            turns = (first.lo - last.lo - 1) // -step
            return Range(first.lo + turns * step, first.lo) if turns >= 0 else Range(1, 0)
        return Range(low.lo, high.hi)
    if first.lo == first.hi and last.lo == last.hi:
        turns = (last.lo - 1 - first.lo) // step
        return Range(first.lo, first.lo + turns * step) if turns >= 0 else Range(1, 0)
    return Range(first.lo, last.hi - 1)


def _once(start: Const, stop: Expr, step: int) -> bool:
    """Whether a loop has one turn."""
    if not isinstance(stop, Const):
        return False
    distance = (int(stop.value) - int(start.value)) * (1 if step > 0 else -1)
    return 0 < distance <= abs(step)


def _own_exit(loop: For) -> bool:
    """Whether a Break or Continue acts on this loop."""
    stack: list[Node] = [loop.body]
    while stack:
        top = stack.pop()
        if isinstance(top, Break | Continue):
            return True
        if not isinstance(top, For | ForTask | While):
            stack.extend(inner(top))
    return False


def _while(stmt: While, facts: Facts) -> Stmt:
    cond = simplify(stmt.cond, facts)
    if isinstance(cond, Const) and not cond.value:
        return NOTHING
    body = _statement(stmt.body, assume(facts, cond)).stmt
    return _changed(stmt, {stmt.cond: cond, stmt.body: body})


def _if(stmt: If, facts: Facts) -> _Step:
    cond = simplify(stmt.cond, facts)
    if isinstance(cond, Const):
        taken = stmt.then if cond.value else stmt.orelse
        return _statement(taken or NOTHING, facts)
    then = _statement(stmt.then, assume(facts, cond)).stmt
    without = assume(facts, cond, holds=False)
    other = None if stmt.orelse is None else _statement(stmt.orelse, without).stmt
    if isinstance(other, Seq) and not other.body:
        other = None
    after = without if leaves(then) else facts
    if isinstance(then, Seq) and not then.body:
        if other is None:
            return _Step(NOTHING if pure(cond) else stmt, facts)
        cond, then, other = negated(cond), other, None
    if (
        isinstance(then, If)
        and other is None
        and then.orelse is None
        and _implied(then, cond, facts)
    ):
        return _Step(then, facts)
    if (cond, then, other) == (stmt.cond, stmt.then, stmt.orelse):
        return _Step(stmt, after)
    return _Step(replace(stmt, cond=cond, then=then, orelse=other), after)


def _implied(inside: Stmt, cond: Expr, facts: Facts) -> bool:
    """Whether `inside` is a guard that says all that `cond` says, and may be read outside of it."""
    if not isinstance(inside, If) or inside.orelse is not None:
        return False
    safe = pure(cond) and pure(inside.cond)
    safe = safe and not any(isinstance(node, Load) for node in walk(inside.cond))
    return safe and prove(cond, assume(facts, inside.cond)) is True
