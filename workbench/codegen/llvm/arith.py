"""Operators on lane values: symbolic where a pattern of lanes survives, else LLVM instructions."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd

from workbench.codegen.llvm.divide import floor_divide, floor_modulus
from workbench.codegen.llvm.emit import Emitter, literal, scalar_type
from workbench.codegen.llvm.value import (
    Offsets,
    Value,
    divides,
    integer,
    opaque,
    pattern,
    shared,
    squeeze,
    varying,
    with_offsets,
    zip_offsets,
)
from workbench.ir.expr import COMPARISONS, BinaryOp, UnaryOp
from workbench.ir.types import DType, boolean

Rule = Callable[[Emitter, Value, Value], Value]

_INTEGER = {
    BinaryOp.ADD: "add",
    BinaryOp.SUB: "sub",
    BinaryOp.MUL: "mul",
    BinaryOp.BITAND: "and",
    BinaryOp.BITOR: "or",
    BinaryOp.BITXOR: "xor",
    BinaryOp.SHL: "shl",
}
_FLOAT = {
    BinaryOp.ADD: "fadd contract",
    BinaryOp.SUB: "fsub contract",
    BinaryOp.MUL: "fmul contract",
    BinaryOp.DIV: "fdiv",
}
_ORDERED = {
    BinaryOp.LT: ("slt", "ult", "olt"),
    BinaryOp.LE: ("sle", "ule", "ole"),
    BinaryOp.GT: ("sgt", "ugt", "ogt"),
    BinaryOp.GE: ("sge", "uge", "oge"),
    BinaryOp.EQ: ("eq", "eq", "oeq"),
    BinaryOp.NE: ("ne", "ne", "une"),
}
_LOGICAL = {
    BinaryOp.AND: "and",
    BinaryOp.OR: "or",
    BinaryOp.BITAND: "and",
    BinaryOp.BITOR: "or",
    BinaryOp.BITXOR: "xor",
}


def constant(value: int | float | bool, kind: DType) -> Value:
    """A number known now."""
    if kind.is_int:
        return integer(kind, int(value))
    return Value(kind, literal(value, kind))


def binary(e: Emitter, op: BinaryOp, a: Value, b: Value) -> Value:
    """`a op b`; both of one type."""
    if op in COMPARISONS:
        return _compare(e, op, a, b)
    if a.type.kind == "b":
        return _logical(e, op, a, b)
    if a.type.is_float:
        return _float(e, op, a, b)
    rule = _RULES.get(op)
    return rule(e, a, b) if rule else _plain(e, op, a, b)


def unary(e: Emitter, op: UnaryOp, a: Value) -> Value:
    """`op a`."""
    if op is UnaryOp.NOT:
        return _logical(e, BinaryOp.BITXOR, a, constant(True, boolean))
    if op is UnaryOp.INVERT:
        return binary(e, BinaryOp.BITXOR, a, integer(a.type, -1))
    if a.type.is_int:
        return binary(e, BinaryOp.SUB, integer(a.type, 0), a)
    kind, operand = operands(e, a)
    return like(a.type, e.let(f"fneg {kind} {operand}"), a)


def operands(e: Emitter, *values: Value) -> tuple[str, ...]:
    """LLVM type and operands: scalars where all are uniform, else vectors."""
    kind = values[0].type
    if all(v.uniform for v in values):
        return (scalar_type(kind), *map(e.scalar, values))
    return (e.vector_type(kind), *map(e.vector, values))


def like(kind: DType, name: str, *sources: Value) -> Value:
    """A result computed from `sources`: uniform where they are."""
    return opaque(kind, name) if all(v.uniform for v in sources) else varying(kind, name)


def _plain(e: Emitter, op: BinaryOp, a: Value, b: Value) -> Value:
    kind, x, y = operands(e, a, b)
    return like(a.type, e.let(f"{_INTEGER[op]} {kind} {x}, {y}"), a, b)


def _float(e: Emitter, op: BinaryOp, a: Value, b: Value) -> Value:
    kind, x, y = operands(e, a, b)
    if op in _FLOAT:
        return like(a.type, e.let(f"{_FLOAT[op]} {kind} {x}, {y}"), a, b)
    suffix = type_suffix(kind)
    assert op in (BinaryOp.MIN, BinaryOp.MAX), f"{op} of floats"
    name = "llvm.minnum" if op is BinaryOp.MIN else "llvm.maxnum"
    return like(a.type, e.call(kind, f"{name}.{suffix}", [(kind, x), (kind, y)]), a, b)


def type_suffix(kind: str) -> str:
    """How an intrinsic's name spells a type: ``v16f32``, ``i32``."""
    names = {"float": "f32", "double": "f64"}
    if kind.startswith("<"):
        count, _, element = kind[1:-1].split(" ")
        return f"v{count}{names.get(element, element)}"
    return names.get(kind, kind)


