"""Every kernel on a GPU through CuPy, against float64; runs where there is one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.cases import BY_NAME, EVERY, program

BIG = [
    ("vector_add", (1_000_003,)),
    ("copy_2d", (2039, 1021)),
    ("transpose", (2039, 1021)),
    ("matmul", (2039, 1021, 509)),
    ("softmax", (2039, 1021)),
    ("block_sum", (2039, 1021)),
]


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "size"), [*EVERY, *BIG])
def test_result(name: str, size: tuple[int, ...]) -> None:
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    case = BY_NAME[name]
    inputs = case.arrays(size)
    out = cupy.full(case.reference(*inputs)[0].shape, cupy.nan, dtype=cupy.float32)
    program(name)(*(cupy.asarray(a) for a in inputs), out)
    case.check(inputs, np.asarray(cupy.asnumpy(out)))
