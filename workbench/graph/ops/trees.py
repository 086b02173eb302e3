"""Ensembles of decision trees, walked down level by level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.ops.define import Axes, grid, reduce
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import TensorType, i32
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

TESTS = (
    BinaryOp.LE,
    BinaryOp.LT,
    BinaryOp.GE,
    BinaryOp.GT,
    BinaryOp.EQ,
    BinaryOp.NE,
)
"""What a node asks of a feature and its number, by `Trees.test`."""


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Trees in one list of nodes, the leaves first.

    Attributes
    ----------
    feature, test : int[nodes]
        Which feature a node looks at, and how; place in `TESTS`. Those of leaves mean nothing.
    number : float[nodes]
        What the feature is compared with.
    lost : bool[nodes]
        Whether a feature that is not a number passes the test.
    children : int[nodes, 2]
        Where to go on if the test fails, and if it passes; a leaf is its own child.
    roots : int[trees]
        Where each tree starts.
    weights : float[leaves, targets]
        What each leaf gives.
    """

    feature: Array
    test: Array
    number: Array
    lost: Array
    children: Array
    roots: Array
    weights: Array

    def depth(self) -> int:
        """Steps from a root to the leaf farthest from it.

        Raises
        ------
        ModelError
            When nodes form a circle, or cannot be reached.
        """
        here, steps, leaves = np.unique(self.roots), 0, len(self.weights)
        reached = np.zeros(len(self.feature), bool)
        reached[here] = True
        while (inner := here[here >= leaves]).size:
            here, steps = np.unique(self.children[inner]), steps + 1
            reached[here] = True
            if steps > len(self.feature):
                raise ModelError("the nodes of a tree form a circle")
        if not reached.all():
            raise ModelError(f"{np.count_nonzero(~reached)} nodes are in no tree, or in a circle")
        return steps


def leaves(b: Builder, trees: Trees, x: Tensor) -> Tensor:
    """The leaf of each tree that each row of `x` [n, features] falls into: i32[n, trees].

    One operator per level, each one-to-one in the one before it, so that several of them are
    written one after the other in one kernel.
    """
    at: Tensor | None = None
    shape = (x.extents[0], len(trees.roots))
    for _ in range(trees.depth()):
        at = _level(b, trees, x, at, shape)
    if at is None:
        roots = b.constant(trees.roots.astype(np.int32))
        var = roots.variable()
        compute = grid("root", [var], TensorType(i32, shape), lambda i: build.load(var, [i[1]]))
        return b.emit(compute, [roots])
    return at


def _level(
    b: Builder, trees: Trees, x: Tensor, at: Tensor | None, shape: tuple[int, int]
) -> Tensor:
    """Where each row of `x` stands in each tree after one more step."""
    start = b.constant(trees.roots.astype(np.int32)) if at is None else at
    inner = slice(len(trees.weights), None)
    kinds = np.unique(trees.test[inner]).tolist()
    tables = {
        "at": start,
        "feature": b.constant(trees.feature.astype(np.int32)),
        "number": b.constant(trees.number),
        "children": b.constant(trees.children.astype(np.int32)),
    }
    if len(kinds) > 1:
        tables["test"] = b.constant(trees.test.astype(np.int32))
    if trees.lost[inner].any():
        tables["lost"] = b.constant(trees.lost)
    place = {x: x.variable(), **{t: t.variable() for t in tables.values()}}

    def read(table: str, *index: Expr) -> Expr:
        return build.load(place[tables[table]], index)

    def value(i: Axes) -> Expr:
        node = read("at", *(i if at else i[1:]))
        own, number = build.load(place[x], [i[0], read("feature", node)]), read("number", node)
        passed = build.binary(TESTS[kinds[0]], own, number)
        for kind in kinds[1:]:
            this = build.binary(BinaryOp.EQ, read("test", node), kind)
            passed = build.select(this, build.binary(TESTS[kind], own, number), passed)
        if "lost" in tables:
            lost = build.all_of(build.call("isnan", own), read("lost", node))
            passed = build.binary(BinaryOp.OR, passed, lost)
        return read("children", node, build.cast(passed, i32))

    inverse = {place[at]: lambda e: e} if at else None
    compute = grid("tree_level", list(place.values()), TensorType(i32, shape), value, inverse)
    return b.emit(compute, list(place))


AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")


def scores(b: Builder, trees: Trees, x: Tensor, aggregate: str) -> Tensor:
    """What the leaves of all trees give together: float[n, targets].

    Parameters
    ----------
    aggregate : str
        One of `AGGREGATES`. For MIN and MAX, weights that are not there are infinite, and a
        target that no leaf speaks of gets 0.
    """
    at, weights = leaves(b, trees, x), b.constant(trees.weights)
    targets, count = trees.weights.shape[1], len(trees.roots)
    place = {at: at.variable(), weights: weights.variable()}
    reducer = {"MIN": Reducer.MIN, "MAX": Reducer.MAX}.get(aggregate, Reducer.SUM)

    def value(i: Axes, r: Axes) -> Expr:
        return build.load(place[weights], [build.load(place[at], [i[0], r[0]]), i[1]])

    def finish(_: Axes, total: Expr) -> Expr:
        if aggregate == "AVERAGE":
            return build.binary(BinaryOp.DIV, total, float(count))
        if aggregate == "SUM":
            return total
        return build.select(build.call("isinf", total), build.cast(0, weights.dtype), total)

    kind = TensorType(weights.dtype, (x.extents[0], targets))
    compute = reduce("tree_sum", list(place.values()), kind, reducer, [count], value, finish)
    return b.emit(compute, list(place))
