"""Rows of the registry for operators whose outputs have shapes that depend on data."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.ops import host
from workbench.graph.ops.shape import gather, reshape

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")


def _nonzero(node: Node, b: Builder, x: Tensor) -> tuple[Tensor, ...]:
    del node
    return b.data(host.nonzero, [x])


def _compress(node: Node, b: Builder, x: Tensor, keep: Tensor) -> Tensor | tuple[Tensor, ...]:
    axis = axis_of(node.number("axis"), x.rank) if node.has("axis") else None
    extent = x.size if axis is None else x.extents[axis]
    if keep.rank != 1 or keep.size > extent:
        raise ModelError(f"{keep} does not say which of {extent} elements of {x} to keep")
    known = b.value(keep)
    if known is None:
        return b.data(partial(host.compress, axis=axis), [x, keep])
    flat = reshape(b, x, (x.size,)) if axis is None else x
    return gather(b, flat, b.constant(np.flatnonzero(known).astype(np.int64)), axis or 0)


def _unique(node: Node, b: Builder, x: Tensor) -> tuple[Tensor, ...]:
    axis = axis_of(node.number("axis"), x.rank) if node.has("axis") else None
    return b.data(partial(host.unique, axis=axis, ordered=bool(node.number("sorted", 1))), [x])


def _non_max_suppression(
    node: Node,
    b: Builder,
    boxes: Tensor,
    scores: Tensor,
    most: Tensor | None = None,
    overlap: Tensor | None = None,
    least: Tensor | None = None,
) -> tuple[Tensor, ...]:
    fits = boxes.rank == scores.rank == 3 and boxes.extents[2] == 4
    if not fits or (boxes.extents[0], boxes.extents[1]) != (scores.extents[0], scores.extents[2]):
        raise ModelError(f"{boxes} and {scores} are not boxes and their scores")
    limits = [
        node.known(b, t, what)
        for t, what in (
            (most, "max_output_boxes_per_class"),
            (overlap, "iou_threshold"),
            (least, "score_threshold"),
        )
    ]
    if any(v is not None and v.size > 1 for v in limits):
        raise ModelError("each limit of a NonMaxSuppression is one number")
    numbers = [None if v is None or not v.size else v.reshape(()).item() for v in limits]
    function = partial(
        host.non_max_suppression,
        most=numbers[0] or 0,
        overlap=float(numbers[1] or 0.0),
        least=None if numbers[2] is None else float(numbers[2]),
        center=bool(node.number("center_point_box", 0)),
    )
    return b.data(function, [boxes, scores])


ROWS = (
    Row("NonZero", 9, _nonzero),
    Row("Compress", 9, _compress),
    Row("Unique", 11, _unique),
    Row("NonMaxSuppression", 10, _non_max_suppression),
)
