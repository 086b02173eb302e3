"""The CPU target seen through the driver."""

from __future__ import annotations

import re

import numpy as np
import pytest

import workbench as wb
from tests.driver import kernels


def test_a_program_called_with_numpy_arrays_runs_on_the_cpu() -> None:
    rng = np.random.default_rng(0)
    for shape in ((3, 5), (67, 131), (3, 5)):
        a, b = rng.random(shape, dtype=np.float32), rng.random(shape, dtype=np.float32)
        c = np.full(shape, np.nan, np.float32)
        kernels.add(a, b, c)
        np.testing.assert_array_equal(c, a + b)
    kernel = kernels.add.kernel_for([a, b, c])
    assert str(kernel.target) == "cpu"
    assert kernel is kernels.add.compile("cpu", M=3, N=5)


def test_names_beyond_ascii() -> None:
    a, b = np.arange(5, dtype=np.float32), np.zeros(5, np.float32)
    kernels.größe(a, b)
    np.testing.assert_array_equal(b, a * 2)
    cuda = kernels.größe.compile("cuda:sm_90a", N=5).source
    assert re.sub("//.*", "", cuda).isascii()


def test_scalars_of_every_kind() -> None:
    x = np.array([1.0, 2.0])
    kernels.axpy(-100, 2**32 - 1, 0.5, True, 1.5, x)
    np.testing.assert_array_equal(x, -np.array([0.5, 1.0]) - (-100 + 2**32 - 1 + 1.5))


def test_a_cpu_kernel_shows_its_code_and_its_time() -> None:
    kernel = kernels.scale.compile("cpu")
    assert "define" in kernel.source
    assert "define" in kernel.llvm
    assert "scale" in kernel.asm
    assert len(kernel.binary) > 100
    assert kernel.resources is None
    assert kernel.occupancy is None
    assert kernel.stages[-1].name == "llvm"
    with pytest.raises(wb.LaunchError, match="a kernel for cpu has no sass"):
        _ = kernel.sass
    a = np.ones((64, 8), np.float32)
    measurement = kernel.time(a, np.zeros_like(a), budget_s=0.01)
    assert measurement.name == "scale on cpu"
    assert measurement.median_us > 0


def test_mistakes_are_found_before_the_code_runs() -> None:
    a = np.ones((64, 8), np.float32)
    with pytest.raises(wb.LaunchError, match=r"expected f32\[64, 8\], got float32\[63, 8\]"):
        kernels.scale(a, a[1:])
    with pytest.raises(wb.LaunchError, match="share memory"):
        kernels.scale(a, a)
    kernels.scale(a, np.zeros_like(a))
    with pytest.raises(wb.LaunchError, match="got float64"):
        kernels.scale(a, np.zeros((64, 8)))
