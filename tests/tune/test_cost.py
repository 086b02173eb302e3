"""Predictions: the counts are those of the formula, the order is that of common sense."""

from __future__ import annotations

import pytest

import workbench as wb
from notebooks.kernels import matmul, vector_add
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.lang import blockIdx, f32, launch, threadIdx
from workbench.passes.default import run
from workbench.tune.cost import count, predict

GPU = Target("cuda", "sm_90a")


def lowered(program: wb.Program, **dims: int) -> Module:
    return run(program.module(**dims), GPU)


@wb.script
def strided(a: f32[256, 64], b: f32[256, 64]):
    launch(grid=64, block=256)
    b[threadIdx.x, blockIdx.x] = a[threadIdx.x, blockIdx.x] + 1.0


@wb.script
def straight(a: f32[64, 256], b: f32[64, 256]):
    launch(grid=64, block=256)
    b[blockIdx.x, threadIdx.x] = a[blockIdx.x, threadIdx.x] + 1.0


def test_an_elementwise_kernel_does_an_addition_and_moves_three_numbers() -> None:
    work = count(lowered(vector_add.vector_add, N=4096))
    assert work.operations == 4096
    assert work.tensor_bytes == work.moved_bytes == 3 * 4096 * 4
    assert work.barriers == work.shared_bytes == 0


def test_a_matrix_product_does_two_operations_per_term() -> None:
    n = 256
    work = count(lowered(matmul.matmul, M=n, N=n, K=n))
    assert work.operations == pytest.approx(2 * n**3, rel=0.05)
    assert work.tensor_bytes == 3 * n * n * 4
    # two tiles of 128 read each factor twice; a store of every fourth element uses a quarter of
    # each sector
    assert work.moved_bytes == pytest.approx((2 + 2 + 4) * n * n * 4, rel=0.05)
    assert work.barriers > 0


def test_strided_access_moves_whole_sectors() -> None:
    good, bad = count(lowered(straight)), count(lowered(strided))
    assert good.tensor_bytes == bad.tensor_bytes
    assert bad.moved_bytes == 8 * good.moved_bytes


def test_more_work_takes_longer() -> None:
    small, large = (predict(lowered(matmul.matmul, M=n, N=n, K=n), GPU).us for n in (1024, 4096))
    assert 16 < large / small < 80
    assert predict(lowered(matmul.matmul, M=4096, N=4096, K=4096), GPU).limiter == "arithmetic"
    chain = predict(lowered(vector_add.vector_add, N=2**26), GPU)
    assert chain.limiter == "memory"
    # 805 MB at 3.35 TB/s are 240 µs; no kernel is faster than that
    assert 240 < chain.us < 480


def test_every_machine_can_be_asked() -> None:
    targets = [Target("cuda", f"sm_{n}") for n in (75, 80, 86, 87, 89, 90, 100, 120)]
    times = [predict(lowered(matmul.matmul, M=2048, N=2048, K=2048), t).us for t in targets]
    assert all(t > 0 for t in times)
    assert times[1] > times[5]
    assert predict(lowered(straight), Target("cpu")).us > 0
