"""Which values all threads of a block share, and which control flow parts them."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.ir.expr import Atomic, Builtin, Call, Expr, Load, Var
from workbench.ir.intrinsic import INTRINSICS, Group
from workbench.ir.module import Function, Module
from workbench.ir.node import Node
from workbench.ir.stmt import (
    Allocate,
    Assign,
    Break,
    Continue,
    Declare,
    For,
    If,
    Return,
    Seq,
    Stmt,
    While,
)
from workbench.ir.traverse import inner, walk
from workbench.ir.types import Scope, TensorType


@dataclass
class Uniformity:
    """What is known of one function.

    Attributes
    ----------
    varying : set of Var
        Scalars that may differ between the threads of a block.
    mutable : set of Var
        Scalars that are assigned after their declaration.
    divergent : set of Stmt
        Ifs, loops, breaks, continues and returns that only some threads of those that came into
        the enclosing loop may reach, or that part the threads themselves.
    parted : set of Stmt
        Loops which some threads may leave, or go on in, earlier than others.
    declared : dict of Var to Declare
        Where each local is declared.
    """

    varying: set[Var] = field(default_factory=set)
    mutable: set[Var] = field(default_factory=set)
    divergent: set[Stmt] = field(default_factory=set)
    parted: set[Stmt] = field(default_factory=set)
    declared: dict[Var, Declare] = field(default_factory=dict)
    returns_parted: bool = False


@dataclass(frozen=True)
class _Walk:
    """The state of one round: what is known, and the constructs around the present place."""

    found: Uniformity
    module: Module
    extents: dict[str, int]
    paths: dict[Var, tuple[Stmt, ...]]


def uniformity(module: Module, function: Function, *, params_vary: bool) -> Uniformity:
    """Analyse a function of a lowered module.

    Parameters
    ----------
    params_vary : bool
        Whether scalar parameters may differ between threads (those of device functions).
    """
    found = Uniformity()
    nodes = list(walk(function.body))
    found.mutable = {n.var for n in nodes if isinstance(n, Assign)}
    found.declared = {n.var: n for n in nodes if isinstance(n, Declare)}
    if params_vary:
        found.varying |= {p for p in function.params if not isinstance(p.type, TensorType)}
    launch = module.kernel.launch
    block = launch.block if launch else (0, 0, 0)
    extents = {f"threadIdx.{axis}": n for axis, n in zip("xyz", block, strict=True)}
    before = -1
    while before != _size(found):
        before = _size(found)
        _statement(function.body, (), (), _Walk(found, module, extents, {}))
    return found


def _size(found: Uniformity) -> int:
    return len(found.varying) + len(found.divergent) + len(found.parted)


def _statement(stmt: Stmt, path: tuple[Stmt, ...], loops: tuple[Stmt, ...], w: _Walk) -> None:
    """`path` holds the constructs around `stmt` that part the threads."""
    match stmt:
        case Seq():
            for each in stmt.body:
                _statement(each, path, loops, w)
        case Declare():
            w.paths[stmt.var] = path
            if stmt.value is not None and varies(stmt.value, w):
                w.found.varying.add(stmt.var)
        case Assign():
            # a scalar that only some threads assign parts them
            if varies(stmt.value, w) or w.paths.get(stmt.var, ()) != path:
                w.found.varying.add(stmt.var)
        case For() | While() | If():
            _construct(stmt, path, loops, w)
        case Break() | Continue() | Return():
            _escape(stmt, path, loops, w)
        case _:
            pass


def _construct(
    stmt: For | While | If, path: tuple[Stmt, ...], loops: tuple[Stmt, ...], w: _Walk
) -> None:
    deciding = (stmt.start, stmt.stop) if isinstance(stmt, For) else (stmt.cond,)
    if any(varies(e, w) for e in deciding):
        w.found.divergent.add(stmt)
        if isinstance(stmt, For):
            w.found.varying.add(stmt.var)
    if isinstance(stmt, For):
        w.paths[stmt.var] = path
    if stmt in w.found.divergent or stmt in w.found.parted:
        path = (*path, stmt)
    around = loops if isinstance(stmt, If) else (*loops, stmt)
    for each in inner(stmt):
        _statement(each, path, around, w)


def _escape(stmt: Stmt, path: tuple[Stmt, ...], loops: tuple[Stmt, ...], w: _Walk) -> None:
    if isinstance(stmt, Return):
        if path:
            w.found.divergent.add(stmt)
            w.found.returns_parted = True
            w.found.parted |= set(loops)
        return
    loop = loops[-1]
    if loop not in path:
        within = set(walk(loop))
        path = tuple(s for s in path if s in within)
    if path and path[-1] is not loop:
        w.found.divergent.add(stmt)
        w.found.parted.add(loop)


def varies(root: Expr, w: _Walk) -> bool:
    """Whether the value may differ between threads."""
    return any(_source(node, w) for node in walk(root))


def _source(node: Node, w: _Walk) -> bool:
    match node:
        case Var():
            return node in w.found.varying
        case Builtin():
            return w.extents.get(node.name, 1) != 1
        case Load():
            return node.tensor.tensor.scope is Scope.REGISTER
        case Atomic():
            return True
        case Call():
            row = INTRINSICS.get(node.function)
            if row is not None:
                return row.group is Group.WARP
            callee = w.module.function(node.function)
            assert callee is not None, node.function
            return thread_dependent(w.module, callee)
        case _:
            return False


def thread_dependent(module: Module, function: Function) -> bool:
    """Whether a device function may differ between threads for the same arguments."""
    for node in walk(function.body):
        if isinstance(node, Allocate | Atomic):
            return True
        if isinstance(node, Builtin) and node.name.startswith("threadIdx"):
            return True
        if isinstance(node, Call):
            row, callee = INTRINSICS.get(node.function), module.function(node.function)
            if row is not None and row.group is not Group.THREAD:
                return True
            if row is None and callee is not None and thread_dependent(module, callee):
                return True
    return False
