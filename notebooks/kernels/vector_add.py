"""Vector addition: one thread for each element.

The smallest kernel there is. The grid is rounded up, so the last block may have threads without
an element; the `if` keeps them from writing past the end, whatever the length.
"""

import workbench as wb
from workbench.lang import blockIdx, ceil_div, f32, launch, threadIdx

N = wb.dims("N")
THREADS = 256


@wb.script
def vector_add(a: f32[N], b: f32[N], c: f32[N]):
    launch(grid=ceil_div(N, THREADS), block=THREADS)
    i = blockIdx.x * THREADS + threadIdx.x
    if i < N:
        c[i] = a[i] + b[i]
