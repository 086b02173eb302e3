"""Arguments that do not fit, each with its message, and whole kernels against numpy in float64."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from workbench import interp
from workbench.base.errors import LaunchError
from workbench.ir.parse import parse

COPY = """
func copy(x: f32[4, 8], out: f32[4, 8], n: i8) launch(grid=4, block=8)
  if threadIdx.x < n
    out[blockIdx.x, threadIdx.x] = x[blockIdx.x, threadIdx.x]
"""
X, OUT = np.ones((4, 8), np.float32), np.zeros((4, 8), np.float32)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((X, OUT), "copy takes 3 arguments, not 2"),
        ((X.astype(float), OUT, 1), "x takes float32, not float64"),
        ((np.ones((4, 9), np.float32), OUT, 1), "x takes an array of shape (4, 8), not (4, 9)"),
        ((X, np.ones((8, 4), np.float32).T, 1), "out is not C-contiguous"),
        ((X, [0.0], 1), "out takes an array, not list"),
        ((X, OUT, 1.5), "n is i8, and 1.5 is a float"),
        ((X, OUT, 300), "300 does not fit in n, which is i8"),
        ((X, OUT, "3"), "n takes a number, not str"),
    ],
)
def test_arguments_that_do_not_fit(run, args: tuple[object, ...], message: str) -> None:
    with pytest.raises(LaunchError) as caught:
        run(COPY, *args)
    assert caught.value.message == message


def test_a_read_only_output_and_an_unknown_name(run) -> None:
    frozen = np.zeros((4, 8), np.float32)
    frozen.flags.writeable = False
    with pytest.raises(LaunchError, match="out is written to, but the array is read-only"):
        run(COPY, X, frozen, 1)
    with pytest.raises(LaunchError, match="copy has no parameter y"):
        run(COPY, X, OUT, 1, poison=["y"])
    out = np.zeros((4, 8), np.float32)
    assert run(COPY, frozen, out, np.int64(8)).ok


def test_a_device_function_cannot_be_launched() -> None:
    module = parse("func f(x: f32) -> f32\n  return x\n")
    with pytest.raises(LaunchError, match="f is a device function; it has no launch"):
        interp.run(module, [1.0])


def test_poison_shows_what_was_not_written(run) -> None:
    out = np.zeros((4, 8), np.float32)
    report = run(COPY, X, out, 5, poison=["out"])
    assert report.ok
    assert (out[:, :5] == 1).all()
    assert np.isnan(out[:, 5:]).all()


def test_steps_count_statements_once_for_all_threads(run) -> None:
    assert run(COPY, X, OUT.copy(), 5).steps == 2


MATMUL = """
func matmul(a: f32[{m}, {k}], b: f32[{k}, {n}], c: f32[{m}, {n}]) launch(grid={grid}, block=256)
  shared sa: f32[2, 8, 128]
  shared sb: f32[2, 8, 128]
  register acc: f32[8, 8]
  register ra: f32[8]
  register rb: f32[8]
  let r0 = threadIdx.x // 64 * 32 + threadIdx.x % 32 // 8 * 4
  let c0 = threadIdx.x // 32 % 2 * 64 + threadIdx.x % 8 * 4
  for i, j in repeat(8, 8).on(0)
    acc[i, j] = 0.0
  for t in range({turns})
    for i, kk in (repeat(4, 1) * spatial(32, 8)).on(threadIdx.x)
      let row = blockIdx.y * 128 + i
      let at = t * 8 + kk
      sa[t % 2, kk, i] = a[row, at] if row < {m} and at < {k} else 0.0
    for kk, j in (repeat(4, 1) * spatial(2, 128)).on(threadIdx.x)
      let col = blockIdx.x * 128 + j
      let at = t * 8 + kk
      sb[t % 2, kk, j] = b[at, col] if col < {n} and at < {k} else 0.0
    {barrier}
    for k in range(8)
      for i in range(8)
        ra[i] = sa[t % 2, k, r0 + i // 4 * 16 + i % 4]
      for j in range(8)
        rb[j] = sb[t % 2, k, c0 + j // 4 * 32 + j % 4]
      for i, j in repeat(8, 8).on(0)
        acc[i, j] += ra[i] * rb[j]
  for i, j in repeat(8, 8).on(0)
    let row = blockIdx.y * 128 + r0 + i // 4 * 16 + i % 4
    let col = blockIdx.x * 128 + c0 + j // 4 * 32 + j % 4
    if row < {m} and col < {n}
      c[row, col] = acc[i, j]
"""


def matmul(m: int, n: int, k: int, barrier: str = "syncthreads()") -> str:
    grid = (-(-n // 128), -(-m // 128))
    return MATMUL.format(m=m, n=n, k=k, turns=-(-k // 8), barrier=barrier, grid=grid)


@pytest.mark.parametrize(("m", "n", "k"), [(128, 128, 32), (139, 131, 17)])
def test_tiled_matmul(run, rng, m: int, n: int, k: int) -> None:
    a, b = (rng.standard_normal(s).astype(np.float32) for s in ((m, k), (k, n)))
    c = np.zeros((m, n), np.float32)
    report = run(matmul(m, n, k), a, b, c, poison=["c"])
    assert report.ok, report.faults
    np.testing.assert_allclose(c, a.astype(float) @ b.astype(float), rtol=1e-5, atol=1e-5)


def test_a_tiled_matmul_without_its_barrier_is_a_race(run, rng) -> None:
    a, b = rng.standard_normal((2, 128, 128)).astype(np.float32)
    report = run(matmul(128, 128, 128, "let unused = 0"), a, b, np.zeros_like(a))
    assert {f.tensor for f in report.faults} == {"sa", "sb"}
    assert {f.kind for f in report.faults} == {"race"}


@pytest.mark.parametrize("layout", ["", " @ row_major(32, 32).swizzle(5, 0, 5)"])
def test_transpose_through_shared_memory(run, rng, layout: str) -> None:
    x = rng.standard_normal((67, 41)).astype(np.float32)
    out = np.zeros((41, 67), np.float32)
    report = run(
        f"""
        func transpose(x: f32[67, 41], out: f32[41, 67]) launch(grid=(2, 3), block=256)
          shared s: f32[32, 32]{layout}
          for i, j in (repeat(4, 1) * spatial(8, 32)).on(threadIdx.x)
            if blockIdx.y * 32 + i < 67 and blockIdx.x * 32 + j < 41
              s[i, j] = x[blockIdx.y * 32 + i, blockIdx.x * 32 + j]
          syncthreads()
          for j, i in (repeat(4, 1) * spatial(8, 32)).on(threadIdx.x)
            if blockIdx.y * 32 + i < 67 and blockIdx.x * 32 + j < 41
              out[blockIdx.x * 32 + j, blockIdx.y * 32 + i] = s[i, j]
        """,
        x, out, poison=["out"],
    )  # fmt: skip
    assert report.ok, report.faults
    np.testing.assert_array_equal(out, x.T)


@pytest.mark.parametrize("kind", ["f32", "f16", "bf16", "f64"])
def test_row_softmax_by_shuffles(run, rng, kind: str) -> None:
    numbers = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32, "f64": float}
    x = rng.standard_normal((5, 77)).astype(numbers[kind])
    out = np.zeros_like(x)
    report = run(
        f"""
        func softmax(x: {kind}[5, 77], out: {kind}[5, 77]) launch(grid=2, block=(32, 4))
          let row = blockIdx.x * 4 + threadIdx.y
          if row < 5
            var top = {kind}(-100.0)
            for j in range(threadIdx.x, 77, 32)
              top = max(top, x[row, j])
            var m = 16
            while m > 0
              top = max(top, shfl_xor(top, m))
              m = m // 2
            var sum = {kind}(0.0)
            for j in range(threadIdx.x, 77, 32)
              sum = sum + exp(x[row, j] - top)
            m = 16
            while m > 0
              sum = sum + shfl_xor(sum, m)
              m = m // 2
            for j in range(threadIdx.x, 77, 32)
              out[row, j] = exp(x[row, j] - top) / sum
        """,
        x, out, poison=["out"],
    )  # fmt: skip
    assert report.ok, report.faults
    e = np.exp(x.astype(float) - x.astype(float).max(axis=1, keepdims=True))
    digits = {"f16": 4e-3, "bf16": 4e-2, "f32": 1e-6, "f64": 1e-14}[kind]
    np.testing.assert_allclose(out.astype(float), e / e.sum(axis=1, keepdims=True), rtol=digits)


ATOMICS = {
    "add": np.add, "min": np.minimum, "max": np.maximum, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor,
}  # fmt: skip


@pytest.mark.parametrize("op", ATOMICS)
def test_atomics(run, rng, op: str) -> None:
    x = rng.integers(-1000, 1000, (40, 64), dtype=np.int32)
    sums = np.full(7, 12, np.int32)
    wanted = sums.copy()
    ATOMICS[op].at(wanted, np.arange(40 * 64).reshape(40, 64) % 7, x)
    report = run(
        f"""
        func k(x: i32[40, 64], out: i32[7]) launch(grid=40, block=64)
          atomic_{op}(out[(blockIdx.x * 64 + threadIdx.x) % 7], x[blockIdx.x, threadIdx.x])
        """,
        x, sums,
    )  # fmt: skip
    assert report.ok
    assert sums.tolist() == wanted.tolist()


def test_atomics_give_every_thread_what_it_found(run) -> None:
    counter, places = np.zeros(1, np.int32), np.zeros(200, np.int32)
    report = run(
        """
        func k(counter: i32[1], places: i32[200]) launch(grid=5, block=40)
          if threadIdx.x % 2 == 0
            let mine = atomic_add(counter[0], 1)
            places[mine] = blockIdx.x * 40 + threadIdx.x
        """,
        counter, places,
    )  # fmt: skip
    assert report.ok
    assert counter[0] == 100
    assert sorted(places[:100]) == list(range(0, 200, 2))


def test_exchange_and_compare_exchange(run) -> None:
    lock, found = np.zeros(1, np.int32), np.zeros(64, np.int32)
    report = run(
        """
        func k(lock: i32[1], found: i32[64]) launch(grid=1, block=64)
          found[threadIdx.x] = atomic_cas(lock[0], 0, threadIdx.x + 1)
        """,
        lock, found,
    )  # fmt: skip
    assert report.ok
    assert found.tolist() == [0] + [1] * 63
    last, found = np.zeros(1, np.float32), np.zeros(64, np.float32)
    report = run(
        """
        func k(last: f32[1], found: f32[64]) launch(grid=1, block=64)
          let old = atomic_exchange(last[0], f32(threadIdx.x + 1))
          found[threadIdx.x] = old
        """,
        last, found,
    )  # fmt: skip
    assert report.ok
    assert sorted([*found, *last]) == list(range(65))


def test_a_table(run) -> None:
    out = np.zeros(6, np.int32)
    report = run(
        """
        table primes: i32[6] = [2, 3, 5, 7, 11, 13]
        func k(out: i32[6]) launch(grid=1, block=6)
          out[threadIdx.x] = primes[5 - threadIdx.x]
        """,
        out,
    )
    assert report.ok
    assert out.tolist() == [13, 11, 7, 5, 3, 2]
