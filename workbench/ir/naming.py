"""One readable name per variable, reused where scopes do not overlap."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.names import safe_name
from workbench.ir.expr import AtomicOp, BinaryOp, Var
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.module import Function, Module
from workbench.ir.node import Node
from workbench.ir.stmt import Allocate, Declare, Seq
from workbench.ir.traverse import binders, inner, variables
from workbench.ir.types import SCALARS, Scope

LANES = (1, 2, 4, 8, 16)
"""Lanes that a short vector may have."""

KEYWORDS = frozenset(
    """func launch level table let var pass for in range on unroll no_unroll if elif else while
    break continue return scope and or not True False inf nan tdiv tmod""".split()
)

RESERVED = frozenset(
    {
        *KEYWORDS,
        *(s.value for s in Scope),
        *(f"{s}{f'x{n}' if n > 1 else ''}" for s in SCALARS for n in LANES),
        *(f"{word}_{s}" for word in ("inf", "nan") for s in SCALARS),
        *INTRINSICS,
        *(op.value for op in (BinaryOp.MIN, BinaryOp.MAX)),
        *(f"atomic_{op.value}" for op in AtomicOp),
        *("threadIdx", "blockIdx", "blockDim", "gridDim"),
    }
)
"""Words that mean something in the text form, so that no variable is called so."""


def names(root: Node, reserved: Iterable[str] = ()) -> dict[Var, str]:
    """A name for every variable that occurs below `root`.

    A variable keeps its own name where no visible one has it; else it becomes ``x_1``, ``x_2`` …
    Two variables of scopes that do not overlap may have one name.

    Parameters
    ----------
    root : Node
        A function, a statement or an expression; a module gives the names of its tables and of
        all its functions' variables.
    reserved : iterable of str
        Names that are not given, besides those of the language.
    """
    taken = RESERVED | set(reserved)
    given: dict[Var, str] = {}
    if isinstance(root, Module):
        taken |= {f.name for f in root.functions}
        for table in root.tables:
            taken = taken | {_give(table.var, given, taken)}
        for function in root.functions:
            _scope(function, given, set(taken))
        return given
    _scope(root, given, set(taken))
    return given


def _give(var: Var, given: dict[Var, str], used: set[str] | frozenset[str]) -> str:
    base = safe_name(var.name)
    name, n = base, 0
    while name in used:
        n += 1
        name = f"{base}_{n}"
    given[var] = name
    return name


def _scope(root: Node, given: dict[Var, str], used: set[str]) -> None:
    """Names free variables and parameters first, then what is declared, scope by scope."""
    bound: set[Var] = set()
    everything = variables(root)
    stack: list[Node] = [root]
    while stack:
        top = stack.pop()
        bound.update(binders(top))
        stack.extend(inner(top))
    free = everything - bound
    params = root.params if isinstance(root, Function) else ()
    for var in (*params, *sorted(free.difference(params), key=lambda v: v.uid)):
        if var not in given:
            used.add(_give(var, given, used))
    body = root.body if isinstance(root, Function) else root
    _statement(body, given, used)


def _statement(stmt: Node, given: dict[Var, str], used: set[str]) -> None:
    for var in binders(stmt):
        if var not in given:
            _give(var, given, used)
        used.add(given[var])
    for below in inner(stmt):
        # what a Seq declares stays visible to its later statements; all else is a scope
        declares = isinstance(stmt, Seq) and isinstance(below, Declare | Allocate)
        _statement(below, given, used if declares else set(used))
