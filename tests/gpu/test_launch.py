"""Launches on a GPU through CuPy, compared with numpy."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.codegen import cuda_kernels
from tests.driver import kernels
from workbench.runtime.gpu_launch import device_arch

pytestmark = pytest.mark.gpu


def test_a_program_runs_where_the_arrays_are() -> None:
    import cupy

    a, b = (cupy.random.default_rng(n).random((67, 131), dtype=np.float32) for n in range(2))
    c = cupy.full((67, 131), np.nan, np.float32)
    kernels.add(a, b, c)
    np.testing.assert_array_equal(cupy.asnumpy(c), cupy.asnumpy(a) + cupy.asnumpy(b))
    assert str(kernels.add.kernel_for([a, b, c], "cuda").target) == f"cuda:{device_arch()}"


def test_scalars_of_every_size() -> None:
    import cupy

    x = cupy.asarray([1.0, 2.0])
    kernels.axpy(-100, 2**32 - 1, 0.5, True, 1.5, x)
    np.testing.assert_array_equal(
        x.get(), [-(0.5 - 100 + 2**32 - 1 + 1.5), -(1 - 100 + 2**32 - 1 + 1.5)]
    )


def test_shared_memory_that_the_launch_adds() -> None:
    import cupy

    a = cupy.arange(15360, dtype=np.float32)
    b = cupy.zeros(15360, np.float32)
    cuda_kernels.big_shared(a, b)
    i = np.arange(15360)
    expected = a.get().reshape(120, 128)[i % 120, i // 120] + i % 128
    np.testing.assert_array_equal(b.get(), expected.astype(np.float32))


def test_a_launch_goes_to_the_current_stream() -> None:
    import cupy

    a = cupy.ones((64, 8), np.float32)
    b = cupy.zeros((64, 8), np.float32)
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        kernels.scale(a, b)
    stream.synchronize()
    assert (b.get() == 2).all()


def test_time_is_measured_by_events() -> None:
    import cupy

    a = cupy.ones((64, 8), np.float32)
    kernel = kernels.scale.compile("cuda")
    measurement = kernel.time(a, cupy.zeros_like(a), budget_s=0.05)
    assert measurement.clock == "CUDA events"
    assert 0.5 < measurement.median_us < 1000


def test_mistakes() -> None:
    import cupy

    a = cupy.ones((64, 8), np.float32)
    with pytest.raises(wb.LaunchError, match=r"expected f32\[64, 8\], got float64\[64, 8\]"):
        kernels.scale(a, a.astype(np.float64))
    with pytest.raises(wb.LaunchError, match="this kernel runs on the GPU, got a NumPy array"):
        kernels.scale(a, np.ones((64, 8), np.float32))
    other = "sm_80" if not device_arch().startswith("sm_8") else "sm_90a"
    with pytest.raises(wb.LaunchError, match="does not load on this GPU"):
        kernels.scale.compile(f"cuda:{other}")(a, cupy.zeros_like(a))
