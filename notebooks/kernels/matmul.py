"""Matrix multiplication with task mappings, the example of the paper on Hidet.

A block of 256 threads computes a tile of 128 × 128 of the result, 8 columns of `a` and 8 rows of
`b` at a time. One mapping says who computes what::

    spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4)
    8 warps         twice each     32 lanes        4 × 4 elements each

Every thread has 64 sums. The layout of the register tensor mirrors the mapping: where the mapping
says *repeat*, elements lie one after the other in the thread's registers; where it says *spatial*,
they belong to other threads and take no room (`local`).

Double buffering: while the threads multiply one pair of tiles in shared memory, the next pair is
on its way from global memory into registers. It is stored into the other half of the buffers
afterwards, so one barrier a step is enough.

The tile of `a` lies in shared memory with `k` first and rows of 132 instead of 128 elements: the
threads of a warp that store a column of it then write to 32 different banks.

Extents need not be multiples of the tile: what lies outside is read as 0 and never written.

Source: Ding et al., "Hidet: Task-Mapping Programming Paradigm for Deep Learning Tensor Programs",
ASPLOS 2023.
"""

import workbench as wb
from workbench.lang import (
    auto_map,
    blockIdx,
    ceil_div,
    f32,
    launch,
    local,
    register,
    repeat,
    row_major,
    shared,
    spatial,
    strided,
    syncthreads,
    threadIdx,
)

M, N, K = wb.dims("M N K")
TILE_K = 8


TASKS = spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4)
SUMS = local(4, 2) * row_major(2, 2) * local(4, 8) * row_major(4, 4)
TILE_M, TILE_N = TASKS.shape
THREADS = TASKS.workers

# 128 × 8 and 8 × 128 elements, four for each thread
COPY_A = auto_map(TILE_M, TILE_K, workers=THREADS)
COPY_B = auto_map(TILE_K, TILE_N, workers=THREADS)
NEXT_A = row_major(4, 1) * local(32, 8)
NEXT_B = row_major(4, 1) * local(2, 128)
SHARED_A = strided((2, TILE_K, TILE_M), (TILE_K * 132, 132, 1))


@wb.script
def matmul(a: f32[M, K], b: f32[K, N], c: f32[M, N]):
    launch(grid=(ceil_div(N, TILE_N), ceil_div(M, TILE_M)), block=THREADS)
    tile_a = shared(f32, (2, TILE_K, TILE_M), layout=SHARED_A)
    tile_b = shared(f32, (2, TILE_K, TILE_N))
    next_a = register(f32, (TILE_M, TILE_K), layout=NEXT_A)
    next_b = register(f32, (TILE_K, TILE_N), layout=NEXT_B)
    sums = register(f32, (TILE_M, TILE_N), layout=SUMS)
    top = blockIdx.y * TILE_M
    left = blockIdx.x * TILE_N

    for i, j in TASKS.on(threadIdx.x):
        sums[i, j] = 0.0
    for i, k in COPY_A.on(threadIdx.x):
        tile_a[0, k, i] = a[top + i, k] if top + i < M and k < K else 0.0
    for k, j in COPY_B.on(threadIdx.x):
        tile_b[0, k, j] = b[k, left + j] if k < K and left + j < N else 0.0
    syncthreads()

    for step in range(ceil_div(K, TILE_K)):
        now = step % 2
        ahead = (step + 1) * TILE_K
        for i, k in COPY_A.on(threadIdx.x):
            next_a[i, k] = a[top + i, ahead + k] if top + i < M and ahead + k < K else 0.0
        for k, j in COPY_B.on(threadIdx.x):
            next_b[k, j] = b[ahead + k, left + j] if ahead + k < K and left + j < N else 0.0
        for k in range(TILE_K):
            for i, j in TASKS.on(threadIdx.x):
                sums[i, j] += tile_a[now, k, i] * tile_b[now, k, j]
        for i, k in COPY_A.on(threadIdx.x):
            tile_a[1 - now, k, i] = next_a[i, k]
        for k, j in COPY_B.on(threadIdx.x):
            tile_b[1 - now, k, j] = next_b[k, j]
        syncthreads()

    for i, j in TASKS.on(threadIdx.x):
        if top + i < M and left + j < N:
            c[top + i, left + j] = sums[i, j]
