"""Statements: a closed union. A body is always one statement, often a Seq."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.ir.node import REF, Node

if TYPE_CHECKING:
    from workbench.ir.expr import Expr, Var
    from workbench.mapping import TaskMapping


@dataclass(frozen=True, slots=True, eq=False)
class Seq(Node):
    """Statements one after the other; also a scope for what they declare."""

    body: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Declare(Node):
    """A local scalar (or short vector) of the thread, live to the end of the enclosing Seq."""

    var: Var = field(metadata=REF)
    value: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Allocate(Node):
    """Storage of a shared or register tensor, live to the end of the enclosing Seq."""

    var: Var = field(metadata=REF)


@dataclass(frozen=True, slots=True, eq=False)
class Assign(Node):
    """A new value for a local scalar."""

    var: Var = field(metadata=REF)
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Store(Node):
    """Writes one element of `tensor`, or as many neighbours as `value` has lanes."""

    tensor: Var = field(metadata=REF)
    index: tuple[Expr, ...]
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Evaluate(Node):
    """An expression for its effect: a barrier, an atomic, a device function.

    Of a load only the effect on caches is left: a CPU fetches what lies there, whether or not it
    was written yet.
    """

    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class For(Node):
    """`for var in range(start, stop, step)`; `step` is a positive or negative Const.

    Attributes
    ----------
    unroll : int or None
        None leaves it to the compiler, 0 is full, 1 forbids, n is by n.
    note : str
        What a reader should know of it: the factor of the task mapping it came from.
    """

    var: Var = field(metadata=REF)
    start: Expr
    stop: Expr
    step: Expr
    body: Stmt
    unroll: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ForTask(Node):
    """`for vars in mapping.on(worker)`: the tasks of one worker in order (level `script` only).

    A worker outside the mapping does nothing.
    """

    vars: tuple[Var, ...] = field(metadata=REF)
    mapping: TaskMapping
    worker: Expr
    body: Stmt


@dataclass(frozen=True, slots=True, eq=False)
class While(Node):
    """Repeats `body` while `cond`."""

    cond: Expr
    body: Stmt


@dataclass(frozen=True, slots=True, eq=False)
class If(Node):
    """`then` where `cond`, else `orelse`."""

    cond: Expr
    then: Stmt
    orelse: Stmt | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Break(Node):
    """Leaves the innermost For, ForTask or While."""


@dataclass(frozen=True, slots=True, eq=False)
class Continue(Node):
    """Goes on with the next turn of the innermost For, ForTask or While."""


@dataclass(frozen=True, slots=True, eq=False)
class Return(Node):
    """Leaves the function; a kernel's has no value and ends the thread."""

    value: Expr | None = None


Stmt = (
    Seq
    | Declare
    | Allocate
    | Assign
    | Store
    | Evaluate
    | For
    | ForTask
    | While
    | If
    | Break
    | Continue
    | Return
)
