"""Windows over blocked channels against numpy in float64, on the interpreter and the CPU."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.base.errors import ScheduleError
from workbench.driver.build import compile_module
from workbench.graph.build import Builder
from workbench.graph.layout import Packing, blocked
from workbench.graph.ops import conv
from workbench.graph.ops.conv import Window
from workbench.graph.tensor import Tensor
from workbench.ir.types import f32
from workbench.runtime import jit
from workbench.schedules import window_cpu, window_tiles
from workbench.schedules.compute import Compute
from workbench.schedules.window import Sliding
from workbench.schedules.window_cpu import WindowCpu, fitted, space


def unblocked(out: np.ndarray, channels: int) -> np.ndarray:
    """[n, c / b, …, b] → [n, c, …]."""
    whole = np.moveaxis(out, -1, 2)
    return whole.reshape(out.shape[0], -1, *out.shape[2:-1])[:, :channels]


def windows(x: np.ndarray, window: Window, fill: float) -> np.ndarray:
    """[n, c, *outputs, *kernel] in float64: what each place of the window sees."""
    pads = [(0, 0), (0, 0), *zip(window.before, window.after, strict=True)]
    wide = np.pad(x.astype(np.float64), pads, constant_values=fill)
    dims = tuple(range(2, x.ndim))
    reach = [d * (k - 1) + 1 for d, k in zip(window.dilation, window.kernel, strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(wide, reach, dims)
    steps = [slice(None, None, s) for s in window.stride]
    inner = [slice(None, None, d) for d in window.dilation]
    return views[(slice(None), slice(None), *steps, *inner)]


def convolved(x: np.ndarray, w: np.ndarray, window: Window, group: int) -> np.ndarray:
    seen = windows(x, window, 0.0)
    n, c, rank = x.shape[0], x.shape[1], x.ndim - 2
    outs, taps = seen.shape[2 : 2 + rank], seen.shape[2 + rank :]
    parts = seen.reshape(n, group, c // group, *outs, *taps)
    weights = w.astype(np.float64).reshape(group, -1, c // group, *taps)
    spatial, inner = "hwd"[:rank], "xyz"[:rank]
    formula = f"ngc{spatial}{inner},gkc{inner}->ngk{spatial}"
    return np.einsum(formula, parts, weights).reshape(n, -1, *outs)


def run(
    compute: Compute, knobs: WindowCpu, arrays: list[np.ndarray], *, interp: bool = True
) -> np.ndarray:
    module = knobs.build(compute)
    kind = compute.output.tensor
    out = np.full(kind.extents, 77, "float32")
    compile_module(module, "cpu")(*arrays, out)
    if interp:
        # raises at the first access that is out of bounds, racing or uninitialised
        checked = np.full_like(out, 78)
        compile_module(module, "interp")(*arrays, checked)
        np.testing.assert_allclose(out, checked, rtol=1e-4, atol=1e-4)
    return out


def check_conv(
    x: np.ndarray,
    w: np.ndarray,
    window: Window,
    group: int,
    lanes: int,
    knobs: WindowCpu | None = None,
) -> None:
    b = Builder()
    source, weights = Tensor("x", f32, x.shape), Tensor("w", f32, w.shape)
    conv.conv(b, source, weights, window, group)
    compute = b.operators[-1].definition
    own = [compute.inputs[0]] if x.shape[1] >= lanes or group > 1 else []
    found = blocked(compute, frozenset(own), frozenset([compute.inputs[1]]), lanes)
    assert found is not None
    chosen = knobs or fitted(found.compute, lanes)
    assert chosen is not None
    xs = Packing((1,), lanes).apply(x) if own else x
    out = run(found.compute, chosen, [xs, found.packings[compute.inputs[1]].apply(w)])
    want = convolved(x, w, window, group)
    np.testing.assert_allclose(unblocked(out, w.shape[0]), want, rtol=1e-4, atol=1e-4)


def in_blocks(
    x: np.ndarray, w: np.ndarray, window: Window, lanes: int
) -> tuple[Compute, list[np.ndarray]]:
    """A convolution of blocked channels, and what it reads."""
    b = Builder()
    conv.conv(b, Tensor("x", f32, x.shape), Tensor("w", f32, w.shape), window, 1)
    compute = b.operators[-1].definition
    found = blocked(compute, frozenset([compute.inputs[0]]), frozenset([compute.inputs[1]]), lanes)
    assert found is not None
    arrays = [Packing((1,), lanes).apply(x), found.packings[compute.inputs[1]].apply(w)]
    return found.compute, arrays


def stretched(compute: Compute, turns: int) -> list[WindowCpu]:
    """A candidate of each kind, with sums that are made in stretches of so many turns."""
    kinds = {(c.flat, c.rows > 1): c for c in space(compute)}
    return [replace(c, turns=turns) for c in kinds.values()]


@pytest.mark.parametrize("turns", [1, 2])
@pytest.mark.parametrize("size", [(5, 9), (3, 3), (4, 2), (7,), (3, 2, 4)])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("chunks", [2, 16])
def test_sums_in_stretches(
    kernel: int, size: tuple[int, ...], turns: int, chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # so many blocks for the rows: several of them, and a last one with fewer
    monkeypatch.setattr(window_cpu, "BLOCKS", chunks)
    monkeypatch.setattr(window_cpu, "CHUNKS", 1)
    rng = np.random.default_rng(8)
    x = rng.standard_normal((1, 10, *size)).astype("float32")
    taps, ones = (kernel,) * len(size), (1,) * len(size)
    w = rng.standard_normal((8, 10, *taps)).astype("float32")
    window = Window(taps, ones, ones, *2 * [(kernel // 2,) * len(size)])
    compute, arrays = in_blocks(x, w, window, 4)
    want = convolved(x, w, window, 1)
    for knobs in stretched(compute, turns):
        notes = knobs.build(compute).kernel.notes
        assert any(f"sums in {-(-3 // turns)} stretches" in note for note in notes), notes
        out = run(compute, knobs, arrays)
        np.testing.assert_allclose(unblocked(out, 8), want, rtol=1e-4, atol=1e-4)


def test_which_sums_are_made_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    def turns(channels: int, size: int, kernel: int, level1: int = 48 * 1024) -> int:
        flat = kernel == 1
        host = replace(jit.host(), level1_bytes=level1)
        monkeypatch.setattr(window_tiles, "host", lambda: host)
        b, pad = Builder(), (kernel // 2, kernel // 2)
        x = Tensor("x", f32, (1, channels, size, size))
        w = Tensor("w", f32, (channels, channels, kernel, kernel))
        window = Window((kernel, kernel), (1, 1), (1, 1), pad, pad)
        conv.conv(b, x, w, window, 1)
        compute = b.operators[-1].definition
        own, weights = frozenset([compute.inputs[0]]), frozenset([compute.inputs[1]])
        found = blocked(compute, own, weights, 16)
        assert found is not None
        sliding = Sliding.of(found.compute, flat)
        assert sliding is not None
        return window_tiles.stretch(sliding, 2)

    # 18 KiB of weights for 16 channels, and three rows of the input that are read again
    assert turns(512, 28, 3) == 1
    assert turns(128, 112, 3) == 1
    assert turns(64, 224, 3) == 0
    assert turns(512, 28, 3, 16 * 1024) == 0
    # 2 KiB for 16 channels: 16 times that are two thirds of the cache
    assert (turns(256, 28, 1), turns(512, 28, 1), turns(2048, 7, 1)) == (0, 16, 16)
    # a plane whose sums are too many to stay in the second cache
    assert turns(512, 56, 1) == 0


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[int, ...], int, Window, bool, int]:
    rank = draw(st.integers(1, 2))
    few = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(rank))  # noqa: E731
    kernel, dilation, before, after = few(1, 3), few(1, 2), few(0, 2), few(0, 2)
    window = Window(kernel, few(1, 2), dilation, before, after)
    spatial = tuple(draw(st.integers(5, 12)) for _ in range(rank))
    channels, maps = draw(st.integers(1, 11)), draw(st.integers(1, 11))
    depthwise = draw(st.booleans())
    shape = (draw(st.integers(1, 2)), channels, *spatial)
    return shape, maps, window, depthwise, draw(st.sampled_from([4, 8]))


@given(cases())
@settings(max_examples=25)
def test_convolution(case: tuple[tuple[int, ...], int, Window, bool, int]) -> None:
    shape, maps, window, depthwise, lanes = case
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape).astype("float32")
    group = shape[1] if depthwise and shape[1] > 1 else 1
    maps = shape[1] if group > 1 else maps
    w = rng.standard_normal((maps, shape[1] // group, *window.kernel)).astype("float32")
    if group == 1 and shape[1] == 1:
        # a single channel stands at index 0, which no block is needed for
        return
    check_conv(x, w, window, group, lanes)


@pytest.mark.parametrize("lanes", [8, 16])
def test_groups_of_whole_blocks(lanes: int) -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((1, 4 * lanes, 5, 6)).astype("float32")
    w = rng.standard_normal((4 * lanes, 2 * lanes, 3, 3)).astype("float32")
    check_conv(x, w, Window((3, 3), (1, 1), (1, 1), (1, 1), (1, 1)), 2, lanes)


def test_every_candidate_gives_the_same() -> None:
    rng = np.random.default_rng(6)
    x = rng.standard_normal((1, 8, 5, 9)).astype("float32")
    w = rng.standard_normal((8, 8, 1, 1)).astype("float32")
    window = Window((1, 1), (1, 1), (1, 1), (0, 0), (0, 0))
    compute, arrays = in_blocks(x, w, window, 4)
    candidates = space(compute)
    assert any(c.flat for c in candidates)
    assert not all(c.flat for c in candidates)
    want = convolved(x, w, window, 1)
    for knobs in candidates[:: max(1, len(candidates) // 8)]:
        out = run(compute, knobs, arrays, interp=False)
        np.testing.assert_allclose(unblocked(out, 8), want, rtol=1e-4, atol=1e-4)


SEVERAL_ROWS = {
    "3 x 3": ((7, 7), Window((3, 3), (1, 1), (1, 1), (1, 1), (1, 1))),
    "steps of 2": ((13, 6), Window((3, 3), (2, 2), (1, 1), (1, 1), (1, 1))),
    "padding for two rows": ((6, 5), Window((5, 5), (1, 1), (1, 1), (2, 2), (2, 2))),
    "dilated": ((8, 4), Window((3, 3), (1, 1), (2, 2), (2, 2), (2, 2))),
    "more before than after": ((7, 3), Window((3, 2), (1, 1), (1, 1), (2, 1), (0, 0))),
    "one by one, steps of 2": ((9, 7), Window((1, 1), (2, 2), (1, 1), (0, 0), (0, 0))),
}


@pytest.mark.parametrize("name", SEVERAL_ROWS)
def test_tiles_of_several_rows(name: str) -> None:
    spatial, window = SEVERAL_ROWS[name]
    rng = np.random.default_rng(9)
    x = rng.standard_normal((2, 72, *spatial)).astype("float32")
    w = rng.standard_normal((16, 72, *window.kernel)).astype("float32")
    compute, arrays = in_blocks(x, w, window, 8)
    want = convolved(x, w, window, 1)
    candidates = [c for c in space(compute) if c.rows > 1]
    assert candidates
    for knobs in candidates:
        out = run(compute, knobs, arrays, interp=False)
        np.testing.assert_allclose(unblocked(out, 16), want, rtol=1e-4, atol=1e-3)


def test_rows_of_a_window_that_reaches_far_stay_apart() -> None:
    window = Window((9, 3), (1, 1), (1, 1), (4, 1), (4, 1))
    b = Builder()
    conv.conv(b, Tensor("x", f32, (1, 8, 9, 3)), Tensor("w", f32, (8, 8, 9, 3)), window, 1)
    compute = b.operators[-1].definition
    found = blocked(compute, frozenset([compute.inputs[0]]), frozenset([compute.inputs[1]]), 8)
    assert found is not None
    # the window is cut off at the second row, and at the second to last
    assert 2 not in {c.rows for c in space(found.compute)}


@pytest.mark.parametrize("padded", [False, True])
def test_pooling(padded: bool) -> None:
    rng = np.random.default_rng(8)
    x = rng.standard_normal((1, 12, 9, 11)).astype("float32")
    edge = (1, 1) if padded else (0, 0)
    window = Window((3, 3), (2, 2), (1, 1), edge, edge)
    for make, fill, how in (
        (lambda b, t: conv.max_pool(b, t, window), -np.inf, np.max),
        (lambda b, t: conv.average_pool(b, t, window, True), 0.0, np.mean),
    ):
        b = Builder()
        make(b, Tensor("x", f32, x.shape))
        compute = b.operators[-1].definition
        found = blocked(compute, frozenset(compute.inputs), frozenset(), 8)
        assert found is not None
        knobs = fitted(found.compute, 8)
        assert knobs is not None
        out = run(found.compute, knobs, [Packing((1,), 8).apply(x)])
        want = how(windows(x, window, fill), axis=(-1, -2))
        np.testing.assert_allclose(unblocked(out, 12), want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 8, 19, 1), (2, 12, 1, 1), (1, 8, 1, 13)])
def test_columns_are_where_there_are_several(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(9)
    x = rng.standard_normal(shape).astype("float32")
    w = rng.standard_normal((16, shape[1], 3, 3)).astype("float32")
    check_conv(x, w, Window((3, 3), (1, 1), (1, 1), (1, 1), (1, 1)), 1, 8)


def test_what_is_no_window_is_refused() -> None:
    b = Builder()
    x, w = Tensor("x", f32, (1, 4, 6, 6)), Tensor("w", f32, (4, 4, 3, 3))
    conv.conv(b, x, w, Window((3, 3), (1, 1), (1, 1), (0, 0), (0, 0)), 1)
    plain = b.operators[-1].definition
    assert fitted(plain, 4) is None
    with pytest.raises(ScheduleError, match="conv is no window over blocked channels"):
        WindowCpu((4, 1)).build(plain)
