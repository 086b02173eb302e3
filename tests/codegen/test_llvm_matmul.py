"""The paper's matmul on the CPU: 256 threads, 64 accumulators each, double buffer.

Source: Ding et al., "Hidet", ASPLOS 2023, section 3: mapping
``spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4)``.
"""

import numpy as np
import pytest

from tests.codegen.cpu import launcher
from workbench.codegen.llvm import generate
from workbench.ir.parse import parse
from workbench.ir.target import Target
from workbench.ir.verify import verify
from workbench.passes.default import run as lower

TEXT = """
func matmul(a: f32[M, K], b: f32[K, N], c: f32[M, N]) launch(grid=(GM, GN), block=256)
  shared sa: f32[2, 128, 8]
  shared sb: f32[2, 8, 128]
  register acc: f32[8, 8]
  register ra: f32[8]
  register rb: f32[8]
  register ga: f32[4]
  register gb: f32[4]
  for i, j in repeat(8, 8).on(0)
    acc[i, j] = 0.0
  for i, k in (repeat(4, 1) * spatial(32, 8)).on(threadIdx.x)
    sa[0, i, k] = a[blockIdx.x * 128 + i, k]
  for k, j in (repeat(4, 1) * spatial(2, 128)).on(threadIdx.x)
    sb[0, k, j] = b[k, blockIdx.y * 128 + j]
  syncthreads()
  for k0 in range(STEPS)
    if k0 + 1 < STEPS
      for r in range(4)
        ga[r] = a[blockIdx.x * 128 + r * 32 + threadIdx.x // 8, k0 * 8 + 8 + threadIdx.x % 8]
        gb[r] = b[k0 * 8 + 8 + r * 2 + threadIdx.x // 128, blockIdx.y * 128 + threadIdx.x % 128]
    for k in range(8)
      for i in range(2)
        for ii in range(4)
          let row: i32 = threadIdx.x // 64 * 32 + i * 16 + threadIdx.x % 32 // 8 * 4 + ii
          ra[i * 4 + ii] = sa[k0 % 2, row, k]
      for j in range(2)
        for jj in range(4)
          let col: i32 = threadIdx.x % 64 // 32 * 64 + j * 32 + threadIdx.x % 8 * 4 + jj
          rb[j * 4 + jj] = sb[k0 % 2, k, col]
      for i in range(8)
        for j in range(8)
          acc[i, j] = acc[i, j] + ra[i] * rb[j]
    if k0 + 1 < STEPS
      for r in range(4)
        sa[(k0 + 1) % 2, r * 32 + threadIdx.x // 8, threadIdx.x % 8] = ga[r]
        sb[(k0 + 1) % 2, r * 2 + threadIdx.x // 128, threadIdx.x % 128] = gb[r]
    syncthreads()
  for i in range(2)
    for ii in range(4)
      for j in range(2)
        for jj in range(4)
          let row: i32 = threadIdx.x // 64 * 32 + i * 16 + threadIdx.x % 32 // 8 * 4 + ii
          let col: i32 = threadIdx.x % 64 // 32 * 64 + j * 32 + threadIdx.x % 8 * 4 + jj
          c[blockIdx.x * 128 + row, blockIdx.y * 128 + col] = acc[i * 4 + ii, j * 4 + jj]
"""


def matmul(m, n, k):
    text = TEXT
    for name, value in {"STEPS": k // 8, "GM": m // 128, "GN": n // 128}.items():
        text = text.replace(name, str(value))
    for name, value in {"M": m, "N": n, "K": k}.items():
        text = text.replace(f"{name},", f"{value},").replace(f"{name}]", f"{value}]")
    module = parse(text)
    verify(module)
    return lower(module, Target("cpu"))


@pytest.mark.parametrize("lanes", [8, 16])
@pytest.mark.parametrize("size", [(128, 128, 8), (256, 128, 72)])
def test_matmul(size, lanes):
    m, n, k = size
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((m, k)).astype("f4"), rng.standard_normal((k, n)).astype("f4")
    c = np.full((m, n), np.nan, "f4")
    launcher(matmul(m, n, k), lanes, threads=None)(a, b, c)
    np.testing.assert_allclose(c, a.astype("f8") @ b.astype("f8"), rtol=1e-5, atol=1e-5)


def test_what_makes_it_fast():
    source = generate(matmul(256, 256, 64), lanes=16)
    text = source.text
    # only the accumulators outlive a barrier; loads and stores are wide, never lane by lane
    assert source.scratch_bytes == 2 * 512 + 2 * 8192 + 64 * 256 * 4
    assert "llvm.masked" not in text
    assert "extractelement" not in text
    # four slices of 16 accumulators, each with 4 + 4 operands
    assert text.count("fadd contract <16 x float>") == 64
    assert text.count("\nslice.") == 4
