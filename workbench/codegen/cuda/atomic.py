"""Atomic updates, all of which CUDA has; the verifier lets no other type pass."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.codegen.clike import ATOM, C
from workbench.codegen.cuda.prelude import Prelude
from workbench.codegen.cuda.scalar import settle
from workbench.ir.expr import Atomic, AtomicOp
from workbench.ir.types import f64, i64

_NAMES = {
    AtomicOp.ADD: "atomicAdd",
    AtomicOp.MIN: "atomicMin",
    AtomicOp.MAX: "atomicMax",
    AtomicOp.AND: "atomicAnd",
    AtomicOp.OR: "atomicOr",
    AtomicOp.XOR: "atomicXor",
    AtomicOp.EXCHANGE: "atomicExch",
    AtomicOp.COMPARE_EXCHANGE: "atomicCAS",
}


def atomic(node: Atomic, place: str, operands: Sequence[C], prelude: Prelude) -> C:
    """The update of `place` by `operands`: the value, then what it is compared with, if at all."""
    kind, name = node.type, _NAMES[node.op]
    values = [settle(a, kind, prelude).text for a in operands]
    values.reverse()  # CUDA takes the comparand first
    pointer = f"&{place}"
    signed_only = node.op in (AtomicOp.MIN, AtomicOp.MAX)
    wraps = kind == i64 and not signed_only
    if wraps:  # CUDA has these for unsigned long long alone; the bits are the same
        pointer = f"(unsigned long long*){pointer}"
    if kind == f64 and node.op is AtomicOp.EXCHANGE:
        body = (
            "return __longlong_as_double(atomicExch((unsigned long long*)p,\n"
            "    (unsigned long long)__double_as_longlong(x)));"
        )
        name = prelude.function("double", "exchange_f64", "double* p, double x", body)
    return C(f"{name}({', '.join([pointer, *values])})", ATOM, *kind.bounds, wraps)
