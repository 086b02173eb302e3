"""A shape that leads the way of an earlier one: its graph is not made again, and it is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import floats, model, node
from tests.graph.test_family import encoder, peer, random
from workbench.driver.build import compile_module
from workbench.graph import dynamic, from_onnx, load_graph
from workbench.graph.dynamic import DynamicGraph
from workbench.graph.evaluate import evaluate
from workbench.graph.operator import Operator
from workbench.graph.replayed import Replayed
from workbench.graph.rewrite import rewrite_graph
from workbench.graph.ways import TRIES
from workbench.ir.parse import parse

F, L = np.float32, np.int64
Arrays = Mapping[str, np.ndarray]


def heads() -> Any:
    """What an exported model does with its shapes: it cuts rows into heads, by numbers it reads."""
    return model(
        [
            node("Shape", "x", "shape"),
            node("Gather", "shape zero", "batch", axis=0),
            node("Gather", "shape one", "length", axis=0),
            node("Mul", "length two", "both"),
            node("Unsqueeze", "batch axis", "b1"),
            node("Unsqueeze", "length axis", "l1"),
            node("Unsqueeze", "both axis", "t1"),
            node("Concat", "b1 l1 heads", "split", axis=0),
            node("Reshape", "x split", "apart"),
            node("Transpose", "apart", "t", perm=[0, 2, 1, 3]),
            node("Softmax", "t", "s", axis=-1),
            node("Slice", "places start l1 axis", "near"),
            node("Unsqueeze", "near wide", "n4"),
            node("Add", "s n4", "moved"),
            node("Range", "zero length one", "count"),
            node("Cast", "count", "real", to=1),
            node("Unsqueeze", "real column", "c4"),
            node("Mul", "moved c4", "scaled"),
            node("ConstantOfShape", "t1", "zeros"),
            node("ReduceSum", "scaled last", "sums", keepdims=0),
            node("Concat", "b1 minus", "flat", axis=0),
            node("Reshape", "sums flat", "rows"),
            node("Concat", "rows2 zeros2", "y", axis=1),
            node("Expand", "zeros bt", "zeros2"),
            node("Identity", "rows", "rows2"),
            node("Concat", "b1 t1", "bt", axis=0),
        ],
        {"x": (F, ("batch", "length", 12))},
        ["y", "t"],
        {
            "zero": np.array(0, L),
            "one": np.array(1, L),
            "two": np.array(2, L),
            "axis": np.array([0], L),
            "start": np.array([0], L),
            "last": np.array([3], L),
            "wide": np.array([0, 1], L),
            "column": np.array([0, 1, 3], L),
            "heads": np.array([3, 4], L),
            "minus": np.array([-1], L),
            "places": floats(64, 4),
        },
        opset=13,
    )


def images() -> Any:
    """Convolutions and what else has windows, over a batch of any size."""
    return model(
        [
            node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
            node("Relu", "c", "r"),
            node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
            node("Conv", "p v", "d", group=16),
            node("GlobalAveragePool", "d", "g"),
            node("Flatten", "g", "f"),
            node("Gemm", "f m", "y"),
        ],
        {"x": (F, ("batch", 3, 20, 20))},
        ["y"],
        {"w": floats(16, 3, 3, 3), "v": floats(16, 1, 3, 3), "m": floats(16, 10)},
    )


def pictures() -> Any:
    """Windows of many kinds over images of any height and width."""
    return model(
        [
            node("Conv", "x w1", "c1", pads=[1, 1, 1, 1]),
            node("Relu", "c1", "r1"),
            node("Conv", "r1 w2", "c2", pads=[2, 2, 2, 2], group=16),
            node("Add", "c2 r1", "s"),
            node("Conv", "s w3", "c3", pads=[0, 3, 0, 3]),
            node("MaxPool", "c3", "p", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
            node("Conv", "p w4", "c4", pads=[2, 2, 2, 2], dilations=[2, 2]),
            node("AveragePool", "c4", "a", kernel_shape=[2, 3], pads=[0, 1, 0, 1]),
            node("Conv", "a w5", "c5", strides=[2, 2], pads=[1, 1, 1, 1]),
            node("Clip", "c5 low high", "y"),
        ],
        {"x": (F, (2, 16, "height", "width"))},
        ["y", "p"],
        {
            "w1": floats(16, 16, 3, 3) / 8,
            "w2": floats(16, 1, 5, 5) / 4,
            "w3": floats(32, 16, 1, 7) / 8,
            "w4": floats(32, 32, 3, 3) / 12,
            "w5": floats(16, 32, 3, 3) / 12,
            "low": np.array(-2, F),
            "high": np.array(2, F),
        },
    )


def steps() -> Any:
    """A recurrent layer over as many steps as there are."""
    return model(
        [node("LSTM", "x w r", "y h", hidden_size=8), node("Tanh", "y", "z")],
        {"x": (F, ("steps", 2, 6))},
        ["z", "h"],
        {"w": floats(1, 32, 6) / 5, "r": floats(1, 32, 8) / 5},
    )


def frames() -> Any:
    """Padding, strides and a mean over what is there."""
    return model(
        [
            node("Pad", "x pads", "p", mode="reflect"),
            node("Slice", "p start end axis step", "s"),
            node("ReduceMean", "s", "m", axes=[1], keepdims=1),
            node("Sub", "s m", "c"),
            node("Mul", "c c", "q"),
            node("ReduceMean", "q", "v", axes=[1], keepdims=1),
            node("Sqrt", "v", "d"),
            node("Div", "c d", "y"),
        ],
        {"x": (F, (3, "samples"))},
        ["y"],
        {
            "pads": np.array([0, 2, 0, 2], L),
            "start": np.array([1], L),
            "end": np.array([-1], L),
            "axis": np.array([1], L),
            "step": np.array([3], L),
        },
        opset=13,
    )


def check(compiled: Any, wanted: Callable[[Arrays], Any], x: np.ndarray) -> None:
    """Both give the same."""
    for found, other in zip(compiled({"x": x}).values(), wanted({"x": x}), strict=True):
        assert found.shape == other.shape
        np.testing.assert_allclose(found, other, rtol=2e-4, atol=2e-5)


def dynamic_graph(made: Any) -> DynamicGraph:
    """Kernels of a model, made at its calls."""
    compiled = from_onnx(made).optimize().compile("cpu")
    assert isinstance(compiled, DynamicGraph)
    return compiled


SHAPES: dict[Callable[[], Any], list[tuple[int, ...]]] = {
    encoder: [(1, 37, 24), (3, 30, 24), (5, 41, 24), (2, 17, 24), (4, 64, 24), (3, 25, 24)],
    heads: [(1, 5, 12), (2, 9, 12), (3, 11, 12), (5, 7, 12), (6, 23, 12), (2, 30, 12)],
    images: [(1, 3, 20, 20), (5, 3, 20, 20), (3, 3, 20, 20), (7, 3, 20, 20), (16, 3, 20, 20)],
    pictures: [(2, 16, 24, 40), (2, 16, 30, 84), (2, 16, 26, 60), (2, 16, 50, 96)],
    steps: [(4, 2, 6), (9, 2, 6), (7, 2, 6), (12, 2, 6), (30, 2, 6)],
    frames: [(3, 50), (3, 71), (3, 100), (3, 59), (3, 64), (3, 200)],
}


@pytest.mark.parametrize("made", SHAPES, ids=lambda made: made.__name__)
def test_the_third_shape_is_replayed(made: Callable[[], Any]) -> None:
    compiled, wanted = dynamic_graph(made()), peer(made())
    for shape in SHAPES[made]:
        check(compiled, wanted, random(*shape))
    ways = compiled.ways
    assert ways.untraced is None
    # the first is made for itself, the second recorded; equal by chance may two numbers be once
    assert ways.recorded <= 2
    assert ways.recorded + ways.replayed == len(SHAPES[made]) - 1
    for shape in SHAPES[made]:
        check(compiled, wanted, random(*shape))


def assert_same_values(mine: Operator, other: Operator) -> None:
    """Two operators give the same for the same."""
    r = np.random.default_rng(3)
    kinds = [(t.storage.extents, t.dtype.numpy_name) for t in mine.inputs]
    arrays = [(r.standard_normal(shape) * 3).astype(kind) for shape, kind in kinds]
    found, wanted = (
        evaluate(op.definition, dict(zip(op.definition.inputs, arrays, strict=True)))
        for op in (mine, other)
    )
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("made", SHAPES, ids=lambda made: made.__name__)
def test_what_it_tells_is_what_would_have_been_made(made: Callable[[], Any]) -> None:
    compiled = dynamic_graph(made())
    for shape in SHAPES[made]:
        compiled({"x": random(*shape)})
    shape = SHAPES[made][-1]
    found = compiled._first[(shape,)].stage.compiled
    assert isinstance(found, Replayed)
    wanted, _ = rewrite_graph(compiled._origin.begin([shape]).graph, "cpu")
    assert [t.extents for t in found.graph.outputs] == [t.extents for t in wanted.outputs]
    for mine, other in zip(found.graph.operators, wanted.operators, strict=True):
        assert (mine.name, mine.origin, mine.attributes) == (
            other.name,
            other.origin,
            other.attributes,
        )
        names = [str(t) for t in (*mine.inputs, *mine.outputs)]
        # panels are as wide as suited the shape that was recorded
        if names == [str(t) for t in (*other.inputs, *other.outputs)] and mine.compute:
            assert_same_values(mine, other)
        else:
            assert mine.compute is None or "in panels" in " ".join(names)
    pairs = zip(found.graph.constants.items(), wanted.constants.items(), strict=True)
    assert all("panels" in t.name or np.array_equal(a, b) for (t, a), (_, b) in pairs)
    assert len(found.groups) >= len(found.steps) == found.launches[1]
    assert all(step.group in found.groups for step in found.steps)
    tensors = {t for op in found.graph.operators for t in (*op.inputs, *op.outputs)}
    assert all(t in tensors for step in found.steps for t in step.tensors)
    assert found.memory.arena_bytes <= found.memory.total_bytes
    for kernel in found.kernels:
        assert "10000000000000000000000" not in kernel.source + kernel.stages[0].text
        assert kernel.name in kernel.stages[0].text


@settings(max_examples=12)
@given(
    shapes=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), min_size=3, max_size=6),
    made=st.sampled_from([heads, encoder]),
)
def test_any_sequence_of_shapes_gives_what_onnxruntime_gives(
    shapes: list[tuple[int, int]], made: Callable[[], Any]
) -> None:
    compiled = dynamic_graph(made())
    for batch, length in shapes:
        # what onnxruntime makes of an empty maximum is its own
        check(compiled, PEERS[made], random(batch or 1, length, 12 if made is heads else 24))


@pytest.fixture(scope="module")
def open_pictures() -> DynamicGraph:
    """One graph for all sizes: what an earlier one has recorded serves later ones."""
    return dynamic_graph(pictures())


@settings(max_examples=10)
@given(height=st.integers(9, 40), width=st.integers(9, 120))
def test_windows_over_rows_of_any_length(
    open_pictures: DynamicGraph, height: int, width: int
) -> None:
    check(open_pictures, PEERS[pictures], random(2, 16, height, width))


def test_a_window_over_a_row_of_any_length_reads_nothing_outside() -> None:
    """The interpreter tells of an access out of bounds, or of what nobody has written."""
    compiled = dynamic_graph(pictures())
    for shape in SHAPES[pictures]:
        compiled({"x": random(*shape)})
    found = compiled._first[(SHAPES[pictures][2],)].stage.compiled
    assert isinstance(found, Replayed)
    for kernel in found.kernels:
        module = parse(next(stage.text for stage in kernel.stages if stage.name == "module"))
        shapes = [(p.tensor.extents, p.tensor.dtype.numpy_name) for p in module.kernel.params]
        arrays = [np.random.default_rng(5).random(s).astype(kind) for s, kind in shapes]
        copies = [a.copy() for a in arrays]
        compile_module(module, "interp")(*arrays)
        compile_module(module, "cpu")(*copies)
        for a, b in zip(arrays, copies, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


PEERS = {made: peer(made()) for made in (heads, encoder, pictures)}


def test_a_shape_of_another_scale_has_its_own_schedule() -> None:
    made = model([node("Softmax", "x", "y", axis=1)], {"x": (F, ("n", 100))}, ["y"])
    compiled, wanted = dynamic_graph(made), peer(made)
    for rows, recorded in ((3, 0), (20, 1), (80, 1), (5, 1), (81, 2), (300, 2), (4, 3)):
        check(compiled, wanted, random(rows, 100))
        assert compiled.ways.recorded == recorded, rows


def test_only_what_has_changed_may_change() -> None:
    compiled, wanted = dynamic_graph(encoder()), peer(encoder())
    calls = [((2, 30), 0, 0), ((5, 30), 1, 0), ((3, 30), 1, 1), ((3, 41), 2, 1), ((4, 36), 2, 2)]
    for (batch, length), recorded, replayed in calls:
        check(compiled, wanted, random(batch, length, 24))
        assert (compiled.ways.recorded, compiled.ways.replayed) == (recorded, replayed)


def test_what_cannot_be_traced_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("something that no one thought of")

    compiled, wanted = dynamic_graph(frames()), peer(frames())
    monkeypatch.setattr(dynamic, "schedule_graph", broken)
    for samples in (50, 60, 70, 80, 90, 100):
        check(compiled, wanted, random(3, samples))
    assert "no one thought of" in str(compiled.ways.untraced)
    assert (compiled.ways.recorded, compiled.ways.replayed) == (TRIES, 0)


def test_names_like_those_of_generic_kernels_do_no_harm() -> None:
    made = model(
        [node("Exp", "slot_0", "given_1"), node("ReduceSum", "given_1", "stride_0", keepdims=0)],
        {"slot_0": (F, ("n", "m"))},
        ["given_1", "stride_0"],
        opset=13,
    )
    compiled, wanted = dynamic_graph(made), peer(made)
    for shape in ((3, 50), (4, 61), (5, 59), (2, 70)):
        x = {"slot_0": random(*shape)}
        for found, other in zip(compiled(x).values(), wanted(x), strict=True):
            np.testing.assert_allclose(found, other, rtol=1e-5)


def test_other_targets_have_no_ways() -> None:
    compiled = from_onnx(frames()).optimize().compile("interp")
    assert isinstance(compiled, DynamicGraph)
    for samples in (8, 9, 10):
        check(compiled, peer(frames()), random(3, samples))
    assert compiled.ways.recorded == 0


def test_replayed_graphs_are_saved(tmp_path: Path) -> None:
    compiled, wanted = dynamic_graph(encoder()), peer(encoder())
    for shape in SHAPES[encoder]:
        check(compiled, wanted, random(*shape))
    assert compiled.ways.replayed > 2
    compiled.save(tmp_path / "encoder.wb")
    loaded = load_graph(tmp_path / "encoder.wb")
    for shape in SHAPES[encoder]:
        check(loaded, wanted, random(*shape))
