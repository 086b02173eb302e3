"""Operators, casts and functions on the CPU, against numpy and the interpreter."""

import ml_dtypes
import numpy as np
import pytest

from tests.codegen.cpu import run, same
from workbench.codegen.llvm.math import MATH
from workbench.codegen.llvm.warp import WARP
from workbench.interp.intrinsics import THREAD_RULES
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.types import SCALARS, dtype, f64

N = 256
INTEGERS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"]
FLOATS = ["f16", "bf16", "f32", "f64"]


def numpy_type(name):
    return ml_dtypes.bfloat16 if name == "bf16" else np.dtype(dtype(name).numpy_name)


def edges(name):
    """Whole numbers of a type: random ones, and the ends of its range."""
    kind = np.dtype(dtype(name).numpy_name)
    info = np.iinfo(kind)
    rng = np.random.default_rng(len(name))
    values = rng.integers(info.min, info.max, N, dtype=kind, endpoint=True)
    values[:6] = [info.min, info.max, 0, 1, info.max - 1, info.min + 1]
    values[100:140] = rng.integers(0 if info.min == 0 else -5, 6, 40)
    return rng.permutation(values)


def floats(name):
    rng = np.random.default_rng(7)
    values = np.concatenate([
        rng.standard_normal(N - 16) * 10.0 ** rng.integers(-3, 4, N - 16),
        [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, 1.5, 2.5, -0.5, 255.5, 3e38, 1e-40,
         65504.0, 65520.0],
    ])  # fmt: skip
    with np.errstate(over="ignore", under="ignore"):
        return rng.permutation(values).astype(numpy_type(name))


def kernel(params, rows):
    body = "\n".join(f"  {row}" for row in rows)
    text = ", ".join(params)
    return (
        f"func f({text}) launch(grid=2, block=128)\n"
        f"  let i: i32 = blockIdx.x * 128 + threadIdx.x\n{body}\n"
    )


def binary_kernel(name, rows, results):
    params = [f"a: {name}[{N}]", f"b: {name}[{N}]"]
    params += [f"o{k}: {kind}[{N}]" for k, kind in enumerate(results)]
    lines = [f"let x: {name} = a[i]", f"let y: {name} = b[i]"]
    return kernel(params, lines + [f"o{k}[i] = {row}" for k, row in enumerate(rows)])


def outputs(kinds):
    return [np.zeros(N, numpy_type(k)) for k in kinds]


COMPARISONS = ["x < y", "x <= y", "x > y", "x >= y", "x == y", "x != y"]


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_operators_wrap_and_round_as_the_interpreters(name):
    a, b = edges(name), np.roll(edges(name), 17)
    b[b == 0] = 3
    if name[0] == "i":  # the one quotient that no integer holds is undefined
        b[(a == np.iinfo(a.dtype).min) & (b == -1)] = 2
    one = f"1{name}"
    rows = ["x + y", "x - y", "x * y", "x // y", "x % y", "x tdiv y", "x tmod y", "min(x, y)",
            "max(x, y)", "x & y", "x | y", "x ^ y", f"x << (y & 7{name})", f"x >> (y & 7{name})",
            "-x", "~x", "abs(x)", f"x // 8{name}", f"x % 8{name}", f"x // 7{name}", f"x % 7{name}",
            f"x >> 3{name}", f"x << 3{name}", f"x & 15{name}", f"x * {one}"]  # fmt: skip
    kinds = [name] * len(rows) + ["bool"] * len(COMPARISONS)
    text = binary_kernel(name, rows + COMPARISONS, kinds)
    same(text, a, b, *outputs(kinds))


@pytest.mark.parametrize("name", FLOATS)
def test_float_operators(name):
    a, b = floats(name), np.roll(floats(name), 31)
    rows = ["x + y", "x - y", "x * y", "x / y", "min(x, y)", "max(x, y)", "-x", "abs(x)"]
    kinds = [name] * len(rows) + ["bool"] * (len(COMPARISONS) + 2)
    text = binary_kernel(name, [*rows, *COMPARISONS, "isnan(x)", "isinf(x)"], kinds)
    with np.errstate(all="ignore"):
        same(text, a, b, *outputs(kinds))


