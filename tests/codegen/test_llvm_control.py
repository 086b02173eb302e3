"""Control flow, barriers and warps on the CPU, each against the interpreter."""

import numpy as np
import pytest

from tests.codegen.cpu import compiled, module_of, run, same
from workbench.base.errors import CodegenError
from workbench.codegen.llvm import generate

RNG = np.random.default_rng(0)
LANES = [4, 8, 16, 32]

DIVERGENT = """func f(a: i32[128], b: i32[128]) launch(grid=1, block=128)
  let t: i32 = threadIdx.x
  var x: i32 = a[t]
  var n: i32 = 0
  while x > 1
    if x % 2 == 0
      x = x // 2
    else
      x = x * 3 + 1
    n = n + 1
    if n > 50
      break
    if n % 3 == 0
      continue
    n = n + 1
  for i in range(t % 5, 20, 3)
    if i == 9
      continue
    if i == t % 17
      break
    n = n + i
  if n % 7 == 0
    return
  b[t] = n
"""

NESTED_RETURN = """func f(a: i32[96], b: i32[96]) launch(grid=1, block=96)
  let t: i32 = threadIdx.x
  for i in range(4)
    for j in range(5)
      if a[t] == i * 5 + j
        b[t] = b[t] + 100
        return
      b[t] = b[t] + 1
    b[t] = b[t] + 10
  b[t] = b[t] + 1000
"""

DEVICE = """func g(x: i32, y: i32) -> i32
  if x > y
    return x - y
  var z: i32 = y
  for i in range(3)
    z = z + x
    if z > 50
      return z
  return z * 2

func h(x: i32) -> i32
  var y: i32 = x
  y = y + g(y, 4)
  return y + threadIdx.x

func f(a: i32[128], b: i32[128]) launch(grid=1, block=128)
  let t: i32 = threadIdx.x
  var v: i32 = g(a[t], t) + g(t, 3) + g(1, 2)
  if t % 3 == 0
    v = v + h(a[t]) + h(5)
  b[t] = v
"""


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("text", [DIVERGENT, DEVICE])
def test_threads_that_part(text, lanes):
    a = RNG.integers(-100, 1000, 128).astype("i4")
    same(text, a, np.zeros(128, "i4"), lanes=lanes)


def test_return_out_of_two_loops():
    a = RNG.integers(-2, 22, 96).astype("i4")
    found = same(NESTED_RETURN, a, np.zeros(96, "i4"))[1]
    inside = (a >= 0) & (a < 20)
    i, j = a // 5, a % 5
    expected = np.where(inside, i * 15 + j + 100, 4 * 15 + 1000)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "block", [(5, 7, 6), (8, 4, 8), (16, 3, 1), (1, 40, 1), (33, 1, 1), (7, 1, 1)]
)
@pytest.mark.parametrize("lanes", [4, 16])
def test_coordinates_of_threads(block, lanes):
    x, y, z = block
    n = x * y * z
    text = (
        f"func f(b: i32[{2 * n}]) launch(grid=(1, 1, 2), block=({x}, {y}, {z}))\n"
        f"  let at: i32 = ((blockIdx.z * {z} + threadIdx.z) * {y} + threadIdx.y) * {x}\n"
        f"  b[at + threadIdx.x] = threadIdx.x * 10000 + threadIdx.y * 100 + threadIdx.z\n"
    )
    found = run(text, np.zeros(2 * n, "i4"), lanes=lanes)[0].reshape(2, z, y, x)
    k, j, i = np.meshgrid(np.arange(z), np.arange(y), np.arange(x), indexing="ij")
    np.testing.assert_array_equal(found, np.stack([i * 10000 + j * 100 + k] * 2))


def test_blocks_in_three_dimensions():
    text = (
        "func f(b: i32[420]) launch(grid=(5, 7, 3), block=4)\n"
        "  let at: i32 = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x\n"
        "  b[at * blockDim.x + threadIdx.x] = blockIdx.x * 100 + blockIdx.y * 10 + blockIdx.z\n"
    )
    found = run(text, np.zeros(420, "i4"))[0].reshape(3, 7, 5, 4)
    z, y, x, _ = np.meshgrid(np.arange(3), np.arange(7), np.arange(5), np.arange(4), indexing="ij")
    np.testing.assert_array_equal(found, x * 100 + y * 10 + z)


