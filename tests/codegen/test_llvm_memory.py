"""Access patterns of lanes: every way to load and store gives the elements that were asked for."""

import numpy as np
import pytest

from tests.codegen.cpu import compiled, run, same

RNG = np.random.default_rng(1)
SIZE = 4096

PATTERNS = {
    "neighbours": "t",
    "backwards": "255 - t",
    "by two": "t * 2",
    "by four": "t * 4 + 3",
    "rows of eight": "t // 8 * 64 + t % 8",
    "columns": "t % 16 * 64 + t // 16",
    "same for half a warp": "t // 16",
    "fours": "t % 8 * 4",
    "far apart": "t * 16",
    "swizzled": "t // 8 * 8 + (t % 8 ^ t // 8 % 8)",
    "one": "77",
    "block": "blockIdx.x * 5",
    "odd block": "blockIdx.x * 5 + t % 32 * 3",
    "from memory": "p[t]",
    "beyond a third": "t + t // 100",
}


def copy(index, kind="f32", place="global", mask=False):
    """Gather by the pattern, and scatter by it where it hits nothing twice."""
    guard = "    if t % 3 == blockIdx.x % 3\n  " if mask else "  "
    guard = "  if t % 3 == blockIdx.x % 3\n    " if mask else "  "
    source = "a"
    lines = [
        f"func f(a: {kind}[{SIZE}], p: i32[256], b: {kind}[512], c: {kind}[8192]) "
        "launch(grid=2, block=256)",
        "  let t: i32 = threadIdx.x",
    ]
    if place == "shared":
        lines += [f"  shared s: {kind}[{SIZE}]", f"  for i in range({SIZE // 256})",
                  "    s[i * 256 + t] = a[i * 256 + t]", "  syncthreads()"]  # fmt: skip
        source = "s"
    lines.append(f"{guard}b[blockIdx.x * 256 + t] = {source}[{index}]")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("place", ["global", "shared"])
@pytest.mark.parametrize("name", PATTERNS)
def test_loads(name, place, mask):
    a = RNG.standard_normal(SIZE).astype("f4")
    p = RNG.integers(0, SIZE, 256).astype("i4")
    text = copy(PATTERNS[name], place=place, mask=mask)
    for lanes in (4, 16):
        same(text, a, p, np.zeros(512, "f4"), np.zeros(8192, "f4"), lanes=lanes)


