"""Weights are held once: what is made of them is shared and goes with them, the message goes."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.graph.cases import floats, model, node
from workbench.graph import from_onnx
from workbench.graph.derived import _MADE, derived
from workbench.graph.dynamic import DynamicGraph
from workbench.graph.onnx.model import read
from workbench.graph.pack import panels

F = np.float32


def test_made_once_while_the_source_lives() -> None:
    before = len(_MADE)
    weights = floats(32, 40)
    first = panels(weights.reshape(32, 40), 16, turned=False)
    assert panels(weights, 16, turned=False) is first
    assert panels(weights, 8, turned=False) is not first
    assert panels(weights[:31], 16, turned=False) is not first
    assert len(_MADE) == before + 2
    del weights
    gc.collect()
    assert len(_MADE) == before


def test_one_of_several_sources_is_another() -> None:
    a, b, c = floats(40, 40), floats(40, 40), floats(40, 40)
    total = derived([a, b], "sum", lambda: a + b)
    assert derived([a, b], "sum", lambda: a + b) is total
    np.testing.assert_array_equal(derived([a, c], "sum", lambda: a + c), a + c)
    np.testing.assert_array_equal(derived([a, b], "difference", lambda: a - b), a - b)


def test_a_view_of_its_source_is_not_kept() -> None:
    before = len(_MADE)
    weights = floats(64, 64)
    derived([weights], "turned", lambda w=weights: w.T)
    del weights
    gc.collect()
    assert len(_MADE) == before


def test_memory_that_is_used_again_is_another_source() -> None:
    for n in range(20):
        weights = np.full((64, 64), n, F)
        assert (derived([weights], "twice", lambda w=weights: w * 2) == 2 * n).all()


def test_graphs_for_other_sizes_hold_no_weights_of_their_own() -> None:
    made = model(
        [
            node("Transpose", "t", "v", perm=[1, 0, 2, 3]),
            node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
            node("Conv", "c v", "d"),
            node("GlobalAveragePool", "d", "p"),
            node("Flatten", "p", "f"),
            node("Gemm", "f g", "y", transB=1),
        ],
        {"x": (F, (1, 3, 20, 20))},
        ["y"],
        {"w": floats(64, 3, 3, 3), "t": floats(64, 64, 1, 1), "g": floats(100, 64)},
    )
    for dim, name in zip(made.graph.input[0].type.tensor_type.shape.dim[2:], "hw", strict=True):
        dim.dim_param = name
    compiled = from_onnx(made).optimize().compile("cpu")
    assert isinstance(compiled, DynamicGraph)
    for size in (16, 20, 24):
        compiled({"x": floats(1, 3, size, size)})
    held = [
        {t.name: a for t, a in part.stage.compiled.graph.constants.items()}
        for part in compiled._parts()
        if part.stage.compiled
    ]
    assert len(held) == 3
    first, *others = held
    large = {name for name, a in first.items() if a.nbytes >= 4096}
    assert len(large) == 3
    for each in others:
        assert each.keys() == first.keys()
        assert all(np.shares_memory(each[name], first[name]) for name in large)


def test_weights_are_held_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Inference of shapes sees no weights, and the message that held them goes."""
    made = model(
        [node("Gemm", "x w", "f"), node("Reshape", "f s", "y")],
        {"x": (F, (2, 100))},
        ["y"],
        {"w": floats(100, 60), "s": np.array([3, -1])},
    )
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "n"
    seen: list[int] = []
    infer = onnx.shape_inference.infer_shapes

    def watched(proto: onnx.ModelProto, data_prop: bool = False) -> onnx.ModelProto:
        seen.append(proto.ByteSize())
        return infer(proto, data_prop=data_prop)

    monkeypatch.setattr(onnx.shape_inference, "infer_shapes", watched)
    data = made.SerializeToString()
    assert len(data) > 4 * 100 * 60
    for source in (data, made):
        graph = from_onnx(source)
        # what it tells is the same: the numbers of a shape are still there
        assert graph.outputs[0].shape is not None
        assert graph.outputs[0].shape[0] == 3
        x = floats(6, 100)
        np.testing.assert_allclose(
            graph.compile("interp")({"x": x})["y"],
            (x @ onnx.numpy_helper.to_array(made.graph.initializer[0])).reshape(3, -1),
            rtol=1e-4,
            atol=1e-4,
        )
    assert max(seen) < 1000
    file = tmp_path / "net.onnx"
    file.write_bytes(data)
    assert read(data).proto.ByteSize() < 1000
    assert read(file).again() == read(data).again() == data
