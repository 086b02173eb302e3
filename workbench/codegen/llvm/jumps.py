"""Break, continue and return: by one jump when all threads go, else by masks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.codegen.llvm.frame import Frame, Jump
from workbench.ir.stmt import Break, Continue, Return, Stmt


def any_lane(f: Frame, bits: str) -> str:
    """Whether some lane is set, as an i1."""
    whole = f.e.let(f"bitcast {f.e.mask_type} {bits} to i{f.e.lanes}")
    return f.e.let(f"icmp ne i{f.e.lanes} {whole}, 0")


def still_here(f: Frame) -> str:
    """The threads that have not left this turn of the innermost loop, or the function."""
    slot = f.jumps[-1].turn or f.jumps[-1].live
    assert slot is not None, "threads left a construct that was not prepared for it"
    return f.e.let(f"load {f.e.mask_type}, ptr {slot}")


def function_jump(f: Frame, leave: str) -> Jump:
    """Where returns go; with a mask of the threads that have not returned where they part."""
    if not f.facts.returns_parted:
        return Jump(leave, None)
    return Jump(leave, None, _mask_slot(f, "alive"))


def _mask_slot(f: Frame, name: str) -> str:
    at = f.e.alloca(f.e.mask_type, name)
    f.e.line(f"store {f.e.mask_type} {f.mask.bits or 'splat (i1 true)'}, ptr {at}")
    return at


@contextmanager
def jumps(f: Frame, stmt: Stmt, leave: str, again: str) -> Iterator[Jump]:
    """A loop around what is generated inside."""
    parted = stmt in f.facts.parted or stmt in f.facts.divergent
    if parted:
        here = Jump(leave, again, _mask_slot(f, "live"), f.e.alloca(f.e.mask_type, "turn"))
    else:
        here = Jump(leave, again)
    f.jumps.append(here)
    mask, escaped = f.mask, f.escaped
    yield here
    f.jumps.pop()
    f.mask = mask
    # breaks and continues end with their loop; what returned is gone from outside it, too
    f.escaped = escaped + int(f.escaped != escaped and f.facts.returns_parted)


def jump(f: Frame, stmt: Break | Continue | Return) -> None:
    """Leave a turn, a loop or the function with the active threads."""
    if isinstance(stmt, Return):
        if stmt in f.facts.divergent:
            for each in f.jumps:
                _remove(f, each.live)
                _remove(f, each.turn)
        else:
            assert f.jumps[0].leave is not None
            f.e.jump(f.jumps[0].leave)
        return
    here = f.jumps[-1]
    if here.live is None:
        target = here.leave if isinstance(stmt, Break) else here.again
        assert target is not None
        f.e.jump(target)
        return
    _remove(f, here.turn)
    if isinstance(stmt, Break):
        _remove(f, here.live)


def _remove(f: Frame, slot: str | None) -> None:
    """Take the active threads out of a mask."""
    if slot is None:
        return
    e = f.e
    f.escaped += 1
    old = e.let(f"load {e.mask_type}, ptr {slot}")
    bits = f.mask.bits or "splat (i1 true)"
    others = e.let(f"xor {e.mask_type} {bits}, splat (i1 true)")
    left = e.let(f"and {e.mask_type} {old}, {others}")
    e.line(f"store {e.mask_type} {left}, ptr {slot}")
