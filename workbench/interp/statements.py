"""What each statement does: it takes a mask and gives back who goes on after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy
from workbench.interp.expressions import call, evaluate, evaluate_all
from workbench.interp.intrinsics import undefined
from workbench.interp.machine import Frame, Loop, Machine, Tasks
from workbench.interp.memory import allocate, locate, store
from workbench.interp.values import numpy_dtype, poison
from workbench.ir.expr import Call, Const, Load, Var
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
    Store,
    While,
)
from workbench.ir.types import DType

if TYPE_CHECKING:
    import numpy as np

    from workbench.interp.machine import Mask
    from workbench.interp.values import Array
    from workbench.ir.expr import Expr
    from workbench.ir.module import Function
    from workbench.ir.stmt import Stmt
else:
    np = lazy("numpy")


def execute(m: Machine, stmt: Stmt, mask: Mask) -> Mask | None:  # noqa: C901
    """Carry out `stmt` for the threads in `mask`."""
    match stmt:
        case Seq():
            return _seq(m, stmt, mask)
        case Assign():
            m.step(stmt)
            _assign(m, stmt.var, evaluate(m, stmt.value, mask), mask)
        case Store():
            m.step(stmt)
            index = evaluate_all(m, stmt.index, mask)
            store(m, stmt, index, evaluate(m, stmt.value, mask), mask)
        case Declare():
            m.step(stmt)
            _declare(m, stmt, mask)
        case For():
            return _loop(m, stmt, mask, _turns(m, stmt, mask))
        case If():
            m.step(stmt)
            return _if(m, stmt, mask)
        case ForTask():
            return _loop(m, stmt, mask, _task_turns(m, stmt, mask))
        case Evaluate():
            m.step(stmt)
            _effect(m, stmt.value, mask)
        case While():
            return _loop(m, stmt, mask, _while_turns(m, stmt))
        case Allocate():
            allocate(m, stmt.var, mask)
        case Break() | Continue() | Return():
            return _leave(m, stmt, mask)
        case _:
            assert_never(stmt)
    return mask


def _effect(m: Machine, value: Expr, mask: Mask) -> None:
    if isinstance(value, Call):
        call(m, value, mask)
    elif isinstance(value, Load):
        # for the cache alone: nobody has the value, so that it need not be there yet
        locate(m, value, evaluate_all(m, value.index, mask), value.type.lanes, mask)
    else:
        evaluate(m, value, mask)


def _union(a: Mask | None, b: Mask | None) -> Mask | None:
    if a is None or b is None:
        return b if a is None else a
    return a | b


def _minus(a: Mask, b: Mask | None) -> Mask | None:
    if b is None:
        return a
    left = a & ~b
    return left if left.any() else None


def _seq(m: Machine, stmt: Seq, mask: Mask) -> Mask | None:
    going: Mask | None = mask
    for each in stmt.body:
        going = execute(m, each, going)
        if going is None:
            return None
    return going


def _declare(m: Machine, stmt: Declare, mask: Mask) -> None:
    var = stmt.var
    if stmt.value is not None:
        m.values[var] = evaluate(m, stmt.value, mask)
        m.unset.pop(var, None)
        return
    assert isinstance(var.type, DType)
    m.values[var] = undefined(m, var.type)
    if m.checks:
        m.unset[var] = np.zeros(m.size, dtype=bool)


def _assign(m: Machine, var: Var, value: Array, mask: Mask) -> None:
    known = m.unset.get(var)
    if mask is m.full:
        m.values[var] = value
        m.unset.pop(var, None)
        return
    m.values[var] = np.where(mask, value, m.values[var])
    if known is not None:
        m.unset[var] = known | mask


def _if(m: Machine, stmt: If, mask: Mask) -> Mask | None:
    yes, no = m.narrow(mask, evaluate(m, stmt.cond, mask))
    exits = m.exits
    after_yes = yes if yes is None else execute(m, stmt.then, yes)
    after_no = no
    if no is not None and stmt.orelse is not None:
        after_no = execute(m, stmt.orelse, no)
    return mask if m.exits == exits else _union(after_yes, after_no)


_Advance = Callable[["Mask"], "Mask | None"]


def _loop(m: Machine, stmt: For | ForTask | While, mask: Mask, advance: _Advance) -> Mask | None:
    """Turns until nobody is left; `advance` begins a turn and says who takes part in it."""
    loop, exits = Loop(), m.exits
    m.frame.loops.append(loop)
    over: Mask | None = None  # threads that have come to the end of their range
    going: Mask | None = mask
    while going is not None:
        m.step(stmt)
        active = advance(going)
        if active is None:
            over = _union(over, going)
            break
        before = m.exits
        after = execute(m, stmt.body, active)
        if active is not going:
            over = _union(over, _minus(going, active))
        going = active if m.exits == before else _union(after, loop.continued)
        loop.continued = None
    m.frame.loops.pop()
    return mask if m.exits == exits else _union(over, loop.broken)


def _turns(m: Machine, stmt: For, mask: Mask) -> _Advance:
    start, stop = evaluate(m, stmt.start, mask), evaluate(m, stmt.stop, mask)
    step = int(stmt.step.value) if isinstance(stmt.step, Const) else 0
    assert step, "the step of a For is a Const other than 0"
    kind = start.dtype.type
    at = [start.astype(np.int64)]
    end = stop.astype(np.int64)

    def advance(going: Mask) -> Mask | None:
        now = at[0]
        active, _ = m.narrow(going, now < end if step > 0 else now > end)
        if active is not None:
            m.values[stmt.var] = now.astype(kind)
            at[0] = now + step
        return active

    return advance


def _while_turns(m: Machine, stmt: While) -> _Advance:
    turns = [0]

    def advance(going: Mask) -> Mask | None:
        turns[0] += 1
        if turns[0] > m.run.turn_limit:
            raise WorkbenchError(
                f"stopped a while after {m.run.turn_limit} turns",
                stmt.span,
                "it may never end; a higher turn_limit lets it go on",
            )
        return m.narrow(going, evaluate(m, stmt.cond, going))[0]

    return advance


def _task_turns(m: Machine, stmt: ForTask, mask: Mask) -> _Advance:
    worker = evaluate(m, stmt.worker, mask)
    known = m.tasks.get(stmt)
    if known is None or known.worker is not worker:
        known = m.tasks[stmt] = _tasks(m, stmt, worker)
    tasks, turn = known, iter(range(known.table.shape[1]))

    def advance(going: Mask) -> Mask | None:
        number = next(turn, None)
        if number is None:
            return None
        values, takes = _task(tasks, stmt, number)
        m.values.update(zip(stmt.vars, values, strict=True))
        return m.narrow(going, takes)[0]

    return advance


def _tasks(m: Machine, stmt: ForTask, worker: Array) -> Tasks:
    table = m.run.table(stmt.mapping)
    each = np.broadcast_to(worker, m.size)
    inside = (each >= 0) & (each < len(table))
    return Tasks(worker, np.where(inside, each, 0), inside, table)


def _task(tasks: Tasks, stmt: ForTask, number: int) -> tuple[tuple[Array, ...], Array]:
    """Coordinates of the task of each thread in a turn, and who has one."""
    turn = tasks.turns.get(number)
    if turn is not None:
        return turn
    rows = tasks.table[tasks.row, number]
    values: list[Array] = []
    for var, column in zip(stmt.vars, rows.T, strict=True):
        assert isinstance(var.type, DType)
        same = (column == column[0]).all()
        values.append((column[0] if same else column).astype(numpy_dtype(var.type)))
    takes = tasks.inside & (rows[:, 0] >= 0)
    turn = tuple(values), np.asarray(takes.all())[()] if takes.all() else takes
    if tasks.table.shape[1] * rows.size < 2**22:
        tasks.turns[number] = turn
    return turn


def _leave(m: Machine, stmt: Break | Continue | Return, mask: Mask) -> None:
    m.exits += 1
    frame = m.frame
    if isinstance(stmt, Break):
        frame.loops[-1].broken = _union(frame.loops[-1].broken, mask)
        return
    if isinstance(stmt, Continue):
        frame.loops[-1].continued = _union(frame.loops[-1].continued, mask)
        return
    if stmt.value is not None:
        value = evaluate(m, stmt.value, mask)
        old = frame.value
        frame.value = value if old is None else np.where(mask, value, old)
    frame.returned = _union(frame.returned, mask)
    if len(m.frames) == 1:
        m.exited = m.exited | mask


def invoke(m: Machine, function: Function, mask: Mask) -> Array | None:
    """Carry out a device function; the parameters are bound already."""
    m.frames.append(Frame())
    exits = m.exits
    going = execute(m, function.body, mask)
    frame = m.frames.pop()
    m.exits = exits  # nobody has left a loop or function of the caller
    if going is None or function.result is None:
        return frame.value
    lost = np.flatnonzero(going)
    m.fault("no_result", function, lost, lambda _: f"leaves {function.name} without a result")
    if frame.value is None:
        return None
    return np.where(going, poison(function.result), frame.value)
