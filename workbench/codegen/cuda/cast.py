"""Conversions between number types, as the IR defines them.

Halves travel as their bits: `cvt` in PTX widens and rounds them. To an integer a float is
rounded towards zero, saturates, and NaN gives 0.
"""

from __future__ import annotations

from workbench.codegen.clike import EQUAL, UNARY, C
from workbench.codegen.cuda.prelude import Prelude
from workbench.codegen.cuda.scalar import settle
from workbench.codegen.cuda.types import c_type
from workbench.ir.types import DType, bf16, f16, f32, f64, i32, i64, u32

_HALVES = (f16, bf16)
_FIRST_BF16 = 80  # the architecture that rounds to bf16 in one instruction


def cast(a: C, source: DType, to: DType, prelude: Prelude, arch: int) -> C:
    """A scalar `a` of type `source` as `to`; `arch` is the compute capability times ten."""
    if source == to:
        return a
    if source in _HALVES:
        wide = C(f"{_widen(source, prelude)}({a.text})")
        return wide if to == f32 else cast(wide, f32, to, prelude, arch)
    if to in _HALVES:
        return _to_half(settle(a, source, prelude), source, to, prelude, arch)
    if to.kind == "b":
        return C(f"{a.at(EQUAL + 1)} != 0", EQUAL, 0, 1)
    if source.is_float and to.is_int:
        return C(f"{_to_integer(source, to, prelude)}({a.text})").within(*to.bounds)
    name = c_type(to, prelude)
    if to.is_float:
        return C(f"({name}){settle(a, source, prelude).at(UNARY)}", UNARY)
    return _between_integers(a, source, to, prelude)


def _between_integers(a: C, source: DType, to: DType, prelude: Prelude) -> C:
    low, high = to.bounds
    fits = low <= a.low and a.high <= high
    bounds = (a.low, a.high) if fits else (low, high)
    if a.wraps and to.kind == "u" and to.bits == source.bits:
        return C(a.text, a.level, *bounds)  # is unsigned already
    if a.wraps and to.bits > source.bits:
        a = settle(a, source, prelude)  # else the sign would be lost
    return C(f"({c_type(to, prelude)}){a.at(UNARY)}", UNARY, *bounds)


def _widen(source: DType, prelude: Prelude) -> str:
    name, t = f"{source}_to_f32", c_type(source, prelude)
    if source == bf16:
        body = "return __uint_as_float((unsigned)x << 16);"
    else:
        body = 'float y; asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x)); return y;'
    return prelude.function("float", name, f"{t} x", body)


def _to_half(a: C, source: DType, to: DType, prelude: Prelude, arch: int) -> C:
    if source in (f32, f64):
        name = _round_f32(to, prelude, arch) if source == f32 else _round_f64(to, prelude, arch)
        return C(f"{name}({a.text})")
    if to == f16 or source.bits < 64:  # exact in f64, or so large that f16 has no number for it
        name = _round_f64(to, prelude, arch)
        return C(f"{name}((double){a.at(UNARY)})")
    t = c_type(source, prelude)
    inner = _round_f32(to, prelude, arch)
    rz = "__ll2float_rz" if source.kind == "i" else "__ull2float_rz"
    name = f"{source}_to_{to}"
    body = _odd(f"{rz}(x)", f"({t})y != x", inner)
    return C(f"{prelude.function(c_type(to, prelude), name, f'{t} x', body)}({a.text})")


def _odd(rounded: str, inexact: str, inner: str) -> str:
    """A body that rounds twice as if once: first to odd, which keeps every later tie decidable."""
    return (
        f"float y = {rounded};\n"
        f"if ({inexact}) y = __uint_as_float(__float_as_uint(y) | 1u);  // round to odd\n"
        f"return {inner}(y);"
    )


def _round_f32(to: DType, prelude: Prelude, arch: int) -> str:
    t, name = c_type(to, prelude), f"f32_to_{to}"
    if to == bf16 and arch < _FIRST_BF16:
        body = (
            "unsigned u = __float_as_uint(x);\n"
            "if (x != x) return 0x7fff;\n"
            "return (unsigned short)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);  // to nearest even"
        )
    else:
        body = f'{t} y; asm("cvt.rn.{to}.f32 %0, %1;" : "=h"(y) : "f"(x)); return y;'
    return prelude.function(t, name, "float x", body)


def _round_f64(to: DType, prelude: Prelude, arch: int) -> str:
    t, name = c_type(to, prelude), f"f64_to_{to}"
    if to == f16:
        body = f'{t} y; asm("cvt.rn.f16.f64 %0, %1;" : "=h"(y) : "d"(x)); return y;'
    else:
        body = _odd(
            "__double2float_rz(x)", "x == x && (double)y != x", _round_f32(to, prelude, arch)
        )
    return prelude.function(t, name, "double x", body)


def _to_integer(source: DType, to: DType, prelude: Prelude) -> str:
    """The function that converts; CUDA's own where it does just this."""
    wide = to if to.bits >= 32 else i32
    names = {"i32": "int", "u32": "uint", "i64": "ll", "u64": "ull"}
    builtin = f"__{'float' if source == f32 else 'double'}2{names[wide.scalar]}_rz"
    if source == f32 and to in (i32, u32):
        return builtin
    if to.bits >= 32:
        result = f"{builtin}(x)"
    else:
        low, high = to.bounds
        result = f"min(max({builtin}(x), {low}), {high})"
    zero = "0ll" if wide == i64 else "0"
    body = f"return x == x ? {result} : {zero};"
    x = c_type(source, prelude)
    return prelude.function(c_type(to, prelude), f"{source}_to_{to}", f"{x} x", body)
