"""Seeded races: each is caught and names both threads and lines; what is ordered is let alone."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import interp

F32 = np.float32


def only(report: interp.Report) -> interp.Fault:
    assert len(report.faults) == 1, report.faults
    return report.faults[0]


REVERSE = """
func reverse(x: f32[{n}], out: f32[{n}]) launch(grid=2, block={t})
  shared s: f32[{t}]
  let i = blockIdx.x * {t} + threadIdx.x
  s[threadIdx.x] = x[i]
  {barrier}
  out[i] = s[{t} - 1 - threadIdx.x]
"""


@pytest.mark.parametrize("threads", [32, 33, 64, 256])
def test_a_missing_barrier_names_both_threads_and_lines(run, rng, threads: int) -> None:
    x = rng.standard_normal(2 * threads).astype(F32)
    text = REVERSE.format(n=2 * threads, t=threads, barrier="let unused = 0")
    fault = only(run(text, x, np.zeros_like(x)))
    assert fault.kind == "race"
    assert fault.message == (
        f"line 7: block (0, 0, 0), thread (0, 0, 0) reads s[{threads - 1}], which thread "
        f"({threads - 1}, 0, 0) writes in line 5: no barrier between"
    )
    assert fault.other_thread == (threads - 1, 0, 0)
    assert fault.other_span is not None
    assert fault.other_span.line == 5


@pytest.mark.parametrize("threads", [32, 33, 64, 256])
def test_with_the_barrier_there_is_no_fault(run, rng, threads: int) -> None:
    x = rng.standard_normal(2 * threads).astype(F32)
    out = np.zeros_like(x)
    report = run(REVERSE.format(n=2 * threads, t=threads, barrier="syncthreads()"), x, out)
    assert report.ok
    np.testing.assert_array_equal(out.reshape(2, -1), x.reshape(2, -1)[:, ::-1])


def test_a_warp_barrier_orders_one_warp_only(run, rng) -> None:
    x = rng.standard_normal(64).astype(F32)
    assert run(REVERSE.format(n=64, t=32, barrier="syncwarp()"), x, np.zeros_like(x)).ok
    x = rng.standard_normal(128).astype(F32)
    report = run(REVERSE.format(n=128, t=64, barrier="syncwarp()"), x, np.zeros_like(x))
    assert only(report).kind == "race"


ROUNDS = """
func k(x: f32[64], out: f32[64]) launch(grid=1, block=64)
  shared s: f32[64]
  var v = x[threadIdx.x]
  for r in range(3)
    s[threadIdx.x] = v
    syncthreads()
    v = v + s[(threadIdx.x + 1) % 64]
    {barrier}
  out[threadIdx.x] = v
"""


def test_a_write_after_a_read_of_the_turn_before(run, rng) -> None:
    x = rng.standard_normal(64).astype(F32)
    fault = only(run(ROUNDS.format(barrier="let unused = 0"), x, np.zeros_like(x)))
    assert fault.message == (
        "line 6: block (0, 0, 0), thread (0, 0, 0) writes s[0], which thread (63, 0, 0) reads "
        "in line 8: no barrier between"
    )
    assert run(ROUNDS.format(barrier="syncthreads()"), x, np.zeros_like(x)).ok


def test_a_reader_among_many_is_not_forgotten(run, rng) -> None:
    """Everybody reads element 0, then one of them writes it."""
    text = """
    func k(x: f32[64], out: f32[64]) launch(grid=1, block=64)
      shared s: f32[64]
      s[threadIdx.x] = x[threadIdx.x]
      syncthreads()
      out[threadIdx.x] = s[0]
      if threadIdx.x == {writer}
        s[0] = 3.0
    """
    x = rng.standard_normal(64).astype(F32)
    for writer in (0, 1, 31, 32, 63):
        fault = only(run(text.format(writer=writer), x, np.zeros_like(x)))
        assert fault.kind == "race"
        assert fault.thread == (writer, 0, 0)
        assert fault.other_thread != fault.thread


def test_two_threads_write_different_values(run) -> None:
    text = """
    func k(out: i32[4]) launch(grid=1, block=64)
      out[threadIdx.x % 4] = {value}
    """
    fault = only(run(text.format(value="threadIdx.x"), np.zeros(4, np.int32)))
    assert fault.message == (
        "line 3: block (0, 0, 0), thread (0, 0, 0) writes out[0], which thread (60, 0, 0) writes "
        "in line 3: no barrier between"
    )
    assert run(text.format(value="threadIdx.x % 4"), np.zeros(4, np.int32)).ok


def test_two_blocks_write_different_values_however_many_run_together(run) -> None:
    text = """
    func k(out: i32[1024]) launch(grid=20, block=1024)
      syncthreads()
      out[threadIdx.x] = blockIdx.x
      syncthreads()
    """
    fault = only(run(text, np.zeros(1024, np.int32)))
    assert fault.kind == "race"
    assert fault.other_block != fault.block
    assert fault.message.endswith("writes in line 4: nothing orders two blocks")


def test_a_block_reads_what_another_writes(run) -> None:
    text = """
    func k(x: i32[65]) launch(grid=2, block=32)
      let i = blockIdx.x * 32 + threadIdx.x
      let v = x[i + 1]
      syncthreads()
      x[i] = v
    """
    fault = only(run(text, np.zeros(65, np.int32)))
    assert (fault.kind, fault.index) == ("race", (32,))
    assert {fault.block, fault.other_block} == {(0, 0, 0), (1, 0, 0)}


def test_atomics_race_with_plain_accesses_only(run) -> None:
    text = """
    func k(x: i32[1], out: i32[64]) launch(grid=2, block=32)
      atomic_add(x[0], 1)
      {more}
    """
    zero = np.zeros(1, np.int32)
    assert run(text.format(more="let unused = 0"), zero, np.zeros(64, np.int32)).ok
    assert zero[0] == 64
    fault = only(run(text.format(more="out[threadIdx.x] = x[0]"), zero, np.zeros(64, np.int32)))
    assert fault.kind == "race"
    assert "updates in line 3" in fault.message
    fault = only(run(text.format(more="x[0] = 1"), zero, np.zeros(64, np.int32)))
    assert fault.kind == "race"


def test_without_checks_only_bounds_are_looked_after(run, rng) -> None:
    x = rng.standard_normal(64).astype(F32)
    text = REVERSE.format(n=64, t=32, barrier="let unused = 0")
    assert run(text, x, np.zeros_like(x), checks=False).ok
    text = text.replace("x[i]", "x[i + 1]")
    assert only(run(text, x, np.zeros_like(x), checks=False)).kind == "out_of_bounds"
