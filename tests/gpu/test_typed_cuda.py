"""CUDA that a person wrote or edited, on a GPU: launched, compared, timed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.driver import kernels
from workbench.driver.kernel import Kernel
from workbench.runtime.gpu_launch import device_arch
from workbench.view.fork import fork_view
from workbench.view.raw import RawKernel
from workbench.widgets.timed import timed

pytestmark = pytest.mark.gpu

SCALE = """extern "C" __global__ void scale(float* a, double s, int n, unsigned char k) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) a[i] = a[i] * s + k;
}
"""


@pytest.fixture
def add() -> Kernel:
    import cupy

    a, b, c = (cupy.zeros((67, 131), np.float32) for _ in range(3))
    return kernels.add.kernel_for([a, b, c], "cuda")


def test_a_fork_that_is_right_is_compared_and_timed(add: Kernel) -> None:
    found = fork_view(add, add.source)
    rows = {row.label: row for row in found.rows}
    assert rows["largest difference"].fork == "0"
    assert "measured" in rows["time"].note
    assert "same random arguments" in found.said


def test_a_fork_that_is_wrong_shows_by_how_much(add: Kernel) -> None:
    assert " + " in add.source
    at = add.source.rindex("] + ")
    wrong = f"{add.source[:at]}] + 0.5f + {add.source[at + 4 :]}"
    rows = {row.label: row for row in fork_view(add, wrong).rows}
    assert float(rows["largest difference"].fork) == pytest.approx(0.5, abs=1e-5)
    assert rows["largest difference"].warn


def test_a_raw_kernel_is_launched_with_numbers_of_every_kind() -> None:
    import cupy

    kernel = RawKernel(SCALE)
    assert kernel.arch == device_arch()
    a = cupy.arange(1000, dtype=np.float32)
    kernel(4, (256,), a, 2, np.int64(1000), 7)
    np.testing.assert_array_equal(a.get(), np.arange(1000, dtype=np.float32) * 2 + 7)
    kernel(4, 256, a, 0.0, -1, 200)
    assert a.get()[3] == 13


def test_a_raw_kernel_is_timed_by_events() -> None:
    import cupy

    a = cupy.ones(1 << 20, np.float32)
    found = timed((RawKernel(SCALE), (4096, 256, a, 1.0, 1 << 20, 0), {}), 0.1)
    assert found.clock == "CUDA events"
    assert 0.5 < found.median_us < 1e4
