"""Sequences of tensors inside a graph, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.graph.cases import expected, floats, model, node, run
from workbench.base.errors import ModelError, UnsupportedOp

F = np.float32
TARGET = "cpu"


def same(made, inputs: dict[str, np.ndarray]) -> None:
    got = run(made, inputs, TARGET)
    for name, want in expected(made, inputs).items():
        assert got[name].dtype == want.dtype
        np.testing.assert_allclose(got[name], want, rtol=1e-6)


@pytest.mark.parametrize("at", [0, 1, 3, -1, -3])
def test_put_in_and_taken_out(at: int) -> None:
    # the position is an input of the call: the import goes on once it is read
    made = model(
        [
            node("SequenceConstruct", "x y", "s"),
            node("Add", "x y", "z"),
            node("SequenceInsert", "s z", "t"),
            node("SequenceInsert", "t x at", "u"),
            node("SequenceErase", "u zero", "v"),
            node("ConcatFromSequence", "v", "c", axis=0),
            node("SequenceAt", "u at", "i"),
            node("SequenceLength", "u", "n"),
        ],
        {"x": (F, (2, 3)), "y": (F, (2, 3)), "at": (np.int64, ())},
        ["c", "i", "n"],
        {"zero": np.array(0)},
    )
    same(made, {"x": floats(2, 3), "y": floats(2, 3, seed=1), "at": np.array(at)})


@pytest.mark.parametrize(
    ("parts", "axis", "new"),
    [(None, -1, 0), (None, -1, 1), (np.array(2), 1, 0), (np.array([1, 3, 1]), 1, 0)],
)
def test_split_and_put_together(parts: np.ndarray | None, axis: int, new: int) -> None:
    names, drop = "x" if parts is None else "x parts", {"keepdims": 0}
    made = model(
        [
            node("SplitToSequence", names, "s", axis=1, **({} if parts is not None else drop)),
            node("ConcatFromSequence", "s", "y", axis=axis, new_axis=new),
        ],
        {"x": (F, (2, 5, 3))},
        ["y"],
        {} if parts is None else {"parts": parts},
    )
    same(made, {"x": floats(2, 5, 3)})


def test_across_what_depends_on_data() -> None:
    made = model(
        [
            node("SequenceConstruct", "x x", "s"),
            node("Relu", "x", "r"),
            node("SequenceInsert", "s r", "t"),
            node("NonZero", "r", "n"),
            node("ConcatFromSequence", "t", "c", axis=0),
            node("ReduceSum", "n", "k", keepdims=0),
            node("SequenceLength", "t", "l"),
        ],
        {"x": (F, (3, 2))},
        ["c", "k", "l"],
    )
    same(made, {"x": floats(3, 2)})


def loop(count: int | None):
    turns = helper.make_graph(
        [
            node("Cast", "n", "f", to=1),
            node("Mul", "x f", "p"),
            node("SequenceInsert", "before p", "after"),
            node("Identity", "going", "still"),
        ],
        "turn",
        [
            helper.make_tensor_value_info("n", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_sequence_value_info("before", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_sequence_value_info("after", TensorProto.FLOAT, None),
        ],
    )
    inputs = {"x": (F, (2, 2))} | ({"count": (np.int64, ())} if count is None else {})
    return model(
        [
            node("SequenceConstruct", "x", "start"),
            helper.make_node("Loop", ["count", "", "start"], ["end"], body=turns),
            node("ConcatFromSequence", "end", "y", axis=1),
        ],
        inputs,
        ["y"],
        {} if count is None else {"count": np.array(count)},
    )


def test_gathered_in_a_loop() -> None:
    same(loop(3), {"x": floats(2, 2)})
    with pytest.raises(UnsupportedOp, match="is a sequence, which is known while compiling only"):
        run(loop(None), {"x": floats(2, 2), "count": np.array(3)}, TARGET)


def test_what_is_no_sequence() -> None:
    kinds = {"x": (F, (2, 2))}
    with pytest.raises(ModelError, match='"input_sequence" is a sequence of tensors, and "x" is'):
        run(model([node("SequenceLength", "x", "n")], kinds, ["n"]), {"x": floats(2, 2)}, TARGET)
    nodes = [node("SequenceConstruct", "x", "s"), node("Relu", "s", "y")]
    with pytest.raises(ModelError, match='"X" is a tensor, and "s" is not'):
        run(model(nodes, kinds, ["y"]), {"x": floats(2, 2)}, TARGET)
    nodes = [node("SequenceConstruct", "x", "s"), node("SequenceAt", "s two", "y")]
    with pytest.raises(ModelError, match="2 is no position among 1"):
        run(model(nodes, kinds, ["y"], {"two": np.array(2)}), {"x": floats(2, 2)}, TARGET)
