"""What the passes make of small kernels, as text a reader would accept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.base.errors import PassError, VerifyError
from workbench.interp import run as interpret
from workbench.ir.expr import Builtin, Const, Var
from workbench.ir.module import Function, Launch, Level, Module
from workbench.ir.parse import parse
from workbench.ir.stmt import For, ForTask, Seq, Store
from workbench.ir.target import Target
from workbench.ir.text import text
from workbench.ir.traverse import walk
from workbench.ir.types import f32, i32
from workbench.mapping import TaskMapping, spatial
from workbench.passes.base import Pass, StageRecord
from workbench.passes.default import PASSES, PIPELINE, parse_pass, run
from workbench.passes.eliminate import Eliminate
from workbench.passes.lower_tasks import LowerTasks
from workbench.passes.lower_tensors import LowerTensors
from workbench.passes.simplify import Simplify
from workbench.passes.unroll import Unroll

if TYPE_CHECKING:
    from collections.abc import Callable

CUDA = Target("cuda")

KERNELS = {
    "scale": """
func scale(a: f32[64, 8], b: f32[64, 8]) launch(grid=1, block=128)
  for i, j in (repeat(4, 1) * spatial(16, 8)).on(threadIdx.x)
    b[i, j] = a[i, j] * 2.0
""",
    "idle_workers": """
func idle(a: f32[64, 8], b: f32[64, 8]) launch(grid=1, block=256)
  for i, j in (repeat(4, 1) * spatial(16, 8)).on(threadIdx.x - 64)
    b[i, j] = a[i, j] * 2.0
""",
    "break_of_a_task_loop": """
func find(a: i32[32, 8], found: i32[32]) launch(grid=1, block=32)
  found[threadIdx.x] = -1
  for i, j in (spatial(8, 4) * repeat(4, 2)).on(threadIdx.x)
    if a[i, j] < 0
      continue
    if a[i, j] > 8
      found[threadIdx.x] = a[i, j]
      break
  for k in spatial(32).on(threadIdx.x)
    if found[k] > 0
      break
    found[k] = 0
""",
    "layouts": """
func transpose(a: f32[32, 32], b: f32[32, 32]) launch(grid=1, block=(32, 8))
  shared s: f32[32, 32] @ row_major(32, 32).swizzle(5)
  register r: f32[2, 2] @ column_major(2, 2)
  for i, j in repeat(4, 1).on(0)
    s[i * 8 + threadIdx.y, threadIdx.x] = a[i * 8 + threadIdx.y, threadIdx.x]
  syncthreads()
  for i in range(2)
    for j in range(2)
      r[i, j] = s[threadIdx.x, (i * 2 + j) * 8 + threadIdx.y]
  for i in range(2)
    for j in range(2)
      b[(i * 2 + j) * 8 + threadIdx.y, threadIdx.x] = r[i, j]
""",
    "vectors": """
func copy(a: f32[64, 8], b: f32[64, 8]) launch(grid=1, block=128)
  for i, j in spatial(64, 2).on(threadIdx.x)
    let v: f32x4 = a[i, j * 4:+4]
    b[i, j * 4:+4] = v + v
""",
    "guards": """
func guard(a: f32[1000], n: i32) launch(grid=8, block=128)
  let i: i32 = blockIdx.x * 128 + threadIdx.x
  if i >= 1000
    return
  if i < 1000 and n > 0
    a[i] = 1.0
  if i < 1024
    a[i] += 1.0
  else
    a[0] = 3.0
  for k in range(1)
    a[i] *= 2.0
  for k in range(n, n)
    a[i] = 0.0
  let unused: f32 = a[i] * 2.0
""",
    "halves": """
func halves(a: f16[64], b: bf16[64], c: f16[64]) launch(grid=1, block=64)
  let x: f16 = a[threadIdx.x] * 2.0f16 + f16(b[threadIdx.x])
  let y: bf16 = max(b[threadIdx.x], -b[threadIdx.x])
  c[threadIdx.x] = exp(x) if x < 1.0f16 and y > 0.1bf16 else shfl_xor(x, 1)
""",
    "far": """
func far(a: f32[65536, 65536]) launch(grid=65536, block=256)
  for r in range(256)
    a[blockIdx.x, r * 256 + threadIdx.x] = 0.0
""",
    "predicated": """
func seven(a: f32[7, 5]) launch(grid=1, block=32)
  for i, j in predicated_auto_map(7, 5, workers=16).on(threadIdx.x)
    a[i, j] = 1.0
