"""Device functions that wait at a barrier: interpreter, CPU and numpy agree, CUDA compiles."""

import numpy as np
import pytest

import workbench as wb
from tests.codegen.cpu import compiled, module_of, run, same
from workbench.base.errors import CodegenError
from workbench.codegen.llvm import generate
from workbench.lang import blockIdx, f32, i32, launch, shared, shfl_xor, syncthreads, threadIdx

RNG = np.random.default_rng(0)

WARPS = 8


@wb.script
def warp_sum(x: f32) -> f32:
    total = x
    for bit in (16, 8, 4, 2, 1):
        total += shfl_xor(total, bit)
    return total


@wb.script
def after_all(x: f32) -> f32:
    syncthreads()
    return x


@wb.script
def block_reduce(x: f32) -> f32:
    total = warp_sum(x)
    return after_all(total)


@wb.script
def block_sum(x: f32[5, 1000], sums: f32[5, 32]):
    launch(grid=5, block=(32, WARPS))
    partial = shared(f32, WARPS)
    total = 0.0
    for j in range(threadIdx.y * 32 + threadIdx.x, 1000, 32 * WARPS):
        total += x[blockIdx.x, j]
    partial[threadIdx.y] = 0.0
    own = block_reduce(total)
    if threadIdx.x == 0:
        partial[threadIdx.y] = own
    whole = after_all(1.0)
    for w in range(WARPS):
        whole += partial[w]
    if threadIdx.y == 0:
        sums[blockIdx.x, threadIdx.x] = whole - 1.0


def test_a_block_sum_that_waits_in_device_functions():
    x = RNG.integers(-9, 9, (5, 1000)).astype("f4")
    # the first lane of each warp writes what all of them wrote before: one element, one warp
    mine, theirs = np.zeros((5, 32), "f4"), np.zeros((5, 32), "f4")
    block_sum(x, mine)
    wb.interpret(block_sum, x, theirs)
    np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(mine, np.repeat(x.sum(axis=1)[:, None], 32, axis=1))
    cuda = block_sum.compile("cuda:sm_90a")
    assert cuda.source.count("__syncthreads()") == 1
    assert cuda.binary


WAIT = """func wait(x: f32) -> f32
  syncthreads()
  return x

"""

KERNELS = {
    "a load before the call sees what was there before": WAIT
    + """func f(a: f32[64], b: f32[64]) launch(grid=1, block=64)
  shared s: f32[64]
  let t: i32 = threadIdx.x
  s[t] = a[t]
  syncthreads()
  s[t] = s[63 - t] + wait(a[t]) * 2.0
  syncthreads()
  b[t] = s[63 - t]
""",
    "a load after the call sees what was stored before it": WAIT
    + """func f(a: f32[64], b: f32[64]) launch(grid=1, block=64)
  shared s: f32[64]
  let t: i32 = threadIdx.x
  s[t] = a[t]
  b[t] = wait(a[t]) - s[(t + 7) % 64] * wait(wait(2.0) + 1.0)
""",
    "once in each turn of a loop": """func turn(x: f32, k: i32) -> f32
  var y: f32 = x
  for i in range(k)
    if i == 5
      break
    syncthreads()
    y = y * 0.5 + f32(k)
  return y

func twice(x: f32) -> f32
  register r: f32[3]
  for i in range(3)
    r[i] = turn(x, i + 1)
  syncthreads()
  return r[0] + r[1] * r[2]

func f(a: f32[64], b: f32[64]) launch(grid=1, block=64)
  shared s: f32[64]
  let t: i32 = threadIdx.x
  var x: f32 = a[t]
  for k in range(8)
    if k == 3
      continue
    s[t] = x
    x = twice(x) + s[63 - t]
    x = turn(x, k + 1)
  b[t] = x
""",
    "in the condition of a while": """func more(n: i32) -> bool
  syncthreads()
  return n < 5

func f(a: f32[64], b: f32[64]) launch(grid=1, block=64)
  shared s: f32[64]
  let t: i32 = threadIdx.x
  var n: i32 = 0
  var x: f32 = 0.0
  s[t] = a[t]
  while more(n) and s[0] < 100.0
    n = n + 1
    if n == 2
      continue
    x = x + s[(t + n) % 64]
  b[t] = x
""",
    "in the branch of a choice that is taken": WAIT
    + """func f(a: f32[64], b: f32[64]) launch(grid=1, block=64)
  shared s: f32[64]
  let t: i32 = threadIdx.x
  s[t] = a[t]
  for k in range(4)
    let x: f32 = wait(a[t]) + s[63 - t] if k % 2 == 0 else f32(k)
    b[t] = b[t] + x
""",
    "returns on several ways": """func some(x: f32, k: i32) -> f32
  if k == 2
    return x
  syncthreads()
  if k == 1
    return x * 2.0
  else
    syncthreads()
  if x > 0.0
    return x + 1.0
  else
    return 1.0 - x

func f(a: f32[64], b: f32[64]) launch(grid=1, block=64)
  for k in range(4)
    b[threadIdx.x] = b[threadIdx.x] + some(a[threadIdx.x], k)
""",
    "without a result, and decided by its arguments": """func wait_if(n: i32, x: f32)
  var left: i32 = n
  while left > 0
    syncthreads()
    left = left - 1
  if x > 3.0
    return

func f(a: f32[64], b: f32[64]) launch(grid=1, block=64)
  shared s: f32[64]
  let t: i32 = threadIdx.x
  s[t] = a[t]
  wait_if(2, a[t])
  let y: f32 = s[63 - t]
  wait_if(1, y)
  s[t] = y
  wait_if(1, y)
  for k in range(0, i32(s[0]) % 3 + 4)
    wait_if(k, a[t])
    b[t] = b[t] + s[k]
""",
}


