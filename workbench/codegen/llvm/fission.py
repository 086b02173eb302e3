"""Where barriers cut a kernel, and what lives across the cuts.

A construct that contains a barrier is *lifted*: it runs once per block, and the stretches between
its barriers become *regions*, each a loop over the groups of threads. A value that is made in one
region and used in another crosses: it is made again where that is free, else kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from workbench.base.errors import CodegenError
from workbench.codegen.llvm.private import written_first
from workbench.codegen.llvm.uniform import Uniformity
from workbench.ir.expr import Atomic, Call, Load, Var
from workbench.ir.intrinsic import INTRINSICS, Group
from workbench.ir.module import Function
from workbench.ir.node import Node
from workbench.ir.stmt import (
    Allocate,
    Assign,
    Break,
    Continue,
    Declare,
    Evaluate,
    For,
    Return,
    Seq,
    Stmt,
    Store,
    While,
)
from workbench.ir.traverse import binders, children, inner, references, variables, walk
from workbench.ir.types import Scope, TensorType


@dataclass
class Plan:
    """How a kernel is cut.

    Attributes
    ----------
    lifted : set of Stmt
        What runs once per block.
    hoisted : set of Var
        Uniform locals that are made once per block, before the region they are declared in.
    remade : set of Var
        Varying locals that each region makes again from their declaration.
    kept : set of Var
        Varying locals and register tensors that need memory across regions.
    """

    lifted: set[Stmt] = field(default_factory=set)
    hoisted: set[Var] = field(default_factory=set)
    remade: set[Var] = field(default_factory=set)
    kept: set[Var] = field(default_factory=set)


def is_barrier(stmt: Node) -> bool:
    """Whether this is a syncthreads."""
    return (
        isinstance(stmt, Evaluate)
        and isinstance(stmt.value, Call)
        and stmt.value.function == "syncthreads"
    )


def plan(function: Function, facts: Uniformity) -> Plan:
    """Cut a kernel at its barriers.

    Raises
    ------
    CodegenError
        When a barrier stands where only some threads of the block come.
    """
    found = Plan()
    if any(map(is_barrier, walk(function.body))):
        # what all threads of a block return from, the block returns from
        found.lifted |= {
            n for n in walk(function.body) if isinstance(n, Return) and n not in facts.divergent
        }
    before = -1
    while before != len(found.lifted) + len(found.hoisted):
        before = len(found.lifted) + len(found.hoisted)
        _lift(function.body, found, [])
        _crossings(function, facts, found)
    _check(function.body, facts, found, [], last=True)
    return found


def regions(body: Iterable[Stmt], lifted: set[Stmt]) -> Iterator[Stmt | list[Stmt]]:
    """The children of a lifted Seq: lifted ones alone, the others in stretches."""
    stretch: list[Stmt] = []
    for stmt in body:
        if stmt in lifted:
            if stretch:
                yield stretch
                stretch = []
            yield stmt
        else:
            stretch.append(stmt)
    if stretch:
        yield stretch


def _lift(stmt: Stmt, found: Plan, loops: list[Stmt]) -> bool:
    """Lift what contains a barrier, and jumps that leave it for a lifted loop."""
    around = [*loops, stmt] if isinstance(stmt, For | While) else loops
    # the body decides whether the loop is lifted before its breaks ask
    while True:
        before = len(found.lifted)
        parts = [_lift(each, found, around) for each in inner(stmt)]
        if any(parts) or is_barrier(stmt):
            found.lifted.add(stmt)
        if isinstance(stmt, Break | Continue) and loops[-1] in found.lifted:
            found.lifted.add(stmt)
        if len(found.lifted) == before or not isinstance(stmt, For | While):
            return stmt in found.lifted


@dataclass
class _Uses:
    """Regions in which each variable is declared and used; 0 is the block itself."""

    made: dict[Var, int] = field(default_factory=dict)
    used: dict[Var, set[int]] = field(default_factory=dict)
    bodies: list[list[Stmt]] = field(default_factory=lambda: [[]])

    @property
    def count(self) -> int:
        """The number of the newest region."""
        return len(self.bodies) - 1


def _crossings(function: Function, facts: Uniformity, found: Plan) -> None:
    if function.body not in found.lifted:
        return
    uses = _Uses()
    _block(function.body, found, uses)
    crossing = [v for v, at in uses.made.items() if uses.used.get(v, {at}) - {at}]
    nodes = list(walk(function.body))
    for var in crossing:
        if isinstance(var.type, TensorType):
            at = uses.used[var]
            alone = uses.bodies[min(at)] if len(at) == 1 else []
            if var.tensor.scope is not Scope.REGISTER:
                continue
            if alone and written_first(alone, var, facts):
                found.kept.discard(var)
            else:
                found.kept.add(var)
        elif var in facts.varying:
            _keep_or_remake(var, facts, found)
        elif var in facts.mutable:
            found.lifted |= {n for n in nodes if isinstance(n, Declare | Assign) and n.var is var}
        elif _free(var, facts):
            _make_free(var, facts, found)
        elif var in facts.declared:
            found.lifted.add(facts.declared[var])


def _keep_or_remake(var: Var, facts: Uniformity, found: Plan) -> None:
    if _free(var, facts):
        _make_free(var, facts, found)
        found.kept.discard(var)
    else:
        found.kept.add(var)


def _make_free(var: Var, facts: Uniformity, found: Plan) -> None:
    """Mark a local, and the locals that its declaration needs, as made where needed."""
    stmt = facts.declared.get(var)
    if stmt is None or stmt.value is None:
        return
    (found.remade if var in facts.varying else found.hoisted).add(var)
    for each in variables(stmt.value):
        _make_free(each, facts, found)


def _free(var: Var, facts: Uniformity) -> bool:
    """Whether a local can be made anywhere from its declaration: pure, of fixed values."""
    stmt = facts.declared.get(var)
    if stmt is None or stmt.value is None or var in facts.mutable:
        return False
    return all(_fixed(node, var in facts.varying, facts) for node in walk(stmt.value))


def _fixed(node: Node, varying: bool, facts: Uniformity) -> bool:
    match node:
        case Load() | Atomic():
            return False
        case Call():
            row = INTRINSICS.get(node.function)
            # a function of a varying value costs more than memory
            return row is not None and row.group is Group.THREAD and not varying
        case Var():
            if node in facts.mutable:
                return False
            return _free(node, facts) if node in facts.declared else node not in facts.varying
        case _:
            return True


def _block(stmt: Stmt, found: Plan, uses: _Uses) -> None:
    """Record uses of a lifted statement."""
    if stmt not in found.lifted:
        uses.bodies.append([stmt])
        _region(stmt, uses)
        return
    for var in binders(stmt):
        uses.made[var] = 0
    for node in _own(stmt):
        _use(node, 0, uses)
    for below in inner(stmt):
        if not isinstance(stmt, Seq):
            _block(below, found, uses)
    if isinstance(stmt, Seq):
        for part in regions(stmt.body, found.lifted):
            if isinstance(part, list):
                uses.bodies.append(part)
                for each in part:
                    _region(each, uses)
            else:
                _block(part, found, uses)


def _own(stmt: Stmt) -> list[Node]:
    """The expressions of a statement, without those of the statements in it."""
    below = set(inner(stmt))
    return [c for c in children(stmt) if c not in below]


def _region(stmt: Stmt, uses: _Uses) -> None:
    number = uses.count
    for node in walk(stmt):
        for var in binders(node):
            uses.made[var] = number
        if isinstance(node, Var | Load | Store | Atomic | Assign):
            for var in (node,) if isinstance(node, Var) else references(node):
                uses.used.setdefault(var, set()).add(number)


def _use(node: Node, number: int, uses: _Uses) -> None:
    for var in variables(node):
        uses.used.setdefault(var, set()).add(number)


def _check(stmt: Stmt, facts: Uniformity, found: Plan, around: list[Stmt], *, last: bool) -> None:
    """Barriers stand where all threads come; threads that return early meet none later."""
    if stmt not in found.lifted:
        if not last or any(isinstance(s, For | While) for s in around):
            for node in walk(stmt):
                if isinstance(node, Return) and found.lifted:
                    _early_return(node)
        return
    if stmt in facts.divergent or stmt in facts.parted:
        _diverges(stmt, found)
    if isinstance(stmt, Seq):
        places = [i for i, each in enumerate(stmt.body) if each in found.lifted]
        end = places[-1] if places else -1
        for i, each in enumerate(stmt.body):
            _check(each, facts, found, around, last=last and i >= end)
        return
    for each in inner(stmt):
        _check(each, facts, found, [*around, stmt], last=last)


def _early_return(stmt: Return) -> None:
    raise CodegenError(
        "a thread returns here, and other threads may wait for it at a later syncthreads",
        span=stmt.span,
        hint="put the statements after it in an if instead of returning",
    )


def _diverges(stmt: Stmt, found: Plan) -> None:
    barrier = next((n for n in walk(stmt) if is_barrier(n)), stmt)
    what = f"this {type(stmt).__name__.lower()}"
    where = f" at line {stmt.span.line}" if stmt.span else ""
    raise CodegenError(
        f"syncthreads stands inside {what}{where}, where only some threads of a block may be",
        span=barrier.span or stmt.span,
        hint="move the barrier out, or decide by a value that all threads of the block share",
    )


def allocated(function: Function, scope: Scope) -> list[Var]:
    """Tensors of one scope that the function allocates, in text order."""
    return [
        n.var
        for n in walk(function.body)
        if isinstance(n, Allocate) and n.var.tensor.scope is scope
    ]
