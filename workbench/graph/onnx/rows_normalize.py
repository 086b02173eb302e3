"""Rows of the registry for normalisations; those that ONNX defines by a body have no row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.graph.onnx.node import Node, axis_of
from workbench.graph.onnx.row import Row
from workbench.graph.ops import normalize, reduce
from workbench.graph.ops.define import accumulator
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.shape import reshape
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def _squared(v: Expr) -> Expr:
    return build.mul(v, v)


def batch_norm(
    node: Node, b: Builder, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    """`BatchNormalization` with the statistics given."""
    if not node.number("spatial", 1):
        raise UnsupportedOp("BatchNormalization with spatial=0 is not supported")
    return normalize.batch_norm(b, x, scale, shift, mean, variance, node.real("epsilon", 1e-5))


def _inference(node: Node, b: Builder, x: Tensor, *statistics: Tensor) -> Tensor:
    if len([o for o in node.outputs if o]) > 1:
        raise UnsupportedOp("BatchNormalization for training needs opset 14 or later")
    return batch_norm(node, b, x, *statistics)


def _batch_norm(
    node: Node, b: Builder, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor
) -> Tensor | tuple[Tensor, ...]:
    if not node.number("training_mode", 0):
        return batch_norm(node, b, x, scale, shift, mean, variance)
    dims = [d for d in range(x.rank) if d != 1]
    own = reduce.mean(b, x, dims, keep=True)
    middle = elementwise(b, "sub", build.sub, x, own)
    spread = reduce.mean(b, elementwise(b, "square", _squared, middle), dims, keep=False)
    centre, kept = reshape(b, own, mean.extents), node.real("momentum", 0.9)

    def blend(old: Expr, new: Expr) -> Expr:
        kind = old.type
        parts = build.mul(old, build.const(kept)), build.mul(new, build.const(1 - kept))
        return build.cast(build.add(*parts), kind)  # pyright: ignore[reportArgumentType]

    running = [
        elementwise(b, "running", blend, old, new)
        for old, new in ((mean, centre), (variance, spread))
    ]
    out = batch_norm(node, b, x, scale, shift, centre, spread)
    return (out, *running)


def _instance_norm(node: Node, b: Builder, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + shift, the statistics of each channel."""
    dims = range(2, x.rank)
    if x.rank < 3 or any(t.extents != (x.extents[1],) for t in (scale, shift)):
        raise ModelError(f"InstanceNormalization: {scale} and {shift} do not fit {x}")
    epsilon = build.const(node.real("epsilon", 1e-5), x.dtype)
    middle = elementwise(b, "sub", build.sub, x, reduce.mean(b, x, dims, keep=True))
    spread = reduce.mean(b, elementwise(b, "square", _squared, middle), dims, keep=True)
    shape = (x.extents[1], *[1] * len(dims))

    def normal(v: Expr, s: Expr, w: Expr, c: Expr) -> Expr:
        root = build.call("sqrt", build.add(s, epsilon))
        return build.add(build.mul(build.binary(BinaryOp.DIV, v, root), w), c)

    scales = reshape(b, scale, shape), reshape(b, shift, shape)
    return elementwise(b, "instance_norm", normal, middle, spread, *scales)


def _lrn(node: Node, b: Builder, x: Tensor) -> Tensor:
    return normalize.local_response_norm(
        b,
        x,
        node.number("size"),
        node.real("alpha", 1e-4),
        node.real("beta", 0.75),
        node.real("bias", 1.0),
    )


def _lp_norm(node: Node, b: Builder, x: Tensor) -> Tensor:
    """`x` over its norm along an axis; where that is 0, 0."""
    p, dim = node.number("p", 2), axis_of(node.number("axis", -1), x.rank)
    if p not in (1, 2):
        raise ModelError(f"LpNormalization: p is {p}, not 1 or 2")
    wide = accumulator(x.dtype)
    parts = elementwise(b, "cast", lambda v: build.cast(v, wide), x)
    before = _squared if p == 2 else lambda v: build.call("abs", v)
    size = reduce.reduction(b, "reduce_norm", parts, [dim], True, Reducer.SUM, before)

    def divide(v: Expr, s: Expr) -> Expr:
        norm = build.call("sqrt", s) if p == 2 else s
        part = build.binary(BinaryOp.DIV, build.cast(v, wide), norm)
        return build.cast(build.select(build.binary(BinaryOp.EQ, norm, 0), 0, part), x.dtype)

    return elementwise(b, "lp_norm", divide, x, size)


ROWS = (
    Row("BatchNormalization", 7, _inference, last=13),
    Row("BatchNormalization", 14, _batch_norm),
    Row("InstanceNormalization", 1, _instance_norm),
    Row("LRN", 1, _lrn),
    Row("LpNormalization", 1, _lp_norm),
)
