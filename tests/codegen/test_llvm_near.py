"""A load as a statement: only the caches learn of it."""

import numpy as np
import pytest

from tests.codegen.cpu import module_of, same
from workbench.codegen.llvm import generate

TEXT = """func f(a: f32[4096], b: f32[64]) launch(grid=2, block=32)
  let t: i32 = blockIdx.x * 32 + threadIdx.x
  a[{index}]
  b[t] = a[t]
"""


def test_each_cache_line_once():
    near = generate(module_of(TEXT.format(index="t + 64")), lanes=32).text
    without = generate(module_of(TEXT.replace("  a[{index}]\n", "")), lanes=32).text
    assert near.count("call void @llvm.prefetch") == 2
    assert near.count(" = load ") == without.count(" = load ")


@pytest.mark.parametrize("index", ["t + 64", "t * 64", "t % 7 * 512 + t", "4095"])
def test_nothing_else_comes_of_it(index):
    same(TEXT.format(index=index), np.arange(4096, dtype=np.float32), np.zeros(64, np.float32))
