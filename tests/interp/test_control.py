"""Control flow in lockstep against Python, thread by thread.

Random programs are written twice, as IR text and as a Python function of one thread; Python is
the reference.
"""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import interp
from workbench.ir.build import less
from workbench.ir.expr import Builtin, Call, Var
from workbench.ir.module import Function, Launch, Module
from workbench.ir.parse import parse
from workbench.ir.stmt import Evaluate, If, Return, Seq, Store
from workbench.ir.types import i32

THREADS = 6
LOCALS = ("a", "b", "c")


def arithmetic(depth: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from((*LOCALS, "tid", "bid", "1", "2", "5"))
    if depth == 0:
        return leaf
    part = arithmetic(depth - 1)
    joined = st.tuples(part, st.sampled_from(("+", "-", "*")), part)
    return leaf | joined.map(lambda t: f"(({t[0]} {t[1]} {t[2]}) % 97)")


def condition() -> st.SearchStrategy[str]:
    part, sign = arithmetic(1), st.sampled_from(("<", "<=", "==", "!="))
    return st.tuples(part, sign, part).map(" ".join)


@st.composite
def block(draw: st.DrawFn, depth: int, loops: int) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        lines += draw(statement(depth, loops))
    return lines


@st.composite
def statement(draw: st.DrawFn, depth: int, loops: int) -> list[str]:
    kinds = ["assign", "assign", "store", "return"] + (["break", "continue"] if loops else [])
    kinds += ["if", "for", "while", "task"] if depth else []
    kind = draw(st.sampled_from(kinds))
    if kind == "assign":
        return [f"{draw(st.sampled_from(LOCALS))} = {draw(arithmetic(2))}"]
    if kind == "store":
        return [f"out[tid + {THREADS} * bid, {draw(arithmetic(1))} % 4] = {draw(arithmetic(2))}"]
    if kind in ("break", "continue", "return"):
        return [kind]
    body = draw(block(depth - 1, loops + (kind != "if")))
    if kind == "if":
        found = [f"if {draw(condition())}", *indented(body)]
        if draw(st.booleans()):
            found += ["else", *indented(draw(block(depth - 1, loops)))]
        return found
    if kind == "for":
        end = draw(st.sampled_from(("3", "tid", "a % 4", "tid - bid")))
        step = draw(st.sampled_from(("0, {}, 1", "1, {}, 2", "{}, 0, -1")))
        return [f"for i{loops} in range({step.format(end)})", *indented(body)]
    if kind == "while":
        # a counter of its own, so that it ends
        head = [f"w{loops} = 0", f"while w{loops} < 4 and {draw(condition())}"]
        return [*head, f"  w{loops} = w{loops} + 1", *indented(body)]
    worker = draw(st.sampled_from(("tid", "tid - 1", "0", "b % 5")))
    name = draw(st.sampled_from(("repeat(2, 1) * spatial(1, 3)", "spatial(2) * repeat(2)")))
    names = f"i{loops}, j{loops}" if "," in name else f"i{loops}"
    return [f"for {names} in ({name}).on({worker})", *indented(body)]


def indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


MAPPINGS = {
    "repeat(2, 1) * spatial(1, 3)": {w: [(0, w), (1, w)] for w in range(3)},
    "spatial(2) * repeat(2)": {w: [2 * w, 2 * w + 1] for w in range(2)},
}


def as_python(lines: list[str]) -> str:
    """The same program in Python: colons, and task loops over lists."""
    found: list[str] = []
    for line in lines:
        text = line
        word = text.split()[0]
        if ".on(" in text:
            head, tail = text.split(" in (", 1)
            name, worker = tail.split(").on(")
            text = f"{head} in MAPPINGS[{name!r}].get({worker[:-1]}, ())"
        found.append(text + (":" if word in ("if", "else", "for", "while") else ""))
    return "\n".join(found)


def by_python(lines: list[str], blocks: int) -> np.ndarray:
    out = np.zeros((THREADS * blocks, 4), np.int32)
    source = "def thread(tid, bid, out):\n  a, b, c = 0, tid, 3\n"
    source += textwrap.indent(as_python(lines), "  ")
    scope: dict[str, object] = {"MAPPINGS": MAPPINGS}
    exec(source, scope)
    for bid in range(blocks):
        for tid in range(THREADS):
            scope["thread"](tid, bid, out)  # pyright: ignore[reportCallIssue]
    return out


def by_interp(lines: list[str], blocks: int) -> np.ndarray:
    head = [
        f"func k(out: i32[{THREADS * blocks}, 4]) launch(grid={blocks}, block={THREADS})",
        "  let tid = threadIdx.x", "  let bid = blockIdx.x", "  var a = 0", "  var b = tid",
        "  var c = 3", *(f"  var w{n} = 0" for n in range(4)),
    ]  # fmt: skip
    out = np.zeros((THREADS * blocks, 4), np.int32)
    report = interp.run(parse("\n".join([*head, *indented(lines)])), [out])
    assert report.ok, report.faults
    return out


@settings(max_examples=300, deadline=None)
@given(block(3, 0), st.sampled_from((1, 3)))
def test_lockstep_does_what_each_thread_alone_does(lines: list[str], blocks: int) -> None:
    np.testing.assert_array_equal(by_interp(lines, blocks), by_python(lines, blocks))


def test_how_many_blocks_run_together_does_not_matter(monkeypatch, run, rng) -> None:
    text = """
    func k(x: i32[40, 64], out: i32[40]) launch(grid=(5, 4, 2), block=64)
      shared s: i32[64]
      let block = (blockIdx.z * 4 + blockIdx.y) * 5 + blockIdx.x
      s[threadIdx.x] = x[block, threadIdx.x]
      var half = 32
      while half > 0
        syncthreads()
        if threadIdx.x < half
          s[threadIdx.x] += s[threadIdx.x + half]
        half = half // 2
      if threadIdx.x == 0
        out[block] = s[0]
    """
    x = rng.integers(-100, 100, (40, 64), dtype=np.int32)
    for together in (1, 130, 10**6):
        monkeypatch.setattr("workbench.interp.launch.THREADS_TOGETHER", together)
        out = np.zeros(40, np.int32)
        assert run(text, x, out).ok
        assert (out == x.sum(axis=1)).all()


def test_device_functions(run) -> None:
    out = np.zeros((8, 3), np.int32)
    report = run(
        """
        func collatz(start: i32) -> i32
          var n = start
          var steps = 0
          while n > 1
            if steps == 100
              return -1
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps = steps + 1
          return steps
        func less(a: i32, b: i32) -> i32
          return a - b
        func k(out: i32[8, 3]) launch(grid=1, block=8)
          for j in range(3)
            if j > threadIdx.x
              return
            out[threadIdx.x, j] = less(collatz(threadIdx.x), less(j, less(j, 0)))
        """,
        out,
    )
    assert report.ok
    steps = [0, 0, 1, 7, 2, 5, 8, 16]
    assert out.tolist() == [[steps[v] if j <= v else 0 for j in range(3)] for v in range(8)]


def test_device_functions_that_take_tensors() -> None:
    mine, row, out = Var("mine", i32[8]), Var("row", i32), Var("out", i32[8])
    thread = Builtin("threadIdx.x")
    leave = If(less(row, 3), Return())
    fill = Function("fill", (mine, row), Seq((leave, Store(mine, (row,), row))))
    body = Evaluate(Call("fill", (out, thread), None))
    kernel = Function("k", (out,), body, Launch((1, 1, 1), (8, 1, 1)))
    found = np.zeros(8, np.int32)
    assert interp.run(Module((fill, kernel)), [found]).ok
    assert found.tolist() == [0, 0, 0, 3, 4, 5, 6, 7]


def test_builtins_of_three_dimensions(run) -> None:
    out = np.zeros((2, 3, 4, 2, 3, 5), np.int32)
    report = run(
        """
        func k(out: i32[2, 3, 4, 2, 3, 5]) launch(grid=(4, 3, 2), block=(5, 3, 2))
          let block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x
          let thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x
          let v = block * 1000 + thread
          out[blockIdx.z, blockIdx.y, blockIdx.x, threadIdx.z, threadIdx.y, threadIdx.x] = v
        """,
        out,
    )
    assert report.ok
    block, thread = np.mgrid[:24, :30]
    assert (out.reshape(24, 30) == block * 1000 + thread).all()


@pytest.mark.parametrize("lanes", [2, 4])
def test_vectors(run, rng, lanes: int) -> None:
    x = rng.standard_normal((8, 4 * lanes)).astype(np.float32)
    out, sums = np.zeros_like(x), np.zeros((8, 4), np.float32)
    report = run(
        f"""
        func k(x: f32[8, {4 * lanes}], o: f32[8, {4 * lanes}], s: f32[8, 4]) launch(grid=8, block=4)
          register r: f32[{lanes}]
          let v = x[blockIdx.x, threadIdx.x * {lanes}:+{lanes}]
          r[0:+{lanes}] = v
          let p = f32x{lanes}({", ".join(f"v[{n}]" for n in reversed(range(lanes)))})
          o[blockIdx.x, threadIdx.x * {lanes}:+{lanes}] = p
          var sum = 0.0
          for i in range({lanes})
            sum = sum + r[i]
          s[blockIdx.x, threadIdx.x] = sum
        """,
        x, out, sums,
    )  # fmt: skip
    assert report.ok
    parts = x.reshape(8, 4, lanes)
    assert (out.reshape(8, 4, lanes) == parts[:, :, ::-1]).all()
    np.testing.assert_allclose(sums, parts.sum(axis=2), rtol=1e-6, atol=1e-6)
