"""Scores of classes as classical machine learning has them: transformed, and as labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.ops.define import Axes, grid
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.reduce import arg, reduction, softmax
from workbench.graph.ops.shape import gather, reshape
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import DType, TensorType, i64
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

POST = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")


def post_transform(b: Builder, scores: Tensor, name: str) -> Tensor:
    """Scores [n, k] as the user of a model wants them.

    Parameters
    ----------
    name : str
        One of `POST`.

    Raises
    ------
    ModelError
        For any other.
    """
    match name:
        case "NONE":
            return scores
        case "LOGISTIC":
            return elementwise(b, "logistic", logistic, scores)
        case "PROBIT":
            return elementwise(b, "probit", _probit, scores)
        case "SOFTMAX":
            return softmax(b, scores, [1])
        case "SOFTMAX_ZERO":
            return _softmax_zero(b, scores)
        case _:
            raise ModelError(f"{name!r} is no way to transform scores")


def logistic(v: Expr) -> Expr:
    """1 / (1 + exp(-v))."""
    return build.binary(BinaryOp.DIV, 1.0, build.add(build.call("exp", build.sub(0.0, v)), 1.0))


def _softmax_zero(b: Builder, scores: Tensor) -> Tensor:
    """Softmax that leaves out zeros."""
    top = reduction(b, "reduce_max", scores, [1], True, Reducer.MAX)

    def power(v: Expr, t: Expr) -> Expr:
        # as onnxruntime has it: what is next to nothing stays next to nothing
        tiny = build.binary(BinaryOp.LE, build.call("abs", v), 1e-7)
        scaled = build.mul(v, build.call("exp", build.sub(0.0, t)))
        return build.select(tiny, scaled, build.call("exp", build.sub(v, t)))

    powers = elementwise(b, "exp", power, scores, top)
    total = reduction(b, "reduce_sum", powers, [1], True, Reducer.SUM)
    return elementwise(
        b, "softmax_zero", lambda v, s: build.binary(BinaryOp.DIV, v, s), powers, total
    )


_WINITZKI = 0.147
"""Constant of the approximation of the inverse error function that onnxruntime uses.

Source: S. Winitzki, "A handy approximation for the error function and its inverse", 2008.
"""


def _probit(v: Expr) -> Expr:
    """sqrt(2) times the inverse error function of 2 v - 1."""
    kind = v.type
    assert isinstance(kind, DType)
    x = build.sub(build.mul(v, 2.0), 1.0)
    log = build.call("log", build.mul(build.sub(1.0, x), build.add(x, 1.0)))
    half = build.add(build.mul(log, 0.5), 2 / (math.pi * _WINITZKI))
    inner = build.sub(build.mul(half, half), build.mul(log, 1 / _WINITZKI))
    root = build.call("sqrt", build.sub(build.call("sqrt", inner), half))
    signed = build.select(build.less(x, 0.0), build.sub(0.0, root), root)
    return build.mul(signed, build.const(math.sqrt(2), kind))


def label_of(b: Builder, scores: Tensor, labels: Array, absent: Array | None = None) -> Tensor:
    """The label of the greatest score in each row of `scores` [n, k]: i64[n].

    Parameters
    ----------
    absent : int array, optional
        Places of classes that nothing speaks of, which never win.
    """
    if absent is not None and 0 < absent.size < scores.extents[1]:
        low = np.zeros(scores.extents[1], scores.dtype.numpy_name)
        low[absent] = -np.inf
        scores = elementwise(b, "mask", build.add, scores, b.constant(low))
    best = arg(b, scores, 1, False, Reducer.ARGMAX, last=False)
    return gather(b, b.constant(labels), best, 0)


def two_classes(
    b: Builder, score: Tensor, labels: Array, post: str, limit: float, share: bool
) -> tuple[Tensor, Tensor]:
    """Label i64[n] and both scores [n, 2] of a model that scores the second of two classes only.

    Parameters
    ----------
    score : Tensor
        [n, 1].
    limit : float
        The second class is that of scores above it.
    share : bool
        Whether the other class has what is left of 1, else the negative score.

    Raises
    ------
    ModelError
        For a transformation that one score does not have.
    """
    if post not in POST or post == "PROBIT":
        raise ModelError(f"{post} of one score for two classes is not possible")

    def label(v: Expr) -> Expr:
        first, second = (build.const(int(n), i64) for n in labels)
        return build.select(build.binary(BinaryOp.GT, v, limit), second, first)

    def value(i: Axes) -> Expr:
        own = build.load(var, [i[0], 0])
        other = build.sub(0.0, own)
        if post == "LOGISTIC":
            own, other = logistic(own), logistic(other)
        elif share:
            other = build.sub(1.0, own)
        return build.select(build.binary(BinaryOp.EQ, i[1], 0), other, own)

    n, var = score.extents[0], score.variable()
    kind = TensorType(score.dtype, (n, 2))
    both = b.emit(grid("both_scores", [var], kind, value), [score])
    return elementwise(b, "label", label, reshape(b, score, (n,))), both
