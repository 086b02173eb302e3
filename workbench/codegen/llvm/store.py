"""Stores of lane values: wide where lanes are neighbours, alone or together with other stores."""

from __future__ import annotations

from workbench.codegen.llvm.arith import type_suffix
from workbench.codegen.llvm.coalesce import Waiting, settle, wait
from workbench.codegen.llvm.emit import Emitter, memory_type
from workbench.codegen.llvm.place import (
    Mask,
    Storage,
    addresses,
    alignment,
    all_bits,
    both,
    captured,
    lane_address,
    per_lane_run,
    pointer,
    raw,
    runs_of,
    without_wrapping,
)
from workbench.codegen.llvm.value import Value


def store(e: Emitter, place: Storage, index: Value, value: Value, mask: Mask) -> None:
    """Write `value` at `index` in the active lanes; the last lane wins where addresses meet."""
    index = without_wrapping(e, place, index)
    if place.per_lane:
        if e.capture is not None:
            key = captured(e, place, index, mask)
            if key is not None:
                e.capture.values[key] = e.vector(value)
                return
        index = per_lane_run(e, index) if index.uniform else lane_address(e, place, index)
    if not _waits(e, index, mask):
        settle(e, place.pointer)
    if index.uniform:
        _store_scalar(e, place, index, value, mask)
    elif index.scalar is None:
        _scatter(e, place, index, value, mask)
    else:
        _store_pattern(e, place, index, value, mask)


def _scatter(e: Emitter, place: Storage, index: Value, value: Value, mask: Mask) -> None:
    kind = f"<{e.lanes} x {memory_type(place.dtype)}>"
    pointers = f"<{e.lanes} x ptr>"
    e.call(
        "void", f"llvm.masked.scatter.{type_suffix(kind)}.v{e.lanes}p0",
        [
            (kind, raw(e, value)),
            (pointers, addresses(e, place, index)),
            ("i32", str(place.dtype.bits // 8)),
            (e.mask_type, all_bits(e, mask)),
        ],
    )  # fmt: skip


def _store_scalar(e: Emitter, place: Storage, index: Value, value: Value, mask: Mask) -> None:
    """All active lanes write one element."""
    assert mask.sure
    at = pointer(e, place, index, index.offsets[0])
    number = e.scalar(value) if value.uniform else _last_active(e, value, mask)
    if place.dtype.kind == "b":
        number = e.let(f"zext i1 {number} to i8")
    kind, unit = memory_type(place.dtype), alignment(place, index, index.offsets[0])
    e.line(f"store {kind} {number}, ptr {at}, align {unit}{place.tag}")


def _last_active(e: Emitter, value: Value, mask: Mask) -> str:
    n = e.lanes
    lane = str(n - 1)
    if mask.bits is not None:
        bits = e.let(f"bitcast {e.mask_type} {mask.bits} to i{n}")
        zeros = e.call(f"i{n}", f"llvm.ctlz.i{n}", [(f"i{n}", bits), ("i1", "true")])
        lane = e.let(f"sub i{n} {n - 1}, {zeros}")
        return e.let(f"extractelement {e.vector_type(value.type)} {e.vector(value)}, i{n} {lane}")
    return e.let(f"extractelement {e.vector_type(value.type)} {e.vector(value)}, i64 {lane}")


def _waits(e: Emitter, index: Value, mask: Mask) -> bool:
    """Whether a store is one of those that are put together."""
    offsets = index.offsets
    few = runs_of(offsets) <= max(2, e.lanes // 4)
    apart = len(set(offsets)) == e.lanes and index.scalar is not None
    return apart and not few and mask.bits is None


def _store_pattern(e: Emitter, place: Storage, index: Value, value: Value, mask: Mask) -> None:
    offsets = index.offsets
    starts = [x - lane for lane, x in enumerate(offsets)]
    runs = sorted(set(starts))
    kind = f"<{e.lanes} x {memory_type(place.dtype)}>"
    if len(runs) == 1 and mask.bits is None:
        at = pointer(e, place, index, runs[0])
        unit = alignment(place, index, runs[0])
        e.line(f"store {kind} {raw(e, value)}, ptr {at}, align {unit}{place.tag}")
    elif len(set(offsets)) == e.lanes and not _waits(e, index, mask) and len(runs) <= e.lanes // 2:
        _store_runs(e, place, index, raw(e, value), mask, starts)
    elif _waits(e, index, mask):
        _wait(e, place, index, raw(e, value))
    else:
        _scatter(e, place, index, value, mask)


def _store_runs(
    e: Emitter, place: Storage, index: Value, value: str, mask: Mask, starts: list[int]
) -> None:
    kind = f"<{e.lanes} x {memory_type(place.dtype)}>"
    for start in sorted(set(starts)):
        some = both(e, mask.bits, [s == start for s in starts])
        at = pointer(e, place, index, start)
        size = str(place.dtype.bits // 8)
        e.call(
            "void", f"llvm.masked.store.{type_suffix(kind)}.p0",
            [(kind, value), ("ptr", at), ("i32", size), (e.mask_type, some)],
        )  # fmt: skip


def _wait(e: Emitter, place: Storage, index: Value, value: str) -> None:
    """Lanes apart: perhaps further stores fill the gaps."""
    kind = memory_type(place.dtype)

    def write(offset: int, width: int, operand: str) -> None:
        at, unit = pointer(e, place, index, offset), alignment(place, index, offset)
        shape = f"<{width} x {kind}>" if width > 1 else kind
        e.line(f"store {shape} {operand}, ptr {at}, align {unit}{place.tag}")

    wait(e, Waiting(place.pointer, index, value, kind, write))
