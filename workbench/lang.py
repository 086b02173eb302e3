"""Every name that a script may use, besides Python's own ``range min max abs len …``.

Types, coordinates of the launch, memory, loops, task mappings, layouts, mathematics, warps and
atomics. In a script the names are known as objects, so they may be imported under any name; outside
a script, the words among them only say that they belong into one.

The language in ten sentences:

- A script with ``launch(...)`` on its first line is a kernel; without one it is a device function
  of numbers, which other scripts call.
- What does not depend on the kernel's data is computed at translation, by Python itself: extents,
  names from outside, task mappings, tuples, calls of plain functions. An ``if`` on such a value
  keeps one branch; a ``for`` over such values, or over ``static_range``, is written out.
- ``for k in range(...)`` and ``for i, j in mapping.on(worker)`` are loops of the kernel.
- A name that is assigned at one place and holds a known number stays a known number; one that is
  assigned at several places, or augmented, is a variable of the kernel.
- A variable has the type of its first value (``0`` is i32, ``0.0`` is f32) or the one it is
  declared with: ``total: f64 = 0``.
- A name lives to the end of the block that made it; if both branches of an ``if`` make it, to the
  end of the block around.
- By itself an integer becomes a float and a narrow number a wide one; a store into a tensor also
  rounds to a narrower float; everything else is spelled out: ``i32(x)``.
- A Python number takes the type of what it meets; ``f32(0.1)`` is an f32.
- ``and``, ``or`` and ``... if ... else ...`` do not look at what they need not: an access behind
  ``i < n and`` is safe.
- ``/`` is a division of floats, ``//`` and ``%`` are Python's, for integers.
"""

from __future__ import annotations

from math import inf, nan

from workbench.ir.types import (
    bf16,
    boolean,
    dims,
    f16,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
)
from workbench.mapping import (
    TaskMapping,
    auto_map,
    column_major,
    column_repeat,
    column_spatial,
    local,
    predicated_auto_map,
    repeat,
    row_major,
    spatial,
    strided,
)
from workbench.script.names import (
    INTRINSIC_WORDS,
    atomic_add,
    atomic_and,
    atomic_cas,
    atomic_exchange,
    atomic_max,
    atomic_min,
    atomic_or,
    atomic_xor,
    blockDim,
    blockIdx,
    ceil_div,
    gridDim,
    launch,
    load,
    register,
    shared,
    static_range,
    store,
    threadIdx,
    unroll,
)

__all__ = [
    "TaskMapping",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "atomic_add",
    "atomic_and",
    "atomic_cas",
    "atomic_exchange",
    "atomic_max",
    "atomic_min",
    "atomic_or",
    "atomic_xor",
    "auto_map",
    "ballot",
    "bf16",
    "bf16x2",
    "bf16x4",
    "bf16x8",
    "blockDim",
    "blockIdx",
    "boolean",
    "ceil",
    "ceil_div",
    "column_major",
    "column_repeat",
    "column_spatial",
    "cos",
    "cosh",
    "dims",
    "dot4",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "f16",
    "f16x2",
    "f16x4",
    "f16x8",
    "f32",
    "f32x2",
    "f32x4",
    "f64",
    "f64x2",
    "floor",
    "fma",
    "fmod",
    "gridDim",
    "i8",
    "i8x4",
    "i8x16",
    "i16",
    "i32",
    "i32x2",
    "i32x4",
    "i64",
    "inf",
    "isinf",
    "isnan",
    "launch",
    "load",
    "local",
    "log",
    "log1p",
    "log2",
    "log10",
    "nan",
    "popcount",
    "predicated_auto_map",
    "register",
    "repeat",
    "row_major",
    "rsqrt",
    "shared",
    "shfl",
    "shfl_down",
    "shfl_up",
    "shfl_xor",
    "sin",
    "sinh",
    "spatial",
    "sqrt",
    "static_range",
    "store",
    "strided",
    "syncthreads",
    "syncwarp",
    "tan",
    "tanh",
    "threadIdx",
    "trunc",
    "u8",
    "u8x4",
    "u8x16",
    "u16",
    "u32",
    "u32x2",
    "u32x4",
    "u64",
    "unroll",
    "vote_all",
    "vote_any",
]

# Short vectors; f32.vector(16) and the like give every other one.
f16x2, f16x4, f16x8 = f16.vector(2), f16.vector(4), f16.vector(8)
bf16x2, bf16x4, bf16x8 = bf16.vector(2), bf16.vector(4), bf16.vector(8)
f32x2, f32x4, f64x2 = f32.vector(2), f32.vector(4), f64.vector(2)
i32x2, i32x4, u32x2, u32x4 = i32.vector(2), i32.vector(4), u32.vector(2), u32.vector(4)
i8x4, i8x16, u8x4, u8x16 = i8.vector(4), i8.vector(16), u8.vector(4), u8.vector(16)

# Mathematics, per thread; abs, min, max, pow and round are Python's own names.
exp, exp2, expm1 = INTRINSIC_WORDS["exp"], INTRINSIC_WORDS["exp2"], INTRINSIC_WORDS["expm1"]
log, log2, log10 = INTRINSIC_WORDS["log"], INTRINSIC_WORDS["log2"], INTRINSIC_WORDS["log10"]
log1p, sqrt, rsqrt = INTRINSIC_WORDS["log1p"], INTRINSIC_WORDS["sqrt"], INTRINSIC_WORDS["rsqrt"]
sin, cos, tan = INTRINSIC_WORDS["sin"], INTRINSIC_WORDS["cos"], INTRINSIC_WORDS["tan"]
asin, acos, atan = INTRINSIC_WORDS["asin"], INTRINSIC_WORDS["acos"], INTRINSIC_WORDS["atan"]
sinh, cosh, tanh = INTRINSIC_WORDS["sinh"], INTRINSIC_WORDS["cosh"], INTRINSIC_WORDS["tanh"]
asinh, acosh, atanh = INTRINSIC_WORDS["asinh"], INTRINSIC_WORDS["acosh"], INTRINSIC_WORDS["atanh"]
erf, floor, ceil = INTRINSIC_WORDS["erf"], INTRINSIC_WORDS["floor"], INTRINSIC_WORDS["ceil"]
trunc, atan2, fmod = INTRINSIC_WORDS["trunc"], INTRINSIC_WORDS["atan2"], INTRINSIC_WORDS["fmod"]
fma, isnan, isinf = INTRINSIC_WORDS["fma"], INTRINSIC_WORDS["isnan"], INTRINSIC_WORDS["isinf"]
popcount, dot4 = INTRINSIC_WORDS["popcount"], INTRINSIC_WORDS["dot4"]

# Threads together.
syncthreads, syncwarp = INTRINSIC_WORDS["syncthreads"], INTRINSIC_WORDS["syncwarp"]
shfl, shfl_up = INTRINSIC_WORDS["shfl"], INTRINSIC_WORDS["shfl_up"]
shfl_down, shfl_xor = INTRINSIC_WORDS["shfl_down"], INTRINSIC_WORDS["shfl_xor"]
ballot = INTRINSIC_WORDS["ballot"]
vote_any, vote_all = INTRINSIC_WORDS["vote_any"], INTRINSIC_WORDS["vote_all"]
