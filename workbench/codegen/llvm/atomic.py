"""Atomic updates, one active lane after another."""

from __future__ import annotations

from workbench.codegen.llvm.coalesce import settle
from workbench.codegen.llvm.emit import Emitter, memory_type
from workbench.codegen.llvm.place import Mask, Storage, addresses, all_bits
from workbench.codegen.llvm.value import Value, varying
from workbench.ir.expr import AtomicOp
from workbench.ir.types import DType


def atomic(
    e: Emitter,
    place: Storage,
    op: AtomicOp,
    index: Value,
    value: Value,
    compare: Value | None,
    mask: Mask,
) -> Value:
    """Update memory for each active lane, the lowest first; gives the old values.

    Other blocks run at the same time on other cores, so each update is a real atomic; no order
    between different addresses is promised, as on a GPU.
    """
    settle(e, place.pointer)
    kind, n = memory_type(place.dtype), e.lanes
    full = f"<{n} x {kind}>"
    pointers, values = addresses(e, place, index), e.vector(value)
    compared = e.vector(compare) if compare is not None else ""
    active = all_bits(e, mask)
    before, head = e.label("atomics"), e.label("lane")
    act, after, done = e.label("update"), e.label("next_lane"), e.label("updated")
    lane, following, old, new = (e.name(h) for h in ("lane", "lane", "old", "old"))
    e.start(before)
    e.start(head)
    e.line(f"{lane} = phi i64 [ 0, %{before} ], [ {following}, %{after} ]")
    e.line(f"{old} = phi {full} [ zeroinitializer, %{before} ], [ {new}, %{after} ]")
    e.branch(e.let(f"extractelement {e.mask_type} {active}, i64 {lane}"), act, after)
    e.start(act)
    at = e.let(f"extractelement <{n} x ptr> {pointers}, i64 {lane}")
    one = e.let(f"extractelement {full} {values}, i64 {lane}")
    if compare is not None:
        want = e.let(f"extractelement {full} {compared}, i64 {lane}")
        pair = e.let(f"cmpxchg ptr {at}, {kind} {want}, {kind} {one} monotonic monotonic")
        found = e.let(f"extractvalue {{ {kind}, i1 }} {pair}, 0")
    else:
        found = e.let(f"atomicrmw {_word(op, place.dtype)} ptr {at}, {kind} {one} monotonic")
    updated = e.let(f"insertelement {full} {old}, {kind} {found}, i64 {lane}")
    e.start(after)
    e.line(f"{new} = phi {full} [ {old}, %{head} ], [ {updated}, %{act} ]")
    e.line(f"{following} = add nuw nsw i64 {lane}, 1")
    e.branch(e.let(f"icmp ult i64 {following}, {n}"), head, done)
    e.start(done)
    return varying(place.dtype, new)


def _word(op: AtomicOp, kind: DType) -> str:
    if op is AtomicOp.EXCHANGE:
        return "xchg"
    if op is AtomicOp.ADD:
        return "fadd" if kind.is_float else "add"
    if op in (AtomicOp.MIN, AtomicOp.MAX):
        return f"u{op.value}" if kind.kind == "u" else op.value
    return op.value
