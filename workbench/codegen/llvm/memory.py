"""Loads of lane values: as few wide accesses as the pattern of lanes allows."""

from __future__ import annotations

from workbench.codegen.llvm.arith import type_suffix
from workbench.codegen.llvm.coalesce import settle
from workbench.codegen.llvm.emit import Emitter, memory_type
from workbench.codegen.llvm.place import (
    ALL,
    SCRATCH,
    SLACK_BYTES,
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
    runs_of,
    without_wrapping,
)
from workbench.codegen.llvm.value import Offsets, Value, opaque, varying
from workbench.ir.types import DType

_LINE_BITS = 512


def load(e: Emitter, place: Storage, index: Value, mask: Mask) -> Value:
    """The elements at `index`; inactive lanes get anything."""
    settle(e, place.pointer)
    index = without_wrapping(e, place, index)
    if place.per_lane:
        if e.capture is not None:
            key = captured(e, place, index, mask)
            if key is not None:
                return varying(place.dtype, e.capture.read(e, key))
        if index.uniform:
            return _wide(e, place, per_lane_run(e, index), ALL)
        index = lane_address(e, place, index)
    if index.uniform:
        return opaque(place.dtype, _scalar(e, place, index, mask))
    if index.scalar is None:
        return _gather(e, place, index, mask)
    if mask.bits is not None and not (mask.sure and _readable(place, index)):
        return _runs(e, place, index, mask)
    if runs_of(index.offsets) == 1 and len(index.offsets) > 1:
        return _wide(e, place, index, ALL)
    return _pattern(e, place, index)