def _logical(e: Emitter, op: BinaryOp, a: Value, b: Value) -> Value:
    for one, other in ((a, b), (b, a)):
        if one.scalar in ("true", "false"):
            found = _with_truth(op, one.scalar == "true", other)
            if found is not None:
                return found
    kind, x, y = operands(e, a, b)
    return like(boolean, e.let(f"{_LOGICAL[op]} {kind} {x}, {y}"), a, b)


def _with_truth(op: BinaryOp, known: bool, other: Value) -> Value | None:
    name = _LOGICAL[op]
    if name == "xor":
        if other.scalar in ("true", "false"):
            return constant((other.scalar == "true") != known, boolean)
        return None if known else other
    if name == "and":
        return other if known else constant(False, boolean)
    return constant(True, boolean) if known else other


def _compare(e: Emitter, op: BinaryOp, a: Value, b: Value) -> Value:
    column = 2 if a.type.is_float else 1 if a.type.kind in "ub" else 0
    if a.type.is_int:
        known = _decide(op, a, b)
        if known is not None:
            return constant(known, boolean)
    kind, x, y = operands(e, a, b)
    word = "fcmp" if column == 2 else "icmp"
    return like(boolean, e.let(f"{word} {_ORDERED[op][column]} {kind} {x}, {y}"), a, b)


def _decide(op: BinaryOp, a: Value, b: Value) -> bool | None:
    if not (a.exact and b.exact):
        return None
    (low, high), (floor, ceiling) = a.range, b.range
    if op in (BinaryOp.GT, BinaryOp.LE):  # a > b is b < a
        less = _less((floor, ceiling), (low, high))
        return less if op is BinaryOp.GT else None if less is None else not less
    if op in (BinaryOp.LT, BinaryOp.GE):
        less = _less((low, high), (floor, ceiling))
        return less if op is BinaryOp.LT else None if less is None else not less
    if high < floor or ceiling < low:
        return op is BinaryOp.NE
    return op is BinaryOp.EQ if low == high == floor == ceiling else None


def _less(a: tuple[int, int], b: tuple[int, int]) -> bool | None:
    if a[1] < b[0]:
        return True
    return False if a[0] >= b[1] else None


def _add(e: Emitter, a: Value, b: Value) -> Value:
    if a.scalar is None or b.scalar is None:
        return _plain(e, BinaryOp.ADD, a, b) if b.known != 0 else a
    offsets = squeeze(tuple(x + y for x, y in zip_offsets(a.offsets, b.offsets)))
    if b.scalar == "0":
        return with_offsets(a, offsets)
    if a.scalar == "0":
        return with_offsets(b, offsets)
    name = e.let(f"add {scalar_type(a.type)} {a.scalar}, {b.scalar}")
    total = shared(a.type, name, a.low + b.low, a.high + b.high, gcd(a.multiple, b.multiple))
    return with_offsets(total, offsets)


def _sub(e: Emitter, a: Value, b: Value) -> Value:
    if a.scalar is None or b.scalar is None:
        return _plain(e, BinaryOp.SUB, a, b) if b.known != 0 else a
    offsets = squeeze(tuple(x - y for x, y in zip_offsets(a.offsets, b.offsets)))
    if b.scalar == "0":
        return with_offsets(a, offsets)
    name = e.let(f"sub {scalar_type(a.type)} {a.scalar}, {b.scalar}")
    total = shared(a.type, name, a.low - b.high, a.high - b.low, gcd(a.multiple, b.multiple))
    return with_offsets(total, offsets)


def _mul(e: Emitter, a: Value, b: Value) -> Value:
    if a.known is not None:
        a, b = b, a
    if b.known is None or a.scalar is None:
        if a.uniform and b.uniform:
            return _mul_uniform(e, a, b)
        return _plain(e, BinaryOp.MUL, a, b)
    factor = b.known
    offsets = squeeze(tuple(x * factor for x in a.offsets))
    if a.scalar == "0" or factor == 0:
        return pattern(a.type, offsets)
    if factor == 1:
        return a
    name = e.let(f"mul {scalar_type(a.type)} {a.scalar}, {literal(factor, a.type)}")
    low, high = sorted((a.low * factor, a.high * factor))
    return with_offsets(shared(a.type, name, low, high, a.multiple * factor), offsets)


def _mul_uniform(e: Emitter, a: Value, b: Value) -> Value:
    name = e.let(f"mul {scalar_type(a.type)} {e.scalar(a)}, {e.scalar(b)}")
    if not (a.exact and b.exact):
        return opaque(a.type, name)
    ends = [x * y for x in a.range for y in b.range]
    factor = gcd(a.multiple, a.offsets[0]) * gcd(b.multiple, b.offsets[0])
    return shared(a.type, name, min(ends), max(ends), factor)


