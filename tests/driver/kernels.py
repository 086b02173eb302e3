"""Small kernels for the tests of the driver."""

from __future__ import annotations

import workbench as wb
from workbench.lang import (
    bf16,
    blockIdx,
    boolean,
    f32,
    f32x4,
    f64,
    i8,
    launch,
    shared,
    store,
    threadIdx,
    u32,
)

M, N = wb.dims("M N")


@wb.script
def scale(a: f32[64, 8], b: f32[64, 8]):
    launch(grid=1, block=128)
    for i, j in (wb.repeat(4, 1) * wb.spatial(16, 8)).on(threadIdx.x):
        b[i, j] = a[i, j] * 2.0


@wb.script
def add(a: f32[M, N], b: f32[M, N], c: f32[M, N]):
    launch(grid=M, block=N)
    i, j = blockIdx.x, threadIdx.x
    c[i, j] = a[i, j] + b[i, j]


@wb.script
def axpy(n: i8, k: u32, alpha: f64, flip: boolean, half: bf16, x: f64[N]):
    launch(grid=1, block=N)
    i = threadIdx.x
    x[i] = alpha * x[i] + f64(n) + f64(k) + f64(half)
    if flip:
        x[i] = -x[i]


@wb.script
def fill(a: f32[64]):
    launch(grid=1, block=16)
    store(a[threadIdx.x * 4], f32x4(1.0))


@wb.script
def greedy(a: f32[64]):
    launch(grid=1, block=64)
    tile = shared(f32, (51200,))
    tile[threadIdx.x] = a[threadIdx.x]
    a[threadIdx.x] = tile[threadIdx.x]


@wb.script
def past_the_end(a: f32[64], b: f32[64]):
    launch(grid=2, block=64)
    i = blockIdx.x * 64 + threadIdx.x
    b[i % 64] = a[i]


@wb.script
def größe(α: f32[N], β: f32[N]):  # noqa: PLC2401
    launch(grid=1, block=N)
    µ = shared(f32, 1024)  # noqa: PLC2401
    µ[threadIdx.x] = α[threadIdx.x]
    β[threadIdx.x] = µ[threadIdx.x] * 2.0


@wb.script
def forever(a: f32[1]):
    launch(grid=1, block=1)
    while a[0] < 1.0:
        a[0] = 0.0
