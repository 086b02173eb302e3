"""Scripts that cannot be translated. Each chapter is a test, its messages a golden file.

Each case is the body of a kernel after its launch, or a whole cell where it has a `def`.
"""

from __future__ import annotations

NAMES = """
b[0] = a[thredIdx.x]
===
b[0] = atomic_ad(a[0], 1.0)
===
b[0] = scale
===
b[0] = total
total = 1.0
===
if a[0] > 0.0:
    x = 1.0
b[0] = x
===
for k in range(3):
    pass
b[0] = k
===
b[0] = threadIdx.w
===
b[0] = a.size
===
b[0] = math.exq(1.0)
===
m = spatial(4).repaet(2)
===
from workbench.lang import f32
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = Threadidx.x
"""

SYNTAX = """
with a:
    pass
===
try:
    b[0] = 1.0
except ValueError:
    pass
===
raise ValueError
===
import math
===
from math import exp
===
global x
===
def inner():
    pass
===
class A:
    pass
===
del a
===
match n:
    case 1:
        pass
===
b[0] = (lambda x: x)(1.0)
===
b[0] = f"{n}"
===
b[0] = (x := 1.0)
===
b[0] = a[0:2]
===
b[:] = 0.0
===
b[0:4] = 1.0
===
b[0] = max(*[1.0, 2.0])
===
b[0] = max(**{})
===
b[0] = {1, 2}
===
yield 1
===
b[0] = ...
===
b[0] = 1j
===
for k in range(3):
    pass
else:
    pass
===
while n > 0:
    break
else:
    pass
===
a[0]
===
repeat(4)
===
print(n)
===
*x, y = a[0], a[1]
===
b.x = 1.0
===
async def g():
    pass
===
b[0] = a @ a
"""

TYPES = """
count = 0
count += a[0]
===
flag = n > 0
flag = n
===
x = 1
x = 2.5
===
small: i8 = n
===
x: f16 = 0
x += a[0]
===
b[0] = a
===
b[0] = a + 1.0
===
a = 3.0
===
b[n > 0] = 1.0
===
b[1.5] = 1.0
===
b[a[0]] = 1.0
===
b[0, 0] = 1.0
===
b[8] = 1.0
===
b[-1] = 1.0
===
c[0] = a[0]
===
c[0] = 2.5
===
c[0] = 2**40
===
b[0] = a[0] // 2.0
===
b[0] = n // 0
===
b[0] = a[0] & 1
===
b[0] = ~a[0]
===
c[0] = n << 32
===
c[0] = n ** n
===
b[0] = exp(n)
===
b[0] = exp(a[0], 2.0)
===
b[0] = fma(a[0], 1.0)
===
b[0] = math.exp(spatial(4))
===
x = syncthreads()
===
b[0] = syncthreads() + 1.0
===
b[0] = n in (1, 2)
===
v = f32x4(1.0, 2.0)
===
v = f32x4(a[0])
b[0] = v
===
v = f32x4(a[0])
b[0] = v[4]
===
v = f32x4(a[0])
b[0] = v[n]
===
b[0] = n[0]
===
t = (a[0], a[1])
===
t = (1.0, 2.0)
b[0] = t[n]
===
x, y = 1.0, 2.0, 3.0
===
x, y = n
===
b[0] = "text"
===
b[0] = spatial(4)
===
b[0] = 1 / 0
===
b[0] = int(a[0])
===
b[0] = a[0] if n else spatial(4)
===
x: i32
===
x: f32[4] = 0
===
b[0] = 2**70
===
c[0] = u64(n) + i64(n)
"""

LOOPS = """
for k in range(1, 2, 3, 4):
    pass
===
for k in range(0, 8, n):
    pass
===
for k in range(0, 8, 0):
    pass
===
for k in range(2.5):
    pass
===
for k in range(8):
    k = 3
===
for k in range(8):
    k += 1
===
for k in range(8):
    for k in range(8):
        pass
===
k = n
for k in range(8):
    pass
===
for i, j in range(8):
    pass
===
for x in a:
    pass
===
for x in n:
    pass
===
for k in static_range(n):
    pass
===
for k in static_range(4):
    if n > k:
        break
===
for k in unroll(8):
    pass
===
for k in unroll(range(8), by=0):
    pass
===
for k in (1, 2):
    m = spatial(k)
    if n > 0:
        m = spatial(2)
===
x = 3
for k in range(4):
    x += 1
s = shared(f32, x)
===
r = range(n)
"""

