"""Register tensors that need no memory across barriers, though they are allocated before one.

A tensor that one region alone uses, and writes before it reads in every execution, holds nothing
between two executions of that region.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from workbench.codegen.llvm.uniform import Uniformity
from workbench.ir.alike import alike
from workbench.ir.expr import Atomic, Binary, BinaryOp, Call, Const, Expr, Load, Var
from workbench.ir.node import Node
from workbench.ir.stmt import Break, Continue, For, If, Return, Seq, Stmt, Store, While
from workbench.ir.traverse import children, inner, walk

_LIMIT = 4096

_FOLD = {
    BinaryOp.ADD: lambda a, b: a + b,
    BinaryOp.SUB: lambda a, b: a - b,
    BinaryOp.MUL: lambda a, b: a * b,
    BinaryOp.FLOORDIV: lambda a, b: a // b,
    BinaryOp.FLOORMOD: lambda a, b: a % b,
    BinaryOp.TRUNCDIV: lambda a, b: a // b,
    BinaryOp.TRUNCMOD: lambda a, b: a % b,
}

Guards = tuple[tuple[Expr, bool], ...]


@dataclass
class _Walk:
    """What has been written, under which conditions."""

    tensor: Var
    facts: Uniformity
    written: list[tuple[Guards, set[int]]] = field(default_factory=list)
    counters: dict[Var, range] = field(default_factory=dict)


def written_first(body: list[Stmt], tensor: Var, facts: Uniformity) -> bool:
    """Whether every element of `tensor` that the region reads was written in it before."""
    nodes = [n for stmt in body for n in walk(stmt)]
    if any(isinstance(n, Break | Continue | Return) for n in nodes):
        return False
    state = _Walk(tensor, facts)
    return all(_statement(stmt, (), state) for stmt in body)


def _statement(stmt: Stmt, guards: Guards, w: _Walk) -> bool:
    """Record what is written; False when something is read that was not."""
    reads = [n for n in _own(stmt) if isinstance(n, Load) and n.tensor is w.tensor]
    if not all(_covered(load, guards, w) for load in reads):
        return False
    match stmt:
        case Store():
            if stmt.tensor is w.tensor:
                w.written.append((guards, _elements(stmt.index[0], _lanes(stmt), w) or set()))
            return True
        case If():
            then = _statement(stmt.then, (*guards, (stmt.cond, True)), w)
            other = stmt.orelse is None or _statement(stmt.orelse, (*guards, (stmt.cond, False)), w)
            return then and other
        case For() | While():
            return _loop(stmt, guards, w)
        case Seq():
            return all(_statement(each, guards, w) for each in stmt.body)
        case _:
            return True


def _loop(stmt: For | While, guards: Guards, w: _Walk) -> bool:
    numbers = _numbers(stmt, w)
    before = len(w.written)
    nodes = list(walk(stmt.body))
    touches = [n for n in nodes if isinstance(n, Load | Atomic) and n.tensor is w.tensor]
    if numbers is not None and not touches:
        # a loop that only writes has written all its elements when it ends
        assert isinstance(stmt, For)
        w.counters[stmt.var] = numbers
        fine = _statement(stmt.body, guards, w)
        del w.counters[stmt.var]
        return fine
    fine = _statement(stmt.body, guards, w)
    if numbers is None or not numbers:
        del w.written[before:]  # it may not have run
    return fine


def _numbers(stmt: For | While, w: _Walk) -> range | None:
    if isinstance(stmt, While):
        return None
    ends = [_value(e, {}, w) for e in (stmt.start, stmt.stop, stmt.step)]
    if None in ends:
        return None
    start, stop, step = (e for e in ends if e is not None)
    return range(start, stop, step)


def _own(stmt: Stmt) -> Iterator[Node]:
    below = set(inner(stmt))
    for child in children(stmt):
        if child not in below:
            yield from walk(child)


def _lanes(stmt: Store) -> int:
    kind = stmt.value.type
    return getattr(kind, "lanes", 1)


def _covered(load: Load, guards: Guards, w: _Walk) -> bool:
    wanted = _elements(load.index[0], load.type.lanes, w)
    if wanted is None:
        wanted = set(range(w.tensor.tensor.size))
    held: set[int] = set()
    for conditions, elements in w.written:
        if all(any(_same(c, g, w) for g in guards) for c in conditions):
            held |= elements
    return wanted <= held


def _same(a: tuple[Expr, bool], b: tuple[Expr, bool], w: _Walk) -> bool:
    """Whether two conditions have the same value wherever both are asked."""
    if a[1] != b[1] or not alike(a[0], b[0]):
        return False
    one, other = list(walk(a[0])), list(walk(b[0]))
    if any(isinstance(n, Load | Atomic | Call) for n in one):
        return False
    pairs = zip(one, other, strict=True)
    fixed = all(x is y and x not in w.facts.mutable for x, y in pairs if isinstance(x, Var))
    return fixed and not any(isinstance(n, Var) and n in w.counters for n in one)


def _elements(index: Expr, lanes: int, w: _Walk) -> set[int] | None:
    """Elements that an access touches in all turns of the loops recorded; None if not known."""
    total = 1
    for numbers in w.counters.values():
        total *= len(numbers)
    if total > _LIMIT:
        return None
    found: set[int] = set()
    for env in _environments(list(w.counters.items())):
        at = _value(index, env, w)
        if at is None:
            return None
        found.update(range(at, at + lanes))
    return found


def _environments(counters: list[tuple[Var, range]]) -> Iterator[dict[Var, int]]:
    if not counters:
        yield {}
        return
    (var, numbers), *rest = counters
    for env in _environments(rest):
        for n in numbers:
            yield {**env, var: n}


def _value(expr: Expr, env: dict[Var, int], w: _Walk) -> int | None:
    """The integer that an expression of counters is, if it is one."""
    match expr:
        case Const():
            return int(expr.value)
        case Var():
            made = w.facts.declared.get(expr)
            if expr in env:
                return env[expr]
            if made is None or made.value is None or expr in w.facts.mutable:
                return None
            return _value(made.value, env, w)
        case Binary() if expr.op in _FOLD:
            a, b = _value(expr.a, env, w), _value(expr.b, env, w)
            return None if a is None or b is None or _by_zero(expr.op, b) else _FOLD[expr.op](a, b)
        case _:
            return None


def _by_zero(op: BinaryOp, b: int) -> bool:
    return b == 0 and op not in (BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL)
