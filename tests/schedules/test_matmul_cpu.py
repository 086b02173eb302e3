"""The matrix product for a CPU against numpy in float64: every shape, layout and way of cutting."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.base.errors import ScheduleError
from workbench.driver.build import compile_module
from workbench.graph.build import Builder
from workbench.graph.ops import matmul, reduce
from workbench.graph.tensor import Tensor
from workbench.ir.target import Target
from workbench.ir.types import DType, f16, f32, f64, i32, i64
from workbench.ir.verify import verify
from workbench.runtime.jit import host
from workbench.schedules import Template, choose
from workbench.schedules.compute import Compute, Reducer
from workbench.schedules.lanes import even
from workbench.schedules.matmul_cpu import MatmulCpu
from workbench.schedules.matvec_cpu import MatvecCpu

CPU = Target("cpu")


def product(
    x: tuple[int, ...],
    y: tuple[int, ...],
    flip: tuple[bool, bool] = (False, False),
    kind: DType = f32,
) -> Compute:
    b = Builder()
    matmul.product(b, "matmul", Tensor("x", kind, x), Tensor("y", kind, y), flip)
    return b.operators[-1].definition


def numbers(shape: tuple[int, ...], kind: DType) -> np.ndarray:
    rng = np.random.default_rng(3)
    return (rng.standard_normal(shape) * 8).astype(kind.numpy_name)


def check(
    compute: Compute, template: Template, flip: tuple[bool, bool], *, oracle: bool = True
) -> None:
    module = template.build(compute)
    verify(module)
    x, y = (numbers(v.tensor.extents, v.tensor.dtype) for v in compute.inputs)
    out = compute.output.tensor
    a, b = (np.swapaxes(v, -1, -2) if f else v for v, f in zip((x, y), flip, strict=True))
    wide = np.float64 if out.dtype.is_float else np.int64
    expected = a.astype(wide) @ b.astype(wide)
    bound = np.abs(a.astype(wide)) @ np.abs(b.astype(wide))
    slack = {16: 1e-3, 32: 1e-6, 64: 1e-14}[out.dtype.bits] if out.dtype.is_float else 0
    # interp raises at the first access that is out of bounds, racing or uninitialised
    for target in ("interp", "cpu") if oracle else ("cpu",):
        result = np.full(out.extents, 77, out.dtype.numpy_name)
        compile_module(module, target)(x, y, result)
        assert (np.abs(result - expected) <= slack * bound).all(), target


SIZES = st.integers(1, 40)
TEMPLATES = st.builds(
    MatmulCpu,
    lanes=st.sampled_from([4, 8, 16]),
    each=st.sampled_from([(1, 1), (2, 3), (3, 2), (6, 1)]),
    depth=st.sampled_from([4, 16, 256]),
    tile=st.sampled_from([(1, 1), (8, 32), (256, 512)]),
    blocks=st.sampled_from([1, 4]),
)


@given(SIZES, SIZES, SIZES, TEMPLATES, st.booleans(), st.booleans())
@settings(max_examples=25)
def test_shapes(m: int, n: int, k: int, template: MatmulCpu, left: bool, right: bool) -> None:
    flip = (left, right)
    x, y = (k, m) if left else (m, k), (n, k) if right else (k, n)
    check(product(x, y, flip), template, flip)


@given(
    st.integers(1, 5),
    st.integers(1, 90),
    SIZES,
    st.sampled_from([4, 16]),
    st.sampled_from([1, 3, 8]),
    st.sampled_from([16, 48, 4096]),
    st.booleans(),
)
@settings(max_examples=15)
def test_few_rows(m: int, n: int, k: int, lanes: int, terms: int, columns: int, left: bool) -> None:
    compute = product((k, m) if left else (m, k), (k, n), (left, False))
    check(compute, MatvecCpu(lanes, terms, columns), (left, False))


def test_choice_by_shape() -> None:
    def name(m: int, n: int, flip: bool) -> str:
        y = (n, 64) if flip else (64, n)
        return type(choose(product((m, 64), y, (False, flip)), CPU)).__name__

    assert name(1, 1000, flip=False) == name(8, 64, flip=False) == "MatvecCpu"
    assert (
        name(9, 64, flip=False) == name(4, 64, flip=True) == name(50, 3, flip=True) == "MatmulCpu"
    )
    assert name(1, 1000, flip=True) == name(3, 2, flip=True) == "RowBlock"
    assert name(100, 1, flip=False) == "ReduceSerial"


@pytest.mark.parametrize("kind", [f16, f64, i32, i64])
def test_number_types(kind: DType) -> None:
    check(product((19, 21), (21, 37), kind=kind), MatmulCpu(each=(3, 2), depth=16), (False, False))


def test_batches_and_broadcast_batches() -> None:
    flip = (False, True)
    check(product((2, 3, 9, 17), (3, 20, 17), flip), MatmulCpu(each=(4, 1)), flip)


@pytest.mark.parametrize("y", [(17, 20), (2, 1, 17, 20), (1, 3, 17, 20)])
def test_batches_that_share_a_factor(y: tuple[int, ...]) -> None:
    check(product((2, 3, 5, 17), y), MatmulCpu(each=(4, 1), depth=16), (False, False))


@pytest.mark.parametrize("shape", [(131, 127, 331), (96, 200, 64), (67, 600, 513)])
@pytest.mark.parametrize("flip", [(False, False), (False, True), (True, False)])
def test_chosen(shape: tuple[int, int, int], flip: tuple[bool, bool]) -> None:
    m, n, k = shape
    x, y = (k, m) if flip[0] else (m, k), (n, k) if flip[1] else (k, n)
    compute = product(x, y, flip)
    template = choose(compute, CPU)
    assert isinstance(template, MatmulCpu)
    check(compute, template, flip, oracle=False)


@pytest.mark.skipif(host().lanes != 16, reason="looks for names of AVX-512 registers")
def test_the_sums_stay_in_registers() -> None:
    module = MatmulCpu().build(product((512, 512), (512, 512)))
    asm = compile_module(module, "cpu").asm
    loops = re.split(r"^\.LBB\w+:", asm, flags=re.MULTILINE)
    hot = max(loops, key=lambda text: text.count("vfmadd"))
    rows, vectors = MatmulCpu().each
    assert hot.count("vfmadd") == rows * vectors
    # operands come from memory, nothing goes back, and no lane is masked
    body = hot[: hot.index("\tj")]
    assert not re.search(r"vmovu?p?a?p?s\t%zmm\d+, .*\(", body)
    assert "{%k" not in body


def test_few_blocks_are_cut_where_there_is_work() -> None:
    def blocks(m: int, n: int, k: int) -> int:
        module = MatmulCpu(blocks=4).build(product((m, k), (k, n)))
        assert module.kernel.launch is not None
        return module.kernel.launch.blocks

    assert blocks(512, 512, 512) == 4
    assert blocks(128, 768, 768) == 4
    assert blocks(24, 64, 64) == 1


def test_tiles_are_even() -> None:
    assert even(2039, 256, 8) == (8, 32)
    assert even(5, 256, 8) == (1, 1)
    assert even(24, 8, 16) == (2, 1)


def test_what_is_no_product() -> None:
    b = Builder()
    reduce.reduction(b, "sum", Tensor("x", f32, (4, 4)), [1], False, Reducer.SUM)
    with pytest.raises(ScheduleError, match="sum is no matrix product"):
        MatmulCpu().build(b.operators[-1].definition)