@pytest.mark.parametrize("lanes", [4, 16, 32])
@pytest.mark.parametrize("name", KERNELS)
def test_written_out(name, lanes):
    a = RNG.integers(1, 9, 64).astype("f4")
    same(KERNELS[name], a, np.zeros(64, "f4"), lanes=lanes)


def test_order_of_loads_and_barriers_by_numpy():
    a = RNG.integers(1, 9, 64).astype("f4")
    before, after = (run(text, a, np.zeros(64, "f4"))[1] for text in list(KERNELS.values())[:2])
    np.testing.assert_array_equal(before, (a[::-1] + a * 2)[::-1])
    np.testing.assert_array_equal(after, a - np.roll(a, -7) * 3)


def test_lines_keep_the_number_of_their_statement():
    module, _ = compiled(KERNELS["once in each turn of a loop"], 8)
    source = generate(module, lanes=8)
    loads = [line for line in source.lines if "load <8 x float>" in line.text]
    assert loads
    assert all(line.node for line in loads)


BAD = {
    "loop": """func g(x: i32) -> i32
  for i in range(9)
    syncthreads()
    if i == 3
      return x
  return 0

""",
    "midway": """func g(x: i32) -> i32
  if x > 1
    if x > 2
      return 5
    syncthreads()
  syncthreads()
  return x

""",
    "diverges": """func g(x: i32) -> i32
  if threadIdx.x > 5
    syncthreads()
  return x

""",
    "skips": """func g(x: i32) -> i32
  if x > 5
    return x
  syncthreads()
  return 0

""",
}
CALLER = """func f(a: i32[64]) launch(grid=1, block=64)
  a[threadIdx.x] = g(a[threadIdx.x])
"""


@pytest.mark.parametrize("name", BAD)
def test_refused(name, golden):
    with pytest.raises(CodegenError) as error:
        generate(module_of(BAD[name] + CALLER))
    golden(f"llvm_inlining_{name}.txt", str(error.value))


@wb.script
def keeps(x: i32) -> i32:
    part = shared(i32, 64)
    part[threadIdx.x] = x
    syncthreads()
    return part[0]


@wb.script
def uses(a: i32[64]):
    launch(grid=1, block=64)
    a[threadIdx.x] = keeps(a[threadIdx.x])


@pytest.mark.parametrize("target", ["cpu", "interp", "cuda:sm_90a"])
def test_shared_tensors_belong_to_the_kernel_on_every_target(target):
    with pytest.raises(
        wb.WorkbenchError, match="device function keeps allocates shared memory"
    ) as e:
        uses.compile(target)
    assert "part = shared(i32, 64)" in str(e.value)
    assert "allocate it in the kernel" in str(e.value)