BARRIERS = {
    "transpose": """func f(a: f32[512], b: f32[512]) launch(grid=2, block=(16, 16))
  shared s: f32[272]
  s[threadIdx.y * 17 + threadIdx.x] = a[blockIdx.x * 256 + threadIdx.y * 16 + threadIdx.x]
  syncthreads()
  b[blockIdx.x * 256 + threadIdx.y * 16 + threadIdx.x] = s[threadIdx.x * 17 + threadIdx.y]
""",
    "reduction in a while": """func f(a: f32[512], b: f32[512]) launch(grid=4, block=128)
  shared s: f32[128]
  let t: i32 = threadIdx.x
  s[t] = a[blockIdx.x * 128 + t]
  syncthreads()
  var step: i32 = 64
  while step > 0
    if t < step
      s[t] = s[t] + s[t + step]
    syncthreads()
    step = step // 2
  b[blockIdx.x * 128 + t] = s[0]
""",
    "values across barriers": """func f(a: f32[512], b: f32[512]) launch(grid=4, block=128)
  shared s: f32[128]
  let t: i32 = threadIdx.x
  let turned: i32 = 127 - t
  var acc: f32 = a[blockIdx.x * 128 + t]
  let pair: f32x2 = f32x2(acc)
  let positive: bool = acc > 0.0
  register r: f32[4]
  for i in range(4)
    r[i] = acc * 2.0
  for k in range(6)
    s[t] = acc
    syncthreads()
    acc = acc * 0.5 + s[turned]
    for i in range(4)
      r[i] = r[i] + acc
    if k == 3
      syncthreads()
      break
    syncthreads()
  if positive
    acc = acc + 1.0
  b[blockIdx.x * 128 + t] = acc + r[0] + r[t % 4]
""",
    "double buffer": """func f(a: f32[512], b: f32[512]) launch(grid=4, block=64)
  shared s: f32[128]
  let t: i32 = threadIdx.x
  var buf: i32 = 0
  var acc: f32 = 0.0
  s[t] = a[t]
  syncthreads()
  for k in range(7)
    s[(1 - buf) * 64 + t] = a[(k + 1) * 64 + t]
    acc = acc + s[buf * 64 + (t + 5) % 64]
    buf = 1 - buf
    syncthreads()
  b[blockIdx.x * 64 + t] = acc + s[buf * 64 + (t + 5) % 64]
""",
    "barrier under a uniform if": """func f(a: f32[512], b: f32[512]) launch(grid=8, block=64)
  shared s: f32[64]
  let t: i32 = threadIdx.x
  let at: i32 = blockIdx.x * 64 + t
  if blockIdx.x > 5
    return
  let even: bool = blockIdx.x % 2 == 0
  if even
    s[t] = a[at]
    syncthreads()
    b[at] = s[63 - t]
  else
    b[at] = a[at]
  syncthreads()
  s[63 - t] = b[at]
  syncthreads()
  if t > 40
    return
  b[at] = b[at] + s[t]
""",
    "continue past a barrier": """func f(a: f32[512], b: f32[512]) launch(grid=8, block=64)
  shared s: f32[64]
  let t: i32 = threadIdx.x
  var total: f32 = 0.0
  for k in range(9)
    let shift: i32 = k * 3 % 64
    if k % 3 == 1
      continue
    syncthreads()
    s[t] = a[blockIdx.x * 64 + t] * f32(k)
    syncthreads()
    total = total + s[(t + shift) % 64]
  b[blockIdx.x * 64 + t] = total
""",
    "a value decided by shared memory": """func f(a: f32[512], b: f32[512]) launch(grid=8, block=64)
  shared s: i32[1]
  let t: i32 = threadIdx.x
  if t == 0
    s[0] = blockIdx.x % 3 + 1
  syncthreads()
  let turns: i32 = s[0]
  var total: f32 = 0.0
  for k in range(turns)
    total = total + a[blockIdx.x * 64 + (t + k) % 64]
    syncthreads()
  b[blockIdx.x * 64 + t] = total
""",
}


@pytest.mark.parametrize("lanes", [4, 16, 32])
@pytest.mark.parametrize("name", BARRIERS)
def test_barriers(name, lanes):
    a = RNG.integers(-9, 9, 512).astype("f4")
    same(BARRIERS[name], a, np.zeros(512, "f4"), lanes=lanes)


WARP = """func f(a: f32[512], b: f32[512], m: u32[512], c: bool[512]) launch(grid=4, block=128)
  let t: i32 = threadIdx.x
  let at: i32 = blockIdx.x * 128 + t
  var v: f32 = a[at]
  v = v + shfl_xor(v, 16)
  v = v + shfl_xor(v, 8)
  v = v + shfl_down(v, 4)
  v = v + shfl_up(v, 2)
  v = v + shfl(v, (t * 7 + 3) % 32)
  v = v + shfl(v, 5) + shfl_up(v, t % 40) + shfl(v, 40)
  syncwarp()
  b[at] = v
  m[at] = ballot(a[at] > 0.0)
  if blockIdx.x % 2 == 0
    c[at] = vote_any(a[at] > 7.0) or vote_all(a[at] < 8.0)
"""


def test_warp_operations():
    a = RNG.integers(-9, 9, 512).astype("f4")
    zeros = np.zeros(512, "f4"), np.zeros(512, "u4"), np.zeros(512, bool)
    found = same(WARP, a, *zeros)
    expected = [sum(int(x > 0) << i for i, x in enumerate(w)) for w in a.reshape(-1, 32)]
    np.testing.assert_array_equal(found[2].reshape(-1, 32)[:, 0], expected)


