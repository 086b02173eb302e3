"""Copying a matrix: who copies what is a task mapping.

A block copies a tile of 32 × 32 elements with 256 threads. ``spatial(8, 32)`` spreads 8 rows over
the threads, so that the 32 lanes of a warp read one row of neighbours: a single request of 128
bytes. ``repeat(4, 1)`` lets every thread do this four times, 8 rows further down each time.
Swap the two factors, or turn 8 and 32 round, and look at the accesses again.
"""

import workbench as wb
from workbench.lang import blockIdx, ceil_div, f32, launch, repeat, spatial, threadIdx

M, N = wb.dims("M N")
TILE = repeat(4, 1) * spatial(8, 32)
ROWS, COLUMNS = TILE.shape


@wb.script
def copy_2d(a: f32[M, N], b: f32[M, N]):
    launch(grid=(ceil_div(N, COLUMNS), ceil_div(M, ROWS)), block=TILE.workers)
    for i, j in TILE.on(threadIdx.x):
        row = blockIdx.y * ROWS + i
        column = blockIdx.x * COLUMNS + j
        if row < M and column < N:
            b[row, column] = a[row, column]
