"""Warp operations: a group is a warp, or a block of fewer threads; a shuffle permutes a vector."""

from __future__ import annotations

from collections.abc import Callable

from workbench.codegen.llvm.arith import binary, constant, type_suffix
from workbench.codegen.llvm.emit import Emitter, memory_type
from workbench.codegen.llvm.place import Mask
from workbench.codegen.llvm.value import Value, opaque, pattern, varying
from workbench.ir.expr import BinaryOp
from workbench.ir.types import boolean, u32

WARP_LANES = 32

Rule = Callable[[Emitter, list[Value], Mask], tuple[Value, ...]]


def _shuffle(op: BinaryOp | None) -> Rule:
    """From the lane of that number, or `op` of it and the own one."""

    def rule(e: Emitter, args: list[Value], mask: Mask) -> tuple[Value, ...]:
        del mask  # what an inactive lane gives is undefined
        value, number = args
        if value.uniform:
            return (value,)
        own = pattern(number.type, tuple(range(e.lanes)))
        lanes = binary(e, op, own, number) if op else number
        if lanes.scalar == "0":
            return (_fixed(e, value, lanes),)
        return (_permuted(e, value, _inside(e, own, lanes)),)

    return rule


def _fixed(e: Emitter, value: Value, lanes: Value) -> Value:
    offsets = lanes.offsets if len(lanes.offsets) > 1 else lanes.offsets * e.lanes
    picks = [x if 0 <= x < e.lanes else lane for lane, x in enumerate(offsets)]
    kind = memory_type(value.type)
    vector = e.vector(value)
    return varying(value.type, e.shuffle(kind, vector, "poison", e.lanes, picks))


def _inside(e: Emitter, own: Value, lanes: Value) -> Value:
    """The lanes, or the own one where they lie outside the warp."""
    low = binary(e, BinaryOp.GE, lanes, constant(0, lanes.type))
    high = binary(e, BinaryOp.LT, lanes, constant(e.lanes, lanes.type))
    inside = e.vector(binary(e, BinaryOp.AND, low, high))
    kind = e.vector_type(lanes.type)
    name = e.let(f"select {e.mask_type} {inside}, {kind} {e.vector(lanes)}, {kind} {e.vector(own)}")
    return varying(lanes.type, name, 0, e.lanes - 1)


def _permuted(e: Emitter, value: Value, lanes: Value) -> Value:
    """By way of memory: LLVM has no permutation by a vector."""
    kind = memory_type(value.type)
    full = f"<{e.lanes} x {kind}>"
    at = e.alloca(full, "warp")
    e.line(f"store {full} {e.vector(value)}, ptr {at}, align 64")
    number = e.vector_type(lanes.type)
    pointers = e.let(f"getelementptr {kind}, ptr {at}, {number} {e.vector(lanes)}")
    found = e.call(
        full, f"llvm.masked.gather.{type_suffix(full)}.v{e.lanes}p0",
        [
            (f"<{e.lanes} x ptr>", pointers),
            ("i32", str(value.type.bits // 8)),
            (e.mask_type, "splat (i1 true)"),
            (full, "zeroinitializer"),
        ],
    )  # fmt: skip
    return varying(value.type, found)


def _active(e: Emitter, predicate: Value, mask: Mask) -> str:
    """The predicate's bits in the active lanes, as a number."""
    bits = e.vector(predicate)
    if mask.bits is not None:
        bits = e.let(f"and {e.mask_type} {bits}, {mask.bits}")
    found = e.let(f"bitcast {e.mask_type} {bits} to i{e.lanes}")
    return found if e.lanes == WARP_LANES else e.let(f"zext i{e.lanes} {found} to i32")


def _ballot(e: Emitter, args: list[Value], mask: Mask) -> tuple[Value, ...]:
    return (opaque(u32, _active(e, args[0], mask)),)


def _any(e: Emitter, args: list[Value], mask: Mask) -> tuple[Value, ...]:
    return (Value(boolean, e.let(f"icmp ne i32 {_active(e, args[0], mask)}, 0")),)


def _all(e: Emitter, args: list[Value], mask: Mask) -> tuple[Value, ...]:
    failing = binary(e, BinaryOp.BITXOR, args[0], constant(True, boolean))
    return (Value(boolean, e.let(f"icmp eq i32 {_active(e, failing, mask)}, 0")),)


def _nothing(e: Emitter, args: list[Value], mask: Mask) -> tuple[Value, ...]:
    del e, args, mask  # the lanes of a group go together anyway
    return ()


WARP: dict[str, Rule] = {
    "syncwarp": _nothing,
    "shfl": _shuffle(None),
    "shfl_up": _shuffle(BinaryOp.SUB),
    "shfl_down": _shuffle(BinaryOp.ADD),
    "shfl_xor": _shuffle(BinaryOp.BITXOR),
    "ballot": _ballot,
    "vote_any": _any,
    "vote_all": _all,
}
"""One rule for each intrinsic of the group `warp`."""