def test_logic_does_not_need_numbers():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (2, N)).astype(bool)
    rows = ["x and y", "x or y", "not x", "x & y", "x | y", "x ^ y", "x == y", "x != y"]
    kinds = ["bool"] * len(rows)
    same(binary_kernel("bool", rows, kinds), a, b, *outputs(kinds))


@pytest.mark.parametrize("source", [*INTEGERS, *FLOATS, "bool"])
def test_every_cast(source):
    values = (
        np.arange(N) % 3 == 0 if source == "bool"
        else edges(source) if source in INTEGERS else floats(source)
    )  # fmt: skip
    kinds = [k for k in SCALARS if k != source]
    params = [f"a: {source}[{N}]", *(f"o{k}: {kind}[{N}]" for k, kind in enumerate(kinds))]
    text = kernel(params, [f"o{k}[i] = {kind}(a[i])" for k, kind in enumerate(kinds)])
    with np.errstate(all="ignore"):
        same(text, values, *outputs(kinds))


def test_half_rounding_is_to_nearest_even_from_f64_at_once():
    # 1 + 2**-11 + 2**-30 lies just above the middle of two f16; by way of f32 it would not
    values = np.array([1 + 2.0**-11 + 2.0**-40, 1 + 2.0**-11, 1 + 3 * 2.0**-11, 65519.999999999,
                       2.0**-25 * (1 + 2.0**-40), 1 + 2.0**-8 + 2.0**-40, 3.4028235677973366e38,
                       1e300] * 32)  # fmt: skip
    text = kernel(
        [f"a: f64[{N}]", f"h: f16[{N}]", f"b: bf16[{N}]"], ["h[i] = f16(a[i])", "b[i] = bf16(a[i])"]
    )
    _, h, b = run(text, values, np.zeros(N, "f2"), np.zeros(N, ml_dtypes.bfloat16))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(h, values.astype("f2"))
    with np.errstate(over="ignore"):
        fine = values.astype("f4").astype("f8") == values  # ml_dtypes rounds by way of f32
        np.testing.assert_array_equal(b[fine], values[fine].astype(ml_dtypes.bfloat16))
    assert float(b[5]) == 1 + 2.0**-7


def test_no_intrinsic_is_missing():
    others = {"syncthreads", "dot4"}  # one cuts the kernel, see fission; see test_dot4
    assert set(MATH) | set(WARP) | others == set(INTRINSICS)


UNARY = [n for n, row in INTRINSICS.items() if row.pure and len(row.parameters) == 1]
EXACT = {"abs", "isnan", "isinf", "popcount", "floor", "ceil", "round", "trunc", "sqrt"}
FUNCTIONS = [n for n in UNARY if n not in EXACT]
ULP = 2.5


def samples(kind):
    """Numbers of every size, and those where functions have edges."""
    rng = np.random.default_rng(3)
    raw = rng.integers(0, 2**32, 2048, dtype=np.uint32).view("f4")
    edge = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 1e-45, 3.4e38, -103.9, 88.7,
            89.1, -126.0, 0.95, 4.0, 1e9, 2.0**31, 1e-30]  # fmt: skip
    parts = [raw, rng.uniform(-10, 10, 1024), rng.standard_normal(1004), edge]
    x = np.concatenate([np.asarray(p, "f4") for p in parts])
    with np.errstate(invalid="ignore"):
        return np.resize(x, 4096).astype(kind)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_function_against_float64(name, kind):
    n = 4096
    x = samples(numpy_type(kind))
    text = (
        f"func f(a: {kind}[{n}], b: {kind}[{n}]) launch(grid=16, block=256)\n"
        f"  let i: i32 = blockIdx.x * 256 + threadIdx.x\n  b[i] = {name}(a[i])\n"
    )
    found = run(text, x, np.zeros_like(x))[1]
    with np.errstate(all="ignore"):
        exact = np.asarray(THREAD_RULES[name]([x.astype("f8")], f64), "f8")
        rounded = exact.astype(x.dtype)
        finite = np.isfinite(rounded)
        np.testing.assert_array_equal(found[~finite], rounded[~finite])
        error = np.abs(found[finite].astype("f8") - exact[finite])
        size = np.spacing(np.abs(rounded[finite])).astype("f8")
    worst = np.argmax(error / size)
    assert error[worst] <= ULP * size[worst], (x[finite][worst], found[finite][worst])
    zeros = finite & (rounded == 0)
    np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(rounded[zeros]))


