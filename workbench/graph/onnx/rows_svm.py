"""Rows of the registry for support vector machines, domain ai.onnx.ml."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.rows_ml import numbers
from workbench.graph.onnx.rows_text import labelled
from workbench.graph.ops import host, scores
from workbench.graph.ops.define import Axes, reduce
from workbench.graph.ops.elementwise import convert, elementwise, power
from workbench.graph.ops.matmul import product
from workbench.graph.ops.shape import reshape
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import TensorType, f32
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.onnx.rows_text import Array
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")


def _kernels(node: Node, b: Builder, x: Tensor, count: int) -> Tensor:
    """The kernel function of each row of `x` and each of `count` support vectors: [n, count]."""
    rows = convert(b, reshape(b, x, (1, *x.extents)) if x.rank == 1 else x, f32)
    flat = numbers(node, "support_vectors", "float32")
    if rows.rank != 2 or count < 1 or flat.size != count * rows.extents[1]:
        raise ModelError(f"{flat.size} numbers of {count} support vectors for {x}")
    vectors = b.constant(flat.reshape(count, -1))
    gamma, offset, degree = (*numbers(node, "kernel_params", "float32").tolist(), 0, 0, 0)[:3]
    kind = node.text("kernel_type", "LINEAR")
    if kind == "RBF":
        return _radial(b, rows, vectors, gamma)
    dots = product(b, "matmul", rows, vectors, (False, True))
    if kind == "LINEAR":
        return dots

    def line(v: Expr) -> Expr:
        return build.add(build.mul(v, gamma), offset)

    if kind == "POLY":
        return elementwise(b, "poly", lambda v: power(line(v), build.const(float(degree))), dots)
    if kind == "SIGMOID":
        return elementwise(b, "sigmoid", lambda v: build.call("tanh", line(v)), dots)
    raise ModelError(f"{kind!r} is no kernel function; LINEAR, POLY, RBF and SIGMOID are")


def _radial(b: Builder, x: Tensor, vectors: Tensor, gamma: float) -> Tensor:
    """exp(-gamma |x - v|²) for each row of `x` and of `vectors`."""
    place = {x: x.variable(), vectors: vectors.variable()}

    def square(i: Axes, r: Axes) -> Expr:
        own, other = build.load(place[x], [i[0], r[0]]), build.load(place[vectors], [i[1], r[0]])
        return build.mul(build.sub(own, other), build.sub(own, other))

    def finish(_: Axes, total: Expr) -> Expr:
        return build.call("exp", build.mul(total, -gamma))

    kind = TensorType(f32, (x.extents[0], vectors.extents[0]))
    extents = [x.extents[1]]
    compute = reduce("rbf", list(place.values()), kind, Reducer.SUM, extents, square, finish)
    return b.emit(compute, list(place))


def _regressor(node: Node, b: Builder, x: Tensor) -> Tensor:
    count, factors = node.number("n_supports", 0), numbers(node, "coefficients", "float32")
    rho = numbers(node, "rho", "float32")
    if count == 0 or factors.size != count or rho.size != 1:
        raise UnsupportedOp(
            f"{factors.size} coefficients and {rho.size} rho for {count} support vectors",
            op=node.op,
        )
    found = _kernels(node, b, x, count)
    total = product(b, "matmul", found, b.constant(factors.reshape(count, 1)))
    total = elementwise(b, "add", build.add, total, b.constant(rho))
    if node.number("one_class", 0):

        def side(v: Expr) -> Expr:
            inside = build.binary(BinaryOp.GT, v, 0.0)
            return build.select(inside, build.const(1.0), build.const(-1.0))

        return elementwise(b, "side", side, total)
    return scores.post_transform(b, total, node.text("post_transform", "NONE"))


def _classifier(node: Node, b: Builder, x: Tensor) -> tuple[Tensor, ...]:
    labels = numbers(node, "classlabels_ints", "int64")
    return labelled(node, b, labels, lambda own: _classes(node, b, x, own))


def _classes(node: Node, b: Builder, x: Tensor, labels: Array) -> tuple[Tensor, Tensor]:
    post = node.text("post_transform", "NONE")
    sizes = node.numbers("vectors_per_class", [])
    if len(sizes) < 2 or len(sizes) != len(labels) or min(sizes) < 0:
        raise UnsupportedOp(
            f"support vectors of {len(sizes)} classes for {len(labels)} labels", op=node.op
        )
    pairs = list(combinations(range(len(sizes)), 2))
    rho = numbers(node, "rho", "float32")
    if rho.size != len(pairs):
        raise ModelError(f"{rho.size} rho for {len(pairs)} pairs of classes")
    found = _kernels(node, b, x, sum(sizes))
    duels = product(b, "matmul", found, b.constant(_duels(node, sizes, pairs)))
    duels = elementwise(b, "add", build.add, duels, b.constant(rho))
    label = scores.label_of(b, _votes(b, duels, len(sizes), pairs), labels)
    if node.attributes.get("prob_a"):
        share = _shares(node, b, duels, len(sizes), pairs)
        return label, scores.post_transform(b, share, post)
    if len(pairs) > 1:
        return label, scores.post_transform(b, duels, post)
    return label, scores.two_classes(b, duels, labels, post, 0.0, share=post != "NONE")[1]


def _duels(node: Node, sizes: list[int], pairs: list[tuple[int, int]]) -> np.ndarray:
    """What each support vector counts in the duel of each pair of classes: [vectors, pairs]."""
    factors, count = numbers(node, "coefficients", "float32"), sum(sizes)
    if factors.size != (len(sizes) - 1) * count:
        raise ModelError(f"{factors.size} coefficients for {count} support vectors")
    factors = factors.reshape(-1, count)
    ends = np.cumsum([0, *sizes])
    found = np.zeros((count, len(pairs)), np.float32)
    for n, (i, j) in enumerate(pairs):
        # a vector of class i has no coefficient against its own class
        own, other = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
        found[own, n], found[other, n] = factors[j - 1, own], factors[i, other]
    return found


def _votes(b: Builder, duels: Tensor, classes: int, pairs: list[tuple[int, int]]) -> Tensor:
    """How many duels each class wins: [n, classes]."""
    first, second = (np.zeros((len(pairs), classes), np.float32) for _ in range(2))
    for n, (i, j) in enumerate(pairs):
        first[n, i], second[n, j] = 1, 1
    won = elementwise(b, "won", lambda v: build.cast(build.binary(BinaryOp.GT, v, 0.0), f32), duels)
    # the second has what the first has not
    total = product(b, "matmul", won, b.constant(first - second))
    return elementwise(b, "add", build.add, total, b.constant(second.sum(axis=0)))


def _shares(
    node: Node, b: Builder, duels: Tensor, classes: int, pairs: list[tuple[int, int]]
) -> Tensor:
    """The share of each class, from how likely it is to win each of its duels."""
    slope, shift = (numbers(node, key, "float32") for key in ("prob_a", "prob_b"))
    if slope.size != len(pairs) or shift.size != len(pairs):
        raise ModelError(f"{slope.size} prob_a and {shift.size} prob_b of {len(pairs)} pairs")

    def wins(v: Expr, s: Expr, t: Expr) -> Expr:
        likely = scores.logistic(build.sub(0.0, build.add(build.mul(v, s), t)))
        low, high = build.const(1e-7), build.const(1 - 1e-7)
        return build.binary(BinaryOp.MIN, build.binary(BinaryOp.MAX, likely, low), high)

    likely = elementwise(b, "wins", wins, duels, b.constant(slope), b.constant(shift))
    function = partial(host.coupled, classes=classes)
    return b.host("coupled", function, [likely], [(f32, (duels.extents[0], classes))])[0]


ROWS = (
    Row("SVMRegressor", 1, _regressor, domain="ai.onnx.ml"),
    Row("SVMClassifier", 1, _classifier, domain="ai.onnx.ml"),
)
