"""Casts of lane values. Halves travel as their bits and are rounded here, to nearest even."""

from __future__ import annotations

from workbench.codegen.llvm.arith import constant, like, operands, type_suffix
from workbench.codegen.llvm.emit import Emitter, literal, scalar_type
from workbench.codegen.llvm.value import Value, shared, varying, with_offsets
from workbench.ir.types import DType, boolean, f32, i32


def convert(e: Emitter, a: Value, to: DType) -> Value:
    """`a` as the type `to`, both of one lane."""
    if a.type == to:
        return a
    if to.kind == "b":
        return _truth(e, a)
    if a.type.is_float and a.type.bits == 16:
        return convert(e, _widen(e, a), to)
    if to.is_float and to.bits == 16:
        return _narrow(e, a, to)
    if a.type.is_float:
        return _from_float(e, a, to)
    if a.type.kind == "b":
        return _from_bool(e, a, to)
    if to.is_float:
        kind, operand = operands(e, a)
        word = "sitofp" if a.type.kind == "i" else "uitofp"
        return like(to, e.let(f"{word} {kind} {operand} to {retype(kind, to)}"), a)
    return _between_integers(e, a, to)


def retype(kind: str, to: DType) -> str:
    """The LLVM type `kind`, a scalar or a vector, with elements of `to`."""
    return f"{kind.rsplit(' ', 1)[0]} {scalar_type(to)}>" if kind[0] == "<" else scalar_type(to)


def _truth(e: Emitter, a: Value) -> Value:
    kind, operand = operands(e, a)
    if a.type.is_float and a.type.bits == 16:
        # zero of either sign is false, NaN is true
        limit = "splat (i16 32767)" if kind[0] == "<" else "32767"
        operand = e.let(f"and {kind} {operand}, {limit}")
    zero = "zeroinitializer" if kind[0] == "<" else "0"
    if a.type.is_float and a.type.bits != 16:
        zero = zero if kind[0] == "<" else "0.0"
        return like(boolean, e.let(f"fcmp une {kind} {operand}, {zero}"), a)
    return like(boolean, e.let(f"icmp ne {kind} {operand}, {zero}"), a)


def _from_float(e: Emitter, a: Value, to: DType) -> Value:
    kind, operand = operands(e, a)
    new = retype(kind, to)
    if to.is_float:
        word = "fpext" if to.bits > a.type.bits else "fptrunc"
        return like(to, e.let(f"{word} {kind} {operand} to {new}"), a)
    if kind[0] == "<" and (a.type, to) == (f32, i32):
        return like(to, _whole(e, kind, operand), a)
    name = f"llvm.fpto{'si' if to.kind == 'i' else 'ui'}.sat"
    full = f"{name}.{type_suffix(new)}.{type_suffix(kind)}"
    return like(to, e.call(new, full, [(kind, operand)]), a)


def _whole(e: Emitter, kind: str, x: str) -> str:
    """A vector of f32 as i32, saturated, 0 for NaN: LLVM would do it lane by lane."""
    new, flag = kind.replace("float", "i32"), kind.replace("float", "i1")
    found = e.let(f"freeze {new} {e.let(f'fptosi {kind} {x} to {new}')}")
    tests = (("oge", 2.0**31, 2**31 - 1), ("olt", -(2.0**31), -(2**31)), ("uno", 0.0, 0))
    for test, limit, end in tests:
        beyond = e.let(f"fcmp {test} {kind} {x}, splat (float {literal(limit, f32)})")
        found = e.let(f"select {flag} {beyond}, {new} splat (i32 {end}), {new} {found}")
    return found


def _from_bool(e: Emitter, a: Value, to: DType) -> Value:
    if a.scalar in ("true", "false"):
        return constant(a.scalar == "true", to)
    kind, operand = operands(e, a)
    word = "uitofp" if to.is_float else "zext"
    name = e.let(f"{word} {kind} {operand} to {retype(kind, to)}")
    if to.is_float:
        return like(to, name, a)
    return shared(to, name, 0, 1) if a.uniform else varying(to, name, 0, 1)


def _between_integers(e: Emitter, a: Value, to: DType) -> Value:
    if a.scalar == "0" and a.exact:
        floor, ceiling = to.bounds
        if floor <= min(a.offsets) and max(a.offsets) <= ceiling:
            return Value(to, "0", a.offsets, multiple=0)
    widens = to.bits > a.type.bits
    word = ("sext" if a.type.kind == "i" else "zext") if widens else "trunc"
    if a.scalar is not None and a.exact and a.low >= a.type.bounds[0]:
        # exact sums stay sums in every type that holds them, and modulo 2**bits anyway
        old, new = scalar_type(a.type), scalar_type(to)
        name = a.scalar if old == new else e.let(f"{word} {old} {a.scalar} to {new}")
        return with_offsets(shared(to, name, a.low, a.high, a.multiple), a.offsets)
    kind, operand = operands(e, a)
    new = retype(kind, to)
    name = operand if new == kind else e.let(f"{word} {kind} {operand} to {new}")
    if a.scalar is None:
        return varying(to, name, a.low, a.high)
    return like(to, name, a)


