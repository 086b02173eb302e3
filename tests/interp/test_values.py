"""Operators and casts against numpy, ml_dtypes, Python integers and exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench import interp
from workbench.interp.values import fma
from workbench.ir.build import binary, cast, load, unary
from workbench.ir.expr import BinaryOp, Builtin, UnaryOp, Var
from workbench.ir.module import Function, Launch, Module
from workbench.ir.stmt import Store
from workbench.ir.types import SCALARS, DType, boolean, dtype, f32, f64, i32

INTEGERS = [t for t in SCALARS.values() if t.is_int]
FLOATS = [t for t in SCALARS.values() if t.is_float]
AT = Builtin("threadIdx.x")


def numpy_of(kind: DType) -> np.dtype:
    return np.dtype(ml_dtypes.bfloat16 if kind.scalar == "bf16" else kind.numpy_name)


def elementwise(make, result: DType, *operands: tuple[DType, np.ndarray]) -> np.ndarray:
    """`make(loads…)` for every element, by one thread each."""
    size = len(operands[0][1])
    tensors = [Var(f"x{n}", kind[size]) for n, (kind, _) in enumerate(operands)]
    out = Var("out", result[size])
    body = Store(out, (AT,), make(*(load(t, (AT,)) for t in tensors)))
    module = Module((Function("k", (*tensors, out), body, Launch((1, 1, 1), (size, 1, 1))),))
    found = np.zeros(size, numpy_of(result))
    report = interp.run(module, [*(values for _, values in operands), found])
    assert report.ok, report.faults
    return found


def wrapped(value: int, kind: DType) -> int:
    value &= 2**kind.bits - 1
    return value - 2**kind.bits if kind.kind == "i" and value >> (kind.bits - 1) else value


def interesting(kind: DType) -> list[int]:
    low, high = (
        (-(2 ** (kind.bits - 1)), 2 ** (kind.bits - 1) - 1)
        if kind.kind == "i"
        else (0, 2**kind.bits - 1)
    )
    return sorted({low, low + 1, high, high - 1, 0, 1, 2, 3, 7, *([-1, -2, -7] if low else [])})


def truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


EXACT = {
    BinaryOp.ADD: lambda a, b: a + b,
    BinaryOp.SUB: lambda a, b: a - b,
    BinaryOp.MUL: lambda a, b: a * b,
    BinaryOp.FLOORDIV: lambda a, b: a // b,
    BinaryOp.FLOORMOD: lambda a, b: a % b,
    BinaryOp.TRUNCDIV: truncated,
    BinaryOp.TRUNCMOD: lambda a, b: a - truncated(a, b) * b,
    BinaryOp.MIN: min,
    BinaryOp.MAX: max,
    BinaryOp.BITAND: lambda a, b: a & b,
    BinaryOp.BITOR: lambda a, b: a | b,
    BinaryOp.BITXOR: lambda a, b: a ^ b,
    BinaryOp.LT: lambda a, b: a < b,
    BinaryOp.LE: lambda a, b: a <= b,
    BinaryOp.GT: lambda a, b: a > b,
    BinaryOp.GE: lambda a, b: a >= b,
    BinaryOp.EQ: lambda a, b: a == b,
    BinaryOp.NE: lambda a, b: a != b,
}


@pytest.mark.parametrize("kind", INTEGERS, ids=str)
@pytest.mark.parametrize("op", EXACT, ids=lambda o: o.name)
def test_integers_wrap_as_python_integers_cut_to_their_bits(op: BinaryOp, kind: DType) -> None:
    some = interesting(kind)
    divides = "DIV" in op.name or "MOD" in op.name
    pairs = [(a, b) for a in some for b in some if b or not divides]
    a, b = (np.array(column, numpy_of(kind)) for column in zip(*pairs, strict=True))
    result = boolean if isinstance(EXACT[op](1, 1), bool) else kind
    found = elementwise(lambda x, y: binary(op, x, y), result, (kind, a), (kind, b))
    exact = [EXACT[op](x, y) for x, y in pairs]
    wanted = exact if result is boolean else [wrapped(v, kind) for v in exact]
    assert found.tolist() == wanted


@pytest.mark.parametrize("kind", INTEGERS, ids=str)
def test_shifts_keep_the_sign(kind: DType) -> None:
    pairs = [(a, n) for a in interesting(kind) for n in (0, 1, kind.bits // 2, kind.bits - 1)]
    a, b = (np.array(column, numpy_of(kind)) for column in zip(*pairs, strict=True))
    left = elementwise(lambda x, y: binary(BinaryOp.SHL, x, y), kind, (kind, a), (kind, b))
    right = elementwise(lambda x, y: binary(BinaryOp.SHR, x, y), kind, (kind, a), (kind, b))
    assert left.tolist() == [wrapped(x << n, kind) for x, n in pairs]
    assert right.tolist() == [x >> n for x, n in pairs]


@pytest.mark.parametrize("kind", INTEGERS, ids=str)
def test_unary_of_integers(kind: DType) -> None:
    some = interesting(kind)
    a = np.array(some, numpy_of(kind))
    negated = elementwise(lambda x: unary(UnaryOp.NEG, x), kind, (kind, a))
    inverted = elementwise(lambda x: unary(UnaryOp.INVERT, x), kind, (kind, a))
    assert negated.tolist() == [wrapped(-v, kind) for v in some]
    assert inverted.tolist() == [wrapped(~v, kind) for v in some]
    assert elementwise(lambda x: unary(UnaryOp.NOT, x), boolean, (kind, a)).tolist() == [
        v == 0 for v in some
    ]


@pytest.mark.parametrize("kind", FLOATS, ids=str)
@pytest.mark.parametrize("sign", ["ADD", "SUB", "MUL", "DIV"])
def test_floats_round_once_per_operation(sign: str, kind: DType, rng) -> None:
    a, b = (rng.standard_normal(500).astype(numpy_of(kind)) for _ in range(2))
    found = elementwise(lambda x, y: binary(BinaryOp[sign], x, y), kind, (kind, a), (kind, b))
    python = {"ADD": "__add__", "SUB": "__sub__", "MUL": "__mul__", "DIV": "__truediv__"}[sign]
    # numpy and ml_dtypes round f16 and bf16 after each operation too
    wanted = getattr(a, python)(b)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("kind", FLOATS, ids=str)
def test_min_and_max_pass_by_nan(kind: DType) -> None:
    a, b = (
        np.array(v).astype(numpy_of(kind))
        for v in ([1.0, math.nan, math.nan, -math.inf], [math.nan, 2.0, math.nan, 3.0])
    )
    low = elementwise(lambda x, y: binary(BinaryOp.MIN, x, y), kind, (kind, a), (kind, b))
    high = elementwise(lambda x, y: binary(BinaryOp.MAX, x, y), kind, (kind, a), (kind, b))
    np.testing.assert_array_equal(low.astype(float), [1.0, 2.0, math.nan, -math.inf])
    np.testing.assert_array_equal(high.astype(float), [1.0, 2.0, math.nan, 3.0])


NUMBERS = [0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 2.5, 127.9, -128.9, 255.5, 300.0, -300.0, 65504.0]


@pytest.mark.parametrize("new", INTEGERS, ids=str)
@pytest.mark.parametrize("old", FLOATS, ids=str)
def test_float_to_integer_truncates_and_holds_to_the_range(old: DType, new: DType) -> None:
    extremes = [math.nan, math.inf, -math.inf, 2.0**31, -(2.0**31), 2.0**63, 2.0**64, -(2.0**63)]
    with np.errstate(over="ignore"):
        a = np.array(NUMBERS + extremes).astype(numpy_of(old))
    found = elementwise(lambda x: cast(x, new), new, (old, a))
    limits = np.iinfo(numpy_of(new))

    def wanted(value: float) -> int:
        if math.isnan(value):
            return 0
        if math.isinf(value):
            return limits.max if value > 0 else limits.min
        return min(max(math.trunc(value), limits.min), limits.max)

    assert found.tolist() == [wanted(float(v)) for v in a.astype(np.float64)]


@pytest.mark.parametrize("new", [f32, f64, i32, boolean, *INTEGERS], ids=str)
@pytest.mark.parametrize("old", INTEGERS, ids=str)
def test_integer_casts(old: DType, new: DType) -> None:
    some = interesting(old)
    found = elementwise(lambda x: cast(x, new), new, (old, np.array(some, numpy_of(old))))
    if new is boolean:
        wanted = [v != 0 for v in some]
    elif new.is_int:
        wanted = [wrapped(v, new) for v in some]
    else:
        wanted = [float(np.float32(v)) if new is f32 else float(v) for v in some]
    assert found.tolist() == wanted


@pytest.mark.parametrize("new", FLOATS, ids=str)
@pytest.mark.parametrize("old", FLOATS, ids=str)
def test_float_casts_round_to_even(old: DType, new: DType, rng) -> None:
    values = np.concatenate([rng.standard_normal(300), [math.inf, -math.inf, math.nan, 0.0]])
    a = values.astype(numpy_of(old))
    found = elementwise(lambda x: cast(x, new), new, (old, a))
    np.testing.assert_array_equal(
        found.astype(np.float64), a.astype(numpy_of(new)).astype(np.float64)
    )


def test_bool_becomes_a_number() -> None:
    a = np.array([False, True])
    for new in (i32, f32, dtype("f16"), dtype("bf16"), dtype("u8")):
        assert elementwise(lambda x, to=new: cast(x, to), new, (boolean, a)).tolist() == [0, 1]


def rounded(exact: Fraction, kind: np.dtype) -> float:
    """The nearest f32 or f64 to a fraction, ties to even, without double rounding."""
    if kind == np.float64:
        return float(exact)
    near = np.float32(float(exact))
    around = {np.nextafter(near, np.float32(s * math.inf)) for s in (-1, 1)} | {near}
    finite = [v for v in around if math.isfinite(v)]
    return float(
        min(finite, key=lambda v: (abs(Fraction(float(v)) - exact), int(v.view(np.uint32)) & 1))
    )


ORDINARY = st.floats(-1e10, 1e10, width=32).filter(lambda v: v == 0 or abs(v) > 1e-8)


@given(ORDINARY, ORDINARY, ORDINARY)
@example(1.0 + 2.0**-12, 1.0 + 2.0**-12, 2.0**-60)
def test_fma_of_f32_rounds_once(a: float, b: float, c: float) -> None:
    args = [np.array([v], np.float32) for v in (a, b, c)]
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    assert float(fma(*args, f32)[0]) == rounded(exact, np.dtype(np.float32))


@given(*[st.floats(-1e40, 1e40).filter(lambda v: v == 0 or abs(v) > 1e-40)] * 3)
def test_fma_of_f64_rounds_once(a: float, b: float, c: float) -> None:
    args = [np.array([v]) for v in (a, b, c)]
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    assert float(fma(*args, f64)[0]) == float(exact)


def test_fma_of_what_is_not_finite() -> None:
    with np.errstate(all="ignore"):
        found = fma(np.array([math.inf, 1e308]), np.array([1.0, 10.0]), np.array([1.0, 0.0]), f64)
    assert found.tolist() == [math.inf, math.inf]
