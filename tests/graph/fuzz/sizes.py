"""Models that are deep, long or large out of all measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.graph.fuzz.models import OPSET, floats, ints, model, node, numbers, scalar

Source = Any
DEEP = 500
BOMB = 8
"""Calls in each of the functions of a bomb: 8 ** 16 nodes."""


def _nested(depth: int, op: str) -> onnx.ModelProto:
    """If in If, or Loop in Loop."""
    whole = model([])
    graph, reads = whole.graph, ["c"] if op == "If" else ["n", "c", "x"]
    graph.initializer.extend([scalar("c", 1, "bool"), scalar("n", 1)])
    for level in range(depth):
        step = graph.node.add(op_type=op, name=f"level {level}", input=reads, output=["y"])
        if op == "If":
            other = step.attribute.add(name="else_branch", type=onnx.AttributeProto.GRAPH)
            other.g.node.add(op_type="Neg", input=["x"], output=["y"])
            other.g.output.add(name="y")
        name = "then_branch" if op == "If" else "body"
        graph = step.attribute.add(name=name, type=onnx.AttributeProto.GRAPH).g
        graph.name = "inner"
        graph.output.add(name="y")
    graph.node.add(op_type="Relu", input=["x"], output=["y"])
    return whole


def _wrapped(depth: int) -> bytes:
    """If in If as a file, written without protobuf, which may not want to."""

    def part(number: int, data: bytes) -> bytes:
        size, length = len(data), b""
        while size > 127:
            length += bytes([size & 127 | 128])
            size >>= 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + data

    head = model([node("Relu", "x")])
    body = head.graph.SerializeToString()
    for _ in range(depth):
        branch = part(1, b"then_branch") + part(6, body) + b"\xa0\x01\x05"
        step = part(1, b"c") + part(2, b"y") + part(4, b"If") + part(5, branch)
        body = part(1, step) + part(2, b"inner") + part(12, part(1, b"y"))
    head.ClearField("graph")
    return head.SerializeToString() + part(7, body)


def _functions(depth: int, calls: int, back: bool = False) -> onnx.ModelProto:
    """Functions that call the next one `calls` times each; the last calls the first if `back`."""
    made: list[onnx.FunctionProto] = []
    for level in range(depth):
        callee, domain = f"F{level + 1}", "own"
        if level == depth - 1:
            callee, domain = ("F0", "own") if back else ("Relu", "")
        names = ["a", *(f"t{n}" for n in range(calls - 1)), "b"]
        steps = [
            helper.make_node(callee, [names[n]], [names[n + 1]], domain=domain)
            for n in range(calls)
        ]
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("own", 1)]
        made.append(helper.make_function("own", f"F{level}", ["a"], ["b"], steps, opsets))
    top = helper.make_node("F0", ["x"], ["y"], domain="own", name="top")
    return model([top], functions=made)


def _chain(op: str, length: int, twice: bool = False) -> onnx.ModelProto:
    names = ["x", *(f"t{n}" for n in range(length - 1)), "y"]
    return model(
        [
            helper.make_node(op, [a, a] if twice else [a], [b], name=f"step {b}")
            for a, b in pairwise(names)
        ]
    )


def depths() -> Iterator[tuple[str, Callable[[Path], Source]]]:
    yield "If in If, 20 deep", lambda _: _nested(20, "If")
    yield "If in If, 500 deep", lambda _: _nested(DEEP, "If")
    yield "If in If, 500 deep, as bytes", lambda _: _wrapped(DEEP)
    yield "If in If, 5000 deep, as bytes", lambda _: _wrapped(10 * DEEP)
    yield "If in If, 20 deep, as bytes", lambda _: _wrapped(20)
    yield "Loop in Loop, 500 deep", lambda _: _nested(DEEP, "Loop")
    yield "functions 10 deep", lambda _: _functions(10, 1)
    yield "functions 500 deep", lambda _: _functions(DEEP, 1)
    yield "a function that calls itself", lambda _: _functions(1, 1, back=True)
    yield "functions that call one another", lambda _: _functions(7, 2, back=True)
    yield "a bomb of functions", lambda _: _functions(16, BOMB)
    yield "a chain of 3000", lambda _: _chain("Relu", 3000)
    yield "doubled 200 times", lambda _: _chain("Add", 200, twice=True)
    yield "doubled 60 times", lambda _: _chain("Mul", 60, twice=True)


GIANT = 10**9


def _fill(
    then: list[onnx.NodeProto], *weights: onnx.TensorProto, shape: tuple[int, ...] = (GIANT,)
) -> Source:
    value = helper.make_tensor("v", TensorProto.FLOAT, [1], [2.0])
    fill = node("ConstantOfShape", "s", "big" if then else "y", value=value)
    return model([fill, *then], [ints("s", *shape), *weights])


def extents() -> Iterator[tuple[str, Callable[[Path], Source]]]:
    cases: dict[str, Callable[[], Source]] = {
        "a fill of 10**9": lambda: _fill([]),
        "a fill of 10**18": lambda: _fill([], shape=(GIANT, GIANT)),
        "a fill of 2**64": lambda: _fill([], shape=(2**32, 2**32)),
        "a fill of -1": lambda: _fill([], shape=(-1,)),
        "a fill, summed": lambda: _fill([node("ReduceSum", "big", keepdims=0)]),
        "a fill, its shape": lambda: _fill([node("Shape", "big", "i"), node("Cast", "i", to=1)]),
        "a fill, sliced": lambda: _fill([node("Slice", "big a b")], ints("a", 3), ints("b", 5)),
        "a fill, gathered": lambda: _fill([node("Gather", "big i")], ints("i", 5)),
        "a fill, its kinds": lambda: _fill([node("NonZero", "big", "i"), node("Cast", "i", to=1)]),
        "a fill, sorted": lambda: _fill([node("TopK", "big k", "y i")], ints("k", 5)),
        "a fill, summed up": lambda: _fill([node("CumSum", "big a")], scalar("a", 0)),
        "a fill, as a shape": lambda: _fill(
            [node("Cast", "big", "i", to=7), node("Expand", "x i")]
        ),
        "many fills": lambda: model(
            [node("ConstantOfShape", "s", f"t{n}") for n in range(300)]
            + [node("Sum", " ".join(f"t{n}" for n in range(300)))],
            [ints("s", 2**20)],
        ),
        "a constant doubled": lambda: model(
            [node("Concat", f"t{n} t{n}", f"t{n + 1}", axis=0) for n in range(40)]
            + [node("ReduceSum", "t40")],
            [floats("t0", 1)],
        ),
        "a product of constants": lambda: model(
            [node("MatMul", "a b", "c"), node("ReduceSum", "c")],
            [floats("a", 100_000, 1), floats("b", 1, 100_000)],
        ),
        "a range of 10**9": lambda: model(
            [node("Range", "a b c", "r"), node("ReduceSum", "r")],
            [scalar("a", 0, "float32"), scalar("b", 1e9, "float32"), scalar("c", 1, "float32")],
        ),
        "a range without end": lambda: model(
            [node("Range", "a b c")],
            [scalar("a", 0, "float32"), scalar("b", np.inf, "float32"), scalar("c", 1, "float32")],
        ),
        "a range that stands": lambda: model(
            [node("Range", "a b c", "r"), node("Cast", "r", to=1)],
            [scalar("a", 0), scalar("b", 9), scalar("c", 0)],
        ),
        "tiled 10**9 times": lambda: model([node("Tile", "x r")], [ints("r", GIANT, GIANT)]),
        "expanded": lambda: model([node("Expand", "x s")], [ints("s", GIANT, 2, 3)]),
        "expanded weights": lambda: model(
            [node("Expand", "w s", "e"), node("Add", "e x")],
            [floats("w", 1), ints("s", 2**28, 2, 3)],
        ),
        "padded": lambda: model([node("Pad", "x p")], [ints("p", GIANT, GIANT, 0, 0)]),
        "padded away": lambda: model([node("Pad", "x p")], [ints("p", -GIANT, 0, 0, 0)]),
        "resized": lambda: model(
            [node("Resize", "x n s")],
            [numbers("n", "float32"), numbers("s", "float32", 1e9, 1e9)],
        ),
        "resized by nan": lambda: model(
            [node("Resize", "x n s")],
            [numbers("n", "float32"), numbers("s", "float32", np.nan, -np.inf)],
        ),
        "one hot of 10**9": lambda: model(
            [node("OneHot", "i d v")], [ints("i", 1, 2), scalar("d", GIANT), floats("v", 2)]
        ),
        "a pool of 10**9": lambda: model(
            [node("AveragePool", "x", kernel_shape=[GIANT], pads=[GIANT - 1, GIANT - 1])],
            inputs={"x": [1, 1, 8]},
        ),
        "a pool without step": lambda: model(
            [node("MaxPool", "x", kernel_shape=[2], strides=[0])], inputs={"x": [1, 1, 8]}
        ),
        "a transposed convolution": lambda: model(
            [node("ConvTranspose", "x w", strides=[GIANT])],
            [floats("w", 1, 1, 3)],
            inputs={"x": [1, 1, 8]},
        ),
        "a convolution in 0 groups": lambda: model(
            [node("Conv", "x w", group=0)], [floats("w", 1, 1, 3)], inputs={"x": [1, 1, 8]}
        ),
        "a constant convolution": lambda: model(
            [
                node("Conv", "c w", pads=[500_000, 500_000]),
            ],
            [floats("c", 1, 1, 8), floats("w", 1, 1, 500_000)],
        ),
        "attention of no heads": lambda: model(
            [node("Attention", "x k v", q_num_heads=3, kv_num_heads=0)],
            inputs={"x": ["n", 2, 12], "k": [1, 2, 12], "v": [1, 2, 12]},
            opset=23,
        ),
        "blocks of nothing": lambda: model(
            [node("SpaceToDepth", "x", blocksize=0)], inputs={"x": ["n", 1, 2, 2]}
        ),
        "a step of nothing": lambda: model(
            [node("AveragePool", "x", kernel_shape=[2], strides=[0])], inputs={"x": ["n", 1, 8]}
        ),
        "split in 10**9": lambda: model([node("Split", "x", "y z", num_outputs=GIANT, axis=1)]),
        "an eye": lambda: model([node("EyeLike", "x", k=2**62)], inputs={"x": [50_000, 50_000]}),
        "an input of 2**62": lambda: model([node("Relu", "x")], inputs={"x": [2**62]}),
        "an input of 0": lambda: model([node("Softmax", "x")], inputs={"x": [0, 4]}),
        "an input of rank 60": lambda: model([node("Relu", "x")], inputs={"x": [1] * 60}),
        "an input of rank 100": lambda: model(
            [node("Transpose", "x")], inputs={"x": [2] * 20 + [1] * 80}
        ),
        "an axis of -2**63": lambda: model([node("Softmax", "x", axis=-(2**63))]),
        "a transposition of 10**5": lambda: model(
            [node("Transpose", "x", perm=list(range(10**5)))]
        ),
        "a negative repetition": lambda: model([node("Tile", "x r")], [ints("r", -1, -1)]),
        "a reshape to -1 -1": lambda: model([node("Reshape", "x s")], [ints("s", -1, -1)]),
        "a reshape to -2": lambda: model([node("Reshape", "x s")], [ints("s", -2, -3)]),
        "a reshape to 2**32 squared": lambda: model(
            [node("Reshape", "x s")], [ints("s", 2**32, 2**32, -1)]
        ),
        "a step of -2**63": lambda: model(
            [node("Slice", "x a b c d")],
            [ints("a", 2**63 - 1), ints("b", -(2**63)), ints("c", 0), ints("d", -(2**63))],
        ),
        "a step of 0": lambda: model(
            [node("Slice", "x a b c d")], [ints("a", 0), ints("b", 9), ints("c", 0), ints("d", 0)]
        ),
        "an index outside": lambda: model(
            [node("Gather", "w i")], [floats("w", 3), ints("i", 10**12)]
        ),
        "a kernel as wide as it goes": lambda: model(
            [node("Conv", "x w", dilations=[2**40])],
            [floats("w", 1, 1, 3)],
            inputs={"x": [1, 1, 8]},
        ),
        "bits shifted": lambda: model(
            [node("BitShift", "a b", "c", direction="LEFT"), node("Cast", "c", to=1)],
            [numbers("a", "uint8", 1), numbers("b", "uint8", 200)],
        ),
        "divided by 0": lambda: model(
            [node("Div", "a b", "c"), node("Mod", "a b", "d"), node("Cast", "c", to=1)],
            [ints("a", 1), ints("b", 0)],
        ),
        "the least number by -1": lambda: model(
            [node("Div", "a b", "c"), node("Cast", "c", to=1)], [ints("a", -(2**63)), ints("b", -1)]
        ),
        "a loop without end": lambda: _loop(2**62, inner=None),
        "a loop that grows": lambda: _loop(6, inner="Concat"),
        "a loop that fills the memory": lambda: _loop(60, inner="Concat"),
    }
    for name, make in cases.items():
        yield name, lambda _, make=make: make()


def _loop(turns: int, inner: str | None) -> onnx.ModelProto:
    """A loop over a value that stays, or doubles with every turn."""
    step = (
        helper.make_node(inner, ["v", "v"], ["w"], axis=0)
        if inner
        else helper.make_node("Relu", ["v"], ["w"])
    )
    body = helper.make_graph(
        [step, helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("d", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, None),
        ],
    )
    return model([node("Loop", "n c0 x", body=body)], [scalar("n", turns), scalar("c0", 1, "bool")])
