"""Sectors and bank conflicts against numbers worked out by hand from the vendor's rules."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import interp
from workbench.ir.types import Scope


def rows(report: interp.Report, scope: Scope) -> list[interp.Access]:
    assert report.ok, report.faults
    return [a for a in report.accesses if a.scope is scope]


@pytest.mark.parametrize(
    ("index", "sectors", "ideal", "used"),
    [
        ("t", 4, 4, 128),  # 32 neighbours of 4 bytes
        ("31 - t", 4, 4, 128),  # in any order
        ("t * 8", 32, 4, 128),  # a sector for each lane
        ("t * 2", 8, 4, 128),
        ("0", 1, 1, 4),  # everybody the same
        ("t // 8", 1, 1, 16),
        ("t + 1", 5, 4, 128),  # shifted off the sector
    ],
)
def test_sectors_of_one_warp(run, index: str, sectors: int, ideal: int, used: int) -> None:
    x, out = np.zeros(256, np.float32), np.zeros(32, np.float32)
    report = run(
        f"""
        func k(x: f32[256], out: f32[32]) launch(grid=1, block=32)
          let t = threadIdx.x
          out[t] = x[{index}]
        """,
        x, out, log_accesses=True,
    )  # fmt: skip
    load, store = rows(report, Scope.GLOBAL)
    assert (load.kind, load.tensor, load.count) == ("load", "x", 1)
    assert (load.sectors, load.ideal_sectors, load.bytes_used) == (sectors, ideal, used)
    assert load.bytes_fetched == sectors * 32
    assert (store.kind, store.tensor, store.sectors) == ("store", "out", 4)
    assert load.span is not None
    assert load.span.line == 4


def test_masked_lanes_ask_for_nothing(run) -> None:
    report = run(
        """
        func k(x: f32[64]) launch(grid=2, block=(8, 12))
          if threadIdx.y * 8 + threadIdx.x < 40
            x[threadIdx.x] = 1.0
        """,
        np.zeros(64, np.float32), log_accesses=True,
    )  # fmt: skip
    (store,) = rows(report, Scope.GLOBAL)
    # two blocks; in each a whole warp (one sector) and 8 lanes of the next (the same sector)
    assert (store.count, store.sectors, store.bytes_used) == (4, 4, 4 * 32)
    assert store.first == tuple(4 * (lane % 8) for lane in range(32))
    assert store.lane_bytes == 4


@pytest.mark.parametrize(
    ("layout", "index", "passes", "ideal"),
    [
        ("", "0, t", 1, 1),
        ("", "t, 0", 32, 1),  # a column of 32 rows of 32: one bank
        ("", "t % 2, t // 2", 2, 1),
        ("", "3, 5", 1, 1),  # broadcast is no conflict
        ("", "t // 16, t % 16", 2, 1),
        (" @ row_major(32, 32).swizzle(5, 0, 5)", "t, 0", 1, 1),
        (" @ strided((32, 32), (33, 1))", "t, 0", 1, 1),  # padded by one
    ],
)
def test_bank_conflicts(run, layout: str, index: str, passes: int, ideal: int) -> None:
    report = run(
        f"""
        func k(out: f32[64]) launch(grid=2, block=32)
          shared s: f32[32, 32]{layout}
          let t = threadIdx.x
          for i in range(32)
            s[i, t] = 0.0
          syncthreads()
          out[blockIdx.x * 32 + t] = s[{index}]
        """,
        np.zeros(64, np.float32), log_accesses=True,
    )  # fmt: skip
    store, load = rows(report, Scope.SHARED)
    assert (load.count, load.passes, load.ideal_passes) == (2, 2 * passes, 2 * ideal)
    assert load.conflicts == 2 * (passes - ideal)
    assert (store.count, store.conflicts) == (64, 0)


def test_wide_accesses_take_the_lanes_in_parts(run) -> None:
    report = run(
        """
        func k(x: f32[128], y: f64[32]) launch(grid=1, block=32)
          shared s: f32[128]
          shared d: f64[32]
          s[threadIdx.x * 4:+4] = x[threadIdx.x * 4:+4]
          d[threadIdx.x] = y[threadIdx.x]
        """,
        np.zeros(128, np.float32), np.zeros(32), log_accesses=True,
    )  # fmt: skip
    quads, doubles = rows(report, Scope.SHARED)
    assert (quads.count, quads.passes, quads.ideal_passes, quads.bytes_used) == (1, 4, 4, 512)
    assert (doubles.count, doubles.passes, doubles.ideal_passes) == (1, 2, 2)
    loads = rows(report, Scope.GLOBAL)
    assert [(a.sectors, a.ideal_sectors) for a in loads] == [(16, 16), (8, 8)]


def test_halves_share_a_word(run) -> None:
    report = run(
        """
        func k(out: f16[32]) launch(grid=1, block=32)
          shared s: f16[64]
          s[threadIdx.x] = f16(1.0)
          out[threadIdx.x] = s[threadIdx.x]
        """,
        np.zeros(32, np.float16), log_accesses=True,
    )  # fmt: skip
    assert [a.conflicts for a in rows(report, Scope.SHARED)] == [0, 0]
    assert [a.sectors for a in rows(report, Scope.GLOBAL)] == [2]


def test_atomics_are_logged_and_nothing_is_without_asking(run) -> None:
    text = """
    func k(x: i32[1]) launch(grid=1, block=32)
      atomic_add(x[0], 1)
    """
    (row,) = rows(run(text, np.zeros(1, np.int32), log_accesses=True), Scope.GLOBAL)
    assert (row.kind, row.sectors) == ("atomic", 1)
    assert run(text, np.zeros(1, np.int32)).accesses == ()


def test_a_load_that_nobody_reads_is_for_the_cache(run) -> None:
    report = run(
        """
        func k(out: f32[32]) launch(grid=1, block=32)
          shared s: f32[32]
          s[0]
          s[threadIdx.x] = 1.0
          s[31 - threadIdx.x]
          out[threadIdx.x] = s[threadIdx.x]
        """,
        out := np.zeros(32, np.float32),
    )
    assert report.ok  # neither what was never written nor another thread's is read
    assert (out == 1).all()


def test_a_load_that_nobody_reads_stays_inside(run) -> None:
    (fault,) = run(
        """
        func k(x: f32[32], out: f32[32]) launch(grid=1, block=32)
          x[threadIdx.x + 1]
          out[threadIdx.x] = 1.0
        """,
        np.zeros(32, np.float32), np.zeros(32, np.float32),
    ).faults  # fmt: skip
    assert (fault.kind, fault.index, fault.thread) == ("out_of_bounds", (32,), (31, 0, 0))