def _widen(e: Emitter, a: Value) -> Value:
    kind, operand = operands(e, a)
    wide = retype(kind, f32)
    if a.type.scalar == "f16":
        half = e.let(f"bitcast {kind} {operand} to {kind.replace('i16', 'half')}")
        return like(f32, e.let(f"fpext {kind.replace('i16', 'half')} {half} to {wide}"), a)
    bits = kind.replace("i16", "i32")
    longer = e.let(f"zext {kind} {operand} to {bits}")
    shifted = e.let(f"shl {bits} {longer}, {_number(bits, 16)}")
    return like(f32, e.let(f"bitcast {bits} {shifted} to {wide}"), a)


def _narrow(e: Emitter, a: Value, to: DType) -> Value:
    if not (a.type.is_float and a.type.bits == 32):
        if a.type.kind == "b" or (a.type.is_int and a.type.bits <= 16):
            return _narrow(e, convert(e, a, f32), to)
        return _narrow(e, _to_odd(e, a) if a.type.is_float else convert(e, a, f32), to)
    kind, operand = operands(e, a)
    short = retype(kind, to)
    if to.scalar == "f16":
        half = kind.replace("float", "half")
        name = e.let(f"fptrunc {kind} {operand} to {half}")
        return like(to, e.let(f"bitcast {half} {name} to {short}"), a)
    return like(to, _round_bf16(e, kind, operand, short), a)


def _round_bf16(e: Emitter, kind: str, operand: str, short: str) -> str:
    """Add half of the last place kept, minus one where it is even; a NaN stays one."""
    bits = kind.replace("float", "i32")
    flag = kind.replace("float", "i1")
    raw = e.let(f"bitcast {kind} {operand} to {bits}")
    high = e.let(f"lshr {bits} {raw}, {_number(bits, 16)}")
    odd = e.let(f"and {bits} {high}, {_number(bits, 1)}")
    bias = e.let(f"add {bits} {odd}, {_number(bits, 0x7FFF)}")
    moved = e.let(f"add {bits} {raw}, {bias}")
    kept = e.let(f"lshr {bits} {moved}, {_number(bits, 16)}")
    quiet = e.let(f"or {bits} {high}, {_number(bits, 64)}")
    is_nan = e.let(f"fcmp uno {kind} {operand}, {operand}")
    chosen = e.let(f"select {flag} {is_nan}, {bits} {quiet}, {bits} {kept}")
    return e.let(f"trunc {bits} {chosen} to {short}")


def _number(kind: str, value: int) -> str:
    """An integer constant of a scalar or vector type."""
    if kind[0] != "<":
        return str(value)
    return f"splat ({kind[1:-1].rsplit(' ', maxsplit=1)[-1]} {value})"


def _to_odd(e: Emitter, a: Value) -> Value:
    """f64 as f32, with an odd last bit where inexact, so that rounding again rounds once."""
    kind, operand = operands(e, a)
    single = retype(kind, f32)
    bits, flag = single.replace("float", "i32"), single.replace("float", "i1")
    near = e.let(f"fptrunc {kind} {operand} to {single}")
    back = e.let(f"fpext {single} {near} to {kind}")
    raw = e.let(f"bitcast {single} {near} to {bits}")
    low = e.let(f"and {bits} {raw}, {_number(bits, 1)}")
    inexact = e.let(f"fcmp one {kind} {back}, {operand}")
    even = e.let(f"icmp eq {bits} {low}, {_number(bits, 0)}")
    magnitude = e.let(f"and {bits} {raw}, {_number(bits, 0x7FFFFFFF)}")
    finite = e.let(f"icmp ne {bits} {magnitude}, {_number(bits, 0x7F800000)}")
    size = type_suffix(kind)
    far = e.call(kind, f"llvm.fabs.{size}", [(kind, back)])
    true = e.call(kind, f"llvm.fabs.{size}", [(kind, operand)])
    beyond = e.let(f"fcmp ogt {kind} {far}, {true}")
    step = e.let(f"select {flag} {beyond}, {bits} {_number(bits, -1)}, {bits} {_number(bits, 1)}")
    some = e.let(f"and {flag} {inexact}, {even}")
    wanted = e.let(f"and {flag} {some}, {finite}")
    moved = e.let(f"add {bits} {raw}, {step}")
    chosen = e.let(f"select {flag} {wanted}, {bits} {moved}, {bits} {raw}")
    return like(f32, e.let(f"bitcast {bits} {chosen} to {single}"), a)
