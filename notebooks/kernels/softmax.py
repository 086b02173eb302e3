"""Softmax of each row by warp shuffles.

One warp works on one row; a block has 8 warps. Lane `t` of the warp reads the elements t, t + 32,
t + 64 and so on, so that the lanes always read neighbours. To bring 32 partial results together
the lanes exchange them without any memory: with `shfl_xor` each lane gets the value of the lane
whose number differs in one bit, and after the five bits of a lane's number all of them know the
result.

The largest element of the row is subtracted before `exp`, so that nothing overflows.
"""

import workbench as wb
from workbench.lang import (
    blockIdx,
    ceil_div,
    exp,
    f32,
    inf,
    launch,
    shfl_xor,
    threadIdx,
)

M, N = wb.dims("M N")
WARPS = 8
BITS = (16, 8, 4, 2, 1)


@wb.script
def warp_max(x: f32) -> f32:
    for bit in BITS:
        x = max(x, shfl_xor(x, bit))
    return x


@wb.script
def warp_sum(x: f32) -> f32:
    for bit in BITS:
        x += shfl_xor(x, bit)
    return x


@wb.script
def softmax(x: f32[M, N], y: f32[M, N]):
    launch(grid=ceil_div(M, WARPS), block=(32, WARPS))
    row = blockIdx.x * WARPS + threadIdx.y
    if row < M:
        largest = -inf
        for j in range(threadIdx.x, N, 32):
            largest = max(largest, x[row, j])
        largest = warp_max(largest)

        total = 0.0
        for j in range(threadIdx.x, N, 32):
            total += exp(x[row, j] - largest)
        total = warp_sum(total)

        for j in range(threadIdx.x, N, 32):
            y[row, j] = exp(x[row, j] - largest) / total
