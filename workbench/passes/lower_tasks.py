"""Task loops become plain loops, indices and guards."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.ir.build import add, all_of, binary, cast, const, floordiv, floormod, load, mul, seq
from workbench.ir.expr import FALSE, TRUE, BinaryOp, Builtin, Const, Expr, Var
from workbench.ir.module import Function, Module, Table
from workbench.ir.node import Node
from workbench.ir.stmt import Assign, Break, Continue, Declare, For, ForTask, If, Seq, Stmt, While
from workbench.ir.target import Target
from workbench.ir.traverse import inner, rewrite, substitute, walk
from workbench.ir.types import DType, Scope, TensorType, boolean, i32
from workbench.mapping import WORKER, Digit, Guard, Lookup, TaskMapping, Term
from workbench.mapping.factor import Attr, Primitive, most_tasks
from workbench.passes.base import Pass

_UNROLL: dict[Attr, int | None] = {None: None, "unroll": 0, "no_unroll": 1}


@dataclass(frozen=True)
class LowerTasks(Pass):
    """Each task loop becomes the loop nest of its mapping.

    A worker outside the mapping is kept out by a guard; the coordinates of a task are declared
    under their names, or put in place where they are a single variable or number; the tables of a
    user's function become tables of the module.
    """

    def __call__(self, module: Module, target: Target) -> Module:
        """The module without task loops."""
        del target
        tables: dict[tuple[int, ...], Var] = {}
        functions = tuple(_function(f, tables) for f in module.functions)
        if all(a is b for a, b in zip(functions, module.functions, strict=True)):
            return module
        new = tuple(Table(var, values) for values, var in tables.items())
        return replace(module, functions=functions, tables=module.tables + new)


def _function(function: Function, tables: dict[tuple[int, ...], Var]) -> Function:
    loops = [node for node in walk(function) if isinstance(node, ForTask)]
    if not loops:
        return function
    assigned = frozenset(n.var for n in walk(function) if isinstance(n, Assign))

    def rule(node: Node) -> Node | None:
        return _lower(node, assigned, tables) if isinstance(node, ForTask) else None

    # in the order of the text, each once
    notes = dict.fromkeys((*function.notes, *(_note(loop.mapping) for loop in loops)))
    return replace(rewrite(function, rule), notes=tuple(notes))


def _note(mapping: TaskMapping) -> str:
    """What a reader should know of a mapping, in one line."""
    tasks = most_tasks(mapping.factors)
    workers = f"{mapping.workers} worker{'s' * (mapping.workers != 1)}"
    return f"{mapping}: {workers}, {tasks} task{'s' * (tasks != 1)} each"


@dataclass
class _Nest:
    """Variables of a nest under construction."""

    worker: Expr
    loops: tuple[Var, ...]
    tables: dict[tuple[int, ...], Var]

    def sum(self, terms: tuple[Term, ...]) -> Expr:
        """The sum of terms."""
        return add(*map(self.term, terms))

    def term(self, term: Term) -> Expr:
        """One term."""
        if isinstance(term, Lookup):
            return mul(load(self.table(term.table), (self.sum(term.position),)), term.coef)
        value = self.worker if term.source == WORKER else self.loops[term.source]
        if term.div != 1:
            value = floordiv(value, term.div)
        if term.mod is not None:
            value = floormod(value, term.mod)
        return mul(value, term.coef)

    def table(self, values: tuple[int, ...]) -> Var:
        """The constant tensor that holds `values`; the same for the same values."""
        if values not in self.tables:
            kind = TensorType(i32, (len(values),), Scope.CONSTANT)
            name = f"tasks{len(self.tables) or ''}"
            self.tables[values] = Var(name, kind)
        return self.tables[values]

    def guard(self, guard: Guard) -> Expr:
        """Whether a task is done."""
        bound = guard.bound if isinstance(guard.bound, int) else self.sum(guard.bound)
        return binary(BinaryOp.LT, self.sum(guard.terms), bound)


def _lower(stmt: ForTask, assigned: frozenset[Var], tables: dict[tuple[int, ...], Var]) -> Stmt:
    mapping = stmt.mapping
    nest = mapping.nest()
    before, worker = _worker(stmt, assigned)
    single = len(nest.loops) == 1
    loops = tuple(Var("r" if single else f"r{n}", i32) for n in range(len(nest.loops)))
    terms = _Nest(cast(worker, i32), loops, tables)
    body = _coordinates(stmt, tuple(terms.sum(t) for t in nest.index))
    inside = [g for g in nest.guards if _loops_of(g)]
    outside = [g for g in nest.guards if not _loops_of(g)]
    if inside:
        body = If(all_of(*map(terms.guard, inside)), body, span=stmt.span)
    body = _loops(stmt, loops, body)
    if outside:
        # inside the guard of the worker, since a table is only read at workers of the mapping
        body = If(all_of(*map(terms.guard, outside)), body, span=stmt.span)
    low, high = binary(BinaryOp.LE, 0, worker), binary(BinaryOp.LT, worker, mapping.workers)
    guarded = If(all_of(low, high), body, span=stmt.span)
    return Seq((*before, guarded), span=stmt.span) if before else guarded


def _worker(stmt: ForTask, assigned: frozenset[Var]) -> tuple[list[Stmt], Expr]:
    """The worker as something that is cheap to read and stays, and what declares it."""
    worker, kind = stmt.worker, stmt.worker.type
    assert isinstance(kind, DType)
    simple = isinstance(worker, Const | Builtin | Var) and worker not in assigned
    if simple and kind == i32:
        return [], worker
    var = Var("worker", kind)
    return [Declare(var, worker, span=stmt.span)], var


def _coordinates(stmt: ForTask, index: tuple[Expr, ...]) -> Stmt:
    """The body with the coordinates of its task declared or put in place."""
    declared: list[Stmt] = []
    values: dict[Var, Node] = {}
    for var, value in zip(stmt.vars, index, strict=True):
        kind = var.type
        assert not isinstance(kind, TensorType)
        coordinate = cast(value, kind)
        if isinstance(coordinate, Const | Var | Builtin):
            values[var] = coordinate
        else:
            declared.append(Declare(var, coordinate, span=stmt.span))
    body = substitute(stmt.body, values) if values else stmt.body
    return seq(*declared, body) if declared else body


def _loops_of(guard: Guard) -> set[int]:
    """The loops that a guard reads."""
    bound = () if isinstance(guard.bound, int) else guard.bound
    found: set[int] = set()
    for term in (*guard.terms, *bound):
        digits = (term,) if isinstance(term, Digit) else term.position
        found.update(d.source for d in digits if d.source != WORKER)
    return found


def _loops(stmt: ForTask, variables: tuple[Var, ...], body: Stmt) -> Stmt:
    """`body` in the loops of the nest, from the inside out.

    A break of a task loop leaves all of its loops: the inner ones tell the outer by a flag.
    """
    nest, notes = stmt.mapping.nest(), _factors(stmt.mapping)
    leaves = _leaves(body)
    if not nest.loops:
        # a break or continue needs a loop to act on
        once = For(Var("once", i32), const(0), const(1), const(1), body, span=stmt.span)
        return once if leaves else body
    flag = Var("done", boolean) if len(nest.loops) > 1 and Break in leaves else None
    if flag is not None:
        body = _told(body, flag)
    for n in reversed(range(len(variables))):
        loop = nest.loops[n]
        unroll = loop.attr if isinstance(loop.attr, int) else _UNROLL[loop.attr]
        stop = const(loop.extent)
        body = For(variables[n], const(0), stop, const(1), body, unroll, notes[n], span=stmt.span)
        if flag is not None and n:
            body = Seq((body, If(flag, Break(span=stmt.span), span=stmt.span)), span=stmt.span)
    return body if flag is None else Seq((Declare(flag, FALSE, span=stmt.span), body))


def _factors(mapping: TaskMapping) -> list[str]:
    """For each loop of the nest the factor it came from, where it came from one."""
    found: list[str] = []
    for factor in mapping.factors:
        if isinstance(factor, Primitive) and factor.kind == "repeat":
            found += [str(factor)] * sum(extent > 1 for extent in factor.shape)
    loops = len(mapping.nest().loops)
    return found if len(found) == loops else [""] * loops


def _leaves(body: Stmt) -> set[type[Node]]:
    """Break and Continue, where they stand in `body` outside of its own loops."""
    found: set[type[Node]] = set()
    stack: list[Node] = [body]
    while stack:
        top = stack.pop()
        if isinstance(top, Break | Continue):
            found.add(type(top))
        if not isinstance(top, For | ForTask | While):
            stack.extend(inner(top))
    return found


def _told(body: Stmt, flag: Var) -> Stmt:
    """`body` in which each Break of its own sets `flag` first."""
    match body:
        case Break():
            return Seq((Assign(flag, TRUE, span=body.span), body), span=body.span)
        case Seq():
            return replace(body, body=tuple(_told(s, flag) for s in body.body))
        case If():
            other = None if body.orelse is None else _told(body.orelse, flag)
            return replace(body, then=_told(body.then, flag), orelse=other)
        case _:
            return body
