"""Compiling for this processor, keeping objects, and launching."""

import _thread
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from tests.codegen.cpu import launcher, module_of
from workbench.base.errors import BuildError, WorkbenchWarning
from workbench.codegen.llvm import generate
from workbench.runtime import cpu_launch, jit
from workbench.runtime.cache import Cache
from workbench.runtime.cpu_launch import CpuLauncher, cores

ROOT = Path(__file__).parents[2]
SCALE = """func scale(a: f32[4096], f: f32, n: i32, b: f32[4096]) launch(grid=32, block=128)
  let i: i32 = blockIdx.x * 128 + threadIdx.x
  if i < n
    b[i] = a[i] * f + exp(0.0)
"""


def arrays():
    return np.arange(4096, dtype="f4"), np.zeros(4096, "f4")


def test_cache_keeps_objects_and_rebuilds_damaged_ones(tmp_path):
    module = module_of(SCALE)
    source = generate(module, lanes=8)
    first = jit.compile(source, cache=Cache(tmp_path))
    again = Cache(tmp_path)
    second = jit.compile(source, cache=again)
    assert again.stats.hits == 1
    assert first.data == second.data
    entry = next(tmp_path.glob("*/*.object"))
    broken = bytearray(entry.read_bytes())
    broken[-9] ^= 1
    entry.write_bytes(bytes(broken))
    with pytest.warns(WorkbenchWarning, match="damaged"):
        third = jit.compile(source, cache=Cache(tmp_path))
    a, b = arrays()
    params = [p.type for p in module.kernel.params]
    CpuLauncher(third, module.kernel.launch, params)(a, 2.0, 4000, b)
    np.testing.assert_array_equal(b, np.where(np.arange(4096) < 4000, a * 2 + 1, 0))


def test_other_text_is_another_entry(tmp_path):
    cache = Cache(tmp_path)
    for lanes in (8, 4):
        jit.compile(generate(module_of(SCALE), lanes=lanes), cache=cache)
    assert cache.stats.misses == 2


@dataclass
class Broken:
    name: str = "wb.f"
    text: str = "define void @wb.f() { nonsense }"
    scratch_bytes: int = 0
    straight: bool = False


def test_llvm_refuses():
    with pytest.raises(BuildError, match=r"LLVM does not take the code of wb\.f") as error:
        jit.compile(Broken())
    assert "nonsense" in error.value.log


def test_listings():
    binary = jit.compile(generate(module_of(SCALE), lanes=8))
    assert "wb.scale" in binary.asm()
    assert "define void @wb.scale" in binary.ir()
    assert "alloca i64" not in binary.ir()  # counters became registers


def test_host_says_what_it_has():
    host = jit.host()
    assert host.lanes in (4, 8, 16)
    assert host.cpu
    assert "LLVM" in host.version


def test_without_llvmlite_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['llvmlite'] = None\n"
        "from workbench.runtime import jit\n"
        "from workbench.base.errors import BuildError\n"
        "try:\n    jit.host()\nexcept BuildError as error:\n    print(error)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == (
        "llvmlite is not installed, so nothing can be compiled for the CPU\n"
        "  hint: python -m pip install llvmlite\n"
    )


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
def test_every_block_runs_once(threads):
    text = """func count(b: i32[1000], w: f32[1000]) launch(grid=1000, block=32)
  let t: i32 = threadIdx.x
  var x: f32 = f32(t)
  for i in range(2000)
    x = x * 0.5 + 1.0
  w[blockIdx.x] = x
  if t == 0
    b[blockIdx.x] = b[blockIdx.x] + 1
"""
    module = module_of(text)
    b = np.zeros(1000, "i4")
    launcher(module, threads=threads)(b, np.zeros(1000, "f4"))
    np.testing.assert_array_equal(b, 1)


def test_blocks_of_other_threads_add_up():
    text = """func total(a: f32[65536], s: i32[1]) launch(grid=256, block=256)
  let v: f32 = a[blockIdx.x * 256 + threadIdx.x]
  var x: f32 = v
  for i in range(500)
    x = sqrt(x * x + 0.0)
  atomic_add(s[0], i32(x))
"""
    total = np.zeros(1, "i4")
    launcher(module_of(text), threads=4)(np.full(65536, 3.0, "f4"), total)
    assert total[0] == 3 * 65536


def test_launches_from_several_python_threads():
    module = module_of(SCALE)
    launch = launcher(module, threads=2)
    results = [arrays() for _ in range(8)]

    def work(k):
        for _ in range(20):
            launch(results[k][0], float(k), 4096, results[k][1])

    workers = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    for k, (a, b) in enumerate(results):
        np.testing.assert_array_equal(b, a * np.float32(k) + 1)


LONG = """func long(b: i32[64], w: f32[64]) launch(grid=64, block=32)
  let t: i32 = threadIdx.x
  var x: f32 = f32(t)
  for i in range(1000000)
    x = x * 0.5 + 1.0
  w[blockIdx.x] = x
  if t == 0
    b[blockIdx.x] = 1
"""


