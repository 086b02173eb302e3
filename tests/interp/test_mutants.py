"""Correct kernels with one thing taken out: every barrier, guard and first write is missed.

Each kernel runs without a fault and agrees with numpy as it stands; each of its mutants must be
reported, with the right kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from workbench import interp
from workbench.ir.parse import parse

F32 = np.float32
Kernel = tuple[str, Callable[[np.random.Generator], list[np.ndarray]], Callable[..., np.ndarray]]

TRANSPOSE = """
func transpose(x: f32[67, 41], out: f32[41, 67]) launch(grid=(2, 3), block=256)
  shared s: f32[32, 32]
  for i, j in (repeat(4, 1) * spatial(8, 32)).on(threadIdx.x)
    if blockIdx.y * 32 + i < 67 and blockIdx.x * 32 + j < 41
      s[i, j] = x[blockIdx.y * 32 + i, blockIdx.x * 32 + j]
  syncthreads()
  for j, i in (repeat(4, 1) * spatial(8, 32)).on(threadIdx.x)
    if blockIdx.y * 32 + i < 67 and blockIdx.x * 32 + j < 41
      out[blockIdx.x * 32 + j, blockIdx.y * 32 + i] = s[i, j]
"""

SUM = """
func sum(x: f32[1000], out: f32[1]) launch(grid=4, block=256)
  shared s: f32[256]
  if blockIdx.x * 256 + threadIdx.x < 1000
    s[threadIdx.x] = x[blockIdx.x * 256 + threadIdx.x]
  if blockIdx.x * 256 + threadIdx.x >= 1000
    s[threadIdx.x] = 0.0
  syncthreads()
  var half = 128
  while half > 0
    if threadIdx.x < half
      s[threadIdx.x] += s[threadIdx.x + half]
    syncthreads()
    half = half // 2
  if threadIdx.x == 0
    atomic_add(out[0], s[0])
"""

STENCIL = """
func blur(x: f32[501], out: f32[501]) launch(grid=8, block=64)
  shared s: f32[66]
  let i = blockIdx.x * 64 + threadIdx.x
  if i < 501
    s[threadIdx.x + 1] = x[i]
  if i >= 501
    s[threadIdx.x + 1] = 0.0
  if threadIdx.x == 0
    s[0] = x[i - 1] if i > 0 else 0.0
    s[65] = x[i + 64] if i + 64 < 501 else 0.0
  syncthreads()
  if i < 501
    out[i] = s[threadIdx.x] + s[threadIdx.x + 1] + s[threadIdx.x + 2]
"""

HISTOGRAM = """
func histogram(x: i32[999], out: i32[16]) launch(grid=3, block=128)
  shared count: i32[16]
  if threadIdx.x < 16
    count[threadIdx.x] = 0
  syncthreads()
  for i in range(blockIdx.x * 128 + threadIdx.x, 999, 384)
    atomic_add(count[x[i]], 1)
  syncthreads()
  if threadIdx.x < 16
    atomic_add(out[threadIdx.x], count[threadIdx.x])
"""

MATMUL = """
func matmul(a: f32[37, 23], b: f32[23, 29], c: f32[37, 29]) launch(grid=(2, 3), block=(16, 16))
  shared sa: f32[16, 16]
  shared sb: f32[16, 16]
  let row = blockIdx.y * 16 + threadIdx.y
  let col = blockIdx.x * 16 + threadIdx.x
  var acc = 0.0
  for t in range(2)
    let ka = t * 16 + threadIdx.x
    let kb = t * 16 + threadIdx.y
    sa[threadIdx.y, threadIdx.x] = a[row, ka] if row < 37 and ka < 23 else 0.0
    sb[threadIdx.y, threadIdx.x] = b[kb, col] if kb < 23 and col < 29 else 0.0
    syncthreads()
    for k in range(16)
      acc = acc + sa[threadIdx.y, k] * sb[k, threadIdx.x]
    syncthreads()
  if row < 37 and col < 29
    c[row, col] = acc
