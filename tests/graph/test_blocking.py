"""Graphs over blocks of channels against onnxruntime and against themselves unblocked."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests.graph.cases import expected
from workbench.graph import FlowGraph, from_onnx
from workbench.graph.blocking import block_channels
from workbench.graph.evaluate import evaluate
from workbench.graph.groups import Groups
from workbench.graph.layout import Packing, pack, unpack
from workbench.ir import build
from workbench.ir.expr import Const, Var
from workbench.ir.types import f32


class Net:
    """A network being written down, one node after the other."""

    def __init__(self, channels: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.channels = {"x": channels}

    def weight(self, *shape: int) -> str:
        name = f"w{len(self.weights)}"
        value = self.rng.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[1:])))
        self.weights.append(numpy_helper.from_array(value.astype("float32"), name))
        return name

    def add(self, op: str, *inputs: str, channels: int, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        self.channels[name] = channels
        return name

    def conv(self, x: str, maps: int, size: int, group: int = 1, **attributes: Any) -> str:
        w = self.weight(maps, self.channels[x] // group, size, size)
        pads = [size // 2] * 4
        bias = self.weight(maps)
        return self.add("Conv", x, w, bias, channels=maps, pads=pads, group=group, **attributes)

    def model(self, x: tuple[int, ...], *outputs: str) -> onnx.ModelProto:
        give = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
        take = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)]
        graph = helper.make_graph(self.nodes, "net", take, give, self.weights)
        opsets = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def step(net: Net, draw: st.DrawFn, made: list[str]) -> str:
    """One more operator on something that is there."""
    x = draw(st.sampled_from(made))
    c = net.channels[x]
    kinds = ["conv", "depthwise", "relu", "clip", "add", "mul", "concat", "max", "mean", "slice"]
    match draw(st.sampled_from(kinds)):
        case "conv":
            return net.conv(
                x, draw(st.sampled_from([5, 8, 16, 24, 32])), draw(st.sampled_from([1, 3]))
            )
        case "depthwise":
            return net.conv(x, c, 3, group=c)
        case "relu":
            return net.add("Relu", x, channels=c)
        case "clip":
            return net.add("HardSwish", x, channels=c)
        case "add":
            y = draw(st.sampled_from([m for m in made if net.channels[m] == c]))
            return net.add("Add", x, y, channels=c)
        case "mul":
            return net.add("Mul", x, net.weight(c, 1, 1), channels=c)
        case "concat":
            y = draw(st.sampled_from(made))
            return net.add("Concat", x, y, channels=c + net.channels[y], axis=1)
        case "max":
            attributes = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
            return net.add("MaxPool", x, channels=c, **attributes)
        case "mean":
            gate = net.add("GlobalAveragePool", x, channels=c)
            return net.add("Mul", x, net.add("Sigmoid", gate, channels=c), channels=c)
        case _:
            return net.add("Transpose", x, channels=c, perm=[0, 1, 3, 2])


@st.composite
def nets(draw: st.DrawFn) -> tuple[onnx.ModelProto, tuple[int, ...]]:
    channels = draw(st.sampled_from([3, 8, 16, 20]))
    shape = (draw(st.integers(1, 2)), channels, 6, 6)
    net = Net(channels, draw(st.integers(0, 99)))
    made = [net.conv("x", draw(st.sampled_from([8, 12, 16, 32])), 3)]
    for _ in range(draw(st.integers(1, 6))):
        made.append(step(net, draw, made))
    flat = net.add("Flatten", made[-1], channels=1)
    return net.model(shape, flat, draw(st.sampled_from(made))), shape


def check(graph: FlowGraph, model: onnx.ModelProto, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).standard_normal(shape).astype("float32")
    got = graph.compile("cpu")({"x": x})
    for mine, want in zip(got.values(), expected(model, {"x": x}).values(), strict=True):
        np.testing.assert_allclose(mine, want, rtol=2e-4, atol=2e-4)


@given(nets())
@settings(max_examples=12)
def test_random_nets(case: tuple[onnx.ModelProto, tuple[int, ...]]) -> None:
    model, shape = case
    check(from_onnx(model).optimize(), model, shape)


def residual() -> tuple[onnx.ModelProto, tuple[int, ...]]:
    net = Net(3, 4)
    first = net.add("Relu", net.conv("x", 32, 3, strides=[2, 2]), channels=32)
    inner = net.add("Relu", net.conv(first, 16, 1), channels=16)
    inner = net.conv(net.conv(inner, 16, 3, group=16), 32, 1)
    total = net.add("Relu", net.add("Add", inner, first, channels=32), channels=32)
    pooled = net.add("GlobalAveragePool", total, channels=32)
    return net.model((1, 3, 12, 12), net.add("Flatten", pooled, channels=1)), (1, 3, 12, 12)


def test_everything_between_stays_in_blocks() -> None:
    model, shape = residual()
    graph = from_onnx(model).optimize()
    names = [op.name for op in graph.operators]
    assert "pack" not in names
    assert names.count("unpack") == 1, "before the flattening only"
    assert "block channels" in graph.rules
    # each convolution takes what follows it along: bias, activation, residual
    assert len(graph.groups) <= 7
    check(graph, model, shape)


@pytest.mark.parametrize(
    ("channels", "maps", "group", "size"),
    [
        (12, 24, 3, 3),
        (20, 20, 5, 1),
        (136, 136, 4, 1),
        (6, 24, 6, 3),
        (48, 24, 24, 3),
        (64, 32, 2, 3),
    ],
)
def test_groups_that_fill_no_blocks(channels: int, maps: int, group: int, size: int) -> None:
    net = Net(channels, 3)
    net.add("Relu", net.conv("x", maps, size, group=group), channels=maps)
    shape = (1, channels, 5, 7)
    model = net.model(shape, "t1")
    graph = from_onnx(model).optimize()
    assert "block channels" in graph.rules
    check(graph, model, shape)


@pytest.mark.parametrize(("channels", "maps", "group"), [(136, 136, 4), (20, 20, 5), (12, 24, 3)])
def test_each_block_reads_the_channels_of_its_groups(channels: int, maps: int, group: int) -> None:
    groups = Groups(channels, maps, channels // group, maps // group, 16)
    for block, span in enumerate(groups.spans):
        count, first = groups.count(build.const(block)), groups.first(build.const(block))
        last = min(16 * block + 15, maps - 1)
        assert isinstance(count, Const)
        assert isinstance(first, Const)
        assert int(first.value) <= 16 * block // groups.each * groups.own
        assert int(first.value) + int(count.value) == (last // groups.each + 1) * groups.own
        assert span <= int(count.value) <= groups.span


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_blocks_of_any_width_mean_the_same(lanes: int) -> None:
    model, shape = residual()
    graph = from_onnx(model).graph
    values = {t: a for t, a in graph.constants.items()}
    values[graph.inputs[0]] = np.random.default_rng(2).standard_normal(shape).astype("float32")
    (want,) = expected(model, {"x": values[graph.inputs[0]]}).values()
    done = block_channels(graph, lanes)
    values |= done.constants
    for op in done.operators:
        stored = [values[t].reshape(t.storage.extents) for t in op.inputs]
        values[op.output] = evaluate(
            op.definition, dict(zip(op.definition.inputs, stored, strict=True))
        )
    np.testing.assert_allclose(values[done.outputs[0]], want, rtol=1e-4, atol=1e-4)


def test_another_target_has_no_blocks() -> None:
    model, _ = residual()
    graph = from_onnx(model).optimize(target="cuda:sm_90a")
    assert "unpack" not in [op.name for op in graph.operators]
    assert graph.made_for == "cuda"


@pytest.mark.parametrize("channels", [3, 8, 20])
def test_pack_and_unpack(channels: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, channels, 3, 5)).astype("float32")
    var = Var("x", f32[2, channels, 3, 5])
    there = pack(var, 8)
    blocks = evaluate(there, {var: x})
    np.testing.assert_array_equal(blocks, Packing((1,), 8).apply(x))
    back = unpack(there.output, channels)
    np.testing.assert_array_equal(evaluate(back, {there.output: blocks}), x)
    # one-to-one exactly where no channel is made up
    assert bool(there.inverse) == bool(back.inverse) == (channels % 8 == 0)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("maps", [16, 24])
@pytest.mark.parametrize("dilation", [1, 2])
def test_weights_and_columns_that_change_from_column_to_column(
    size: int, maps: int, dilation: int
) -> None:
    # of a transposed convolution with a stride, every second column meets the same weights
    net = Net(20, seed=maps)
    x = net.conv("x", 20, 3)
    w = net.weight(20, maps, size, size)
    spread = {"strides": [2, 2], "dilations": [dilation] * 2}
    y = net.add("ConvTranspose", x, w, channels=maps, **spread)
    made = net.model((1, 20, 5, 7), y)
    given_ = {"x": np.random.default_rng(1).standard_normal((1, 20, 5, 7)).astype("float32")}
    (want,) = expected(made, given_).values()
    (got,) = from_onnx(made).optimize().compile("cpu")(given_).values()
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
