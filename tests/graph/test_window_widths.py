"""Windows over pictures of any width: tiles that overlap, narrower ones, sums in stretches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.cases import floats, model, node
from tests.graph.test_family import check, peer, random
from workbench.graph import from_onnx
from workbench.graph.dynamic import DynamicGraph
from workbench.runtime.jit import host
from workbench.schedules.window_tiles import NARROW, narrower

F = np.float32


def net(channels: int, maps: int, kernel: int, stride: int, pad: int) -> Any:
    """One convolution over pictures of any size."""
    weights = floats(maps, channels, kernel, kernel) / channels
    nodes = [
        node("Conv", "x w", "c", pads=[pad] * 4, strides=[stride] * 2),
        node("Relu", "c", "y"),
    ]
    return model(nodes, {"x": (F, ("n", channels, "h", "w"))}, ["y"], {"w": weights})


# channels, maps, kernel, stride and padding
KINDS = {
    "long sums": (768, 32, 1, 1, 0),
    "rows above and below": (256, 32, 3, 1, 1),
    "steps of two": (32, 48, 3, 2, 1),
    "a wide window": (32, 16, 7, 1, 3),
    "steps of two, no padding": (32, 32, 2, 2, 0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_width_gives_what_onnxruntime_gives(kind: str) -> None:
    made = net(*KINDS[kind])
    graph, wanted = from_onnx(made).optimize().compile("cpu"), peer(made)
    assert isinstance(graph, DynamicGraph)
    channels = KINDS[kind][0]
    for height, width in ((9, 22), (8, 24), *((7, w) for w in range(9, 47)), (30, 80)):
        check(graph, wanted, {"x": random(1, channels, height, width)})
    assert graph.ways.replayed >= 20
    notes = " ".join(note for k in graph.kernels for note in k.module.kernel.notes)
    if kind == "long sums" and host().level1_bytes <= 2**16:
        assert "stretches" in notes, "sums of a row of any length are made in stretches too"


MADE = {kind: net(*KINDS[kind]) for kind in ("steps of two", "rows above and below")}
PEERS = {kind: peer(made) for kind, made in MADE.items()}


@settings(max_examples=12)
@given(
    kind=st.sampled_from(list(MADE)),
    sizes=st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 70)), min_size=3, max_size=6
    ),
)
def test_any_sequence_of_sizes(kind: str, sizes: list[tuple[int, int, int]]) -> None:
    graph = from_onnx(MADE[kind]).optimize().compile("cpu")
    for count, height, width in sizes:
        x = random(count, KINDS[kind][0], height, width)
        check(graph, PEERS[kind], {"x": x})


def test_a_narrower_tile_is_half_as_wide() -> None:
    widths = range(1, 29)
    assert [narrower(w) for w in widths if w < NARROW] == list(range(1, NARROW))
    assert all(w <= 2 * narrower(w) <= w + 1 for w in widths if w >= NARROW)