TASKS = """
for i in spatial(4, 2).on(threadIdx.x):
    pass
===
for i, j, k in spatial(4, 2).on(threadIdx.x):
    pass
===
for i, j in (repeat(4) * spatial(4, 2)).on(threadIdx.x):
    pass
===
for i in repeat(0).on(threadIdx.x):
    pass
===
for i, j in auto_map(8, 41, workers=64).on(threadIdx.x):
    pass
===
for i in spatial(64).on(threadIdx.x):
    pass
===
warp = threadIdx.x // 32
for i in spatial(4).on(warp):
    pass
===
for i in spatial(8).on(blockIdx.x):
    pass
===
for i in spatial(4).on(4):
    pass
===
for i in spatial(4).on(1.0):
    pass
===
for i in spatial(4).on():
    pass
===
tasks = spatial(4).on(threadIdx.x)
===
for i in spatial(4)(threadIdx.x):
    pass
===
for i, i in spatial(4, 2).on(threadIdx.x):
    pass
===
for i in TaskMapping((4,), 2, lambda w: [(w + 4,)]).on(threadIdx.x):
    pass
"""

MEMORY = """
s = shared(f32)
===
s = shared((4, 4), f32)
===
s = shared(f32, (0, 4))
===
s = shared(f32, n)
===
s = shared(f32, 4, 4, 4)
===
s = shared(f32, (4, 4), layout=row_major(4, 8))
===
s = shared(f32, (4, 4), padding=1)
===
b[0] = shared(f32, 4)
===
r = [register(f32, 4) for _ in range(2)]
===
shared(f32, 4)
===
b[0] = atomic_add(b[0], 1.0)
b[1] = atomic_add(b[0], 1.0) + 1.0
===
atomic_add(b, 1.0)
===
atomic_add(1.0)
===
atomic_add(b[0])
===
atomic_cas(c[0], 1)
===
atomic_add(c[0], 1.5)
===
v = load(a[0], lanes=3)
===
v = load(a[6], lanes=4)
===
v = load(n, lanes=4)
===
v = load(a[0], width=4)
===
v = f32x4(1.0)
store(b[0], v, 3)
===
v = f32x4(1.0)
store(c[0], v)
===
x = store(b[0], 1.0)
"""

LAUNCH = """
def f(n: i32):
    if n > 0:
        launch(grid=1, block=32)
===
def f(n: i32):
    for k in static_range(2):
        launch(grid=1, block=32)
===
launch(grid=1, block=32)
===
if n > 0:
    launch(grid=1, block=32)
===
return n
===
assert n > 0
===
assert 3 % 2 == 0
===
assert 3 % 2 == 0, "an even number is needed"
===
def f(a: f32[8]):
    a[0] = 1.0
    launch(grid=1, block=1)
===
def f(a: f32[8]):
    launch(grid=1)
===
def f(a: f32[8]):
    launch(1, 1, 1)
===
def f(a: f32[8]):
    launch(grid=0, block=1)
===
def f(a: f32[8]):
    launch(grid=(1, 1, 1, 1), block=1)
===
def f(n: i32):
    launch(grid=n, block=1)
===
def f(a: f32[8]):
    launch(grid=2.5, block=1)
===
def f(a: f32[8]):
    a[0] = 1.0
===
def f(x: f32):
    return x
===
def f(a: f32[8]) -> f32:
    launch(grid=1, block=1)
===
def f(a):
    launch(grid=1, block=1)
===
def f(a: int):
    launch(grid=1, block=1)
===
def f(a: f32[8], *rest):
    launch(grid=1, block=1)
===
def f(a: f32[8], n: i32 = 3):
    launch(grid=1, block=1)
===
def f(a: "f32[K]"):
    launch(grid=1, block=1)
===
def f(a: "f33[8]"):
    launch(grid=1, block=1)
===
def f(a: f32[0]):
    launch(grid=1, block=1)
===
M = dims("M")
def f(a: f32[8]):
    launch(grid=M, block=1)
"""

CALLS = """
b[0] = n(1)
===
x = (1, 2)
b[0] = x(3)
===
def double(x):
    return x * 2.0
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = double(a[1])
===
def halve(x):
    return 1 // x
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = halve(0)
===
@script
def again(x: f32) -> f32:
    return again(x)
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = again(a[1])
===
@script
def sign(x: f32) -> f32:
    if x > 0.0:
        return 1.0
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = sign(a[1])
===
@script
def sign(x: f32) -> i32:
    return x
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = sign(a[1])
===
@script
def mix(x: f32, y: i32):
    return x * y
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = mix(a[1])
===
@script
def mix(x: f32, y: i32):
    return x * y
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = mix(a[1], a[2])
===
@script
def mix(x: f32, y: i32):
    return x * y
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = mix(a[1], z=1)
===
@script
def first(t: f32[8]):
    return t[0]
def f(a: f32[8]):
    launch(grid=1, block=1)
    a[0] = first(a)
===
@script
def kernel(t: f32[8]):
    launch(grid=1, block=1)
def f(a: f32[8]):
    launch(grid=1, block=1)
    kernel(a)
"""