def near(e: Emitter, place: Storage, index: Value) -> None:
    """Have the cache fetch what lies at `index`; where that takes many addresses, nothing."""
    index = without_wrapping(e, place, index)
    if index.scalar is None or place.per_lane:
        return
    lines = {offset * place.dtype.bits // _LINE_BITS: offset for offset in index.offsets[::-1]}
    for offset in lines.values():
        at = [("ptr", pointer(e, place, index, offset)), ("i32", "0"), ("i32", "3"), ("i32", "1")]
        e.call("void", "llvm.prefetch.p0", at)


def _readable(place: Storage, index: Value) -> bool:
    """Whether every lane's address may be read, given that one active lane's is inside."""
    offsets = index.offsets
    if place.own:
        return (max(offsets) - min(offsets)) * place.dtype.bits // 8 <= SLACK_BYTES // 2
    low, high = index.range
    return low >= 0 and high < place.size


def _read(e: Emitter, place: Storage, index: Value, offset: int, width: int) -> str:
    """`width` neighbours from the shared part plus `offset` on, in their memory type."""
    at = pointer(e, place, index, offset)
    kind = memory_type(place.dtype)
    kind = f"<{width} x {kind}>" if width > 1 else kind
    return e.let(f"load {kind}, ptr {at}, align {alignment(place, index, offset)}{place.tag}")


def _scalar(e: Emitter, place: Storage, index: Value, mask: Mask) -> str:
    """One element for all lanes."""
    if mask.sure:
        raw = _read(e, place, index, index.offsets[0], 1)
    else:  # where no lane is active the address may be anywhere: read the scratch memory instead
        whole = e.let(f"bitcast {e.mask_type} {mask.bits} to i{e.lanes}")
        some = e.let(f"icmp ne i{e.lanes} {whole}, 0")
        there = pointer(e, place, index, index.offsets[0])
        at = e.let(f"select i1 {some}, ptr {there}, ptr {SCRATCH}", "p")
        raw = e.let(f"load {memory_type(place.dtype)}, ptr {at}, align {place.dtype.bits // 8}")
    return e.let(f"icmp ne i8 {raw}, 0") if place.dtype.kind == "b" else raw


def _value(e: Emitter, kind: DType, raw: str) -> Value:
    """A loaded vector as a value."""
    if kind.kind == "b":
        raw = e.let(f"icmp ne <{e.lanes} x i8> {raw}, zeroinitializer")
    return varying(kind, raw)


def _wide(e: Emitter, place: Storage, index: Value, mask: Mask) -> Value:
    if mask.bits is None:
        return _value(e, place.dtype, _read(e, place, index, index.offsets[0], e.lanes))
    return _runs(e, place, index, mask)


def _runs(e: Emitter, place: Storage, index: Value, mask: Mask) -> Value:
    """One masked load for each run of lanes with neighbouring addresses; nothing else is read."""
    offsets = index.offsets if len(index.offsets) > 1 else index.offsets * e.lanes
    starts = [x - lane for lane, x in enumerate(offsets)]
    if len(set(starts)) > max(4, e.lanes // 4):
        return _gather(e, place, index, mask)
    kind = f"<{e.lanes} x {memory_type(place.dtype)}>"
    found = "zeroinitializer"
    size = place.dtype.bits // 8
    for start in sorted(set(starts)):
        some = both(e, mask.bits, [s == start for s in starts])
        at = pointer(e, place, index, start)
        found = e.call(
            kind, f"llvm.masked.load.{type_suffix(kind)}.p0",
            [("ptr", at), ("i32", str(size)), (e.mask_type, some), (kind, found)],
        )  # fmt: skip
    return _value(e, place.dtype, found)


def _pattern(e: Emitter, place: Storage, index: Value) -> Value:
    """Elements of a fixed pattern, all of which may be read."""
    offsets = index.offsets
    distinct = sorted(set(offsets))
    width, windows = _windows(distinct, e.lanes, place.own)
    if len(distinct) <= len(windows) + max(1, len(windows) - 1):
        return _value(e, place.dtype, _broadcasts(e, place, index, distinct))
    parts = [_read(e, place, index, w, width) for w in windows]
    return _value(e, place.dtype, _pick(e, place.dtype, parts, windows, width, offsets))


def _windows(distinct: list[int], lanes: int, aligned: bool) -> tuple[int, list[int]]:
    """Width and starts of wide loads that cover all offsets.

    Where memory has slack the windows start at multiples of the width, so that accesses which
    differ by a constant share them; else none reaches past the first or last offset.
    """
    low, high = distinct[0], distinct[-1]
    if aligned:
        return lanes, sorted({d // lanes * lanes for d in distinct})
    width = min(lanes, 1 << (high - low + 1).bit_length() - 1)
    starts: list[int] = []
    for d in distinct:
        if not starts or d >= starts[-1] + width:
            starts.append(min(d, high - width + 1))
    return width, starts


def _broadcasts(e: Emitter, place: Storage, index: Value, distinct: list[int]) -> str:
    kind = memory_type(place.dtype)
    full = f"<{e.lanes} x {kind}>"
    found = ""
    for d in distinct:
        one = e.splat(_read(e, place, index, d, 1), kind)
        mine = e.bits([x == d for x in index.offsets])
        found = (
            e.let(f"select {e.mask_type} {mine}, {full} {one}, {full} {found}") if found else one
        )
    return found


def _pick(
    e: Emitter, kind: DType, parts: list[str], windows: list[int], width: int, offsets: Offsets
) -> str:
    """The lanes' elements out of the windows, two windows at a time."""
    element = memory_type(kind)
    owner = [max(i for i, w in enumerate(windows) if w <= x) for x in offsets]
    second = parts[1] if len(parts) > 1 else "poison"
    picks = [
        x - windows[o] + o * width if o < 2 else -1 for x, o in zip(offsets, owner, strict=True)
    ]
    found = e.shuffle(element, parts[0], second, width, picks)
    for i, part in enumerate(parts[2:], 2):
        picks = [
            e.lanes + x - windows[o] if o == i else lane
            for lane, (x, o) in enumerate(zip(offsets, owner, strict=True))
        ]
        found = e.shuffle(element, found, part, e.lanes, picks)
    return found


def _gather(e: Emitter, place: Storage, index: Value, mask: Mask) -> Value:
    kind = f"<{e.lanes} x {memory_type(place.dtype)}>"
    pointers = f"<{e.lanes} x ptr>"
    found = e.call(
        kind, f"llvm.masked.gather.{type_suffix(kind)}.v{e.lanes}p0",
        [
            (pointers, addresses(e, place, index)),
            ("i32", str(place.dtype.bits // 8)),
            (e.mask_type, all_bits(e, mask)),
            (kind, "zeroinitializer"),
        ],
    )  # fmt: skip
    return _value(e, place.dtype, found)
