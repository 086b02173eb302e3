"""Atomic updates: CUDA's own where it has them, else a loop of compare-and-swap."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.base.errors import CodegenError
from workbench.codegen.clike import ATOM, UNARY, C
from workbench.codegen.cuda.cast import cast
from workbench.codegen.cuda.helpers import Helpers
from workbench.codegen.cuda.scalar import binary, settle
from workbench.codegen.cuda.types import c_type, integer_bounds
from workbench.ir.expr import Atomic, AtomicOp, BinaryOp
from workbench.ir.types import DType, f32

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
_OPS = {
    AtomicOp.ADD: BinaryOp.ADD,
    AtomicOp.MIN: BinaryOp.MIN,
    AtomicOp.MAX: BinaryOp.MAX,
    AtomicOp.AND: BinaryOp.BITAND,
    AtomicOp.OR: BinaryOp.BITOR,
    AtomicOp.XOR: BinaryOp.BITXOR,
}
_WORDS = {16: "unsigned short", 32: "unsigned", 64: "unsigned long long"}
_SIGN_FREE = frozenset(_NAMES) - {AtomicOp.MIN, AtomicOp.MAX}


def atomic(node: Atomic, place: str, operands: Sequence[C], helpers: Helpers) -> C:
    """The update of `place` by `operands` (the value; before it nothing, after it `compare`)."""
    kind = node.type
    if kind.bits not in _WORDS:
        raise CodegenError(
            f"CUDA has no atomic update of {kind}, whose size is {kind.size_bytes} byte",
            span=node.span,
            hint="use 2, 4 or 8 bytes",
        )
    values = [settle(a, kind, helpers) for a in operands]
    if node.op is AtomicOp.COMPARE_EXCHANGE:
        values = [values[1], values[0]]  # CUDA takes the comparand first
    pointer = _pointer(node.op, kind)
    name = _loop(node.op, kind, helpers) if pointer is None else _NAMES[node.op]
    args = ", ".join([f"{pointer or ''}&{place}", *(v.text for v in values)])
    wraps = bool(pointer)
    return C(f"{name}({args})", ATOM, *integer_bounds(kind), wraps)


def _pointer(op: AtomicOp, kind: DType) -> str | None:
    """What CUDA's own function takes the address as; None where CUDA has none for the type."""
    if kind.scalar == "i64" and op in _SIGN_FREE:
        return "(unsigned long long*)"
    if kind.scalar == "f32":
        return "" if op in (AtomicOp.ADD, AtomicOp.EXCHANGE) else None
    if kind.scalar == "f64":
        return "" if op is AtomicOp.ADD else None
    return "" if kind.bits >= 32 else None


def _loop(op: AtomicOp, kind: DType, helpers: Helpers) -> str:
    t, word = c_type(kind, helpers), _WORDS[kind.bits]
    name = f"atomic_{op.value}_{kind}"
    to_bits, of_bits = _bits(kind, t, word)
    if op is AtomicOp.COMPARE_EXCHANGE:
        swap = f"atomicCAS(({word}*)p, {to_bits.format('c')}, {to_bits.format('x')})"
        body = f"return {of_bits.format(swap)};"
        return helpers.function(t, name, f"{t}* p, {t} c, {t} x", body)
    new = C("x") if op is AtomicOp.EXCHANGE else _update(op, kind, helpers)
    body = (
        f"{word} seen = *({word}*)p, old;\n"
        "do {\n"
        "  old = seen;\n"
        f"  {t} y = {of_bits.format('old')};\n"
        f"  seen = atomicCAS(({word}*)p, old, {to_bits.format(new.at(UNARY))});\n"
        "} while (seen != old);\n"
        f"return {of_bits.format('old')};"
    )
    return helpers.function(t, name, f"{t}* p, {t} x", body)


def _update(op: AtomicOp, kind: DType, helpers: Helpers) -> C:
    bounds = integer_bounds(kind)
    a, b = C("y").within(*bounds), C("x").within(*bounds)
    if kind.bits == 16 and kind.is_float:
        wide = [cast(v, kind, f32, helpers, 0) for v in (a, b)]
        return cast(binary(_OPS[op], wide[0], wide[1], f32, helpers), f32, kind, helpers, 0)
    return binary(_OPS[op], a, b, kind, helpers)


def _bits(kind: DType, t: str, word: str) -> tuple[str, str]:
    """Formats that turn a value into the bits of a word and back."""
    if kind.scalar == "f32":
        return "__float_as_uint({})", "__uint_as_float({})"
    if kind.scalar == "f64":
        return "(unsigned long long)__double_as_longlong({})", "__longlong_as_double({})"
    return f"({word}){{}}", f"({t}){{}}"
