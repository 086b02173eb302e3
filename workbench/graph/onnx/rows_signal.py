"""Rows of the registry for signals: Fourier transforms and what goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.ops.fourier import Transform, frames, transform
from workbench.graph.ops.shape import reshape

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")


def _dft_by_attribute(node: Node, b: Builder, x: Tensor, length: Tensor | None = None) -> Tensor:
    return _dft(node, b, x, length, node.number("axis", 1))


def _dft_by_input(
    node: Node, b: Builder, x: Tensor, length: Tensor | None = None, axis: Tensor | None = None
) -> Tensor:
    given = node.ints(b, axis, "axis")
    return _dft(node, b, x, length, given[0] if given else -2)


def _dft(node: Node, b: Builder, x: Tensor, length: Tensor | None, axis: int) -> Tensor:
    dim, parts = axis_of(axis, x.rank), x.extents[-1]
    if x.rank < 2 or parts not in (1, 2) or dim == x.rank - 1 or not x.dtype.is_float:
        raise ModelError(f"DFT: {x} holds no numbers of 1 or 2 parts along axis {axis}")
    inverse, half = bool(node.number("inverse", 0)), bool(node.number("onesided", 0))
    if half and not inverse and parts == 2:
        raise ModelError("DFT: only frequencies of a real signal are onesided")
    given = node.ints(b, length, "dft_length")
    natural = 2 * (x.extents[dim] - 1) if inverse and half else x.extents[dim]
    size = given[0] if given else natural
    if size < 1:
        raise ModelError(f"DFT: a signal of {size} elements has no frequencies")
    return transform(b, x, dim, Transform(size, inverse, half))


def _stft(
    node: Node,
    b: Builder,
    x: Tensor,
    step: Tensor,
    window: Tensor | None = None,
    length: Tensor | None = None,
) -> Tensor:
    signal = reshape(b, x, (*x.extents, 1)) if x.rank == 2 else x
    if signal.rank != 3 or signal.extents[2] not in (1, 2):
        raise ModelError(f"STFT: {x} holds no signals of 1 or 2 parts")
    (hop, *_) = node.ints(b, step, "frame_step") or [0]
    given = node.ints(b, length, "frame_length")
    if window is None and given is None:
        raise ModelError("STFT needs a window or a frame_length")
    size = given[0] if given else window.size if window is not None else 0
    if hop < 1 or not 1 <= size <= signal.extents[1]:
        raise ModelError(f"STFT: frames of {size}, {hop} apart, do not fit {x}")
    if window is not None and window.extents != (size,):
        raise ModelError(f"STFT: the window {window} does not fit frames of {size}")
    half = bool(node.number("onesided", 1))
    if half and signal.extents[2] == 2:
        raise ModelError("STFT: only frequencies of a real signal are onesided")
    pieces = frames(b, signal, size, hop, window)
    return transform(b, pieces, 2, Transform(size, False, half))


def _mel(
    node: Node, b: Builder, bins: Tensor, length: Tensor, rate: Tensor, low: Tensor, high: Tensor
) -> Tensor:
    """Weights [frequencies, bins] of triangles that stand evenly on the mel scale."""
    (count, *_), (size, *_), (sampling, *_) = (
        node.ints(b, t, "an input") or [0] for t in (bins, length, rate)
    )
    ends = [node.known(b, t, "an input") for t in (low, high)]
    if min(count, size, sampling) < 1:
        raise ModelError(f"MelWeightMatrix: {count} bins of {size} at {sampling} Hz")
    mel = [2595 * np.log10(1 + float(e.reshape(())) / 700) for e in ends if e is not None]
    places = mel[0] + np.arange(count + 2) * (mel[1] - mel[0]) / (count + 2)
    hertz = 700 * (10 ** (places / 2595) - 1)
    edges = np.floor((size + 1) * hertz / sampling).astype(np.int64)
    if edges.min() < 0 or edges.max() > size // 2:
        raise ModelError(f"MelWeightMatrix: frequencies beyond half of {sampling} Hz")
    first, top, last = edges[None, :-2], edges[None, 1:-1], edges[None, 2:]
    at = np.arange(size // 2 + 1)[:, None]
    rise = np.where(first == top, at == top, (at - first) / np.maximum(top - first, 1))
    fall = (last - at) / np.maximum(last - top, 1)
    # the top belongs to the falling side where there is one
    weights = np.where(
        (at >= top) & (at < last), fall, np.where((at >= first) & (at <= top), rise, 0)
    )
    kind = dtype_of_elem(node.number("output_datatype", 1), node)
    return b.constant(weights.astype(kind.numpy_name))


ROWS = (
    Row("DFT", 17, _dft_by_attribute, last=19),
    Row("DFT", 20, _dft_by_input),
    Row("STFT", 17, _stft),
    Row("MelWeightMatrix", 17, _mel),
)
