"""Locals that nobody reads go, and storage that nobody uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from workbench.ir.arith_rules import negated
from workbench.ir.expr import Atomic, Load, Var
from workbench.ir.module import Function, Module
from workbench.ir.node import Node
from workbench.ir.stmt import Allocate, Assign, Declare, For, If, Seq, Stmt, Store
from workbench.ir.target import Target
from workbench.ir.traverse import references, rewrite, variables, walk
from workbench.ir.types import Scope
from workbench.passes.base import Pass
from workbench.passes.pure import pure

_EMPTY = Seq(())


@dataclass(frozen=True)
class Eliminate(Pass):
    """Declarations and assignments whose value is never read are dropped, if without effect.

    So are register tensors that are only written, loops and branches that are left empty, and
    tables that are left unused.
    """

    def __call__(self, module: Module, target: Target) -> Module:
        """The module without dead code."""
        del target
        functions = tuple(map(_function, module.functions))
        used = {v for f in functions for v in variables(f)}
        tables = tuple(t for t in module.tables if t.var in used)
        same = all(a is b for a, b in zip(functions, module.functions, strict=True))
        if same and len(tables) == len(module.tables):
            return module
        return replace(module, functions=functions, tables=tables)


def _function(function: Function) -> Function:
    while True:
        needed = set(_needed(function))
        body = rewrite(function.body, lambda node, needed=needed: _without(node, needed))
        if body is function.body:
            return function
        function = replace(function, body=body)


def _needed(function: Function) -> Iterator[Var]:
    """Variables that are read, or whose values have effects; tensors that others may read."""
    for node in walk(function.body):
        match node:
            case Var():
                yield node
            case Load() | Atomic():
                yield node.tensor
            case Declare() | Assign():
                if node.value is not None and not pure(node.value):
                    yield node.var
            case Store():
                lasting = node.tensor.tensor.scope is not Scope.REGISTER
                if lasting or not all(map(pure, (node.value, *node.index))):
                    yield node.tensor
            case _:
                pass


def _without(node: Node, needed: set[Var]) -> Stmt | None:
    """What replaces a statement that is not needed; None keeps it."""
    match node:
        case Declare() | Assign() | Allocate() | Store():
            (var,) = references(node)
            return None if var in needed else _EMPTY
        case Seq():
            body = tuple(s for s in node.body if not _empty(s))
            return None if len(body) == len(node.body) else replace(node, body=body)
        case For():
            bounds = pure(node.start) and pure(node.stop)
            return _EMPTY if _empty(node.body) and bounds else None
        case If():
            return _branches(node)
        case _:
            return None


def _branches(node: If) -> Stmt | None:
    other = None if node.orelse is None or _empty(node.orelse) else node.orelse
    if not _empty(node.then):
        return None if other is node.orelse else replace(node, orelse=other)
    if other is not None:
        return replace(node, cond=negated(node.cond), then=other, orelse=None)
    return _EMPTY if pure(node.cond) else None


def _empty(stmt: Stmt) -> bool:
    return isinstance(stmt, Seq) and not stmt.body
