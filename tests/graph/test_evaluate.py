"""What is computed before any kernel runs: definitions on constants, by numpy."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.graph.cases import expected, floats, model, node
from tests.graph.suite import cases, values
from workbench.base.errors import ModelError, UnsupportedOp, WorkbenchError
from workbench.graph import evaluate as room
from workbench.graph import from_onnx
from workbench.graph.build import Builder
from workbench.graph.evaluate import evaluate
from workbench.graph.ops import conv
from workbench.graph.tensor import Tensor
from workbench.ir import build
from workbench.ir.expr import Atomic, AtomicOp, Var
from workbench.ir.types import f32
from workbench.schedules.compute import Compute

# Each of these cases with all its inputs made constants leaves no operator to run.
EVERY = 5
# What these give is not known before the call.
BY_CHANCE = {"Bernoulli", "Dropout", "RandomNormalLike", "RandomUniformLike", "Multinomial"}


def test_cases_of_constants_only() -> None:
    wrong: list[str] = []
    folded = 0
    for case in cases("core")[::EVERY]:
        made = onnx.load(case / "model.onnx")
        if any(node.op_type in BY_CHANCE for node in made.graph.node):
            continue
        data = case / "test_data_set_0"
        inputs = values(data, "input", made.graph.input)
        for end, array in zip(made.graph.input, inputs, strict=True):
            made.graph.initializer.append(numpy_helper.from_array(array, end.name))
        try:
            # what could be multiplied as integers is folded by a rule, if nothing multiplies it
            graph = from_onnx(made).optimize()
        except (UnsupportedOp, ModelError):
            continue
        if any(op.host for op in graph.operators):
            continue  # a recurrent layer is a kernel of its own, with no definition to evaluate
        assert not graph.operators, case.name
        wanted = values(data, "output", made.graph.output)
        for tensor, want in zip(graph.outputs, wanted, strict=True):
            got = graph.constants[tensor]
            folded += 1
            if not np.allclose(got, want, rtol=1e-3, atol=1e-7, equal_nan=True):
                wrong.append(case.name)
    assert not wrong
    assert folded > 250


def test_slices_of_what_is_too_much_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    b = Builder()
    x, w = Tensor("x", f32, (3, 2, 9, 9)), Tensor("w", f32, (4, 2, 3, 3))
    window = conv.Window((3, 3), (1, 1), (1, 1), (1, 1), (1, 1))
    conv.conv(b, x, w, window, 1)
    compute = b.operators[-1].definition
    data = dict(zip(compute.inputs, (floats(3, 2, 9, 9), floats(4, 2, 3, 3)), strict=True))
    whole = evaluate(compute, data)
    monkeypatch.setattr(room, "_AT_ONCE", 1)
    np.testing.assert_allclose(evaluate(compute, data), whole, rtol=1e-5, atol=1e-5)
    made = model(
        [node("Conv", "x w", "y", pads=[1, 1, 1, 1])],
        {"x": (np.float32, x.extents)},
        ["y"],
        {"w": data[compute.inputs[1]]},
    )
    want = expected(made, {"x": data[compute.inputs[0]]})["y"]
    np.testing.assert_allclose(whole, want, rtol=1e-4, atol=1e-4)


def test_what_no_definition_can_hold() -> None:
    x, out, i = Var("x", f32[4]), Var("out", f32[4]), Var("i", build.i32)
    value = Atomic(AtomicOp.ADD, x, (i,), build.const(1.0), None, f32)
    with pytest.raises(WorkbenchError, match="a compute definition cannot hold a Atomic"):
        evaluate(Compute("bad", (x,), out, (i,), value), {x: floats(4)})
