"""Transposing a matrix through shared memory.

Reading rows and writing columns would use 4 bytes of every 32-byte sector that is written. So a
block first brings a tile of 32 × 32 into shared memory, row by row, waits for all its threads, and
then writes the tile's columns as rows of the result: both sides touch neighbours.

Reading a column of the tile would hit one bank of shared memory 32 times if the tile were laid out
row by row. The swizzled layout moves element (i, j) to column ``j ^ i``: rows and columns then
both spread over all 32 banks, and not one word is wasted on padding.
"""

import workbench as wb
from workbench.lang import (
    blockIdx,
    ceil_div,
    f32,
    launch,
    repeat,
    row_major,
    shared,
    spatial,
    syncthreads,
    threadIdx,
)

M, N = wb.dims("M N")
SIDE = 32
TILE = repeat(4, 1) * spatial(8, SIDE)
SWIZZLED = row_major(SIDE, SIDE).swizzle(5)


@wb.script
def transpose(a: f32[M, N], b: f32[N, M]):
    launch(grid=(ceil_div(N, SIDE), ceil_div(M, SIDE)), block=TILE.workers)
    tile = shared(f32, (SIDE, SIDE), layout=SWIZZLED)
    top = blockIdx.y * SIDE
    left = blockIdx.x * SIDE
    for i, j in TILE.on(threadIdx.x):
        if top + i < M and left + j < N:
            tile[i, j] = a[top + i, left + j]
    syncthreads()
    for i, j in TILE.on(threadIdx.x):
        if left + i < N and top + j < M:
            b[left + i, top + j] = tile[j, i]
