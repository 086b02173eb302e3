"""Whole networks that no one here wrote: the "light" models of ONNX's own suite.

onnx 1.22.0 brings them with weights of one value each, which makes every picture look alike; here
they get random ones. onnxruntime tells what they should say.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.graph.cases import compiled, expected
from workbench.graph import from_onnx

ROOT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

# Operators of the model as imported, and kernels launched when they are fused.
LAUNCHES = {
    "bvlc_alexnet": (37, 14),
    "densenet121": (669, 184),
    "inception_v1": (204, 75),
    "inception_v2": (376, 84),
    "resnet50": (186, 58),
    "shufflenet": (209, 62),
    "squeezenet": (95, 34),
    "vgg19": (78, 26),
    "zfnet512": (39, 15),
}


def load(name: str) -> onnx.ModelProto:
    return onnx.load(ROOT / f"light_{name}.onnx")


def weights(shape: list[int], place: tuple[str, int], random: np.random.Generator) -> np.ndarray:
    """Numbers that keep the size of what flows through; `place` is operator and input."""
    if place[0] == "BatchNormalization" and place[1] in (1, 4):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    spread = (2 / prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.1
    return (random.standard_normal(shape) * spread).astype(np.float32)


def with_weights(name: str) -> onnx.ModelProto:
    """The model with random weights in place of its ConstantOfShape nodes."""
    made = load(name)
    random = np.random.default_rng(7)
    shapes = {t.name: numpy_helper.to_array(t).tolist() for t in made.graph.initializer}
    places = {i: (n.op_type, k) for n in made.graph.node for k, i in enumerate(n.input)}
    kept: list[onnx.NodeProto] = []
    for node in made.graph.node:
        if node.op_type != "ConstantOfShape":
            kept.append(node)
            continue
        array = weights(shapes[node.input[0]], places[node.output[0]], random)
        made.graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
    del made.graph.node[:]
    made.graph.node.extend(kept)
    return made


def spread_out(made: onnx.ModelProto, x: dict[str, np.ndarray]) -> None:
    """Scale what goes into the last softmax, so that no class takes all."""
    softmax = made.graph.node[-1]
    assert softmax.op_type == "Softmax"
    whole = onnx.ModelProto()
    whole.CopyFrom(made)
    del whole.graph.node[-1]
    whole.graph.output[0].name = softmax.input[0]
    (scores,) = expected(whole, x).values()
    scale = np.float32(1 / scores.std())
    made.graph.initializer.append(numpy_helper.from_array(scale, "scale"))
    made.graph.node.insert(
        len(made.graph.node) - 1, helper.make_node("Mul", [softmax.input[0], "scale"], ["scaled"])
    )
    made.graph.node[-1].input[0] = "scaled"


@pytest.mark.parametrize("name", LAUNCHES)
def test_import(name: str) -> None:
    graph = from_onnx(load(name))
    optimized = graph.optimize()
    launched = sum(not group.views for group in optimized.groups)
    assert (len(graph.operators), launched) == LAUNCHES[name]
    assert all(u.reason for u in optimized.unfused)


@pytest.mark.parametrize("name", ["shufflenet", "squeezenet"])
def test_it_agrees_with_onnxruntime(name: str) -> None:
    made = with_weights(name)
    pixels = np.random.default_rng(1).standard_normal((1, 3, 224, 224)).astype(np.float32)
    x = {next(t.name for t in from_onnx(made).inputs): pixels}
    spread_out(made, x)
    (want,) = expected(made, x).values()
    assert want.max() < 0.5
    assert want.std() > 1e-4
    (got,) = compiled(made, "cpu")(x).values()
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-7)