@pytest.mark.parametrize("name", ["f16", "bf16", "f32", "f64"])
def test_functions_of_instructions_are_exact(name):
    x = floats(name)
    rows = ["floor(x)", "ceil(x)", "round(x)", "trunc(x)", "sqrt(abs(x))", "fma(x, y, x)"]
    kinds = [name] * len(rows)
    with np.errstate(all="ignore"):
        same(binary_kernel(name, rows, kinds), x, np.roll(x, 5), *outputs(kinds))


def test_functions_of_two():
    rng = np.random.default_rng(5)
    a, b = rng.uniform(0.1, 9, N).astype("f4"), rng.uniform(-4, 4, N).astype("f4")
    rows = ["pow(x, y)", "atan2(x, y)", "fmod(x, y)"]
    kinds = ["f32"] * 3
    found = run(binary_kernel("f32", rows, kinds), a, b, *outputs(kinds))[2:]
    x, y = a.astype("f8"), b.astype("f8")
    for one, exact in zip(found, (x**y, np.arctan2(x, y), np.fmod(x, y)), strict=True):
        np.testing.assert_array_equal(one, exact.astype("f4"))


@pytest.mark.parametrize("name", INTEGERS)
def test_popcount(name):
    text = binary_kernel(name, ["popcount(x)"], ["i32"])
    same(text, edges(name), edges(name), *outputs(["i32"]))


def test_uniform_values_take_the_scalar_way():
    text = (
        "func f(n: f32, k: i32, h: f16, b: f32[64]) launch(grid=1, block=64)\n"
        "  let u: f32 = exp(n) + sin(n) + tanh(n) + f32(k // 3) + f32(h) + sin(n * 1e30)\n"
        "  b[threadIdx.x] = u if k > 2 else 0.0\n"
    )
    same(text, 0.7, -7, 1.5, np.zeros(64, "f4"), exact=False, rtol=1e-6)
    same(text, 0.7, 11, 1.5, np.zeros(64, "f4"), exact=False, rtol=1e-6)


def test_division_by_zero_traps_in_no_lane():
    text = (
        "func f(a: i32[64], d: i32[64], b: i32[64], n: i32) launch(grid=1, block=64)\n"
        "  let i: i32 = threadIdx.x\n"
        "  if d[i] != 0\n"
        "    b[i] = a[i] // d[i] + a[i] % d[i] + a[i] tdiv d[i]\n"
        "  if n != 0\n"
        "    b[i] = b[i] // n\n"
    )
    d = np.arange(64, dtype="i4") % 5
    same(text, np.arange(-20, 44, dtype="i4"), d, np.zeros(64, "i4"), 0)
    smallest = np.full(64, -(2**31), "i4")
    run(text, smallest, np.full(64, -1, "i4"), np.zeros(64, "i4"), 0)


def test_a_long_sum_needs_no_recursion():
    terms = " + ".join(["a[threadIdx.x]"] * 500)
    text = f"func f(a: f32[64], b: f32[64]) launch(grid=1, block=64)\n  b[threadIdx.x] = {terms}\n"
    ones = np.ones(64, "f4")
    np.testing.assert_array_equal(run(text, ones, ones * 0)[1], ones * 500)