@pytest.mark.parametrize("kind", ["i8", "u16", "f16", "bf16", "i64", "f64"])
def test_shuffles_of_every_width(kind):
    text = (
        f"func f(a: {kind}[64], b: {kind}[64]) launch(grid=1, block=64)\n"
        "  let t: i32 = threadIdx.x\n"
        "  let v: " + kind + " = shfl_xor(a[t], 5)\n"
        "  b[t] = shfl(v, (t * 3 + 1) % 32)\n"
    )
    module = module_of(text)
    kind = module.kernel.params[0].tensor.dtype
    import ml_dtypes

    dtype = ml_dtypes.bfloat16 if kind.scalar == "bf16" else kind.numpy_name
    same(text, np.arange(64).astype(dtype), np.zeros(64, dtype))


ATOMICS = """func f(a: i32[512], h: i32[8], g: f32[4], o: i32[512],
       x: u32[1]) launch(grid=4, block=128)
  let t: i32 = threadIdx.x
  shared c: i32[8]
  if t < 8
    c[t] = 0
  syncthreads()
  let v: i32 = a[blockIdx.x * 128 + t]
  if v > 3
    atomic_add(c[v % 8], 1)
  syncthreads()
  if t < 8
    atomic_add(h[t], c[t])
  atomic_add(g[blockIdx.x], 1.0)
  atomic_max(x[0], u32(v))
  var seen: i32 = 7
  if t % 2 == 0
    seen = atomic_exchange(o[blockIdx.x * 128 + t], v)
  o[blockIdx.x * 128 + t] = seen
"""


@pytest.mark.parametrize("lanes", [8, 16])
def test_atomics(lanes):
    a = RNG.integers(0, 100, 512).astype("i4")
    found = same(ATOMICS, a, np.zeros(8, "i4"), np.zeros(4, "f4"), np.full(512, 3, "i4"),
                 np.zeros(1, "u4"), lanes=lanes)  # fmt: skip
    np.testing.assert_array_equal(found[1], np.bincount(a[a > 3] % 8, minlength=8))
    np.testing.assert_array_equal(found[2], [128.0] * 4)
    assert found[4][0] == a.max()


def test_compare_and_exchange_gives_each_ticket_once():
    text = """func f(c: i32[1], o: i32[64]) launch(grid=1, block=64)
  var done: bool = False
  while not done
    let old: i32 = c[0]
    let found: i32 = atomic_cas(c[0], old, old + 1)
    if found == old
      o[threadIdx.x] = old
      done = True
"""
    found = run(text, np.zeros(1, "i4"), np.zeros(64, "i4"))
    assert found[0][0] == 64
    assert sorted(found[1]) == list(range(64))


def test_a_load_of_the_other_branch_is_not_performed():
    text = """func f(a: f32[100], n: i32, b: f32[128]) launch(grid=1, block=128)
  let t: i32 = threadIdx.x
  b[t] = a[t] * 2.0 if t < 100 else (a[n] if n < 100 else 3.0)
"""
    a = RNG.standard_normal(100).astype("f4")
    same(text, a, 2**30, np.zeros(128, "f4"))
    same(text, a, 50, np.zeros(128, "f4"))


IN_DIVERGENCE = {
    "if": "  if threadIdx.x < 7\n    syncthreads()\n",
    "for": "  for i in range(threadIdx.x)\n    syncthreads()\n",
    "while": "  while a[threadIdx.x] > 0.0\n    syncthreads()\n",
    "left": "  for i in range(9)\n    if i == threadIdx.x\n      break\n    syncthreads()\n",
    "returned": "  if threadIdx.x > 3\n    return\n  syncthreads()\n",
}


@pytest.mark.parametrize("name", IN_DIVERGENCE)
def test_barrier_where_threads_part_is_refused(name, golden):
    text = "func f(a: f32[64]) launch(grid=1, block=64)\n" + IN_DIVERGENCE[name]
    with pytest.raises(CodegenError) as error:
        generate(module_of(text))
    golden(f"llvm_barrier_{name}.txt", str(error.value))


def test_readable_text(golden):
    text = """func scale(a: f32[512], b: f32[512]) launch(grid=4, block=128)
  let i: i32 = blockIdx.x * 128 + threadIdx.x
  b[i] = a[i] * 2.0 + 1.0
"""
    source = generate(module_of(text), lanes=8)
    golden("scale.ll", source.text)
    assert source.text == "\n".join(line.text for line in source.lines) + "\n"
    stored = next(line for line in source.lines if line.text.strip().startswith("store <8 x"))
    assert stored.span is not None
    assert stored.span.line == 5
    assert stored.node > 0


def test_lowered_only():
    with pytest.raises(CodegenError, match="f is no lowered kernel"):
        generate(module_of("func f(x: i32) -> i32\n  return x\n"))


def test_every_lane_count_gives_the_same():
    a = RNG.standard_normal(512).astype("f4")
    found = [run(BARRIERS["transpose"], a, np.zeros(512, "f4"), lanes=n)[1] for n in (2, *LANES)]
    for each in found[1:]:
        np.testing.assert_array_equal(each, found[0])
    assert compiled(BARRIERS["transpose"], 4)[1].binary.scratch_bytes >= 272 * 4
