"""Normalisations by known statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.shape import reshape
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import f64

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def batch_norm(
    b: Builder, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor,
    epsilon: float,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + shift, per channel (dimension 1).

    Written as x * factor + offset: both are constants when the statistics are.
    """
    if x.rank < 2 or any(t.extents != (x.extents[1],) for t in (scale, shift, mean, variance)):
        raise ModelError(f"batch_norm: the statistics do not fit the channels of {x}")

    def factor(s: Expr, v: Expr) -> Expr:
        root = build.call("sqrt", build.add(build.cast(v, f64), build.const(epsilon, f64)))
        return build.binary(BinaryOp.DIV, build.cast(s, f64), root)

    # in f64, so that folding the statistics loses nothing against computing element by element
    wide = elementwise(b, "batch_norm_factor", factor, scale, variance)
    offset = elementwise(
        b, "batch_norm_offset",
        lambda c, m, f: build.cast(build.sub(build.cast(c, f64), build.mul(m, f)), x.dtype),
        shift, mean, wide,
    )
    narrow = elementwise(b, "cast", lambda f: build.cast(f, x.dtype), wide)
    shape = (x.extents[1], *[1] * (x.rank - 2))
    return elementwise(
        b, "batch_norm", lambda v, f, c: build.add(build.mul(v, f), c),
        x, reshape(b, narrow, shape), reshape(b, offset, shape),
    )