"""

SCAN = """
func scan(x: f32[3, 100], out: f32[3, 100]) launch(grid=3, block=100)
  shared s: f32[2, 100]
  var now = 0
  s[0, threadIdx.x] = x[blockIdx.x, threadIdx.x]
  var step = 1
  while step < 100
    syncthreads()
    let mine = s[now, threadIdx.x]
    let other = s[now, threadIdx.x - step] if threadIdx.x >= step else 0.0
    s[1 - now, threadIdx.x] = mine + other
    now = 1 - now
    step = step * 2
  out[blockIdx.x, threadIdx.x] = s[now, threadIdx.x]
"""


def floats(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], list[np.ndarray]]:
    """Inputs of these shapes; the last is the output, 0."""

    def make(rng: np.random.Generator) -> list[np.ndarray]:
        arrays = [rng.standard_normal(s).astype(F32) for s in shapes]
        arrays[-1][...] = 0
        return arrays

    return make


def counts(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.integers(0, 16, 999, dtype=np.int32), np.zeros(16, np.int32)]


KERNELS: dict[str, Kernel] = {
    "transpose": (TRANSPOSE, floats((67, 41), (41, 67)), np.transpose),
    "sum": (SUM, floats((1000,), (1,)), lambda x: x.sum(keepdims=True)),
    "stencil": (STENCIL, floats((501,), (501,)), lambda x: np.convolve(x, np.ones(3), "same")),
    "histogram": (HISTOGRAM, counts, lambda x: np.bincount(x.astype(int), minlength=16)),
    "matmul": (MATMUL, floats((37, 23), (23, 29), (37, 29)), np.matmul),
    "scan": (SCAN, floats((3, 100), (3, 100)), lambda x: np.cumsum(x, axis=1)),
}


def mutants() -> Iterator[object]:
    for name, (text, _, _) in KERNELS.items():
        lines = text.strip().split("\n")
        for at, line in enumerate(lines):
            for number, (kind, new) in enumerate(changes(line)):
                changed = "\n".join([*lines[:at], new, *lines[at + 1 :]])
                yield pytest.param(name, changed, kind, id=f"{name}-{at + 1}-{number}")


def changes(line: str) -> Iterator[tuple[str, str]]:
    """Kinds of fault and the line that should bring them about."""
    indent = line[: len(line) - len(line.lstrip())]
    if "syncthreads" in line:
        yield "race", f"{indent}let nothing = 0"
        yield "divergent_barrier", f"{indent}if threadIdx.x > 3\n{indent}  syncthreads()"
    # a bound that is one too large lets the element after the last one in
    for match in re.finditer(r" < (67|41|501|1000|37|23|29)\b", line):
        wide = f"{line[: match.start(1)]}{int(match[1]) + 40}{line[match.end(1) :]}"
        yield "out_of_bounds", wide
    if re.search(r"range\(.*, 999, 384\)", line):
        yield "out_of_bounds", line.replace("999", "1000")
    if re.match(r"\s+(s|sa|sb|count)\[.*\] = ", line):
        yield "uninitialised", f"{indent}let nothing = 0"


@pytest.mark.parametrize("name", KERNELS)
def test_the_kernel_as_it_stands_has_no_fault(name: str, rng) -> None:
    text, make, reference = KERNELS[name]
    *inputs, out = make(rng)
    report = interp.run(parse(text), [*inputs, out])
    assert report.ok, report.faults
    exact = reference(*(x.astype(np.float64) for x in inputs))
    np.testing.assert_allclose(out, exact, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("name", "text", "kind"), list(mutants()))
def test_a_mutant_is_caught(name: str, text: str, kind: str, rng) -> None:
    report = interp.run(parse(text), KERNELS[name][1](rng))
    assert kind in {f.kind for f in report.faults}, report.faults