@pytest.mark.parametrize("kind", ["bool", "i8", "u16", "f16", "bf16", "i64", "f64"])
@pytest.mark.parametrize("name", ["neighbours", "by four", "rows of eight", "from memory"])
def test_loads_of_every_width(name, kind):
    import ml_dtypes

    dtype = {"bf16": ml_dtypes.bfloat16, "f16": "f2", "bool": bool}.get(kind) or np.dtype(
        {"i": "i", "u": "u", "f": "f"}[kind[0]] + str(int(kind[1:]) // 8)
    )
    a = (RNG.integers(0, 100, SIZE) % (2 if kind == "bool" else 100)).astype(dtype)
    p = RNG.integers(0, SIZE, 256).astype("i4")
    text = copy(PATTERNS[name], kind, "shared")
    same(text, a, p, np.zeros(512, dtype), np.zeros(8192, dtype))


INJECTIVE = ["neighbours", "backwards", "by two", "by four", "rows of eight", "columns",
             "far apart", "swizzled", "beyond a third"]  # fmt: skip


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("kind", ["f32", "bool"])
@pytest.mark.parametrize("name", INJECTIVE)
def test_stores(name, kind, mask):
    guard = "  if t % 3 > 0\n    " if mask else "  "
    text = (
        f"func f(a: {kind}[256], c: {kind}[{SIZE}]) launch(grid=1, block=256)\n"
        f"  let t: i32 = threadIdx.x\n{guard}c[{PATTERNS[name]}] = a[t]\n"
    )
    a = RNG.integers(0, 2, 256).astype("f4" if kind == "f32" else bool)
    for lanes in (4, 16):
        same(text, a, np.zeros(SIZE, a.dtype), lanes=lanes)


def test_stores_that_fill_each_others_gaps():
    text = """func f(a: f32[256], c: f32[1280], d: f32[512]) launch(grid=1, block=64)
  let t: i32 = threadIdx.x
  for i in range(4) unroll
    c[t * 4 + i] = a[t + i * 64]
  c[t * 4 + 256] = a[t]
  c[t * 4 + 1 + 256] = a[t + 64]
  c[t * 4 + 256] = 5.0
  d[t * 2] = c[t * 4 + 257]
  d[t * 2 + 1] = c[t * 4 + 256]
  for i in range(3) unroll
    c[640 + t * 5 + i] = a[t]
"""
    a = RNG.standard_normal(256).astype("f4")
    for lanes in (4, 8, 16):
        c = same(text, a, np.zeros(1280, "f4"), np.zeros(512, "f4"), lanes=lanes)[1]
    np.testing.assert_array_equal(c[:256].reshape(64, 4), a.reshape(4, 64).T)


def test_short_vectors():
    text = """func f(a: f32[512], b: f32[512], h: f16[512]) launch(grid=1, block=128)
  let t: i32 = threadIdx.x
  let v: f32x4 = a[t * 4:+4]
  b[t * 4:+4] = v * v
  h[t * 4:+4] = f16x4(v)
  if t > 100
    b[t * 4:+2] = f32x2(1.0)
"""
    a = RNG.standard_normal(512).astype("f4")
    for lanes in (4, 16):
        same(text, a, np.zeros(512, "f4"), np.zeros(512, "f2"), lanes=lanes)


REGISTERS = """func f(a: f32[256], b: f32[256], n: i32) launch(grid=4, block=64)
  let t: i32 = threadIdx.x
  register r: f32[16]
  register q: bool[4]
  shared s: f32[64]
  for i in range(16)
    r[i] = f32(i)
  for i in range(4)
    q[i] = i == t % 4
  for k in range(5)
    for i in range(16)
      r[i] = r[i] + a[blockIdx.x * 64 + (t + k) % 64] * f32(i)
  r[n] = 7.0
  r[t % 16] = r[t % 16] + 1.0
  s[t] = r[t % 16]
  syncthreads()
  var total: f32 = s[63 - t] + r[n]
  for i in range(16)
    total = total + r[i]
  if q[t % 4]
    total = total + 0.5
  b[blockIdx.x * 64 + t] = total
"""


def test_register_tensors_by_number_by_scalar_and_by_thread():
    a = RNG.integers(-4, 4, 256).astype("f4")
    for lanes in (4, 8, 16, 32):
        same(REGISTERS, a, np.zeros(256, "f4"), 3, lanes=lanes)


PRIVATE = """func f(a: f32[1024], b: f32[128]) launch(grid=1, block=128)
  let t: i32 = threadIdx.x
  shared s: f32[128]
  register r: f32[4]
  register acc: f32[4]
  for i in range(4)
    acc[i] = 0.0
  for k in range(8)
    if {guard}
      for i in range(4)
        r[i] = a[k * 128 + t] * f32(i)
    s[t] = a[k * 128 + 127 - t]
    {barrier}
    for i in range(4)
      if {guard}
        acc[i] = acc[i] + r[i] * s[(t + i) % 128]
    syncthreads()
  b[t] = acc[0] + acc[1] + acc[2] + acc[3]
"""


@pytest.mark.parametrize(
    ("guard", "barrier", "kept"),
    [("k < 6", "r[0] = 1.0", True), ("k < 6", "syncthreads()", True), ("k < 99", "pass", False)],
)
def test_register_tensors_that_outlive_a_region_are_kept(guard, barrier, kept):
    body = PRIVATE.replace("{guard}", guard).replace("{barrier}", barrier)
    if barrier != "syncthreads()":  # the other variants read only what the thread wrote itself
        body = body.replace("s[(t + i) % 128]", "s[t]")
    if barrier == "r[0] = 1.0":
        body = body.replace("    if k < 6\n      for", "    if k < 5\n      for")
        body = body.replace(
            "  for k in range(8)", "  for i in range(4)\n    r[i] = 2.0\n  for k in range(8)"
        )
        body = body.replace("    syncthreads()\n  b", "    syncthreads()\n  b")
    body = body.replace("    pass\n", "")
    a = RNG.integers(-4, 4, 1024).astype("f4")
    same(body, a, np.zeros(128, "f4"), lanes=8)
    scratch = compiled(body, 8)[1].binary.scratch_bytes
    without = 2 * 512 + 128 * 4 + 128 * 4 * 4  # slack, s, acc
    assert (scratch > without) == kept


ACCUMULATE = """func f(a: f32[2048], b: f32[2048], c: f32[4096]) launch(grid=1, block=64)
  let t: i32 = threadIdx.x
  register acc: f32[64]
  register x: f32[8]
  register y: f32[8]
  for i in range(64)
    acc[i] = 1.0
  for k in range(4)
    for i in range(8)
      x[i] = a[k * 512 + t // 8 * 64 + i * 8 + k]
      y[i] = b[k * 512 + t % 8 * 8 + i]
    for i in range(8)
      for j in range(8)
        acc[i * 8 + j] = acc[i * 8 + j] + x[i] * y[j]
  for i in range(64)
    c[i * 64 + t] = acc[i] + x[i % 8]
"""


@pytest.mark.parametrize("lanes", [4, 8, 16, 32])
def test_accumulators_in_slices(lanes):
    a, b = RNG.integers(-4, 4, (2, 2048)).astype("f4")
    same(ACCUMULATE, a, b, np.zeros(4096, "f4"), lanes=lanes)


def test_tables():
    text = """table lut: i32[5] = [3, 1, 4, 1, 5]
table on: bool[3] = [True, False, True]
table w: f32[4] = [0.5, inf_f32, -2.0, 1.25]

func f(b: f32[64]) launch(grid=1, block=64)
  let t: i32 = threadIdx.x
  b[t] = f32(lut[t % 5]) + w[t % 2 * 3] if on[t % 3] else 0.0
"""
    same(text, np.zeros(64, "f4"))


def test_indices_of_64_bits_and_unsigned():
    text = """func f(a: f32[256], b: f32[256]) launch(grid=2, block=128)
  let at: i64 = i64(blockIdx.x) * 128i64 + i64(threadIdx.x)
  let back: u32 = 255u32 - u32(at)
  b[at] = a[back] + a[u8(back)]
"""
    a = RNG.standard_normal(256).astype("f4")
    same(text, a, np.zeros(256, "f4"))


def test_the_text_is_the_same_every_time():
    from workbench.codegen.llvm import generate

    module, _ = compiled(REGISTERS, 8)
    assert generate(module, lanes=8).text == generate(module, lanes=8).text
    run(REGISTERS, np.zeros(256, "f4"), np.zeros(256, "f4"), 0, lanes=8)