""",
}


@pytest.mark.parametrize("name", KERNELS)
def test_lowered_text(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.wir", text(run(parse(KERNELS[name], name), CUDA)))


def test_every_stage_of_the_first_example(golden: Callable[[str, str], None]) -> None:
    records: list[StageRecord] = []
    run(parse(KERNELS["scale"]), CUDA, observer=records.append)
    assert [r.name for r in records] == [p.spec() for p in PIPELINE]
    assert all(r.ms >= 0 for r in records)
    assert [bool(r.changes) for r in records] == [True] * 4 + [False] * 2
    golden("scale_stages.txt", "\n\n".join(f"after {r.name}\n{text(r.module)}" for r in records))


def test_the_issues_example_is_one_loop_of_four_with_one_address() -> None:
    lowered = run(parse(KERNELS["scale"]), CUDA)
    loops = [n for n in walk(lowered) if isinstance(n, For)]
    assert len(loops) == 1
    assert text(loops[0]).splitlines() == [
        "for r in range(4)  # repeat(4, 1)",
        "  b[threadIdx.x + r * 128] = a[threadIdx.x + r * 128] * 2.0",
    ]
    assert lowered.kernel.notes == ("repeat(4, 1) * spatial(16, 8): 128 workers, 4 tasks each",)


def _uneven(worker: int) -> list[tuple[int]]:
    return [((worker * 7 + n) % 32,) for n in range(worker % 4)]


def _user_kernel() -> Module:
    mapping = TaskMapping((32,), 8, _uneven)
    i, out = Var("i", i32), Var("out", i32[32])
    body = Store(out, (i,), Const(1, i32))
    loop = ForTask((i,), mapping, Builtin("threadIdx.x"), body)
    return Module((Function("user", (out,), loop, Launch((1, 1, 1), (32, 1, 1))),))


def test_a_users_function_becomes_tables(golden: Callable[[str, str], None]) -> None:
    module = _user_kernel()
    lowered = run(module, CUDA)
    golden("user_function.wir", text(lowered))
    out = np.zeros(32, np.int32)
    report = interpret(lowered, [out])
    assert not report.faults
    expected = np.zeros(32, np.int32)
    for worker in range(8):
        for (task,) in _uneven(worker):
            expected[task] = 1
    assert (out == expected).all()


def test_a_break_leaves_all_loops_of_the_task_loop() -> None:
    source = parse(KERNELS["break_of_a_task_loop"])
    a = np.zeros((32, 8), np.int32)
    a[5, 1], a[5, 3], a[6, 0] = -3, 9, 11
    expected = np.full(32, 0, np.int32)
    tasks = (spatial(8, 4)).table()[:, 0] * (4, 2)
    for worker, (row, col) in enumerate(tasks):
        found = [v for v in a[row : row + 4, col : col + 2].reshape(-1) if v > 8]
        expected[worker] = found[0] if found else 0
    for module in (source, run(source, CUDA)):
        found = np.zeros(32, np.int32)
        assert not interpret(module, [a, found]).faults
        assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("kind", PASSES)
def test_pass_text_is_read_back(kind: type[Pass]) -> None:
    assert parse_pass(kind().spec()) == kind()


def test_options_are_part_of_the_text() -> None:
    assert Unroll(limit=8).spec() == "unroll{limit=8}"
    assert parse_pass("unroll{limit=8}") == Unroll(limit=8)
    assert parse_pass(" unroll { limit = 8 } ") == Unroll(limit=8)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("unrol", "no pass is called 'unrol'"),
        ("unroll{limit=x}", "unroll has no option 'limit=x'"),
        ("unroll{size=8}", "unroll has no option 'size=8'"),
        ("simplify{deep=true}", "simplify has no option 'deep=true'"),
        ("unroll{limit=8", "no pass is called 'unroll{limit=8'"),
    ],
)
def test_a_wrong_pass_text_is_told(spec: str, message: str) -> None:
    with pytest.raises(PassError) as caught:
        parse_pass(spec)
    assert caught.value.message == message
    assert caught.value.hint


def test_the_limit_of_unroll_counts() -> None:
    module = parse(KERNELS["layouts"])
    marked = [n for n in walk(Unroll(limit=2)(module, CUDA)) if isinstance(n, For)]
    assert {loop.unroll for loop in marked} == {0}
    assert Unroll(limit=1)(module, CUDA) is module


def test_a_pass_that_breaks_a_rule_is_named() -> None:
    class Breaks(Pass):
        """Gives a kernel without its parameters."""

        def __call__(self, module: Module, target: Target) -> Module:
            del target
            return replace(module, functions=(replace(module.kernel, params=()),))

    with pytest.raises(VerifyError) as caught:
        run(parse(KERNELS["scale"]), CUDA, (LowerTasks(), Breaks()))
    assert caught.value.__notes__ == ["after the pass breaks"]


def test_vectors_across_a_layout_are_refused() -> None:
    source = """
func f(a: f32[8, 8] @ column_major(8, 8)) launch(grid=1, block=1)
  a[0, 0:+4] = a[0, 4:+4]
"""
    with pytest.raises(PassError) as caught:
        run(parse(source), CUDA)
    assert caught.value.message == (
        "4 neighbours of a along the last dimension do not lie side by side under "
        "column_major(8, 8)"
    )
    assert caught.value.span is not None
    assert caught.value.span.line == 3


def test_a_lowered_module_stays_as_it_is() -> None:
    lowered = run(parse(KERNELS["layouts"]), CUDA)
    assert lowered.level is Level.LOWERED
    assert run(lowered, CUDA) is lowered


def test_effects_survive() -> None:
    source = parse(
        """
func f(a: i32[4]) launch(grid=1, block=32)
  let old: i32 = atomic_add(a[0], 1)
  let other: f32 = shfl_xor(1.0, 1)
  if atomic_add(a[0], 0) < 0
    pass
""".replace("if atomic_add(a[0], 0) < 0\n    pass", "let x: bool = vote_any(True)")
    )
    assert Eliminate()(Simplify()(source, CUDA), CUDA) is source


def test_an_empty_kernel() -> None:
    module = Module((Function("f", (Var("x", f32),), Seq(()), Launch((1, 1, 1), (1, 1, 1))),))
    assert text(run(module, CUDA)) == (
        "level lowered\n\nfunc f(x: f32) launch(grid=1, block=1)\n  pass"
    )
    assert LowerTensors()(LowerTasks()(module, CUDA), CUDA).level is Level.LOWERED
