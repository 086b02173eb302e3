"""What the parts of the language become, as IR text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workbench.ir.text import text
from workbench.ir.verify import verify
from workbench.script import Script

CASES = {
    "scale": """
        def scale(a: f32[64, 8], b: f32[64, 8]):
            launch(grid=1, block=128)
            for i, j in repeat(4, 1).spatial(16, 8).on(threadIdx.x):
                b[i, j] = a[i, j] * 2.0
    """,
    "variables": """
        def f(a: f32[8], c: i32[8], n: i32, h: f16[8]):
            launch(grid=1, block=8)
            once = 5
            twice = 5
            twice = n
            c[0] = once + twice
            exact: f64 = 0
            exact += a[0]
            a[1] = exact
            h[0] = a[0] + h[1] * 0.5
            n -= 1
            small = u8(n)
            small += 1
            flag = n > 0
            flag = flag and not n == 3
            x, y = a[0], a[1]
            x, y = y, x
            a[0], a[1] = a[1], a[0]
            p = q = n * 2
            c[p] = c[q]
            c[2] |= 1 << n
            a[2] = x / n - n / 2 + (-x) ** 3 + abs(x) + max(x, y, 0) + round(x)
            c[3] = n // 2 % 3 + ~n ^ (n >> once)
            a[3] = f32(flag) if flag or a[4] > 0 else math.inf
            c[4] = ceil_div(n, 4) + min(n, 3) + len(a) + a.shape[0]
            a[4] = x ** 0.5 + 2.0 ** x + fma(x, y, 1.0) + math.atan2(x, 1.0)
    """,
    "known": """
        SIZES = {"a": (1, 2), "b": (4,)}
        def f(a: f32[64]):
            launch(grid=1, block=32)
            tiles = [n * 2 for n in SIZES["a"] if n > 1]
            if len(tiles) > 1:
                unknown_name
            elif SIZES["b"][0] == 4:
                a[0] = sum(tiles)
            for k, n in enumerate(SIZES["a"] + SIZES["b"]):
                m = spatial(n)
                for i in m.on(threadIdx.x):
                    a[i + k] = max(SIZES["a"])
            for s in static_range(3, 0, -1):
                v = a[s]
                a[s + 1] = v
            assert len(tiles) == 1, "one tile"
            kind = f16 if len(tiles) > 3 else i64
            z = kind(a[0])
            a[1] = z
            table = {n: n * n for n in range(3)}
            a[2] = table[2] + (not table) + (a is None) + ("x" in "xyz")
    """,
    "loops": """
        def f(a: f32[64], c: i32[64], n: i32, m: i64):
            launch(grid=(2, 3), block=(8, 4, 2))
            for k in range(n):
                if k == 3:
                    continue
                a[k] = 1.0
            for k in unroll(range(4)):
                a[k] = 1.0
            for k in unroll(range(0, n, 2), by=4):
                a[k] = 1.0
            for k in range(n, -1, -1):
                a[k] = 1.0
            for k in range(m):
                a[k] = 1.0
            stop = 3
            for k in range(stop):
                stop += 1
            for k in range(c[0]):
                c[0] += 1
            while stop > 0:
                stop -= 1
                if stop == 5:
                    break
            while True:
                return
            while False:
                a[0] = 0.0
            if n > 0:
                first = 1.0
                second = 2
            elif n < 0:
                first = 3.0
                second = 4
            else:
                first = 0
                second = n
            a[0] = first + second
            for i in repeat(4).on(0):
                a[i] = 0.0
            for _, j in spatial(4, 2).on(threadIdx.x):
                a[j] = 0.0
    """,
    "memory": """
        def f(a: f32[8, 64], c: i32[8], u: u32[8]):
            launch(grid=8, block=64)
            s = shared(f32, (4, 4), layout=row_major(4, 4).swizzle(2))
            r = register(f16, 4)
            same = s
            same[0, 1] = a[0, 0]
            r[0] = s[0, 1]
            v = load(a[0, 4], lanes=4)
            w = v * 2.0 + f32x4(1.0, a[0, 0], v[3], 0)
            store(a[1, 8], w)
            store(a, (1, 12), load(a, (0, 16), lanes=2))
            a[2, 0] = w[0] + w[1]
            atomic_add(a[0, 0], 1)
            old = atomic_max(c[0], 3)
            c[1] = atomic_cas(c[2], old, 7)
            n = 0
            n = atomic_exchange(c[3], 1)
            total: i64 = 0
            total = atomic_or(c[4], 1)
            syncthreads()
            syncwarp()
            x = shfl_down(a[0, 0], 1) + shfl(a[0, 1], n)
            if vote_any(n) and vote_all(x > 0.0):
                u[0] = ballot(x > 1.0)
                c[5] = popcount(n)
            t = s if len(c) == 8 else r
            t[1, 1] = x
    """,
    "functions": """
        @script
        def square(x: f32) -> f32:
            return x * x

        @script
        def hypot(x: f32, y: f32):
            return math.sqrt(square(x) + square(y))

        @script
        def sign(x: f32) -> i32:
            if x > 0:
                return 1
            elif x < 0:
                return -1
            return 0

        def f(a: f32[8]):
            launch(grid=1, block=8)
            a[0] = hypot(a[1], y=2) + sign(a[2]) + square(3.0)
    """,
}


@pytest.mark.parametrize("name", CASES)
def test_text(name: str, define: Callable[..., Script], golden: Callable[[str, str], None]) -> None:
    module = define(CASES[name]).translate()
    verify(module)
    golden(f"{name}.wir", text(module))


def test_two_functions_of_one_name_are_kept_apart(define: Callable[..., Script]) -> None:
    module = define("""
        @script
        def g(x: f32):
            return x + 1.0
        first = g
        @script
        def g(x: f32):
            return x + 2.0
        def f(a: f32[8]):
            launch(grid=1, block=1)
            a[0] = first(a[0]) + g(a[1]) + first(a[2])
    """).translate()
    assert [f.name for f in module.functions] == ["g", "g_1", "f"]
    verify(module)


def test_words_are_known_as_objects(define: Callable[..., Script]) -> None:
    module = define("""
        import workbench.lang as L
        from workbench.lang import threadIdx as t, launch as go
        def f(a: L.f32[8]):
            go(grid=1, block=8)
            s = L.shared(L.f32, 8)
            s[t.x] = L.exp(a[t.x])
            L.syncthreads()
            a[t.x] = s[7 - t.x]
    """).translate()
    assert "s[threadIdx.x] = exp(a[threadIdx.x])" in text(module)


def test_values_from_a_closure(define: Callable[..., Script]) -> None:
    module = define(
        """
        def make(width, kind):
            def f(a: f32[8]):
                launch(grid=1, block=width)
                x: kind = width * 2
                a[threadIdx.x] = x
            return f
        f = make(4, f64)
    """,
        "f",
    ).translate()
    assert "let x: f64 = 8.0f64" in text(module)


def test_numpy_scalars_are_numbers(define: Callable[..., Script]) -> None:
    module = define("""
        import numpy as np
        WIDTH, SCALE, FLAG = np.int64(4), np.float32(0.5), np.bool_(True)
        def f(a: f32[8]):
            launch(grid=1, block=WIDTH)
            a[WIDTH] = SCALE * 2 * FLAG
    """).translate()
    assert "a[4] = 1.0" in text(module)


def test_a_sum_of_many_terms_is_no_problem(define: Callable[..., Script]) -> None:
    terms = " + ".join(f"a[{k % 8}]" for k in range(2000))
    script = define(f"def f(a: f32[8]):\n    launch(grid=1, block=1)\n    a[0] = {terms}\n")
    assert script.translate().kernel.launch is not None