def _shift_left(e: Emitter, a: Value, b: Value) -> Value:
    if b.known is not None and 0 <= b.known < a.type.bits:
        return _mul(e, a, integer(a.type, 1 << b.known))
    kind, x, y = operands(e, a, _bounded_shift(e, b))
    return like(a.type, e.let(f"shl {kind} {x}, {y}"), a, b)


def _shift_right(e: Emitter, a: Value, b: Value) -> Value:
    if b.known is not None and 0 <= b.known < a.type.bits - 1 and a.scalar is not None:
        return floor_divide(e, a, integer(a.type, 1 << b.known))
    kind, x, y = operands(e, a, _bounded_shift(e, b))
    word = "lshr" if a.type.kind == "u" else "ashr"
    return like(a.type, e.let(f"{word} {kind} {x}, {y}"), a, b)


def _bounded_shift(e: Emitter, b: Value) -> Value:
    """The count modulo the bits: LLVM gives poison for one beyond them."""
    if b.known is not None and 0 <= b.known < b.type.bits:
        return b
    return _plain(e, BinaryOp.BITAND, b, integer(b.type, b.type.bits - 1))


def _bit_and(e: Emitter, a: Value, b: Value) -> Value:
    if a.known is not None:
        a, b = b, a
    mask = b.known
    # a & (2**k - 1) is a mod 2**k, for negative numbers too
    if mask is not None and mask >= 0 and mask & (mask + 1) == 0 and a.scalar is not None:
        return floor_modulus(e, a, integer(a.type, mask + 1)) if mask + 1 <= a.type.bounds[1] else a
    return _bitwise(e, BinaryOp.BITAND, a, b)


def _bitwise(e: Emitter, op: BinaryOp, a: Value, b: Value) -> Value:
    """Bits of patterns: low bits come from the offsets, high bits from the shared part."""
    if a.scalar == "0" and b.scalar != "0":
        a, b = b, a
    if b.scalar == "0" and a.scalar is not None:
        top = 1 << max(*(abs(x) for x in (*a.offsets, *b.offsets)), 1).bit_length()
        if min(*a.offsets, *b.offsets, 0) == 0 and divides(top, a) and a.scalar != "0":
            low = _bits_of(op, a.offsets, b.offsets)
            return pattern(a.type, low) if op is BinaryOp.BITAND else with_offsets(a, low)
        if a.scalar == "0":
            return pattern(a.type, _bits_of(op, a.offsets, b.offsets))
    return _plain(e, op, a, b)


def _bits_of(op: BinaryOp, a: Offsets, b: Offsets) -> Offsets:
    pairs = zip_offsets(a, b)
    if op is BinaryOp.BITAND:
        return squeeze(tuple(x & y for x, y in pairs))
    return squeeze(tuple(x | y if op is BinaryOp.BITOR else x ^ y for x, y in pairs))


def _extreme(e: Emitter, op: BinaryOp, a: Value, b: Value) -> Value:
    smaller = _decide(BinaryOp.LE, a, b)
    if smaller is not None:
        return a if smaller == (op is BinaryOp.MIN) else b
    kind, x, y = operands(e, a, b)
    name = f"llvm.{'u' if a.type.kind == 'u' else 's'}{op.value}.{type_suffix(kind)}"
    found = e.call(kind, name, [(kind, x), (kind, y)])
    if not (a.exact and b.exact):
        return like(a.type, found, a, b)
    pick = min if op is BinaryOp.MIN else max
    low, high = pick(a.range[0], b.range[0]), pick(a.range[1], b.range[1])
    both = a.uniform and b.uniform
    return shared(a.type, found, low, high) if both else varying(a.type, found, low, high)


def _of(rule: Callable[[Emitter, BinaryOp, Value, Value], Value], op: BinaryOp) -> Rule:
    return lambda e, a, b: rule(e, op, a, b)


def _trunc_divide(e: Emitter, a: Value, b: Value) -> Value:
    return floor_divide(e, a, b, truncate=True)


def _trunc_modulus(e: Emitter, a: Value, b: Value) -> Value:
    return floor_modulus(e, a, b, truncate=True)


_RULES: dict[BinaryOp, Rule] = {
    BinaryOp.ADD: _add,
    BinaryOp.SUB: _sub,
    BinaryOp.MUL: _mul,
    BinaryOp.FLOORDIV: floor_divide,
    BinaryOp.FLOORMOD: floor_modulus,
    BinaryOp.TRUNCDIV: _trunc_divide,
    BinaryOp.TRUNCMOD: _trunc_modulus,
    BinaryOp.SHL: _shift_left,
    BinaryOp.SHR: _shift_right,
    BinaryOp.MIN: _of(_extreme, BinaryOp.MIN),
    BinaryOp.MAX: _of(_extreme, BinaryOp.MAX),
    BinaryOp.BITAND: _bit_and,
    BinaryOp.BITOR: _of(_bitwise, BinaryOp.BITOR),
    BinaryOp.BITXOR: _of(_bitwise, BinaryOp.BITXOR),
}
