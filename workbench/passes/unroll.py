"""Loops over register tensors are marked to be unrolled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeGuard

from workbench.ir.expr import Const, Expr, Load, Var
from workbench.ir.module import Module
from workbench.ir.node import Node
from workbench.ir.stmt import Declare, For, Store
from workbench.ir.target import Target
from workbench.ir.traverse import rewrite, walk
from workbench.ir.types import Scope
from workbench.passes.base import Pass


@dataclass(frozen=True)
class Unroll(Pass):
    """A loop of up to `limit` turns whose variable indexes a register tensor is unrolled in full.

    Registers have no addresses: a register tensor stays in registers only where every index is
    known when the target's compiler has unrolled. A loop that says something itself is left alone.

    Attributes
    ----------
    limit : int
        Most turns of a loop that is marked.
    """

    limit: int = 64

    def __call__(self, module: Module, target: Target) -> Module:
        """The module with marks on its loops."""
        del target
        return rewrite(module, self._rule)

    def _rule(self, node: Node) -> Node | None:
        if not isinstance(node, For) or node.unroll is not None:
            return None
        turns = _turns(node)
        if turns is None or turns > self.limit or not _indexes_registers(node):
            return None
        return replace(node, unroll=0)


def _turns(loop: For) -> int | None:
    """Turns of a loop whose bounds are numbers."""
    bounds = (loop.start, loop.stop, loop.step)
    if not all(isinstance(b, Const) for b in bounds):
        return None
    start, stop, step = (int(b.value) for b in bounds if isinstance(b, Const))
    return len(range(start, stop, step))


def _indexes_registers(loop: For) -> bool:
    """Whether an index of a register tensor depends on the loop variable."""
    depends = {loop.var}
    for node in walk(loop.body):
        if isinstance(node, Declare) and node.value is not None and _reads(node.value, depends):
            depends.add(node.var)
        elif _of_registers(node) and any(_reads(index, depends) for index in node.index):
            return True
    return False


def _of_registers(node: Node) -> TypeGuard[Load | Store]:
    return isinstance(node, Load | Store) and node.tensor.tensor.scope is Scope.REGISTER


def _reads(expr: Expr, variables: set[Var]) -> bool:
    return any(node in variables for node in walk(expr) if isinstance(node, Var))
