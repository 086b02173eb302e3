"""Where tensors lie, and the addresses that the lanes of a group access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from workbench.codegen.llvm.capture import Key
from workbench.codegen.llvm.emit import Emitter, memory_type, scalar_type
from workbench.codegen.llvm.value import Offsets, Value, opaque, varying
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


def without_wrapping(e: Emitter, place: Storage, index: Value) -> Value:
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
        return Value(i32, index.scalar, index.offsets, None, *i32.bounds, index.multiple)
    return varying(index.type, e.vector(index))


def captured(e: Emitter, place: Storage, index: Value, mask: Mask) -> Key | None:
    """The element of a register tensor, when it is one and the same for all lanes."""
    assert e.capture is not None
    if index.known is None or mask.bits is not None or place.dtype.kind == "b":
        e.capture.failed = True
        return None
    return place.pointer, index.known, e.vector_type(place.dtype), place.tag


def lane_address(e: Emitter, place: Storage, index: Value) -> Value:
    """Index of a register tensor by a number of its own in each lane."""
    kind = e.vector_type(index.type)
    lanes = f"splat ({scalar_type(index.type)} {e.lanes})"
    own = e.numbers(index.type, range(e.lanes))
    scaled = e.let(f"mul {kind} {e.vector(index)}, {lanes}")
    return varying(index.type, e.let(f"add {kind} {scaled}, {own}"))


def per_lane_run(e: Emitter, index: Value) -> Value:
    """Index of a register tensor by one number for all lanes: neighbours, one per lane."""
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


def alignment(place: Storage, index: Value, offset: int) -> int:
    """What the address at the shared part plus `offset` is a multiple of [byte]."""
    size = place.dtype.bits // 8
    if not (place.own or place.per_lane):
        return size
    return max(size, gcd(SCRATCH_ALIGN, gcd(index.multiple, offset) * size))


def runs_of(offsets: Offsets) -> int:
    """How many stretches of neighbours the lanes access."""
    return len({x - lane for lane, x in enumerate(offsets)})


def raw(e: Emitter, value: Value) -> str:
    """A value as a vector of its memory type."""
    found = e.vector(value)
    if value.type.kind == "b":
        return e.let(f"zext {e.mask_type} {found} to <{e.lanes} x i8>")
    return found


def both(e: Emitter, bits: str | None, chosen: Sequence[bool]) -> str:
    """Those of the active lanes that are chosen."""
    if bits is None:
        return e.bits(chosen)
    if all(chosen):
        return bits
    return e.let(f"and {e.mask_type} {bits}, {e.bits(chosen)}")


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
