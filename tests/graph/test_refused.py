"""What operators say to attributes and shapes that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.graph.cases import compiled, floats, model, node
from workbench.base.errors import LaunchError, WorkbenchError
from workbench.graph import from_onnx

X4 = {"x": (1, 4, 8, 8)}
CASES: dict[str, tuple[str, dict[str, tuple[int, ...]], dict[str, Any], dict[str, np.ndarray]]] = {
    "conv_transpose: x: f32[1, 4, 8, 8] and w: f32[4, 2, 3, 3] do not fit in 3 groups": (
        "ConvTranspose",
        X4,
        {"group": 3},
        {"w": floats(4, 2, 3, 3)},
    ),
    "ConvTranspose: the output has extents [-1, -1]": (
        "ConvTranspose",
        {"x": (1, 4, 1, 1)},
        {"pads": [2, 2, 2, 2]},
        {"w": floats(4, 2, 3, 3)},
    ),
    "col2im: x: f32[1, 9, 5] does not hold 4 windows of 9 elements": (
        "Col2Im",
        {"x": (1, 9, 5)},
        {},
        {"image": np.array([4, 4]), "block": np.array([3, 3])},
    ),
    "GridSample: padding_mode is 'ones', not one of zeros, border, reflection": (
        "GridSample",
        {"x": (1, 4, 8, 8), "g": (1, 2, 2, 2)},
        {"padding_mode": "ones"},
        {},
    ),
    "grid_sample: the coordinates g: f32[1, 2, 2, 3] do not fit x: f32[1, 4, 8, 8]": (
        "GridSample",
        {"x": (1, 4, 8, 8), "g": (1, 2, 2, 3)},
        {},
        {},
    ),
    "Resize: 'middle' is no coordinate_transformation_mode": (
        "Resize",
        X4,
        {"coordinate_transformation_mode": "middle"},
        {"roi": np.zeros(0, np.float32), "scales": np.array([1, 1, 2, 2], np.float32)},
    ),
    "Resize: 3 scales do not fit 4 axes": (
        "Resize",
        X4,
        {},
        {"roi": np.zeros(0, np.float32), "scales": np.array([1, 2, 2], np.float32)},
    ),
    "einsum: j is both 3 and 4, in y: f32[4, 5]": (
        "Einsum",
        {"x": (2, 3), "y": (4, 5)},
        {"equation": "ij,jk->ik"},
        {},
    ),
    "'ijk' of 'ijk->i' does not fit 2 dimensions": (
        "Einsum",
        {"x": (2, 3)},
        {"equation": "ijk->i"},
        {},
    ),
    "the result of 'ij->ii' names a dimension twice, or one not known": (
        "Einsum",
        {"x": (2, 3)},
        {"equation": "ij->ii"},
        {},
    ),
    "Det: x: f32[2, 3] holds no square matrices": ("Det", {"x": (2, 3)}, {}, {}),
    "DFT: only frequencies of a real signal are onesided": (
        "DFT",
        {"x": (1, 8, 2)},
        {"onesided": 1},
        {},
    ),
    "Celu: alpha is 0.0, x is x: f32[2]": ("Celu", {"x": (2,)}, {"alpha": 0.0}, {}),
}


@pytest.mark.parametrize("message", CASES)
def test_messages(message: str) -> None:
    op, shapes, attributes, weights = CASES[message]
    made = model(
        [node(op, " ".join([*shapes, *weights]), "out", **attributes)],
        {name: (np.float32, shape) for name, shape in shapes.items()},
        ["out"],
        weights,
        19,
    )
    with pytest.raises(WorkbenchError) as error:
        from_onnx(made)
    assert error.value.message == f'node "{op}_out" ({op}): {message}'


def test_a_place_outside_of_the_picture() -> None:
    x, places = floats(1, 1, 2, 2), np.array([[[[0, 1], [2, 16]]]])
    made = model(
        [node("MaxUnpool", "x i", "y", kernel_shape=[2, 2], strides=[2, 2])],
        {"x": (x.dtype, x.shape), "i": (places.dtype, places.shape)},
        ["y"],
    )
    graph = compiled(made, "cpu")
    with pytest.raises(LaunchError, match="an index lies outside of the 16 elements"):
        graph({"x": x, "i": places})


def test_bytes_that_are_no_picture() -> None:
    data = np.arange(20, dtype=np.uint8)
    made = model([node("ImageDecoder", "x", "y")], {"x": (data.dtype, (20,))}, ["y"], opset=20)
    with pytest.raises(LaunchError, match="the bytes are no picture"):
        compiled(made, "cpu")({"x": data})
