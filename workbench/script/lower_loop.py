"""Loops: over ranges and task mappings when the kernel runs, over known values at translation."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING
from typing import cast as typed

from workbench.ir.build import Operand, const, truth
from workbench.ir.expr import Const, Expr, Load, Var
from workbench.ir.stmt import Declare, For, ForTask, While
from workbench.ir.traverse import walk
from workbench.ir.types import DType, i32, i64
from workbench.mapping import TaskMapping
from workbench.script import names
from workbench.script.context import Context, describe, one, runs
from workbench.script.convert import convert
from workbench.script.launching import check_workers
from workbench.script.lower_expr import bind_known, known_items
from workbench.script.operators import is_bool
from workbench.script.scope import Binding, Kind, names_in

if TYPE_CHECKING:
    from collections.abc import Callable

    Body = Callable[[Context, list[ast.stmt]], None]

TURN_LIMIT = 4096
"""Most turns of a loop that is written out at translation."""


def lower_for(ctx: Context, node: ast.For, body: Body) -> None:
    """A for loop of any kind; `body` lowers the statements inside."""
    if node.orelse:
        raise ctx.error(node.orelse[0], "else of a loop is not part of the script language")
    repeated = [n for n in names_in(node.target) if n != "_"]
    if len(set(repeated)) < len(repeated):
        raise ctx.error(node.target, "a loop binds each name once")
    iterable = node.iter
    callee = ctx.value(iterable.func) if isinstance(iterable, ast.Call) else None
    if callee is range:
        _range(ctx, node, typed("ast.Call", iterable), None, body)
    elif callee is names.unroll:
        _unrolled(ctx, node, typed("ast.Call", iterable), body)
    elif callee is names.static_range:
        _static(ctx, node, _static_items(ctx, typed("ast.Call", iterable)), body)
    elif _is_on(callee):
        _tasks(ctx, node, typed("ast.Call", iterable), callee, body)
    else:
        value = ctx.value(iterable) if isinstance(iterable, ast.Name) else None
        if isinstance(value, range):
            _for(ctx, node, [value.start, value.stop, value.step], None, body)
        else:
            _static(ctx, node, known_items(ctx, iterable), body)


def lower_while(ctx: Context, node: ast.While, body: Body) -> None:
    """A while loop."""
    if node.orelse:
        raise ctx.error(node.orelse[0], "else of a loop is not part of the script language")
    test = ctx.value(node.test)
    if not runs(test) and not ctx.holds(node.test, test):
        return
    cond = truth(ctx.number(node.test, test) if runs(test) else True)
    with ctx.block("run") as inner:
        body(ctx, node.body)
    ctx.emit(While(cond, one(inner, ctx.span(node)), span=ctx.span(node)))


def _is_on(callee: object) -> bool:
    owner = getattr(callee, "__self__", None)
    return isinstance(owner, TaskMapping) and getattr(callee, "__name__", "") == "on"


def _range(ctx: Context, node: ast.For, call: ast.Call, unroll: int | None, body: Body) -> None:
    if call.keywords or not 1 <= len(call.args) <= 3:
        raise ctx.error(call, "range takes stop, or start and stop, or start, stop and step")
    bounds = [ctx.operand(each) for each in call.args]
    for each, bound in zip(call.args, bounds, strict=True):
        kind = bound.type if isinstance(bound, Expr) else None
        if (
            isinstance(bound, float)
            or is_bool(bound)
            or (isinstance(kind, DType) and not (kind.is_int and kind.lanes == 1))
        ):
            raise ctx.error(each, f"range takes integers; this is {describe(bound)}")
    if len(bounds) == 1:
        bounds = [0, *bounds]
    if len(bounds) == 2:
        bounds = [*bounds, 1]
    elif isinstance(bounds[2], Expr) and not isinstance(bounds[2], Const):
        raise ctx.error(call.args[2], "the step of a range must be known at translation")
    _for(ctx, node, bounds, unroll, body)


def _for(
    ctx: Context, node: ast.For, bounds: list[Operand], unroll: int | None, body: Body
) -> None:
    """A loop from bounds[0] to bounds[1] by bounds[2]."""
    if not isinstance(node.target, ast.Name):
        raise ctx.error(node.target, "a range gives one number: for k in range(n)")
    span = ctx.span(node)
    step = const(bounds[2]) if isinstance(bounds[2], int | float) else bounds[2]
    assert isinstance(step, Const)
    if step.value == 0:
        raise ctx.error(node.iter, "the step of a range is not 0")
    kind = i32 if all(_fits(b) for b in bounds) else i64
    with ctx.at(node.iter):
        start, stop, by = (
            convert(b, kind, "a bound of range") for b in (bounds[0], bounds[1], step)
        )
    if _may_change(ctx, stop):
        # Python looks at the bound once, before the loop
        kept = Var(f"{node.target.id}_stop", kind, span=ctx.span(node.iter))
        ctx.emit(Declare(kept, stop, span=ctx.span(node.iter)))
        stop = kept
    var = _loop_var(ctx, node.target, kind)
    with ctx.block("run") as inner:
        ctx.scope.bind(var.name, Binding(var, Kind.LOOP, var.span))
        body(ctx, node.body)
    assert isinstance(by, Const)
    ctx.emit(For(var, start, stop, by, one(inner, span), unroll, span=span))


def _fits(bound: Operand) -> bool:
    if isinstance(bound, int):
        return -(2**31) <= bound < 2**31
    assert isinstance(bound, Expr)
    return isinstance(bound.type, DType) and (bound.type.bits < 32 or bound.type == i32)


def _may_change(ctx: Context, bound: Expr) -> bool:
    for each in walk(bound):
        if isinstance(each, Load) or (isinstance(each, Var) and each.name in ctx.assigned.changing):
            return True
    return False


def _loop_var(ctx: Context, target: ast.Name, kind: DType) -> Var:
    _check_free(ctx, target, target.id)
    return Var(target.id, kind, span=ctx.span(target))


def _check_free(ctx: Context, target: ast.expr, name: str) -> None:
    """Refuse a loop variable that would hide another name."""
    there = ctx.scope.find(name)
    if there is not None and name != "_":
        where = f" (line {there.span.line})" if there.span else ""
        raise ctx.error(
            target,
            f"{name} is already {there.kind.value}{where}",
            "give the loop a name of its own",
        )


def _unrolled(ctx: Context, node: ast.For, call: ast.Call, body: Body) -> None:
    inner = call.args[0] if call.args else None
    by = next((k.value for k in call.keywords if k.arg == "by"), None)
    if len(call.args) == 2 and by is None:
        by = call.args[1]
    wrong = len(call.args) > 2 or any(k.arg != "by" for k in call.keywords)
    if wrong or not isinstance(inner, ast.Call) or ctx.value(inner.func) is not range:
        raise ctx.error(call, f"the form is {names.unroll.form}")
    factor = 0 if by is None else ctx.known_int(by, "the unroll factor")
    if by is not None and factor < 1:
        raise ctx.error(by, f"the unroll factor is at least 1, not {factor}")
    _range(ctx, node, inner, factor, body)


def _static_items(ctx: Context, call: ast.Call) -> list[object]:
    args = [ctx.known_int(each, "a bound of static_range") for each in call.args]
    if call.keywords or not 1 <= len(args) <= 3:
        raise ctx.error(call, f"the form is {names.static_range.form}")
    return list(typed("range", ctx.python(call, range, *args)))


def _static(ctx: Context, node: ast.For, items: list[object], body: Body) -> None:
    """The body once for each item, written out."""
    for name in names_in(node.target):
        _check_free(ctx, node.target, name)
    if len(items) > TURN_LIMIT:
        raise ctx.error(
            node.iter,
            f"{len(items)} turns are too many to write out (the limit is {TURN_LIMIT})",
            "loop with range(...)",
        )
    ctx.loops.append("static")
    for item in items:
        bind_known(ctx, node.target, item)
        body(ctx, node.body)
    ctx.loops.pop()
    for name in names_in(node.target):
        ctx.scope.end(name)


def _tasks(ctx: Context, node: ast.For, call: ast.Call, callee: object, body: Body) -> None:
    mapping = typed("TaskMapping", getattr(callee, "__self__", None))
    if len(call.args) != 1 or call.keywords:
        raise ctx.error(call, "on takes one worker: mapping.on(threadIdx.x)")
    number = ctx.operand(call.args[0])
    worker = const(number) if isinstance(number, int | float) else number
    if not (isinstance(worker.type, DType) and worker.type.is_int):
        raise ctx.error(call.args[0], f"a worker is an integer; this is {describe(worker)}")
    if isinstance(worker, Const) and not 0 <= worker.value < mapping.workers:
        raise ctx.error(
            call.args[0], f"worker {worker.value} is outside 0 … {mapping.workers - 1} of {mapping}"
        )
    if not isinstance(worker, Const):
        check_workers(ctx, call.args[0], mapping, worker)
    targets = _targets(ctx, node, mapping)
    variables = [_loop_var(ctx, each, i32) for each in targets]
    with ctx.block("run") as inner:
        for var in variables:
            ctx.scope.bind(var.name, Binding(var, Kind.LOOP, var.span))
        body(ctx, node.body)
    span = ctx.span(node)
    ctx.emit(ForTask(tuple(variables), mapping, worker, one(inner, span), span=span))
    note = _note(mapping)
    if note not in ctx.notes:
        ctx.notes.append(note)


def _targets(ctx: Context, node: ast.For, mapping: TaskMapping) -> list[ast.Name]:
    target = node.target
    found = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    rank = len(mapping.shape)
    if len(found) != rank:
        raise ctx.error(
            target,
            f"{mapping} gives {rank} numbers a task; here are {len(found)} names",
            f"for {', '.join('ijklmnopq'[:rank])} in ...",
        )
    plain = [each for each in found if isinstance(each, ast.Name)]
    if len(plain) < len(found):
        raise ctx.error(target, "a loop binds plain names")
    return plain


def _note(mapping: TaskMapping) -> str:
    """``repeat(4, 1) * spatial(16, 8): 128 workers, 4 tasks each``."""
    workers = "1 worker" if mapping.workers == 1 else f"{mapping.workers} workers"
    tasks = "1 task" if mapping.most_tasks == 1 else f"{mapping.most_tasks} tasks"
    return f"{mapping}: {workers}, {tasks}{' each' if mapping.workers > 1 else ''}"
