"""What the generated CUDA C++ computes, against the interpreter and numpy, bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from tests.codegen import emulate
from workbench.base.errors import WorkbenchError
from workbench.interp import run as interpret
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Builtin, Expr, UnaryOp, Var
from workbench.ir.module import Function, Launch, Level, Module
from workbench.ir.stmt import Seq, Stmt, Store
from workbench.ir.types import SCALARS, DType, TensorType, boolean, i32
from workbench.ir.verify import verify

pytestmark = pytest.mark.skipif(emulate.GXX is None, reason="g++ is not on PATH")

THREADS = 64
TID = Builtin("threadIdx.x")
HALVES = ("f16", "bf16")
WIDE = [t for t in SCALARS.values() if t.scalar not in HALVES and t is not boolean]


def numpy_dtype(kind: DType) -> np.dtype:
    return np.dtype(ml_dtypes.bfloat16 if kind.scalar == "bf16" else kind.numpy_name)


def values(kind: DType, seed: int) -> np.ndarray:
    """Numbers of every size, the corners first; never zero where `seed` is odd: a divisor."""
    rng = np.random.default_rng(seed)
    to = numpy_dtype(kind)
    if kind.kind == "b":
        return rng.integers(0, 2, THREADS).astype(to)
    if kind.is_float:
        corners = [0.5, -0.5, 1.5, 2.5, -3.0, 127.4, -200.0, 70000.0, 3e9, -3e9, 1e19, -1e19, 1e-9]
        found = np.concatenate([corners, rng.standard_normal(THREADS - len(corners)) * 50])
        if seed % 2 == 0:
            found[-4:] = [np.nan, np.inf, -np.inf, 0.0]
        with np.errstate(over="ignore"):
            return rng.permutation(found).astype(to)
    limits = np.iinfo(to)
    corners = [limits.min, limits.max, limits.min + 1, limits.max - 1, 1, 2, 3, limits.max // 2]
    corners += [7, limits.max - 5] if kind.kind == "u" else [-1, -7]
    found = [int(v) for v in rng.integers(-99, 99, THREADS - len(corners))]
    found = [v % (limits.max + 1) if kind.kind == "u" else v for v in found]
    numbers = rng.permutation(np.array(corners + found, dtype=object)).astype(to)
    if seed % 2:
        numbers[numbers == 0] = 3
    return numbers


def kernel(inputs: list[Var], exprs: list[Expr]) -> tuple[Module, list[Var]]:
    """One thread per element: output n is expression n."""
    outs = [Var(f"out{n}", TensorType(e.type, (THREADS,))) for n, e in enumerate(exprs)]
    body: list[Stmt] = [Store(o, (TID,), e) for o, e in zip(outs, exprs, strict=True)]
    launch = Launch((1, 1, 1), (THREADS, 1, 1))
    function = Function("kernel", (*inputs, *outs), Seq(tuple(body)), launch)
    module = Module((function,), level=Level.LOWERED)
    verify(module)
    return module, outs


def outputs(outs: list[Var]) -> list[np.ndarray]:
    return [np.zeros(THREADS, numpy_dtype(o.tensor.dtype)) for o in outs]


def compare(
    inputs: dict[Var, np.ndarray],
    exprs: list[Expr],
    labels: list[str],
    folder: Path,
    ulps: int = 0,
    arch: str = "sm_80",
) -> None:
    module, outs = kernel(list(inputs), exprs)
    expected, found = outputs(outs), outputs(outs)
    interpret(module, [*inputs.values(), *expected])
    emulate.run(module, [*inputs.values(), *found], folder, arch)
    for label, a, b in zip(labels, found, expected, strict=True):
        same(label, a, b, ulps)


def same(label: str, found: np.ndarray, expected: np.ndarray, ulps: int) -> None:
    if found.dtype.kind not in "iub":
        nan = np.isnan(expected)
        np.testing.assert_array_equal(np.isnan(found), nan, label)
        found, expected = found[~nan], expected[~nan]
    if ulps and found.dtype.kind == "f":
        eps = ulps * np.finfo(found.dtype).eps
        np.testing.assert_allclose(found, expected, rtol=eps, atol=eps * 1e-3, err_msg=label)
    else:
        np.testing.assert_array_equal(found, expected, label)


def accepted(make: Callable[[], Expr]) -> Expr | None:
    try:
        return make()
    except WorkbenchError:
        return None


@pytest.mark.parametrize("kind", [*WIDE, boolean], ids=str)
def test_operators_mean_what_the_interpreter_does(kind: DType, tmp_path: Path) -> None:
    a, b = (Var(n, TensorType(kind, (THREADS,))) for n in "ab")
    x, y = build.load(a, [TID]), build.load(b, [TID])
    exprs: dict[str, Expr | None] = {}
    for op in BinaryOp:
        if op in (BinaryOp.TRUNCDIV, BinaryOp.TRUNCMOD):
            continue  # for non-negative operands only; see below
        if kind == boolean and op in (BinaryOp.SHL, BinaryOp.SHR):
            continue
        if not kind.is_int and op in (BinaryOp.FLOORDIV, BinaryOp.FLOORMOD):
            continue  # the verifier refuses them on floats; a bool divisor may be 0
        right: Expr = y
        if op in (BinaryOp.SHL, BinaryOp.SHR):
            right = build.binary(BinaryOp.BITAND, y, kind.bits - 1) if kind.is_int else y
        exprs[op.value] = accepted(lambda op=op, right=right: build.binary(op, x, right))
    for unary in UnaryOp:
        exprs[f"unary {unary.value}"] = accepted(lambda u=unary: build.unary(u, x))
    exprs["select"] = build.select(build.less(x, y), x, y)
    exprs["compound"] = build.add(build.mul(x, build.sub(y, 3)), build.sub(x, build.add(y, x)))
    kept = {k: e for k, e in exprs.items() if e is not None}
    inputs = {a: values(kind, 2), b: values(kind, 3)}
    compare(inputs, list(kept.values()), list(kept), tmp_path)


@pytest.mark.parametrize("kind", list(SCALARS.values()), ids=str)
@pytest.mark.parametrize("arch", ["sm_75", "sm_80"])
def test_casts(kind: DType, arch: str, tmp_path: Path) -> None:
    a = Var("a", TensorType(kind, (THREADS,)))
    x = build.load(a, [TID])
    to = [t for t in SCALARS.values() if t != kind]
    exprs = [build.cast(x, t) for t in to]
    compare({a: values(kind, 2)}, exprs, [f"{kind} to {t}" for t in to], tmp_path, arch=arch)


def test_thread_indices_behave_as_signed(tmp_path: Path) -> None:
    a = Var("a", TensorType(i32, (THREADS,)))
    x = build.load(a, [TID])
    f32 = SCALARS["f32"]
    centred = build.sub(TID, 32)
    exprs = {
        "difference": centred,
        "sign": build.less(centred, 0),
        "against a value": build.less(TID, x),
        "two differences": build.less(centred, build.sub(16, TID)),
        "float": build.cast(centred, f32),
        "wide": build.cast(centred, SCALARS["i64"]),
        "floor": build.floordiv(centred, 8),
        "modulo": build.floormod(centred, 7),
        "min": build.binary(BinaryOp.MIN, centred, -3),
        "shift": build.binary(BinaryOp.SHR, centred, 2),
        "select": build.select(build.less(x, 0), TID, x),
        "negated": build.unary(UnaryOp.NEG, TID),
        "inverted": build.less(build.unary(UnaryOp.INVERT, TID), 0),
        "division": build.floordiv(TID, 8),
        "wrap": build.mul(build.add(TID, 2**31 - 1), 3),
        "absolute": build.call("abs", centred),
        "bits": build.less(build.binary(BinaryOp.BITXOR, TID, x), 0),
    }
    compare({a: values(i32, 2)}, list(exprs.values()), list(exprs), tmp_path)


@pytest.mark.parametrize("kind", [SCALARS["f32"], SCALARS["f64"]], ids=str)
def test_functions(kind: DType, tmp_path: Path) -> None:
    from workbench.ir.intrinsic import INTRINSICS, Group

    integers = {"popcount", "dot4"}
    names = [n for n, row in INTRINSICS.items() if row.group is Group.THREAD and n not in integers]
    inputs = [Var(n, TensorType(kind, (THREADS,))) for n in "abc"]
    loads = [build.load(v, [TID]) for v in inputs]
    exprs = [build.call(n, *loads[: len(INTRINSICS[n].parameters)]) for n in names]
    rng = np.random.default_rng(0)
    data = [(rng.random(THREADS) * s + 0.01).astype(kind.numpy_name) for s in (0.98, 3.0, 9.0)]
    compare(dict(zip(inputs, data, strict=True)), exprs, names, tmp_path, ulps=8)


@pytest.mark.parametrize("kind", [t for t in SCALARS.values() if t.is_int], ids=str)
def test_integer_functions(kind: DType, tmp_path: Path) -> None:
    a = Var("a", TensorType(kind, (THREADS,)))
    x = build.load(a, [TID])
    exprs = [build.call("abs", x), build.call("popcount", x)]
    compare({a: values(kind, 2)}, exprs, ["abs", "popcount"], tmp_path)


@pytest.mark.parametrize("kind", [SCALARS[n] for n in ("f16", "i8", "i32", "u64", "f64")], ids=str)
@pytest.mark.parametrize("threads", [64, 48, 20])
def test_warp_functions(kind: DType, threads: int, tmp_path: Path) -> None:
    a = Var("a", TensorType(kind, (threads,)))
    n = Var("n", TensorType(i32, (threads,)))
    x, far = build.load(a, [TID]), build.load(n, [TID])
    full = threads % 32 == 0
    exprs = [build.call("shfl_xor", x, 3), build.call("shfl_up", x, 4)] if full else []
    exprs += [build.call("shfl", x, 5), build.call("shfl_down", x, 0)]
    positive = build.less(0, far)
    exprs += [build.call(v, positive) for v in ("ballot", "vote_any", "vote_all")]
    if full:
        exprs += [build.call(s, x, far) for s in ("shfl", "shfl_up", "shfl_down", "shfl_xor")]
    outs = [Var(f"out{k}", TensorType(e.type, (threads,))) for k, e in enumerate(exprs)]
    body = Seq(tuple(Store(o, (TID,), e) for o, e in zip(outs, exprs, strict=True)))
    function = Function("warp", (a, n, *outs), body, Launch((1, 1, 1), (threads, 1, 1)))
    module = Module((function,), level=Level.LOWERED)
    rng = np.random.default_rng(1)
    lanes = rng.integers(-3, 40, threads).astype(np.int32)
    given = [rng.integers(0, 99, threads).astype(numpy_dtype(kind)), lanes]
    expected = [np.zeros(threads, numpy_dtype(o.tensor.dtype)) for o in outs]
    found = [e.copy() for e in expected]
    interpret(module, [*given, *expected])
    emulate.run(module, [*given, *found], tmp_path)
    for k, (one, other) in enumerate(zip(found, expected, strict=True)):
        same(f"{k}", one, other, 0)
