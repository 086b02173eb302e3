"""Intrinsics: none is missing, and each agrees with numpy or math in float64."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

from workbench.interp.intrinsics import GROUP_RULES, THREAD_RULES
from workbench.ir.intrinsic import INTRINSICS

ONE = {
    "exp": math.exp, "exp2": lambda x: 2.0**x, "expm1": math.expm1, "sin": math.sin,
    "cos": math.cos, "tan": math.tan, "atan": math.atan, "sinh": math.sinh, "cosh": math.cosh,
    "tanh": math.tanh, "asinh": math.asinh, "erf": math.erf, "floor": math.floor,
    "ceil": math.ceil, "round": round, "trunc": math.trunc, "abs": abs,
}  # fmt: skip
POSITIVE = {
    "log": math.log, "log2": math.log2, "log10": math.log10, "log1p": math.log1p,
    "sqrt": math.sqrt, "rsqrt": lambda x: 1 / math.sqrt(x),
}  # fmt: skip
UNIT = {"asin": math.asin, "acos": math.acos, "atanh": math.atanh}
TWO = {"pow": math.pow, "atan2": math.atan2, "fmod": math.fmod}
KINDS = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32, "f64": np.float64}


def test_every_intrinsic_has_one_rule() -> None:
    assert not THREAD_RULES.keys() & GROUP_RULES.keys()
    assert THREAD_RULES.keys() | GROUP_RULES.keys() == INTRINSICS.keys()
    assert all(INTRINSICS[name].pure for name in THREAD_RULES)


def check(run, kind: str, call: str, reference, *values: np.ndarray) -> None:
    args = [v.astype(KINDS[kind]) for v in values]
    params = ", ".join(f"x{n}: {kind}[256]" for n in range(len(args)))
    loads = ", ".join(f"x{n}[threadIdx.x]" for n in range(len(args)))
    out = np.zeros(256, KINDS[kind])
    report = run(
        f"""
        func k({params}, out: {kind}[256]) launch(grid=1, block=256)
          out[threadIdx.x] = {call}({loads})
        """,
        *args, out,
    )  # fmt: skip
    assert report.ok
    exact = [reference(*map(float, xs)) for xs in zip(*args, strict=True)]
    wanted = np.array(exact).astype(KINDS[kind]).astype(np.float64)
    # one unit in the last place: of f64 for numpy's own functions, of a half for rounding twice
    digits = {"f16": 1e-3, "bf16": 8e-3, "f32": 1.2e-7, "f64": 1e-15}[kind]
    np.testing.assert_allclose(out.astype(np.float64), wanted, rtol=2 * digits)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*ONE, *POSITIVE, *UNIT, "acosh", *TWO])
def test_functions(run, rng, name: str, kind: str) -> None:
    if name in ONE:
        check(run, kind, name, ONE[name], rng.uniform(-4, 4, 256))
    elif name in POSITIVE:
        check(run, kind, name, POSITIVE[name], rng.uniform(0.1, 50, 256))
    elif name in UNIT:
        check(run, kind, name, UNIT[name], rng.uniform(-0.9, 0.9, 256))
    elif name == "acosh":
        check(run, kind, name, math.acosh, rng.uniform(1.1, 9, 256))
    else:
        check(run, kind, name, TWO[name], rng.uniform(0.2, 4, 256), rng.uniform(0.5, 3, 256))


@pytest.mark.parametrize("kind", KINDS)
def test_round_takes_ties_to_even_and_tests_find_nan_and_infinity(run, kind: str) -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, math.nan, math.inf, -math.inf, 0.0]).astype(KINDS[kind])
    nearest, nan, inf = np.zeros_like(x), np.zeros(8, bool), np.zeros(8, bool)
    report = run(
        f"""
        func k(x: {kind}[8], r: {kind}[8], n: bool[8], i: bool[8]) launch(grid=1, block=8)
          r[threadIdx.x] = round(x[threadIdx.x])
          n[threadIdx.x] = isnan(x[threadIdx.x])
          i[threadIdx.x] = isinf(x[threadIdx.x])
        """,
        x, nearest, nan, inf,
    )  # fmt: skip
    assert report.ok
    assert nearest[:4].astype(float).tolist() == [0, 2, 2, 0]
    assert nan.tolist() == [False] * 4 + [True] + [False] * 3
    assert inf.tolist() == [False] * 5 + [True, True, False]


def test_popcount(run) -> None:
    x = np.array([0, 1, -1, 2**62 + 5], np.int64)
    out = np.zeros(4, np.int32)
    run(
        """
        func k(x: i64[4], out: i32[4]) launch(grid=1, block=4)
          out[threadIdx.x] = popcount(x[threadIdx.x])
        """,
        x, out,
    )  # fmt: skip
    assert out.tolist() == [0, 1, 64, 3]


@pytest.mark.parametrize(
    ("call", "source"),
    [
        ("shfl(v, 5)", lambda lane: 5),
        ("shfl(v, 40)", lambda lane: lane),
        ("shfl_up(v, 3)", lambda lane: lane - 3 if lane >= 3 else lane),
        ("shfl_down(v, 7)", lambda lane: lane + 7 if lane + 7 < 32 else lane),
        ("shfl_xor(v, 9)", lambda lane: lane ^ 9),
        ("shfl(v, (threadIdx.x * 7) % 32)", lambda lane: lane * 7 % 32),
    ],
)
def test_shuffles_stay_in_the_warp(run, rng, call: str, source) -> None:
    x, out = rng.standard_normal((2, 4, 96)).astype(np.float32)
    report = run(
        f"""
        func k(x: f32[4, 96], out: f32[4, 96]) launch(grid=4, block=(48, 2))
          let t = threadIdx.y * 48 + threadIdx.x
          let v = x[blockIdx.x, t]
          out[blockIdx.x, t] = {call.replace("threadIdx.x", "t")}
        """,
        x, out,
    )  # fmt: skip
    assert report.ok
    wanted = [x[:, t // 32 * 32 + source(t % 32)] for t in range(96)]
    np.testing.assert_array_equal(out, np.stack(wanted, axis=1))


def test_votes_and_ballot(run) -> None:
    x = np.zeros(64, np.int32)
    x[[3, 31]] = 1
    x[32:] = 1
    ballots, some, every = np.zeros(64, np.uint32), np.zeros(64, bool), np.zeros(64, bool)
    report = run(
        """
        func k(x: i32[64], b: u32[64], s: bool[64], e: bool[64]) launch(grid=1, block=64)
          let yes = x[threadIdx.x] != 0
          b[threadIdx.x] = ballot(yes)
          s[threadIdx.x] = vote_any(yes)
          e[threadIdx.x] = vote_all(yes)
        """,
        x, ballots, some, every,
    )  # fmt: skip
    assert report.ok
    assert ballots.tolist() == [1 << 3 | 1 << 31] * 32 + [2**32 - 1] * 32
    assert some.all()
    assert every.tolist() == [False] * 32 + [True] * 32