def test_an_interrupt_ends_a_launch_and_leaves_its_arrays_alone(monkeypatch):
    # whatever else this machine does: looked for after every few blocks
    monkeypatch.setattr(cpu_launch, "LONGEST_NS", 1_000_000)
    launch = launcher(module_of(LONG), threads=4)
    b, w = np.zeros(64, "i4"), np.zeros(64, "f4")

    def press():
        while not b[4:].any():  # until the blocks are shared out, 4 to a piece
            time.sleep(0.001)
        _thread.interrupt_main()

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        launch(b, w)
    then = b.copy()
    assert not then.all()
    time.sleep(0.2)
    np.testing.assert_array_equal(b, then)
    launch(b, w)
    assert b.all()


@pytest.mark.parametrize("blocks", [2, 3, 5, 64, 67])
@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("seconds", [0.03, 0.3, 5.0, 1e9])
def test_cuts_of_a_long_launch_leave_no_thread_idle(blocks, threads, seconds, monkeypatch):
    cut = []

    class Row:
        def __init__(self, *_):
            pass

        def set(self, n, code, arguments, blocks, grain, start=0):
            cut.append((start, blocks, grain))

        def together(self, first, last):
            pass

    monkeypatch.setattr(cpu_launch, "Row", Row)
    monkeypatch.setattr(cpu_launch, "cores", lambda: 8)
    launch = launcher(module_of(LONG.replace("64", str(blocks))), threads=threads)
    launch._shared(0, 1, seconds * 1e9, ())
    starts, counts, grains = zip(*cut, strict=True)
    ends = [s + n for s, n in zip(starts, counts, strict=True)]
    assert [*starts, blocks] == [1, *ends]
    assert all(n > 0 for n in counts)
    # who waits at the end of a cut has nothing to do: as many turns as without any
    most = min(threads, blocks)
    assert sum(-(-n // most) for n in counts) == -(-(blocks - 1) // most)
    turns = [-(-n // most) for n in counts]
    longest = seconds / (blocks - 1) * max(turns)
    assert longest <= 3 * max(cpu_launch.LONGEST_NS / 1e9, seconds / (blocks - 1))
    assert all(g * most <= n + most for g, n in zip(grains, counts, strict=True))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_makes_threads_of_its_own():
    code = f"""
import multiprocessing, numpy as np
from tests.codegen.cpu import launcher, module_of
launch = launcher(module_of({LONG.replace("1000000", "100000")!r}), threads=3)
def work(k):
    b = np.zeros(64, "i4")
    launch(b, np.zeros(64, "f4"))
    return int(b.sum())
assert work(0) == 64
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.map_async(work, [1]).get(timeout=30))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert done.stdout == "[64]\n", done.stderr


def test_prepared_launches_see_new_contents():
    module = module_of(SCALE)
    a, b = arrays()
    run = launcher(module).prepare((a, 2.0, 4096, b))
    run()
    a[:] = 5
    run()
    np.testing.assert_array_equal(b, 11)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("bool", True), ("i8", -3), ("u8", 200), ("i64", -(2**40)), ("u64", 2**63 + 1), ("f16", 1.5),
     ("bf16", -2.5), ("f64", 1e300), ("u32", 2**32 - 1)],
)  # fmt: skip
def test_scalar_arguments(kind, value):
    text = f"func f(x: {kind}, b: {kind}[8]) launch(grid=1, block=8)\n  b[threadIdx.x] = x\n"
    module = module_of(text)
    dtype = ml_dtypes.bfloat16 if kind == "bf16" else module.kernel.params[0].type.numpy_name
    b = np.zeros(8, dtype)
    launcher(module)(value, b)
    assert b.tolist() == [value] * 8


def test_cores_are_those_this_process_may_use():
    assert cores() >= 1


def test_halves_without_instructions_for_them(monkeypatch):
    real = jit.host()
    plain = jit.Host("x86-64", "", 4, frozenset(), real.version, real.level1_bytes)
    if "x86" not in real.features and "sse" not in real.features:
        pytest.skip("this processor is no x86")
    text = """func f(h: f16[65536], w: f32[65536], n: f16[65536]) launch(grid=512, block=128)
  let i: i32 = blockIdx.x * 128 + threadIdx.x
  w[i] = f32(h[i])
  n[i] = f16(w[i] * 1.0001)
"""
    monkeypatch.setattr(jit, "host", lambda: plain)
    machine = jit._machine()
    monkeypatch.setattr(jit, "_shared_machine", lambda: machine)
    h = np.arange(65536, dtype="u2").view("f2")
    w, n = np.zeros(65536, "f4"), np.zeros(65536, "f2")
    launcher(module_of(text), lanes=4)(h, w, n)
    np.testing.assert_array_equal(w, h.astype("f4"))
    with np.errstate(over="ignore", invalid="ignore"):
        np.testing.assert_array_equal(n, (w * np.float32(1.0001)).astype("f2"))


def test_the_size_of_the_first_cache_is_what_the_system_says():
    found = jit.host().level1_bytes
    told = ""
    if shutil.which("getconf"):
        ask = ["getconf", "LEVEL1_DCACHE_SIZE"]
        told = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    # where the system does not tell, a small one
    assert found == int(told) if told.isdigit() and int(told) else found >= 16 * 1024
