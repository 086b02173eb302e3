"""What detectors do: pictures of any size brought to one, as many boxes as are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import Built, expected, floats, model, node
from tests.graph.test_family import peer, random
from tests.graph.test_replay import dynamic_graph
from workbench.graph import from_onnx
from workbench.graph.ops.host import top_k

F, L = np.float32, np.int64


def detector() -> Any:
    """A picture is brought to 24 × 32; each place of a grid proposes a box, the best are kept."""
    return model(
        [
            node("Shape", "x", "shape"),
            node("Slice", "shape zero two", "front"),
            node("Concat", "front size", "sizes", axis=0),
            node("Resize", "x none none sizes", "r", mode="linear"),
            node("Conv", "r w1", "c1", strides=[2, 2], pads=[1, 1, 1, 1]),
            node("Relu", "c1", "f1"),
            node("Conv", "f1 w2", "c2", strides=[2, 2], pads=[1, 1, 1, 1]),
            node("Reshape", "c2 rows", "flat"),
            node("Transpose", "flat", "places", perm=[0, 2, 1]),
            node("Split", "places parts", "corner side score", axis=2),
            node("Abs", "side", "long"),
            node("Add", "corner long", "end"),
            node("Concat", "corner end", "boxes", axis=2),
            node("Transpose", "score", "scores", perm=[0, 2, 1]),
            node("NonMaxSuppression", "boxes scores most overlap least", "kept"),
            node("Gather", "kept column", "which", axis=1),
            node("Squeeze", "boxes first", "all"),
            node("Gather", "all which", "found", axis=0),
            # from the picture's own size to its own
            node("Slice", "shape two four", "own"),
            node("Cast", "own", "high", to=1),
            node("ReduceMax", "high", "scale", keepdims=0),
            node("Mul", "found scale", "y"),
        ],
        {"x": (F, (1, 3, "height", "width"))},
        ["y", "kept"],
        {
            "w1": floats(8, 3, 3, 3) / 4,
            "w2": floats(5, 8, 3, 3) / 6,
            "zero": np.array([0], L),
            "two": np.array([2], L),
            "four": np.array([4], L),
            "size": np.array([24, 32], L),
            "none": np.zeros(0, F),
            "rows": np.array([1, 5, 48], L),
            "parts": np.array([2, 2, 1], L),
            "most": np.array([20], L),
            "overlap": np.array([0.3], F),
            "least": np.array([0.05], F),
            "column": np.array(2, L),
            "first": np.array([0], L),
        },
    )


def test_pictures_of_any_size_are_found_in_by_the_same_kernels(built: Built) -> None:
    compiled, wanted = dynamic_graph(detector()), peer(detector())
    counts: list[int] = []
    found: set[int] = set()
    for height, width in ((20, 30), (33, 41), (25, 47), (48, 64), (31, 29), (47, 90), (64, 64)):
        x = random(1, 3, height, width)
        for mine, other in zip(compiled({"x": x}).values(), wanted({"x": x}), strict=True):
            assert mine.shape == other.shape
            scale = np.abs(other).max(initial=1)
            np.testing.assert_allclose(mine, other, atol=1e-5 * scale)
        found.add(len(mine))
        counts.append(built())
    assert len(found) > 2
    assert compiled.ways.untraced is None
    # after the picture has its size nothing varies: the kernels of the first call serve all
    assert counts[0] > 4
    assert counts[1] <= 3
    assert counts[4:] == [0] * 3


@settings(max_examples=30)
@given(
    count=st.integers(0, 90),
    seed=st.integers(0, 2**31),
    most=st.integers(0, 60),
    overlap=st.sampled_from([0.0, 0.2, 0.5, 0.8]),
    least=st.sampled_from([None, 0.3]),
    center=st.booleans(),
)
def test_boxes_that_overlap_no_better_one(
    count: int, seed: int, most: int, overlap: float, least: float | None, center: bool
) -> None:
    r = np.random.default_rng(seed)
    corner, side = r.random((2, 2, count, 2), F)
    boxes = np.concatenate([corner, side / 2 if center else corner + side / 2], 2)
    limits = {"most": np.array([most], L), "overlap": np.array([overlap], F)}
    if least is not None:
        limits["least"] = np.array([least], F)
    names = " ".join(("boxes scores", *limits))
    made = model(
        [node("NonMaxSuppression", names, "y", center_point_box=int(center))],
        {"boxes": (F, (2, "n", 4)), "scores": (F, (2, 3, "n"))},
        ["y"],
        limits,
    )
    # no two scores are equal
    scores = r.permutation(6 * count).reshape(2, 3, count).astype(F) / max(1, 6 * count)
    inputs = {"boxes": boxes, "scores": scores}
    found = from_onnx(made).compile("cpu")(inputs)["y"]
    np.testing.assert_array_equal(found, expected(made, inputs)["y"])


@pytest.mark.parametrize("shape", [(0,), (0, 5), (5, 0), (0, 0, 3)])
def test_of_nothing_nothing_is_best(shape: tuple[int, ...]) -> None:
    for axis in range(len(shape)):
        values, places = top_k(np.zeros(shape, F), k=0, axis=axis, largest=True)
        assert values.shape == places.shape == (*shape[:axis], 0, *shape[axis + 1 :])
