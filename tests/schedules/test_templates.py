"""Every template against numpy in float64, on the checked interpreter, for odd extents too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.base.errors import ScheduleError
from workbench.driver.build import compile_module
from workbench.graph.build import Builder
from workbench.graph.ops import conv, elementwise, matmul, reduce
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.target import Target
from workbench.ir.types import DType, f32, f64, i32, i64
from workbench.ir.verify import verify
from workbench.schedules import Template, choose
from workbench.schedules.axes import tiles
from workbench.schedules.compute import Compute, Reducer
from workbench.schedules.injective import Injective
from workbench.schedules.matmul_simt import MatmulSimt
from workbench.schedules.reduce_serial import ReduceSerial
from workbench.schedules.row_block import RowBlock

GPU = Target("cuda", "sm_90a")
EXTENTS = st.lists(st.integers(1, 40), min_size=1, max_size=4)


def definition(b: Builder) -> Compute:
    return b.operators[-1].definition


def run(compute: Compute, template: Template, *arrays: np.ndarray) -> np.ndarray:
    module = template.build(compute)
    verify(module)
    out = compute.output.tensor
    result = np.full(out.extents, 77, out.dtype.numpy_name)
    # the interp target raises at the first access that is out of bounds, racing or uninitialised
    compile_module(module, "interp")(*arrays, result)
    machine = np.full_like(result, 78)
    compile_module(module, "cpu")(*arrays, machine)
    np.testing.assert_allclose(machine, result, rtol=1e-5, atol=1e-4)
    return result


def numbers(*shape: int, kind: str = "float32") -> np.ndarray:
    return (np.random.default_rng(7).standard_normal(shape) * 4).astype(kind)


@given(EXTENTS)
@settings(max_examples=12)
def test_injective(shape: list[int]) -> None:
    b, x = Builder(), Tensor("x", f32, tuple(shape))
    elementwise.elementwise(b, "square", lambda v: build.mul(v, v), x)
    a = numbers(*shape)
    np.testing.assert_array_equal(run(definition(b), Injective(64), a), a * a)


def reduced(x: Tensor, dims: list[int], reducer: Reducer) -> Compute:
    b = Builder()
    reduce.reduction(b, "reduce", x, dims, False, reducer)
    return definition(b)


NUMPY = {Reducer.SUM: np.sum, Reducer.MAX: np.max, Reducer.MIN: np.min, Reducer.PROD: np.prod}
REDUCE = [
    ReduceSerial(),
    ReduceSerial(32),
    RowBlock(),
    RowBlock(1, 256),
    RowBlock(4, 64),
    RowBlock(16, 1),
]


@pytest.mark.parametrize("template", REDUCE, ids=str)
@pytest.mark.parametrize("reducer", list(NUMPY), ids=lambda r: r.value)
@pytest.mark.parametrize(
    ("shape", "dims"), [((3, 5, 331), [2]), ((7, 130), [0]), ((2, 9, 65), [0, 2]), ((300,), [0])]
)
def test_reduce(
    template: Template, reducer: Reducer, shape: tuple[int, ...], dims: list[int]
) -> None:
    x = Tensor("x", f32, shape)
    a = numbers(*shape) if reducer is not Reducer.PROD else 1 + numbers(*shape) / 1000
    got = run(reduced(x, dims, reducer), template, a)
    want = NUMPY[reducer](a.astype(np.float64), axis=tuple(dims))
    np.testing.assert_allclose(got.reshape(want.shape), want, rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize("template", REDUCE, ids=str)
@pytest.mark.parametrize("reducer", [Reducer.ARGMAX, Reducer.ARGMIN])
@pytest.mark.parametrize("kind", [f32, i32, f64])
def test_the_first_of_equals_wins(template: Template, reducer: Reducer, kind: DType) -> None:
    b, x = Builder(), Tensor("x", kind, (5, 333))
    reduce.arg(b, x, 1, False, reducer, last=False)
    # few values, so that there are many equals
    a = np.random.default_rng(3).integers(0, 4, (5, 333)).astype(kind.numpy_name)
    best = np.argmax if reducer is Reducer.ARGMAX else np.argmin
    np.testing.assert_array_equal(run(definition(b), template, a), best(a, axis=1))


def test_arg_of_infinities_is_a_position() -> None:
    b, x = Builder(), Tensor("x", f32, (2, 200))
    reduce.arg(b, x, 1, False, Reducer.ARGMAX, last=False)
    a = np.full((2, 200), -np.inf, np.float32)
    for template in REDUCE:
        np.testing.assert_array_equal(run(definition(b), template, a), [0, 0])


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(1, 50),
    st.sampled_from([(), (2,), (1, 3)]),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=10)
def test_matmul(m: int, n: int, k: int, batch: tuple[int, ...], flip_a: bool, flip_b: bool) -> None:
    b = Builder()
    x = Tensor("x", f32, (*batch, k, m) if flip_a else (*batch, m, k))
    y = Tensor("y", f32, (*batch, n, k) if flip_b else (*batch, k, n))
    matmul.product(b, "matmul", x, y, (flip_a, flip_b))
    left, right = numbers(*x.extents), numbers(*y.extents)
    got = run(definition(b), MatmulSimt(), left, right)
    wide = [a.astype(np.float64) for a in (left, right)]
    wide = [a.swapaxes(-1, -2) if f else a for a, f in zip(wide, (flip_a, flip_b), strict=True)]
    np.testing.assert_allclose(got, wide[0] @ wide[1], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("knobs", [MatmulSimt((8, 8), (2, 4), 8), MatmulSimt((16, 8), (4, 2), 32)])
def test_matmul_knobs(knobs: MatmulSimt) -> None:
    b, x, y = Builder(), Tensor("x", f64, (45, 37)), Tensor("y", f64, (37, 51))
    matmul.product(b, "matmul", x, y)
    left, right = numbers(45, 37, kind="float64"), numbers(37, 51, kind="float64")
    np.testing.assert_allclose(run(definition(b), knobs, left, right), left @ right, rtol=1e-12)


def test_a_schedule_that_cannot_be() -> None:
    b, x = Builder(), Tensor("x", f32, (4, 8))
    reduce.reduction(b, "reduce_sum", x, [1], False, Reducer.SUM)
    with pytest.raises(ScheduleError) as error:
        MatmulSimt().build(definition(b))
    assert str(error.value) == "reduce_sum is no matrix product"
    matmul.product(b, "matmul", x, Tensor("y", f32, (8, 4)))
    with pytest.raises(ScheduleError) as error:
        MatmulSimt((16, 16), depth=24).build(definition(b))
    assert str(error.value) == "256 threads cannot copy tiles of depth 24"


@pytest.mark.parametrize(
    ("shape", "dims", "name"),
    [
        ((4, 16), [1], "ReduceSerial"),
        ((8, 300), [1], "RowBlock"),
        ((2, 10000), [1], "RowBlock"),
        ((5000, 300), [1], "ReduceSerial"),
    ],
)
def test_choice_by_shape(shape: tuple[int, ...], dims: list[int], name: str) -> None:
    compute = reduced(Tensor("x", f32, shape), dims, Reducer.SUM)
    assert type(choose(compute, GPU)).__name__ == name


def test_choice_for_products() -> None:
    b = Builder()
    matmul.product(b, "matmul", Tensor("x", f32, (64, 64)), Tensor("y", f32, (64, 64)))
    assert choose(definition(b), GPU) == MatmulSimt()
    matmul.product(b, "matmul", Tensor("x", f32, (1, 64)), Tensor("y", f32, (64, 64)))
    assert choose(definition(b), GPU) == ReduceSerial()
    # a convolution is no product of matrices: its rows depend on the columns' axes
    window = conv.Window((3, 3), (1, 1), (1, 1), (1, 1), (1, 1))
    conv.conv(b, Tensor("x", f32, (1, 8, 32, 32)), Tensor("w", f32, (8, 8, 3, 3)), window, 1)
    assert choose(definition(b), GPU) == ReduceSerial()


def test_shuffles_need_whole_registers() -> None:
    assert choose(reduced(Tensor("x", i64, (4, 300)), [1], Reducer.MAX), GPU) == RowBlock()
    short = DType("i8", "i", 8)
    assert choose(reduced(Tensor("x", short, (4, 300)), [1], Reducer.MAX), GPU) == ReduceSerial()


@given(EXTENTS, st.sampled_from([32, 128, 256]))
def test_tiles_cover_the_shape(shape: list[int], threads: int) -> None:
    plan = tiles(shape, threads)
    assert plan.threads <= threads
    assert all(c * t >= e for c, t, e in zip(plan.counts, plan.tile, shape, strict=True))
    assert all((c - 1) * t < e for c, t, e in zip(plan.counts, plan.tile, shape, strict=True))
