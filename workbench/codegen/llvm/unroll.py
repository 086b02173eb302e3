"""Loops that are written out: those whose variable picks an element of a register tensor."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.codegen.llvm.uniform import Uniformity
from workbench.codegen.llvm.value import Value
from workbench.ir.expr import Load, Var
from workbench.ir.node import Node
from workbench.ir.stmt import Break, Continue, For, Store, While
from workbench.ir.traverse import inner, variables, walk
from workbench.ir.types import Scope

LIMIT = 4096
"""Nodes that a loop may grow to."""


def turns(
    facts: Uniformity, stmt: For, start: Value, stop: Value, step: int
) -> Sequence[int] | None:
    """The numbers a loop counts through, when it is to be written out; else None.

    LLVM keeps a register tensor in registers only where every index is a number, and it would
    find out too late: loops are unrolled after memory is promoted.
    """
    if start.known is None or stop.known is None or stmt.unroll == 1:
        return None
    numbers = range(start.known, stop.known, step)
    if len(numbers) <= 1:
        return None if _jumps(stmt) else numbers
    nodes = list(walk(stmt.body))
    if len(nodes) * len(numbers) > LIMIT or _jumps(stmt):
        return None
    return numbers if stmt.unroll == 0 or stmt.var in _deciding(nodes, facts) else None


def _jumps(stmt: For) -> bool:
    """Whether a break or continue in the body means this loop."""
    stack: list[Node] = [stmt.body]
    while stack:
        node = stack.pop()
        if isinstance(node, Break | Continue):
            return True
        if not isinstance(node, For | While):
            stack.extend(inner(node))
    return False


def _deciding(nodes: list[Node], facts: Uniformity) -> set[Var]:
    """Variables from which indices of register tensors are computed."""
    found: set[Var] = set()
    for node in nodes:
        if isinstance(node, Load | Store) and node.tensor.tensor.scope is Scope.REGISTER:
            for index in node.index:
                found |= variables(index)
    before = -1
    while before != len(found):
        before = len(found)
        for var in tuple(found):
            made = facts.declared.get(var)
            if made is not None and made.value is not None:
                found |= variables(made.value)
    return found
