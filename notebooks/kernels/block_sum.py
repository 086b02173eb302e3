"""Sums of the rows of a matrix, a whole block for each row.

In two stages: each warp adds up its part by shuffles and its first lane leaves the result in shared
memory; after the barrier the first warp adds up these 8 numbers the same way. Only the barrier
makes sure that they are all there: take it away, and the interpreter names the two threads that
race.
"""

import workbench as wb
from workbench.lang import (
    blockIdx,
    f32,
    launch,
    shared,
    shfl_xor,
    syncthreads,
    threadIdx,
)

M, N = wb.dims("M N")
WARPS = 8


@wb.script
def block_sum(x: f32[M, N], sums: f32[M]):
    launch(grid=M, block=(32, WARPS))
    partial = shared(f32, WARPS)
    lane = threadIdx.x
    warp = threadIdx.y

    total = 0.0
    for j in range(warp * 32 + lane, N, 32 * WARPS):
        total += x[blockIdx.x, j]
    for bit in (16, 8, 4, 2, 1):
        total += shfl_xor(total, bit)
    if lane == 0:
        partial[warp] = total
    syncthreads()

    if warp == 0:
        total = partial[lane] if lane < WARPS else 0.0
        for bit in (4, 2, 1):
            total += shfl_xor(total, bit)
        if lane == 0:
            sums[blockIdx.x] = total
