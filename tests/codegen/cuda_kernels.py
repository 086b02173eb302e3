"""Kernels that between them use everything CUDA code is generated for."""

from __future__ import annotations

import workbench as wb
from workbench.lang import (
    atomic_add,
    atomic_cas,
    atomic_exchange,
    atomic_max,
    bf16,
    blockIdx,
    exp,
    f16,
    f16x8,
    f32,
    f32x4,
    f64,
    i8,
    i32,
    i64,
    inf,
    launch,
    load,
    register,
    repeat,
    shared,
    shfl_xor,
    spatial,
    store,
    syncthreads,
    threadIdx,
    u32,
    unroll,
)


@wb.script
def scale(a: f32[64, 8], b: f32[64, 8]):
    launch(grid=1, block=128)
    for i, j in repeat(4, 1).spatial(16, 8).on(threadIdx.x):
        b[i, j] = a[i, j] * 2.0


@wb.script
def vectors(a: f32[256], b: f32[256], h: f16[256]):
    """Short vectors: loads, arithmetic lane by lane, conversions, stores."""
    launch(grid=2, block=32)
    i = (blockIdx.x * 32 + threadIdx.x) * 4
    v = load(a[i], lanes=4)
    w = v * v + f32x4(1.0) - load(b[i], lanes=4)
    store(b[i], w)
    if threadIdx.x % 2 == 0:
        store(h[i], f16x8(2.5))
    b[i] = w[0] + max(w[1], w[3])


@wb.script
def halves(a: f16[64], b: bf16[64], c: f16[64], d: bf16[64]):
    """Halves are computed in float and rounded after every operation."""
    launch(grid=1, block=64)
    i = threadIdx.x
    c[i] = a[i] * a[i] + f16(b[i])
    d[i] = exp(b[i]) - bf16(0.5)


@wb.script
def gelu(x: f32) -> f32:
    return x / (1.0 + exp(-1.702 * x))


@wb.script
def control(x: f32[40], steps: i32[40], y: f32[40], n: i32):
    """A device function, a while loop, break and continue, a branch chain, downward loops."""
    launch(grid=1, block=64)
    i = i32(threadIdx.x)
    if i < n:
        total = 0.0
        k = 0
        while True:
            k += 1
            if k > steps[i]:
                break
            if k % 3 == 0:
                continue
            total += gelu(x[i]) * f32(k)
        for back in range(9, -1, -2):
            total -= f32(back)
        if i < 8:
            y[i] = total
        elif i < 16:
            y[i] = -inf if total > 0.0 else inf
        else:
            y[i] = total / 2.0


@wb.script
def big_shared(a: f32[15360], b: f32[15360]):
    """60 KB of shared memory: more than a kernel may declare, so the launch adds it."""
    launch(grid=1, block=256)
    tile = shared(f32, (120, 128))
    rows = shared(f32, (128,))
    for r in range(60):
        i = r * 256 + i32(threadIdx.x)
        tile[i // 128, i % 128] = a[i]
    if threadIdx.x < 128:
        rows[threadIdx.x] = f32(threadIdx.x)
    syncthreads()
    for r in range(60):
        i = r * 256 + i32(threadIdx.x)
        b[i] = tile[i % 120, i // 120] + rows[i % 128]


@wb.script
def counts(keys: i32[500], histogram: i32[17], largest: i64[2], weights: f64[17]):
    """Atomic updates of every size."""
    launch(grid=4, block=128)
    i = blockIdx.x * 128 + threadIdx.x
    if i < 500:
        key = keys[i] & 15
        atomic_add(histogram[key], 1)
        atomic_max(largest[0], i64(keys[i]))
        atomic_add(largest[1], i64(key))
        atomic_add(weights[key], 0.25)
        if i == 77:
            atomic_exchange(weights[16], 1.5)
            atomic_exchange(histogram[16], 4)
            atomic_cas(histogram[16], 4, 5)
            atomic_cas(histogram[16], 4, 6)


@wb.script
def hashes(a: i32[64], b: u32[64], c: i8[64]):
    """Integers that wrap around, floor division and modulo of negative numbers."""
    launch(grid=1, block=64)
    i = i32(threadIdx.x)
    h = a[i]
    for k in range(5):
        h = h * 31 + k
    b[i] = u32(h) ^ (u32(h) >> 15)
    c[i] = i8(h // 7 + h % 7 + (i - 20) // 3)


@wb.script
def looked_up(a: f32[36], b: f32[36]):
    """Tasks from a function of the worker: a table in constant memory."""
    launch(grid=1, block=9)
    for (i,) in (spatial(9) * repeat(4)).on(threadIdx.x):
        b[i] = a[(i * 7) % 36] + 1.0


@wb.script
def row_sums(a: f32[8, 100], b: f32[8]):
    """Registers, an unrolled loop, a sum over a warp; blocks of two dimensions."""
    launch(grid=1, block=(32, 8))
    part = register(f32, (4,))
    for k in unroll(range(4)):
        j = k * 32 + threadIdx.x
        part[k] = a[threadIdx.y, j] if j < 100 else 0.0
    total = 0.0
    for k in unroll(range(4)):
        total += part[k]
    for step in (16, 8, 4, 2, 1):
        total += shfl_xor(total, step)
    if threadIdx.x == 0:
        b[threadIdx.y] = total


ALL = (scale, vectors, halves, control, big_shared, counts, hashes, looked_up, row_sums)
