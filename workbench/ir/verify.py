"""The rules that IR must keep at each level; whoever makes IR may rely on being told.

Rules of a module: every variable is declared before its use, once, and in scope; types agree;
a call names an intrinsic or an earlier device function; the launch is one a GPU can do. At level
`lowered` there are no task loops and no layouts, and an access has one index.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from workbench.base.errors import VerifyError
from workbench.ir.expr import Atomic, Expr, Var
from workbench.ir.module import Function, Launch, Level, Module, Table
from workbench.ir.naming import RESERVED
from workbench.ir.node import Node
from workbench.ir.stmt import (
    Allocate,
    Assign,
    Break,
    Continue,
    Declare,
    Evaluate,
    For,
    ForTask,
    If,
    Return,
    Seq,
    Stmt,
    Store,
    While,
)
from workbench.ir.types import DType, Scope, TensorType
from workbench.ir.verify_expr import ExprRules, check_access, check_expr, integer_scalar

THREADS_LIMIT = 1024
BLOCK_LIMIT = (1024, 1024, 64)
GRID_LIMIT = (2**31 - 1, 65535, 65535)
"""Limits of every CUDA architecture since sm_30. Source: CUDA C++ Programming Guide, table
"Technical Specifications per Compute Capability".
"""


@dataclass
class _State:
    """What is known while a function is walked."""

    module: Module
    function: Function
    earlier: dict[str, Function]
    visible: set[Var] = field(default_factory=set)
    bound: set[Var] = field(default_factory=set)
    fixed: set[Var] = field(default_factory=set)
    loops: int = 0


def verify(module: Module) -> None:
    """Check all rules of the module's level.

    Raises
    ------
    VerifyError
        The first rule that is broken, with the span of the statement or expression.
    """
    if not module.functions:
        raise VerifyError("a module needs at least one function")
    tables = {_table(table) for table in module.tables}
    earlier: dict[str, Function] = {}
    for function in module.functions:
        _signature(module, function, earlier)
        state = _State(module, function, earlier, set(tables), set(tables), set(tables))
        for param in function.params:
            _bind(state, param, function)
        _statement(function.body, state)
        if function.result is not None and not _returns(function.body):
            _fail(f"{function.name} may end without returning a {function.result}", function)
        earlier[function.name] = function


def _fail(message: str, node: Node, hint: str | None = None) -> NoReturn:
    raise VerifyError(message, node.span, hint)


def _table(table: Table) -> Var:
    kind = table.var.type
    if not isinstance(kind, TensorType) or kind.scope is not Scope.CONSTANT:
        _fail(f"table {table.var.name} is no constant tensor but {kind}", table)
    if kind.shape != (len(table.values),):
        _fail(f"table {table.var.name} has {len(table.values)} values, its type is {kind}", table)
    return table.var


def _signature(module: Module, function: Function, earlier: dict[str, Function]) -> None:
    name = function.name
    if name in earlier:
        _fail(f"two functions are called {name}", function)
    if not name.isidentifier() or name in RESERVED:
        _fail(f"{name!r} cannot be the name of a function", function)
    if function.launch is not None:
        _launch(function.launch, function)
        if function.result is not None:
            _fail(f"kernel {name} returns {function.result}; a kernel returns nothing", function)
        if function is not module.kernel:
            _fail(f"kernel {name} is not the last function of its module", function)
    for param in function.params:
        _param(function, param)


def _param(function: Function, param: Var) -> None:
    kind = param.type
    if isinstance(kind, DType):
        if kind.lanes != 1 and function.launch is not None:
            _fail(f"parameter {param.name} of a kernel is a short vector, {kind}", function)
        return
    if function.launch is None:
        _fail(
            f"device function {function.name} takes the tensor {param.name}",
            function,
            "device functions take and return numbers",
        )
    if kind.scope is not Scope.GLOBAL:
        _fail(f"parameter {param.name} is a {kind.scope.value} tensor, not a global one", function)
    _tensor(kind, param, function)


def _tensor(kind: TensorType, var: Var, node: Node) -> None:
    for extent in kind.shape:
        if not isinstance(extent, int):
            _fail(f"extent {extent} of {var.name} is not bound to a number", node)
        if extent < 1:
            _fail(f"extent {extent} of {var.name} is below 1", node)
    if kind.dtype.lanes != 1:
        _fail(f"{var.name} has elements of type {kind.dtype}; elements have one lane", node)
    if kind.layout is not None and tuple(kind.layout.shape) != kind.shape:
        _fail(
            f"{var.name}: layout {kind.layout} is for {list(kind.layout.shape)}, "
            f"not for {list(kind.shape)}",
            node,
        )


def _launch(launch: Launch, function: Function) -> None:
    groups = (("grid", launch.grid, GRID_LIMIT), ("block", launch.block, BLOCK_LIMIT))
    for what, extents, limits in groups:
        for axis, extent, limit in zip("xyz", extents, limits, strict=True):
            if not 1 <= extent <= limit:
                _fail(f"{what}.{axis} of {function.name} is {extent}, not in 1 … {limit}", function)
    if launch.threads > THREADS_LIMIT:
        _fail(
            f"a block of {function.name} has {launch.threads} threads "
            f"({' × '.join(map(str, launch.block))}), more than {THREADS_LIMIT}",
            function,
        )


def _bind(state: _State, var: Var, node: Node) -> None:
    if var in state.bound:
        _fail(
            f"{var.name} is declared more than once",
            node,
            "a pass that copies a statement gives its variables new identities",
        )
    state.bound.add(var)
    state.visible.add(var)


def _returns(stmt: Stmt) -> bool:
    """Whether every way through `stmt` ends in a Return."""
    match stmt:
        case Return():
            return True
        case Seq():
            return any(map(_returns, stmt.body))
        case If():
            return stmt.orelse is not None and _returns(stmt.then) and _returns(stmt.orelse)
        case _:
            return False


def _statement(stmt: Stmt, state: _State) -> None:
    match stmt:
        case Seq():
            before = set(state.visible)
            for each in stmt.body:
                _statement(each, state)
            state.visible = before
        case For() | ForTask() | While() | If():
            _block(stmt, state)
        case Declare() | Allocate():
            _declaration(stmt, state)
        case Assign() | Store() | Evaluate():
            _effect(stmt, state)
        case Break() | Continue():
            if not state.loops:
                _fail(f"{type(stmt).__name__.lower()} stands outside a loop", stmt)
        case Return():
            _return(stmt, state)


def _rules(state: _State) -> ExprRules:
    return ExprRules(state.visible, state.earlier, state.module.level is Level.LOWERED)


def _value(expr: Expr, node: Node, state: _State, *, atomic: bool = False) -> DType | None:
    """Check an expression; gives its type."""
    check_expr(expr, node, _rules(state), atomic=atomic)
    assert not isinstance(expr.type, TensorType)
    return expr.type


def _typed(expr: Expr, kind: object, what: str, node: Node, state: _State) -> None:
    found = _value(expr, node, state, atomic=isinstance(expr, Atomic))
    if found != kind:
        _fail(f"{what} is {kind}, its value is {found or 'nothing'}", node)


def _declaration(stmt: Declare | Allocate, state: _State) -> None:
    var, kind = stmt.var, stmt.var.type
    if isinstance(stmt, Declare):
        if not isinstance(kind, DType):
            _fail(f"{var.name} is declared as a local, but is {kind}", stmt)
        if stmt.value is not None:
            _typed(stmt.value, kind, var.name, stmt, state)
    else:
        if not isinstance(kind, TensorType) or kind.scope not in (Scope.SHARED, Scope.REGISTER):
            _fail(f"{var.name} is {kind}; only shared and register tensors are allocated", stmt)
        _tensor(kind, var, stmt)
        if kind.scope is Scope.SHARED and state.function.launch is None:
            _fail(
                f"device function {state.function.name} allocates shared memory",
                stmt,
                "allocate it in the kernel, and pass and return numbers",
            )
        if kind.layout is not None and state.module.level is Level.LOWERED:
            _fail(f"{var.name} has a layout at level lowered", stmt)
    _bind(state, var, stmt)


def _effect(stmt: Assign | Store | Evaluate, state: _State) -> None:
    match stmt:
        case Assign():
            var = stmt.var
            if var not in state.visible:
                _fail(f"{var.name} is assigned where it is not declared", stmt)
            if var in state.fixed or isinstance(var.type, TensorType):
                _fail(f"{var.name} cannot be assigned: it is a loop variable or a tensor", stmt)
            _typed(stmt.value, var.type, var.name, stmt, state)
        case Store():
            kind = _value(stmt.value, stmt, state)
            lanes = kind.lanes if kind else 1
            for each in stmt.index:
                _value(each, stmt, state)
            check_access(stmt.tensor, stmt.index, lanes, stmt, _rules(state))
            if kind != stmt.tensor.tensor.dtype.vector(lanes):
                _fail(
                    f"{stmt.tensor.name} holds {stmt.tensor.tensor.dtype}, the value stored is "
                    f"{kind or 'nothing'}",
                    stmt,
                )
            if stmt.tensor.tensor.scope is Scope.CONSTANT:
                _fail(f"table {stmt.tensor.name} is read-only", stmt)
        case Evaluate():
            _value(stmt.value, stmt, state, atomic=True)


def _block(stmt: For | ForTask | While | If, state: _State) -> None:
    before, loops = set(state.visible), state.loops
    match stmt:
        case For():
            for part in (stmt.start, stmt.stop, stmt.step):
                _typed(part, stmt.var.type, f"loop variable {stmt.var.name}", stmt, state)
            _step(stmt)
            _bind(state, stmt.var, stmt)
            state.fixed.add(stmt.var)
        case ForTask():
            _task_loop(stmt, state)
        case While() | If():
            kind = _value(stmt.cond, stmt, state)
            if kind is None or kind.kind != "b" or kind.lanes != 1:
                _fail(f"the condition is {kind or 'nothing'}, not bool", stmt)
    if isinstance(stmt, If):
        bodies = (stmt.then,) if stmt.orelse is None else (stmt.then, stmt.orelse)
    else:
        bodies, state.loops = (stmt.body,), loops + 1
    inside = set(state.visible)
    for body in bodies:
        state.visible = set(inside)
        _statement(body, state)
    state.visible, state.loops = before, loops


def _step(stmt: For) -> None:
    if not integer_scalar(stmt.var.type):
        _fail(f"loop variable {stmt.var.name} is {stmt.var.type}, no integer", stmt)
    value = getattr(stmt.step, "value", None)
    if not value or not isinstance(value, int):
        _fail(f"the step of {stmt.var.name} is no number other than 0", stmt)
    if stmt.unroll is not None and stmt.unroll < 0:
        _fail(f"unroll({stmt.unroll}) of {stmt.var.name} is negative", stmt)


def _task_loop(stmt: ForTask, state: _State) -> None:
    if state.module.level is Level.LOWERED:
        _fail("a task loop at level lowered", stmt)
    kind = _value(stmt.worker, stmt, state)
    if not integer_scalar(kind):
        _fail(f"the worker is {kind or 'nothing'}, no integer", stmt)
    rank = len(stmt.mapping.shape)
    if len(stmt.vars) != rank:
        _fail(
            f"{stmt.mapping} has tasks of {rank} numbers, the loop has {len(stmt.vars)} variables",
            stmt,
        )
    for var in stmt.vars:
        if not integer_scalar(var.type):
            _fail(f"task variable {var.name} is {var.type}, no integer", stmt)
        _bind(state, var, stmt)
        state.fixed.add(var)


def _return(stmt: Return, state: _State) -> None:
    want = state.function.result
    found = None if stmt.value is None else _value(stmt.value, stmt, state)
    if found != want:
        what = f"returns {found}" if found else "returns no value"
        _fail(f"{state.function.name} {what}, its type is {want or 'nothing'}", stmt)
