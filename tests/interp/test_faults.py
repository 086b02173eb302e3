"""Seeded faults: each is caught, with a message that names line, block and threads."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import interp
from workbench.base.errors import WorkbenchError
from workbench.base.span import Span
from workbench.interp.report import FAULT_LIMIT

F32 = np.float32


def only(report: interp.Report) -> interp.Fault:
    assert len(report.faults) == 1, report.faults
    return report.faults[0]


def test_a_read_past_the_end(run) -> None:
    x, out = np.arange(70, dtype=F32), np.zeros(128, F32)
    fault = only(
        run(
            """
            func shift(x: f32[70], out: f32[128]) launch(grid=2, block=64)
              let i = blockIdx.x * 64 + threadIdx.x
              out[i] = x[i]
            """,
            x, out,
        )
    )  # fmt: skip
    assert fault.message == (
        "line 4: block (1, 0, 0), thread (6, 0, 0) reads x[70], outside f32[70]"
    )
    assert (fault.kind, fault.index, fault.tensor) == ("out_of_bounds", (70,), "x")
    assert (fault.block, fault.thread, fault.count) == ((1, 0, 0), (6, 0, 0), 58)
    assert fault.span is not None
    assert fault.span.line == 4
    assert (out[:70] == x).all()
    assert np.isnan(out[70:]).all()


def test_a_write_past_the_end_is_dropped(run) -> None:
    out = np.zeros((4, 8), F32)
    fault = only(
        run(
            """
            func k(out: f32[4, 8]) launch(grid=1, block=(9, 4))
              out[threadIdx.y, threadIdx.x] = 1.0
            """,
            out,
        )
    )
    # column 8 of row 0 is column 0 of row 1 in memory, but not in the tensor
    assert fault.message == (
        "line 3: block (0, 0, 0), thread (8, 0, 0) writes out[0, 8], outside f32[4, 8]"
    )
    assert fault.count == 4
    assert (out == 1).all()


def test_negative_index_and_uniform_index(run) -> None:
    x = np.zeros(8, F32)
    report = run(
        """
        func k(x: f32[8]) launch(grid=1, block=8)
          x[threadIdx.x - 1] = 1.0
          x[8] = 2.0
        """,
        x,
    )
    assert [f.index for f in report.faults] == [(-1,), (8,)]
    assert [f.count for f in report.faults] == [1, 8]
    assert x.tolist() == [1] * 7 + [0]


def test_bounds_at_the_lowered_level(run) -> None:
    fault = only(
        run(
            """
            level lowered
            func k(x: f32[4, 8]) launch(grid=1, block=33)
              x[threadIdx.x] = 1.0
            """,
            np.zeros((4, 8), F32),
        )
    )
    assert fault.message == (
        "line 4: block (0, 0, 0), thread (32, 0, 0) writes x[32], outside f32[32]"
    )


@pytest.mark.parametrize("scope", ["shared", "register"])
def test_an_element_that_was_never_written(run, scope: str) -> None:
    out = np.zeros(32, F32)
    fault = only(
        run(
            f"""
            func k(out: f32[32]) launch(grid=1, block=32)
              {scope} s: f32[32]
              if threadIdx.x < 30
                s[threadIdx.x] = 1.0
              out[threadIdx.x] = s[threadIdx.x]
            """,
            out,
        )
    )
    assert fault.message == (
        "line 6: block (0, 0, 0), thread (30, 0, 0) reads s[30], which was never written"
    )
    assert (fault.kind, fault.count) == ("uninitialised", 2)
    assert np.isnan(out[30:]).all()


def test_storage_is_new_in_each_turn(run) -> None:
    fault = only(
        run(
            """
            func k(out: f32[2]) launch(grid=1, block=1)
              for t in range(2)
                register r: f32[1]
                if t == 0
                  r[0] = 1.0
                out[t] = r[0]
            """,
            np.zeros(2, F32),
        )
    )
    assert (fault.kind, fault.count) == ("uninitialised", 1)


def test_a_local_without_a_value(run) -> None:
    fault = only(
        run(
            """
            func k(out: i32[8]) launch(grid=1, block=8)
              var v: i32
              if threadIdx.x != 5
                v = 1
              out[threadIdx.x] = v
            """,
            np.zeros(8, np.int32),
        )
    )
    assert fault.kind == "uninitialised"
    assert fault.message.endswith("thread (5, 0, 0) reads v, which has no value yet")


def test_an_output_read_before_it_is_written(run) -> None:
    text = """
    func k(out: f32[8]) launch(grid=1, block=8)
      out[threadIdx.x] = out[threadIdx.x] + 1.0
    """
    assert run(text, np.zeros(8, F32)).ok
    out = np.zeros(8, F32)
    assert only(run(text, out, poison=["out"])).kind == "uninitialised"
    assert np.isnan(out).all()


def test_a_barrier_that_some_threads_do_not_come_to(run) -> None:
    fault = only(
        run(
            """
            func k(out: f32[64]) launch(grid=2, block=64)
              if blockIdx.x == 1 and threadIdx.x < 40
                syncthreads()
            """,
            np.zeros(64, F32),
        )
    )
    assert fault.kind == "divergent_barrier"
    assert fault.message == (
        "line 4: block (1, 0, 0), thread (0, 0, 0) comes to syncthreads, but thread (40, 0, 0) of "
        "its block does not"
    )
    assert fault.other_thread == (40, 0, 0)


def test_a_barrier_in_a_loop_that_some_threads_leave(run) -> None:
    fault = only(
        run(
            """
            func k(out: f32[64]) launch(grid=1, block=64)
              for t in range(threadIdx.x // 32 + 1)
                syncthreads()
            """,
            np.zeros(64, F32),
        )
    )
    assert (fault.kind, fault.thread, fault.other_thread) == (
        "divergent_barrier", (32, 0, 0), (0, 0, 0),
    )  # fmt: skip


def test_threads_that_have_ended_need_not_come(run) -> None:
    report = run(
        """
        func k(out: f32[64]) launch(grid=2, block=64)
          if threadIdx.x >= 40
            return
          syncthreads()
        """,
        np.zeros(64, F32),
    )
    assert report.ok


def test_a_barrier_that_whole_blocks_pass_by(run) -> None:
    report = run(
        """
        func k(out: f32[64]) launch(grid=4, block=64)
          if blockIdx.x % 2 == 0
            syncthreads()
          for t in range(blockIdx.x)
            syncthreads()
        """,
        np.zeros(64, F32),
    )
    assert report.ok


def test_a_shuffle_that_half_of_the_warp_comes_to(run) -> None:
    fault = only(
        run(
            """
            func k(out: f32[32]) launch(grid=1, block=32)
              if threadIdx.x < 16
                out[threadIdx.x] = shfl_xor(1.0, 8)
            """,
            np.zeros(32, F32),
        )
    )
    assert fault.kind == "inactive_lane"
    assert fault.message == (
        "line 4: block (0, 0, 0), thread (0, 0, 0) comes to shfl_xor, but thread (16, 0, 0) of its "
        "warp does not"
    )


def test_a_shuffle_from_a_lane_that_does_not_exist(run) -> None:
    fault = only(
        run(
            """
            func k(out: f32[40]) launch(grid=1, block=40)
              out[threadIdx.x] = shfl_down(1.0, 4)
            """,
            np.zeros(40, F32),
        )
    )
    assert fault.message == (
        "line 3: block (0, 0, 0), thread (36, 0, 0) reads lane 8 of its warp, which takes no part"
    )


def test_a_vector_that_does_not_start_at_a_multiple_of_its_size(run) -> None:
    x, out = np.arange(16, dtype=F32), np.zeros(16, F32)
    text = """
    func k(x: f32[16], out: f32[16]) launch(grid=1, block=4)
      out[threadIdx.x * 4:+4] = x[threadIdx.x * {stride}:+4]
    """
    assert run(text.format(stride=4), x, out).ok
    assert (out == x).all()
    fault = only(run(text.format(stride=3), x, out))
    assert fault.message == (
        "line 3: block (0, 0, 0), thread (1, 0, 0) reads 4 elements from x[3] at byte 12, "
        "no multiple of 16"
    )
    assert out.tolist() == [0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12]


def test_division_by_zero_and_shifts_too_far(run) -> None:
    x, out = np.array([2, 0, 40, -1], np.int32), np.zeros(4, np.int32)
    text = """
    func k(x: i32[4], out: i32[4]) launch(grid=1, block=4)
      out[threadIdx.x] = 7 {op} x[threadIdx.x]
    """
    for op in ("//", "%"):
        fault = only(run(text.format(op=op), x, out))
        assert fault.kind == "division_by_zero"
        assert fault.message.endswith(f"thread (1, 0, 0) divides by zero ({op})")
    fault = only(run(text.format(op="<<"), x, out))
    assert (fault.kind, fault.count) == ("shift", 2)
    assert fault.message.endswith("thread (2, 0, 0) shifts i32 by 40; counts are 0 … 31")


def test_what_is_not_taken_is_not_done(run) -> None:
    x, out = np.arange(8, dtype=F32), np.zeros(16, F32)
    report = run(
        """
        func k(x: f32[8], out: f32[16]) launch(grid=1, block=16)
          let i = threadIdx.x
          var v = x[i] if i < 8 else 0.0
          if i >= 8
            v = f32(100 // (i - 7))
          out[i] = v
        """,
        x, out,
    )  # fmt: skip
    assert report.ok
    assert out.tolist() == [*range(8), *(100 // (i - 7) for i in range(8, 16))]


def test_a_device_function_without_a_result(run) -> None:
    fault = only(
        run(
            """
            func half(v: i32) -> i32
              if v % 2 == 0
                return v // 2
            func k(out: i32[4]) launch(grid=1, block=4)
              out[threadIdx.x] = half(threadIdx.x)
            """,
            np.zeros(4, np.int32),
        )
    )
    assert fault.kind == "no_result"
    assert fault.message.endswith("thread (1, 0, 0) leaves half without a result")


def test_a_loop_that_never_ends(run) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(
            """
            func k(out: i32[4]) launch(grid=1, block=4)
              while True
                out[threadIdx.x] = 1
            """,
            np.zeros(4, np.int32),
            turn_limit=1000,
        )
    assert str(caught.value).splitlines() == [
        "stopped a while after 1000 turns",
        "  at k:3:3",
        "  3 | while True",
        "    | ^^^^^^^^^^",
        "  hint: it may never end; a higher turn_limit lets it go on",
    ]


def test_a_run_that_is_too_long(run) -> None:
    with pytest.raises(WorkbenchError, match="stopped after 1000 steps"):
        run(
            """
            func k(out: i32[4]) launch(grid=1, block=4)
              for i in range(1000000)
                out[threadIdx.x] = i
            """,
            np.zeros(4, np.int32),
            step_limit=1000,
        )


def test_raise_on_fault_lists_them(run) -> None:
    report = run(
        """
        func k(x: f32[8]) launch(grid=1, block=(3, 3))
          x[threadIdx.y * 3 + threadIdx.x] = 1.0
          x[threadIdx.x - 1] = 2.0
        """,
        np.zeros(8, F32),
    )
    with pytest.raises(WorkbenchError) as caught:
        interp.raise_on_fault(report)
    error = caught.value
    assert error.message == "line 3: block (0, 0, 0), thread (2, 2, 0) writes x[8], outside f32[8]"
    assert isinstance(error.span, Span)
    assert error.hint == "guard the access with the extent: if i < n"
    assert len(error.notes) == len(report.faults) - 1
    interp.raise_on_fault(interp.Report(()))


def test_faults_are_kept_once_per_place_and_not_without_end(run) -> None:
    lines = "\n".join(f"  x[{n}] = 1.0" for n in range(8, 8 + FAULT_LIMIT + 50))
    report = run(f"func k(x: f32[8]) launch(grid=3, block=2)\n{lines}\n", np.zeros(8, F32))
    assert len(report.faults) == FAULT_LIMIT
    assert report.faults[0].count == 6
