"""Loads and stores of lane values: as few wide accesses as the pattern of lanes allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from workbench.codegen.llvm.arith import type_suffix
from workbench.codegen.llvm.capture import Key
from workbench.codegen.llvm.coalesce import Waiting, settle, wait
from workbench.codegen.llvm.emit import Emitter, memory_type, scalar_type
from workbench.codegen.llvm.value import Offsets, Value, bounds, opaque, varying
from workbench.ir.types import DType, i32

SLACK_BYTES = 512
"""Memory before and after all shared tensors that a wide load may touch [byte]."""

SCRATCH_ALIGN = 64

SCRATCH = "%scratch"
"""LLVM operand: the scratch memory of the host thread, which begins with slack."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Where a tensor lies.

    Attributes
    ----------
    pointer : str
        LLVM operand, its first element.
    dtype : DType
        Of an element.
    size : int
        Elements; of a register tensor, of one thread.
    tag : str
        Metadata that sets its accesses apart from those of other tensors.
    own : bool
        Whether it lies in the scratch memory: aligned, and with slack around it.
    per_lane : bool
        Whether each thread has its own (register tensors): element i of lane l at i * lanes + l.
    """

    pointer: str
    dtype: DType
    size: int
    tag: str = ""
    own: bool = False
    per_lane: bool = False


@dataclass(frozen=True, slots=True)
class Mask:
    """Lanes that are active.

    Attributes
    ----------
    bits : str or None
        LLVM operand; None when all are.
    sure : bool
        Whether at least one is.
    """

    bits: str | None = None
    sure: bool = True


ALL = Mask()


def load(e: Emitter, place: Storage, index: Value, mask: Mask) -> Value:
    """The elements at `index`; inactive lanes get anything."""
    settle(e, place.pointer)
    index = _without_wrapping(e, place, index)
    if place.per_lane:
        if e.capture is not None:
            key = _captured(e, place, index, mask)
            if key is not None:
                return varying(place.dtype, e.capture.read(e, key))
        if index.uniform:
            return _wide(e, place, _per_lane(e, index), ALL)
        index = _lane_address(e, place, index)
    if index.uniform:
        return opaque(place.dtype, _scalar(e, place, index, mask))
    if index.scalar is None:
        return _gather(e, place, index, mask)
    if mask.bits is not None and not (mask.sure and _readable(place, index)):
        return _runs(e, place, index, mask)
    if _runs_of(index.offsets) == 1 and len(index.offsets) > 1:
        return _wide(e, place, index, ALL)
    return _pattern(e, place, index)


def store(e: Emitter, place: Storage, index: Value, value: Value, mask: Mask) -> None:
    """Write `value` at `index` in the active lanes; the last lane wins where addresses meet."""
    index = _without_wrapping(e, place, index)
    if place.per_lane:
        if e.capture is not None:
            key = _captured(e, place, index, mask)
            if key is not None:
                e.capture.values[key] = e.vector(value)
                return
        index = _per_lane(e, index) if index.uniform else _lane_address(e, place, index)
    if not _waits(e, index, mask):
        settle(e, place.pointer)
    if index.uniform:
        _store_scalar(e, place, index, value, mask)
    elif index.scalar is None:
        _scatter(e, place, index, value, mask)
    else:
        _store_pattern(e, place, index, value, mask)


def _without_wrapping(e: Emitter, place: Storage, index: Value) -> Value:
    """`index` in a form whose shared part and offsets may be added in 64 bits.

    A sum that may wrap in 32 bits is one that names an element after wrapping. Read as a signed
    number its shared part is that element less the offset, as long as no element is too near
    2**31 for the offset to cross it.
    """
    if index.scalar is None or index.exact or index.type.bits == 64:
        return index
    if index.uniform:
        return opaque(index.type, e.scalar(index))
    near = max(map(abs, index.offsets))
    if index.type.bits == 32 and place.size + near < 2**31:
        return Value(i32, index.scalar, index.offsets, None, *bounds(i32), index.multiple)
    return varying(index.type, e.vector(index))


def _captured(e: Emitter, place: Storage, index: Value, mask: Mask) -> Key | None:
    """The element of a register tensor, when it is one and the same for all lanes."""
    assert e.capture is not None
    if index.known is None or mask.bits is not None or place.dtype.kind == "b":
        e.capture.failed = True
        return None
    return place.pointer, index.known, e.vector_type(place.dtype), place.tag


def _lane_address(e: Emitter, place: Storage, index: Value) -> Value:
    """Index of a register tensor by a number of its own in each lane."""
    kind = e.vector_type(index.type)
    lanes = f"splat ({scalar_type(index.type)} {e.lanes})"
    own = e.numbers(index.type, range(e.lanes))
    scaled = e.let(f"mul {kind} {e.vector(index)}, {lanes}")
    return varying(index.type, e.let(f"add {kind} {scaled}, {own}"))


def _per_lane(e: Emitter, index: Value) -> Value:
    n, kind = e.lanes, index.type
    offsets = tuple(index.offsets[0] * n + lane for lane in range(n))
    if index.scalar == "0":
        return Value(kind, "0", offsets, multiple=0)
    scaled = e.let(f"mul {scalar_type(kind)} {index.scalar}, {n}")
    return Value(kind, scaled, offsets, None, index.low * n, index.high * n, n)


def pointer(e: Emitter, place: Storage, index: Value, offset: int) -> str:
    """Address of the element at the shared part of `index` plus `offset`."""
    kind = memory_type(place.dtype)
    base = place.pointer
    assert index.scalar is not None
    if index.scalar != "0":
        number = index.scalar
        if index.type.bits != 64:
            word = "zext" if index.type.kind == "u" else "sext"
            number = e.let(f"{word} i{index.type.bits} {number} to i64")
        base = e.let(f"getelementptr {kind}, ptr {base}, i64 {number}", "p")
    return e.let(f"getelementptr {kind}, ptr {base}, i64 {offset}", "p") if offset else base


def _align(place: Storage, index: Value, offset: int) -> int:
    size = place.dtype.bits // 8
    if not (place.own or place.per_lane):
        return size
    return max(size, gcd(SCRATCH_ALIGN, gcd(index.multiple, offset) * size))


def _readable(place: Storage, index: Value) -> bool:
    """Whether every lane's address may be read, given that one active lane's is inside."""
    offsets = index.offsets
    if place.own:
        return (max(offsets) - min(offsets)) * place.dtype.bits // 8 <= SLACK_BYTES // 2
    low, high = index.range
    return low >= 0 and high < place.size


def _runs_of(offsets: Offsets) -> int:
    return len({x - lane for lane, x in enumerate(offsets)})


def _read(e: Emitter, place: Storage, index: Value, offset: int, width: int) -> str:
    """`width` neighbours from the shared part plus `offset` on, in their memory type."""
    at = pointer(e, place, index, offset)
    kind = memory_type(place.dtype)
    kind = f"<{width} x {kind}>" if width > 1 else kind
    return e.let(f"load {kind}, ptr {at}, align {_align(place, index, offset)}{place.tag}")


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


def raw(e: Emitter, value: Value) -> str:
    """A value as a vector of its memory type."""
    found = e.vector(value)
    if value.type.kind == "b":
        return e.let(f"zext {e.mask_type} {found} to <{e.lanes} x i8>")
    return found


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
        some = _and(e, mask.bits, [s == start for s in starts])
        at = pointer(e, place, index, start)
        found = e.call(
            kind, f"llvm.masked.load.{type_suffix(kind)}.p0",
            [("ptr", at), ("i32", str(size)), (e.mask_type, some), (kind, found)],
        )  # fmt: skip
    return _value(e, place.dtype, found)


def _and(e: Emitter, bits: str | None, chosen: Sequence[bool]) -> str:
    """Those of the active lanes that are chosen."""
    if bits is None:
        return e.bits(chosen)
    if all(chosen):
        return bits
    return e.let(f"and {e.mask_type} {bits}, {e.bits(chosen)}")


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
        found = e.let(f"select {e.mask_type} {mine}, {full} {one}, {full} {found}") if found else one
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


def addresses(e: Emitter, place: Storage, index: Value) -> str:
    """One pointer per lane."""
    kind = memory_type(place.dtype)
    number, width = e.vector(index), index.type.bits
    if index.type.kind == "u" and width < 64:
        number = e.let(f"zext {e.vector_type(index.type)} {number} to <{e.lanes} x i64>")
        width = 64
    return e.let(f"getelementptr {kind}, ptr {place.pointer}, <{e.lanes} x i{width}> {number}")


def all_bits(e: Emitter, mask: Mask) -> str:
    """The mask as an operand."""
    return mask.bits or "splat (i1 true)"


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
    if value.uniform:
        number = e.scalar(value)
    else:
        number = _last_active(e, value, mask)
    if place.dtype.kind == "b":
        number = e.let(f"zext i1 {number} to i8")
    kind, align = memory_type(place.dtype), _align(place, index, index.offsets[0])
    e.line(f"store {kind} {number}, ptr {at}, align {align}{place.tag}")


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
    few = _runs_of(offsets) <= max(2, e.lanes // 4)
    apart = len(set(offsets)) == e.lanes and index.scalar is not None
    return apart and not few and mask.bits is None


def _store_pattern(e: Emitter, place: Storage, index: Value, value: Value, mask: Mask) -> None:
    offsets = index.offsets
    starts = [x - lane for lane, x in enumerate(offsets)]
    runs = sorted(set(starts))
    kind = f"<{e.lanes} x {memory_type(place.dtype)}>"
    if len(runs) == 1 and mask.bits is None:
        at = pointer(e, place, index, runs[0])
        align = _align(place, index, runs[0])
        e.line(f"store {kind} {raw(e, value)}, ptr {at}, align {align}{place.tag}")
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
        some = _and(e, mask.bits, [s == start for s in starts])
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
        at, align = pointer(e, place, index, offset), _align(place, index, offset)
        shape = f"<{width} x {kind}>" if width > 1 else kind
        e.line(f"store {shape} {operand}, ptr {at}, align {align}{place.tag}")

    wait(e, Waiting(place.pointer, index, value, kind, write))
