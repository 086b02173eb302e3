"""Statements of a region: all threads of a group at once, divergence by masks.

Invariant: where a statement is generated, at least one thread of the group is active, or the
mask says otherwise (`Mask.sure`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import gcd

from workbench.codegen.llvm.arith import binary, constant
from workbench.codegen.llvm.expr import evaluate, scalar, shifted
from workbench.codegen.llvm.fission import is_barrier, regions
from workbench.codegen.llvm.frame import Frame, Parts, new_slot, read_slot, write_slot
from workbench.codegen.llvm.jumps import any_lane, function_jump, jump, jumps, still_here
from workbench.codegen.llvm.memory import near
from workbench.codegen.llvm.place import Mask, Storage
from workbench.codegen.llvm.slices import Counter, accumulates, sliced
from workbench.codegen.llvm.store import store
from workbench.codegen.llvm.uniform import thread_dependent, uniformity
from workbench.codegen.llvm.unroll import turns
from workbench.codegen.llvm.value import Value, opaque, shared
from workbench.ir.expr import BinaryOp, Load, Var, value_type
from workbench.ir.stmt import (
    Allocate,
    Assign,
    Break,
    Continue,
    Declare,
    Evaluate,
    For,
    If,
    Return,
    Seq,
    Stmt,
    Store,
    While,
)
from workbench.ir.types import DType, Scope, TensorType


def statement(f: Frame, stmt: Stmt) -> None:
    """Generate one statement."""
    if f.in_block and stmt not in f.cut.lifted:
        f.region(f, [stmt])
        return
    with f.e.at(stmt.span, f.numbers.get(stmt, 0)):
        match stmt:
            case Seq():
                (_cut_sequence if f.in_block else sequence)(f, stmt.body)
            case For():
                _for(f, stmt)
            case While():
                _while(f, stmt)
            case If():
                _if(f, stmt)
            case Break() | Continue() | Return():
                _jump(f, stmt)
            case _:
                _simple(f, stmt)


def _cut_sequence(f: Frame, body: Sequence[Stmt]) -> None:
    """Statements of which some run once per block; the stretches between are regions."""
    for part in regions(body, f.cut.lifted):
        if not f.e.open:
            return
        if not isinstance(part, list):
            statement(f, part)
            continue
        for each in part:
            if isinstance(each, Declare) and each.var in f.cut.hoisted:
                declare(f, each)
        f.region(f, part)


def sequence(f: Frame, body: Sequence[Stmt]) -> None:
    """Statements one after the other; what follows a parting jump runs only if a thread is left."""
    for i, stmt in enumerate(body):
        escaped = f.escaped
        statement(f, stmt)
        if not f.e.open:
            return
        rest = body[i + 1 :]
        if f.escaped != escaped and rest:
            _after_escape(f, rest)
            return


def _after_escape(f: Frame, rest: Sequence[Stmt]) -> None:
    before = f.mask
    bits = still_here(f)
    f.mask = f.narrowed(bits, sure=True)
    with _only_if_any(f, f.mask.bits, "rest"):
        sequence(f, rest)
    f.mask = before


@contextmanager
def _only_if_any(f: Frame, bits: str | None, hint: str) -> Iterator[None]:
    """Skip what is generated inside when no lane is set."""
    if bits is None:
        yield
        return
    e = f.e
    inside, after = e.label(hint), e.label(f"{hint}_end")
    e.branch(any_lane(f, bits), inside, after)
    e.start(inside)
    yield
    e.start(after)


def _simple(f: Frame, stmt: Stmt) -> None:
    match stmt:
        case Declare():
            declare(f, stmt)
        case Assign():
            write_slot(f, f.slots[stmt.var], evaluate(f, stmt.value))
        case Store():
            _store(f, stmt)
        case Evaluate(value=Load() as read):
            near(f.e, f.places[read.tensor], evaluate(f, read.index[0])[0])
        case Evaluate():
            if not is_barrier(stmt):
                evaluate(f, stmt.value)
        case Allocate():
            allocate(f, stmt.var)
        case _:
            raise AssertionError(f"{type(stmt).__name__} at level lowered")


def declare(f: Frame, stmt: Declare) -> None:
    """A local: a name for its value, or memory when it is assigned again."""
    var = stmt.var
    kind = value_type(var)
    value = evaluate(f, stmt.value) if stmt.value is not None else None
    if var not in f.facts.mutable and var not in f.slots and value is not None:
        f.values[var] = value
        return
    if var not in f.slots:
        f.slots[var] = new_slot(f, var.name, kind, uniform=var not in f.facts.varying)
    if value is not None:
        write_slot(f, f.slots[var], value)


def allocate(f: Frame, var: Var) -> None:
    """A register tensor that one region alone uses; shared ones have their place already."""
    kind = var.type
    assert isinstance(kind, TensorType)
    if kind.scope is Scope.REGISTER and var not in f.places:
        from_type = f.e.vector_type(kind.dtype) if kind.dtype.kind != "b" else f"<{f.e.lanes} x i8>"
        at = f.e.alloca(f"[{kind.size} x {from_type}]", var.name)
        f.places[var] = Storage(at, kind.dtype, kind.size, per_lane=True)


def _store(f: Frame, stmt: Store) -> None:
    index = scalar(f, stmt.index[0])
    value = evaluate(f, stmt.value)
    place = f.places[stmt.tensor]
    for lane, part in enumerate(value):
        store(f.e, place, shifted(f, index, lane), part, f.mask)


def _if(f: Frame, stmt: If) -> None:
    cond = scalar(f, stmt.cond)
    if cond.scalar in ("true", "false"):
        taken = stmt.then if cond.scalar == "true" else stmt.orelse
        if taken is not None:
            statement(f, taken)
    elif cond.uniform:
        _uniform_if(f, stmt, e_cond=f.e.scalar(cond))
    else:
        _masked_if(f, stmt, f.e.vector(cond))


def _uniform_if(f: Frame, stmt: If, e_cond: str) -> None:
    e = f.e
    then, other, after = e.label("then"), e.label("else"), e.label("endif")
    e.branch(e_cond, then, other if stmt.orelse is not None else after)
    e.start(then)
    statement(f, stmt.then)
    if stmt.orelse is not None:
        if e.open:
            e.jump(after)
        e.start(other)
        statement(f, stmt.orelse)
    e.start(after)


def _masked_if(f: Frame, stmt: If, bits: str) -> None:
    before = f.mask
    f.mask = f.narrowed(bits, sure=True)
    with _only_if_any(f, f.mask.bits, "then"):
        statement(f, stmt.then)
    f.mask = before
    if stmt.orelse is not None:
        opposite = f.e.let(f"xor {f.e.mask_type} {bits}, splat (i1 true)")
        f.mask = f.narrowed(opposite, sure=True)
        with _only_if_any(f, f.mask.bits, "else"):
            statement(f, stmt.orelse)
        f.mask = before


def _for(f: Frame, stmt: For) -> None:
    """A counted loop: written out, counted once for all threads, or by each thread."""
    start, stop = scalar(f, stmt.start), scalar(f, stmt.stop)
    step = scalar(f, stmt.step).known
    assert step, "verify: the step is a number other than 0"
    known = None if f.in_block else turns(f.facts, stmt, start, stop, step)
    if known is not None and stmt not in f.facts.parted:
        for number in known:
            f.values[stmt.var] = (constant(number, start.type),)
            statement(f, stmt.body)
    elif start.uniform and stop.uniform and stmt not in f.facts.divergent:
        if _sliced(f, stmt, start, stop, step):
            return
        _counted(f, stmt, start, stop, step)
    else:
        _thread_counted(f, stmt, start, stop, step)


def _sliced(f: Frame, stmt: For, start: Value, stop: Value, step: int) -> bool:
    """Generate a loop over accumulators in slices, if it is one."""
    if f.in_block or start.known is None or stop.known is None or stmt in f.facts.parted:
        return False
    numbers = range(start.known, stop.known, step)
    if len(numbers) == 0 or f.mask.bits is not None or not accumulates(stmt):
        return False
    number = f.e.name(stmt.var.name)
    f.values[stmt.var] = (counter(start, stop, step, number),)
    count = Counter(number, f"i{start.type.bits}", numbers)
    return sliced(f, count, lambda: statement(f, stmt.body))


def counter(start: Value, stop: Value, step: int, name: str) -> Value:
    """The variable of a loop, with what its bounds say of it."""
    if not (start.exact and stop.exact):
        return opaque(start.type, name)
    first, last = start.range, stop.range
    low, high = (first[0], last[1] - 1) if step > 0 else (last[0] + 1, first[1])
    factor = gcd(step, gcd(start.multiple, start.offsets[0]))
    return shared(start.type, name, low, max(low, high), factor)


def _counted(f: Frame, stmt: For, start: Value, stop: Value, step: int) -> None:
    e, kind = f.e, f"i{start.type.bits}"
    slot = e.alloca(kind, stmt.var.name)
    head, body = e.label(f"for_{stmt.var.name}"), e.label("body")
    again, leave = e.label("next"), e.label("endfor")
    end = e.scalar(stop)
    with jumps(f, stmt, leave, again):
        e.line(f"store {kind} {e.scalar(start)}, ptr {slot}")
        e.start(head)
        number = e.let(f"load {kind}, ptr {slot}", stmt.var.name)
        test = ("u" if start.type.kind == "u" else "s") + ("lt" if step > 0 else "gt")
        e.branch(e.let(f"icmp {test} {kind} {number}, {end}"), body, leave)
        e.start(body)
        f.values[stmt.var] = (counter(start, stop, step, number),)
        _turn(f, stmt.body, leave)
        e.start(again)
        e.line(f"store {kind} {e.let(f'add {kind} {number}, {step}')}, ptr {slot}")
        e.jump(head)
    e.start(leave)


def _turn(f: Frame, body: Stmt, leave: str) -> None:
    """One turn of a loop, with the threads that are still in it."""
    jump = f.jumps[-1]
    if jump.live is None:
        statement(f, body)
        return
    e = f.e
    bits = e.let(f"load {e.mask_type}, ptr {jump.live}", "live")
    some = e.label("turn")
    e.branch(any_lane(f, bits), some, leave)
    e.start(some)
    e.line(f"store {e.mask_type} {bits}, ptr {jump.turn}")
    before = f.mask
    f.mask = Mask(bits)
    statement(f, body)
    f.mask = before


def _thread_counted(f: Frame, stmt: For, start: Value, stop: Value, step: int) -> None:
    """A loop whose threads differ in their bounds."""
    slot = new_slot(f, stmt.var.name, start.type, uniform=False)
    write_slot(f, slot, (start,), all_lanes=True)
    op = BinaryOp.LT if step > 0 else BinaryOp.GT

    def test() -> Value:
        f.values[stmt.var] = read_slot(f, slot)
        return binary(f.e, op, f.values[stmt.var][0], stop)

    def advance() -> None:
        number = binary(f.e, BinaryOp.ADD, read_slot(f, slot)[0], constant(step, start.type))
        write_slot(f, slot, (number,), all_lanes=True)

    _masked_loop(f, stmt, test, advance)


def _while(f: Frame, stmt: While) -> None:
    if stmt in f.facts.divergent or stmt in f.facts.parted:
        _masked_loop(f, stmt, lambda: scalar(f, stmt.cond), lambda: None)
        return
    e = f.e
    head, body, leave = e.label("while"), e.label("body"), e.label("endwhile")
    with jumps(f, stmt, leave, head):
        e.start(head)
        cond = scalar(f, stmt.cond)
        e.branch(e.scalar(cond), body, leave)
        e.start(body)
        statement(f, stmt.body)
        if e.open:
            e.jump(head)
    e.start(leave)


def _masked_loop(
    f: Frame, stmt: For | While, test: Callable[[], Value], advance: Callable[[], None]
) -> None:
    """A loop that each thread leaves when its own test fails."""
    e = f.e
    head, check, body = e.label("while"), e.label("check"), e.label("body")
    leave = e.label("endwhile")
    with jumps(f, stmt, leave, head) as jump:
        e.start(head)
        bits = e.let(f"load {e.mask_type}, ptr {jump.live}", "live")
        e.branch(any_lane(f, bits), check, leave)
        e.start(check)
        f.mask = Mask(bits)
        f.mask = Mask(f.narrowed(e.vector(test()), sure=True).bits)
        e.line(f"store {e.mask_type} {f.mask.bits}, ptr {jump.live}")
        e.branch(any_lane(f, f.mask.bits or ""), body, leave)
        e.start(body)
        e.line(f"store {e.mask_type} {f.mask.bits}, ptr {jump.turn}")
        statement(f, stmt.body)
        advance()
        e.jump(head)
    e.start(leave)


def _jump(f: Frame, stmt: Break | Continue | Return) -> None:
    if isinstance(stmt, Return) and stmt.value is not None:
        assert f.result is not None, "a kernel returns nothing"
        write_slot(f, f.result, evaluate(f, stmt.value))
    jump(f, stmt)


def inline(f: Frame, name: str, args: list[Parts]) -> Parts:
    """A call of a device function, generated in place."""
    function = f.module.function(name)
    assert function is not None, name
    same = all(part.uniform for arg in args for part in arg) and not thread_dependent(
        f.module, function
    )
    outer = f.facts, f.slots, f.values, f.jumps, f.result, f.escaped, f.mask, f.in_block
    f.facts = uniformity(f.module, function, params_vary=not same)
    f.slots, f.values, f.in_block = dict(f.slots), dict(f.values), False
    for param, arg in zip(function.params, args, strict=True):
        f.values[param] = arg
        if param in f.facts.mutable:
            assert isinstance(param.type, DType)
            f.slots[param] = new_slot(f, param.name, param.type, uniform=same)
            write_slot(f, f.slots[param], arg)
    if function.result is not None:
        f.result = new_slot(f, name, function.result, uniform=same)
    leave = f.e.label(f"end_{name}")
    f.jumps = [function_jump(f, leave)]
    statement(f, function.body)
    f.e.start(leave)
    found = read_slot(f, f.result) if f.result is not None and function.result else ()
    f.facts, f.slots, f.values, f.jumps, f.result, f.escaped, f.mask, f.in_block = outer
    return found
