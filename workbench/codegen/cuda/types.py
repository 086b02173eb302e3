"""Names of types in CUDA C++, and constants."""

from __future__ import annotations

import math

from workbench.codegen.clike import ATOM, UNARY, C, float_literal
from workbench.codegen.cuda.prelude import Prelude
from workbench.codegen.half import half_bits, rounded
from workbench.ir.expr import Const
from workbench.ir.types import DType

_SCALARS = {
    "f32": "float",
    "f64": "double",
    "i8": "signed char",
    "i16": "short",
    "i32": "int",
    "i64": "long long",
    "u8": "unsigned char",
    "u16": "unsigned short",
    "u32": "unsigned",
    "u64": "unsigned long long",
    "bool": "bool",
}
_NATIVE = {
    "f32": ("float", (2, 4)),
    "f64": ("double", (2,)),
    "i8": ("char", (2, 4)),
    "u8": ("uchar", (2, 4)),
    "i16": ("short", (2, 4)),
    "u16": ("ushort", (2, 4)),
    "i32": ("int", (2, 4)),
    "u32": ("uint", (2, 4)),
    "i64": ("longlong", (2,)),
    "u64": ("ulonglong", (2,)),
}
_HALVES = {
    "f16": "typedef unsigned short f16;  // the bits of a half; arithmetic is in float",
    "bf16": "typedef unsigned short bf16;  // the bits of a bfloat16; arithmetic is in float",
}
SUFFIX = {"i32": "", "u32": "u", "i64": "ll", "u64": "ull"}
"""What an integer literal of the type ends in; narrower ones are cast."""


def c_type(kind: DType, prelude: Prelude) -> str:
    """The name of a type; declares it where CUDA has none."""
    if kind.scalar in _HALVES:
        prelude.add(kind.scalar, _HALVES[kind.scalar])
    if kind.lanes == 1:
        return _SCALARS.get(kind.scalar, kind.scalar)
    base, lanes = _NATIVE.get(kind.scalar, ("", ()))
    if kind.lanes in lanes:
        return f"{base}{kind.lanes}"
    prelude.add(kind.name, _struct(kind, c_type(kind.element, prelude)))
    return kind.name


def is_native(kind: DType) -> bool:
    """Whether CUDA has this short vector."""
    return kind.lanes in _NATIVE.get(kind.scalar, ("", ()))[1]


def lane(vector: str, kind: DType, place: int) -> str:
    """One lane of a short vector."""
    return f"{vector}.{'xyzw'[place]}" if is_native(kind) else f"{vector}.v[{place}]"


def maker(kind: DType, prelude: Prelude) -> str:
    """The function that makes a short vector of its lanes."""
    name = f"make_{c_type(kind, prelude)}"
    if is_native(kind):
        return name
    element = c_type(kind.element, prelude)
    params = ", ".join(f"{element} v{n}" for n in range(kind.lanes))
    values = ", ".join(f"v{n}" for n in range(kind.lanes))
    prelude.function(kind.name, name, params, f"return {kind.name}{{{{{values}}}}};")
    return name


def _struct(kind: DType, element: str) -> str:
    align = min(kind.size_bytes, 16)
    return f"struct __align__({align}) {kind.name} {{ {element} v[{kind.lanes}]; }};"


def constant(value: int | float | bool, kind: DType, prelude: Prelude) -> C:
    """A scalar constant."""
    if kind.kind == "b":
        return C("true" if value else "false", high=int(value), low=int(value))
    if kind.is_float:
        return _float(float(value), kind, prelude)
    return _integer(int(value), kind, prelude)


def const(node: Const, prelude: Prelude) -> C:
    """A constant node; one of a vector type fills every lane."""
    scalar = constant(node.value, node.type.element, prelude)
    if node.type.lanes == 1:
        return scalar
    return C(f"{maker(node.type, prelude)}({', '.join([scalar.text] * node.type.lanes)})")


def _integer(value: int, kind: DType, prelude: Prelude) -> C:
    level = UNARY if value < 0 else ATOM
    suffix = SUFFIX.get(kind.scalar)
    if suffix is None:
        return C(f"({c_type(kind, prelude)}){value}", UNARY, value, value)
    low, _ = kind.bounds
    if value == low and value < 0:  # C reads it as the negation of a number that does not fit
        return C(f"({value + 1}{suffix} - 1)", ATOM, value, value)
    return C(f"{value}{suffix}", level, value, value)


def _float(value: float, kind: DType, prelude: Prelude) -> C:
    if kind.scalar in _HALVES:
        bits = half_bits(value, kind.scalar)
        return C(f"({c_type(kind, prelude)})0x{bits:04x}", UNARY)
    single = kind.bits == 32
    value = rounded(value) if single and not math.isnan(value) else value
    if math.isfinite(value):
        text = float_literal(value, "f" if single else "")
        return C(text, UNARY if text.startswith("-") else ATOM)
    name = f"{'nan' if math.isnan(value) else 'infinity'}_{kind.scalar}"
    nan = math.isnan(value)
    if single:
        bits = "0x7fffffffu" if nan else "0x7f800000u"
        body = f"return __uint_as_float({bits});"
    else:
        bits = "0x7fffffffffffffffll" if nan else "0x7ff0000000000000ll"
        body = f"return __longlong_as_double({bits});"
    prelude.function(c_type(kind, prelude), name, "", body)
    return C(f"-{name}()", UNARY) if not nan and value < 0 else C(f"{name}()")
