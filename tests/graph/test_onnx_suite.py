"""Every case of ONNX's own suite through import, fusion and machine code (onnx 1.22.0)."""

from __future__ import annotations

import unittest

import numpy as np
import onnx
import pytest
from onnx.backend.test import BackendTest

from tests.graph.suite import cases, outcomes
from workbench.base.errors import LaunchError, UnsupportedOp
from workbench.graph.onnx import backend
from workbench.graph.onnx.backend import WorkbenchBackend

# How many cases each group has.
COUNTS = {"core": 1505, "converted": 82, "operator": 35, "simple": 23, "light": 9}

# The cases that do not pass, by how their names begin.
LEFT_OUT = {
    "test_bernoulli": "numbers drawn by chance, of which the suite keeps one outcome",
    "test_dft_inverse": "rounding errors of 2e-7 in zeros, where ours are 3e-15",
    "test_gradient": "the training preview",
}
# Of number types and domains that come after: cases that pass already, and all of them.
OTHERS = (43, 260)


@pytest.mark.parametrize("group", COUNTS)
def test_group(group: str) -> None:
    found = outcomes(cases(group))
    assert len(found) == COUNTS[group]
    failed = {case.name: why for case, why in found.items() if why != "passed"}
    assert not {n: why for n, why in failed.items() if not n.startswith(tuple(LEFT_OUT))}


def test_what_comes_after_says_so() -> None:
    found = outcomes(cases("other"))
    passed = sum(why == "passed" for why in found.values())
    refused = sum(why.startswith("unsupported") for why in found.values())
    assert passed >= OTHERS[0]
    assert passed + refused == len(found) == OTHERS[1]


def test_the_suite_has_its_own_runner() -> None:
    driven = BackendTest(WorkbenchBackend, __name__).include("^test_(relu|matmul_2d|gemm).*_cpu$")
    case = driven.test_cases["OnnxBackendNodeModelTest"]
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert not result.errors
    assert not result.failures
    assert result.testsRun - len(result.skipped) == 14


def test_one_node() -> None:
    x = np.array([[-1, 2]], np.float32)
    (y,) = backend.run_node(onnx.helper.make_node("Relu", ["x"], ["y"]), [x])
    np.testing.assert_array_equal(y, [[0, 2]])


def test_what_is_asked_for_wrongly() -> None:
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [onnx.helper.make_tensor_value_info("x", 1, [2])],
        [onnx.helper.make_tensor_value_info("y", 1, [2])],
    )
    model = onnx.helper.make_model(graph)
    assert backend.is_compatible(model)
    assert not backend.supports_device("CUDA")
    with pytest.raises(UnsupportedOp, match="the device CUDA is not supported"):
        backend.prepare(model, "CUDA")
    with pytest.raises(LaunchError, match="takes 1 inputs, not 2"):
        backend.run_model(model, [np.zeros(2, np.float32)] * 2)
    model.graph.node[0].op_type = "Nonsense"
    assert not backend.is_compatible(model)
