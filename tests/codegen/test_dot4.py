"""dot4: four products of bytes and a sum, exact on every target and for every sign."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.codegen.cpu import launcher
from workbench.ir.module import Module
from workbench.lang import dot4, i32, launch, load, repeat, threadIdx
from workbench.runtime.jit import host

THREADS, DEPTH = 48, 5


def kernel(left, right):
    kinds = {"i8": wb.lang.i8, "u8": wb.lang.u8}
    a, b = kinds[left], kinds[right]

    @wb.script
    def dots(x: a[DEPTH * 4], w: b[DEPTH, THREADS * 4], c: i32[4, THREADS]):
        launch(grid=1, block=THREADS)
        t = threadIdx.x
        total = c[0, t]
        for k in range(DEPTH):
            total = dot4(load(x[k * 4], lanes=4), load(w[k, t * 4], lanes=4), total)
        c[0, t] = total  # a word for all lanes, and one for each
        c[1, t] = dot4(load(w[0, t * 4], lanes=4), load(w[1, t * 4], lanes=4), c[1, t])
        c[2, t] = dot4(load(x[0], lanes=4), load(x[4], lanes=4), 7)
        for i in repeat(1).spatial(THREADS).on(threadIdx.x):
            w4 = load(w[2, (THREADS - 1 - i) * 4], lanes=4)
            c[3, i] = dot4(load(x[8], lanes=4), w4, 0)

    return dots


def numbers(name, shape, seed):
    rng = np.random.default_rng(seed)
    low, high = (0, 255) if name == "u8" else (-128, 127)
    found = rng.integers(low, high, shape, endpoint=True)
    ends = rng.random(shape)
    found[ends < 0.3] = low
    found[ends > 0.7] = high
    return found.astype(wb.lang.u8.numpy_name if name == "u8" else "int8")


def expected(x, w, c):
    x, w, c = x.astype("i8"), w.astype("i8"), c.astype("i8")
    fours, rows = x.reshape(DEPTH, 4), w.reshape(DEPTH, THREADS, 4)
    out = [
        c[0] + np.einsum("kj,ktj->t", fours, rows),
        c[1] + (rows[0] * rows[1]).sum(-1),
        np.full(THREADS, 7 + (fours[0] * fours[1]).sum()),
        (fours[2] * rows[2, ::-1]).sum(-1),
    ]
    return np.stack(out).astype("i4")  # modulo 2**32


SIGNS = [(a, b) for a in ("u8", "i8") for b in ("u8", "i8")]


@pytest.mark.parametrize(("left", "right"), SIGNS)
def test_interpreter_and_cpu_agree_with_numpy(left, right):
    x, w = numbers(left, DEPTH * 4, 1), numbers(right, (DEPTH, THREADS * 4), 2)
    c = np.random.default_rng(3).integers(-(2**31), 2**31, (4, THREADS)).astype("i4")
    dots, wanted = kernel(left, right), expected(x, w, c)
    for target in ("interp", "cpu"):
        found = c.copy()
        dots.compile(target)(x, w, found)
        np.testing.assert_array_equal(found, wanted, err_msg=target)
    assert ("vpdpbusd" in dots.compile("cpu").asm) == ("vnni" in host().extras)


@pytest.mark.parametrize(("left", "right"), SIGNS)
@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_without_the_instruction(left, right, lanes):
    """The other way to compute it never saturates."""
    x, w = numbers(left, DEPTH * 4, 4), numbers(right, (DEPTH, THREADS * 4), 5)
    c = np.zeros((4, THREADS), "i4")
    stages = kernel(left, right).compile("cpu").stages
    module = [s.artifact for s in stages if isinstance(s.artifact, Module)][-1]
    wanted = expected(x, w, c)
    launcher(module, lanes)(x, w, c)
    np.testing.assert_array_equal(c, wanted)


@pytest.mark.parametrize(("left", "right"), SIGNS)
def test_cuda(left, right):
    made = kernel(left, right).compile("cuda:sm_90a")
    kinds = ".".join({"u8": "u32", "i8": "s32"}[n] for n in (left, right))
    assert f"dp4a.{kinds}" in made.source
    assert made.binary
    assert "IDP.4A" in made.sass or not made.sass


def test_other_arguments_are_refused():
    from workbench.base.errors import WorkbenchError
    from workbench.ir import build

    with pytest.raises(WorkbenchError, match="4 \\+ 4 bytes"):
        build.call("dot4", build.const(1), build.const(2), build.const(3))
