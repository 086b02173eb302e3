"""Assignments: to names, to elements of tensors, unpacked, annotated and augmented."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import cast as typed

from workbench.ir.build import Operand, const, load
from workbench.ir.expr import Atomic, Expr, Var
from workbench.ir.node import Node
from workbench.ir.stmt import Allocate, Assign, Declare, Store
from workbench.ir.traverse import locate, variables
from workbench.ir.types import DType
from workbench.script.context import Allocation, Context, Done, Value, describe, is_tensor, runs
from workbench.script.convert import convert
from workbench.script.operators import run_binary
from workbench.script.place import tensor_index
from workbench.script.scope import Binding, Kind


def lower_assign(ctx: Context, node: ast.Assign) -> None:
    """An assignment, to one target or several."""
    value = ctx.whole_value(node.value)
    if len(node.targets) > 1:
        if isinstance(value, Allocation | Atomic):
            raise ctx.error(node, "give this one name at a time")
        if runs(value) and not isinstance(value, tuple | list):
            # computed once, and before any of the targets changes
            value = _kept(ctx, ast.copy_location(ast.Name("value"), node.value), value)
    for target in node.targets:
        _to(ctx, target, node.value, value)


def _kept(ctx: Context, target: ast.expr, value: Value) -> Expr:
    """`value` in a variable of its own, so that it is computed once and keeps."""
    name = target.id if isinstance(target, ast.Name) else "value"
    assert isinstance(value, Expr)
    assert isinstance(value.type, DType)
    var = Var(name, value.type, span=ctx.span(target))
    ctx.emit(Declare(var, value, span=ctx.span(target)))
    return var


def _to(ctx: Context, target: ast.expr, source: ast.expr, value: Value) -> None:
    """Assign a value to a target of any shape."""
    if isinstance(target, ast.Name):
        bind(ctx, target, source, value)
    elif isinstance(target, ast.Subscript):
        _store(ctx, target, source, value)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(ctx, target, source, value)
    elif isinstance(target, ast.Starred):
        raise ctx.error(target, "* is not part of the script language", "write the names")
    else:
        raise ctx.error(target, f"{ast.unparse(target)} cannot be assigned")


def _unpack(ctx: Context, target: ast.Tuple | ast.List, source: ast.expr, value: Value) -> None:
    if isinstance(value, Node) or not isinstance(value, Iterable):
        raise ctx.error(source, f"{describe(value)} cannot be unpacked")
    parts = typed("list[Value]", ctx.python(source, list, value))
    if len(parts) != len(target.elts):
        raise ctx.error(target, f"{len(target.elts)} names for {len(parts)} values")
    places = source.elts if isinstance(source, ast.Tuple | ast.List) else [source] * len(parts)
    changed: set[Var] = set()
    for k, each in enumerate(target.elts):
        # all values are taken before any is assigned: a, b = b, a
        part = parts[k]
        if isinstance(part, Expr) and runs(part) and variables(part) & changed:
            parts[k] = _kept(ctx, each, part)
        changed |= _changed(ctx, each)
    for each, where, part in zip(target.elts, places, parts, strict=True):
        _to(ctx, each, where, part)


def _changed(ctx: Context, target: ast.expr) -> set[Var]:
    """The variables and tensors that assigning to `target` changes."""
    if isinstance(target, ast.Tuple | ast.List):
        return {var for each in target.elts for var in _changed(ctx, each)}
    base = target.value if isinstance(target, ast.Subscript) else target
    there = ctx.scope.find(base.id) if isinstance(base, ast.Name) else None
    return {there.value} if there is not None and isinstance(there.value, Var) else set()


def bind(ctx: Context, target: ast.Name, source: ast.expr, value: Value) -> None:
    """Let a plain name stand for a value: a declaration, an assignment, or a known value."""
    name, there = target.id, ctx.scope.find(target.id)
    _check_rebinding(ctx, target, there, value)
    if isinstance(value, Allocation):
        var = Var(name, value.type, span=ctx.span(target))
        ctx.emit(Allocate(var, span=ctx.span(target)))
        ctx.scope.bind(name, Binding(var, Kind.TENSOR, var.span))
    elif is_tensor(value):
        ctx.scope.bind(name, Binding(value, Kind.TENSOR, ctx.span(target)))
    elif isinstance(value, Node) or _is_variable(ctx, name, value):
        number = ctx.number(source, value)
        if there is not None and there.kind is Kind.VARIABLE and name in ctx.assigned.changing:
            _reassign(ctx, target, typed("Var", there.value), number)
        else:
            _declare(ctx, target, number, None)
    elif isinstance(value, Done):
        raise ctx.error(source, "this has no value", "let it stand on a line of its own")
    elif _holds_allocation(value):
        raise ctx.error(source, "each tensor needs a name of its own", f"{name} = shared(...)")
    elif runs(value):
        raise ctx.error(
            source, f"{describe(value)} cannot be kept under a name", "unpack it: a, b = ..."
        )
    else:
        ctx.scope.bind(name, Binding(value, Kind.KNOWN, ctx.span(target)))


def _is_variable(ctx: Context, name: str, value: Value) -> bool:
    return isinstance(value, bool | int | float) and name in ctx.assigned.changing


def _holds_allocation(value: Value) -> bool:
    return isinstance(value, tuple | list) and any(isinstance(v, Allocation) for v in value)


def _check_rebinding(ctx: Context, target: ast.Name, there: Binding | None, value: Value) -> None:
    """Refuse what would make a name mean two things."""
    if there is None:
        return
    name, where = target.id, f" (line {there.span.line})" if there.span else ""
    if there.kind is Kind.LOOP:
        raise ctx.error(
            target,
            f"{name} is the loop's own variable{where} and cannot be assigned",
            "use another name",
        )
    number = isinstance(value, Node | bool | int | float) and not is_tensor(value)
    if there.kind is Kind.VARIABLE and not number:
        raise ctx.error(target, f"{name} is a variable{where} and cannot become {describe(value)}")
    if there.kind is Kind.TENSOR and number:
        index = ", ".join("ijklmn"[: len(typed("Var", there.value).tensor.shape)])
        raise ctx.error(
            target,
            f"{name} is a tensor{where}; this would store nothing",
            f"write {name}[{index}] = ... to store an element",
        )
    if there.kind is Kind.VARIABLE or ctx.scope.here(name):
        return
    raise ctx.error(
        target,
        f"{name} is known at translation{where} and cannot change in a block of its own",
        "use another name inside the loop or branch",
    )


def _declare(ctx: Context, target: ast.Name, value: Operand, kind: DType | None) -> None:
    name, span = target.id, ctx.span(target)
    first = const(value) if isinstance(value, bool | int | float) else value
    if kind is not None:
        first = convert(value, kind, name)
    assert isinstance(first.type, DType)
    depth = ctx.hoisted.pop(name, None)
    var = Var(name, first.type, span=span)
    first = locate(first, span)
    if depth is None:
        ctx.emit(Declare(var, first, span=span))
        ctx.scope.bind(name, Binding(var, Kind.VARIABLE, span))
        if name not in ctx.assigned.changing:
            ctx.lets[var] = first
        return
    ctx.bodies[depth].append(Declare(var, None, span=span))
    ctx.scope.bind(name, Binding(var, Kind.VARIABLE, span), depth)
    ctx.emit(Assign(var, first, span=span))


def _reassign(ctx: Context, target: ast.Name, var: Var, value: Operand) -> None:
    assert isinstance(var.type, DType)
    span = ctx.span(target)
    if isinstance(value, Atomic) and value.type != var.type:
        value = _kept(ctx, target, value)
    new = locate(convert(value, var.type, target.id), span)
    if new is not var:  # x += 0
        ctx.emit(Assign(var, new, span=span))


def lower_annotated(ctx: Context, node: ast.AnnAssign) -> None:
    """``x: f64 = 0``: a variable of the kernel with a type of its own."""
    if not isinstance(node.target, ast.Name):
        raise ctx.error(node.target, "only a plain name can be declared with a type")
    kind = ctx.known(node.annotation, "a type")
    if not isinstance(kind, DType):
        raise ctx.error(
            node.annotation,
            f"a dtype is needed here; this is {describe(kind)}",
            "a tensor is made with shared(...) or register(...)",
        )
    if ctx.scope.here(node.target.id):
        raise ctx.error(node.target, f"{node.target.id} is declared already")
    if node.value is None:
        raise ctx.error(node, f"{node.target.id} needs a first value")
    value = ctx.whole_value(node.value)
    number = ctx.number(node.value, value)
    if isinstance(number, Atomic) and number.type != kind:
        number = _kept(ctx, node.target, number)
    with ctx.at(node.value):
        _declare(ctx, node.target, number, kind)


def lower_augmented(ctx: Context, node: ast.AugAssign) -> None:
    """``x += 1`` and the like, of a variable or an element."""
    target = node.target
    if isinstance(target, ast.Subscript):
        _augmented_element(ctx, node, target)
        return
    if not isinstance(target, ast.Name):
        raise ctx.error(target, f"{ast.unparse(target)} cannot be assigned")
    name = ast.copy_location(ast.Name(target.id, ast.Load()), target)
    old, right = ctx.value(name), ctx.operand(node.value)
    there = ctx.scope.find(target.id)
    assert there is not None
    _check_rebinding(ctx, target, there, right)
    if there.kind is not Kind.VARIABLE:
        raise ctx.error(node, f"{target.id} is {there.kind.value} and cannot be augmented")
    with ctx.at(node):
        new = run_binary(node.op, ctx.number(name, old), right)
        _reassign(ctx, target, typed("Var", there.value), locate(new, ctx.span(node)))


def _augmented_element(ctx: Context, node: ast.AugAssign, target: ast.Subscript) -> None:
    base = ctx.value(target.value)
    if not is_tensor(base):
        raise ctx.error(target, f"{describe(base)} cannot be changed")
    tensor = typed("Var", base)
    index = tensor_index(ctx, target, tensor, target.slice)
    old = locate(load(tensor, index), ctx.span(target))
    new = locate(run_binary(node.op, old, ctx.operand(node.value)), ctx.span(node))
    stored = convert(new, tensor.tensor.dtype, f"{tensor.name}[...]", rounds=True)
    ctx.emit(Store(tensor, index, locate(stored, ctx.span(node)), span=ctx.span(node)))


def _store(ctx: Context, target: ast.Subscript, source: ast.expr, value: Value) -> None:
    base = ctx.value(target.value)
    if not is_tensor(base):
        raise ctx.error(target, f"{describe(base)} cannot be changed")
    tensor = typed("Var", base)
    number = ctx.number(source, value)
    if isinstance(number, Atomic):
        number = _kept(ctx, ast.copy_location(ast.Name("old", ast.Store()), source), number)
    index = tensor_index(ctx, target, tensor, target.slice)
    with ctx.at(source):
        stored = convert(number, tensor.tensor.dtype, f"{tensor.name}[...]", rounds=True)
    span = ctx.span(target)
    ctx.emit(Store(tensor, index, locate(stored, ctx.span(source)), span=span))
