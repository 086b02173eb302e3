"""Rows of the registry for ensembles of decision trees, domain ai.onnx.ml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.rows_text import labelled
from workbench.graph.onnx.types import array_of
from workbench.graph.ops import scores, trees
from workbench.graph.ops.elementwise import convert, elementwise
from workbench.graph.ops.shape import reshape, take
from workbench.graph.ops.trees import Trees
from workbench.ir import build
from workbench.ir.types import f32

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

_MODES = {"LEQ": 0, "LT": 1, "GTE": 2, "GT": 3, "EQ": 4, "NEQ": 5}
_MEMBER = 6


def _listed(node: Node, key: str, kind: str, count: int | None = None) -> Array:
    """A list of numbers, or the tensor that stands for it; `count` of them."""
    if node.has(f"{key}_as_tensor"):
        found = array_of(node.tensor(f"{key}_as_tensor"), None).reshape(-1)
    else:
        try:
            found = np.asarray(node.attributes.get(key, [0] * (count or 0)), kind)
        except (ValueError, TypeError, OverflowError):
            raise ModelError(f"the attribute {key} is no list of numbers") from None
    if found.ndim != 1 or (count is not None and len(found) != count):
        raise ModelError(f"{key} holds {found.size} numbers, not {count}")
    return found


def _places(keys: list[tuple[int, int]], tree: Array, own: Array, what: str) -> Array:
    """Places among the nodes of (tree, node) pairs."""
    table = {key: n for n, key in enumerate(keys)}
    pairs = list(zip(tree.tolist(), own.tolist(), strict=True))
    missing = [p for p in pairs if p not in table]
    if missing:
        raise ModelError(f"{what} names node {missing[0][1]} of tree {missing[0][0]}: no such node")
    return np.asarray([table[p] for p in pairs], np.int64)


def _old(node: Node, what: str, targets: int) -> Trees:
    """The trees of a TreeEnsembleRegressor (`what` target) or Classifier (class)."""
    tree = _listed(node, "nodes_treeids", "int64")
    count = len(tree)
    own = _listed(node, "nodes_nodeids", "int64", count)
    keys = list(zip(tree.tolist(), own.tolist(), strict=True))
    modes = [_text(m) for m in node.attributes.get("nodes_modes", [])]
    if not count or len(modes) != count or len(set(keys)) != count:
        raise ModelError(f"{count} nodes with {len(modes)} modes are no trees")
    short = [m.removeprefix("BRANCH_") for m in modes]
    test = np.array([0 if m == "LEAF" else _MODES.get(m, -1) for m in short])
    if (test < 0).any():
        raise ModelError(f"{modes[int(np.argmin(test))]!r} is no mode of a node")
    leaf = np.array([m == "LEAF" for m in modes])
    children, roots = _children(node, keys, tree, np.flatnonzero(~leaf))
    found = Trees(
        _listed(node, "nodes_featureids", "int64", count),
        test,
        _listed(node, "nodes_values", "float32", count),
        _listed(node, "nodes_missing_value_tracks_true", "int64", count).astype(bool),
        children,
        roots,
        _spoken(node, what, keys, targets),
    )
    return _ordered(leaf, found)


def _children(
    node: Node, keys: list[tuple[int, int]], tree: Array, branch: Array
) -> tuple[Array, Array]:
    """Where each node leads to, and the nodes that none leads to: one per tree."""
    count = len(keys)
    children = np.repeat(np.arange(count)[:, None], 2, axis=1)
    for side, key in enumerate(("nodes_falsenodeids", "nodes_truenodeids")):
        to = _listed(node, key, "int64", count)
        children[branch, side] = _places(keys, tree[branch], to[branch], key)
    entered = np.zeros(count, bool)
    entered[children[branch].reshape(-1)] = True
    roots = np.flatnonzero(~entered)
    wrong = np.setdiff1d(tree, tree[roots])
    if len(wrong) or len(np.unique(tree[roots])) < len(roots):
        raise ModelError("the nodes of a tree form a circle, or two trees have one number")
    return children, roots


def _spoken(node: Node, what: str, keys: list[tuple[int, int]], targets: int) -> Array:
    """What each node gives for each target, as `class_…` or `target_…` say."""
    tree, own = (_listed(node, f"{what}_{key}", "int64") for key in ("treeids", "nodeids"))
    if len(tree) != len(own):
        raise ModelError(f"{len(own)} {what}_nodeids in {len(tree)} trees")
    at = _places(keys, tree, own, f"{what}_nodeids")
    target = _listed(node, f"{what}_ids", "int64", len(at))
    weight = _listed(node, f"{what}_weights", "float32", len(at))
    return _weights(node, at, target, weight, (len(keys), targets))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _weights(node: Node, at: Array, target: Array, weight: Array, shape: tuple[int, int]) -> Array:
    """What each node gives for each target."""
    if ((target < 0) | (target >= shape[1])).any():
        raise ModelError(f"a leaf speaks of target {target.max()} of {shape[1]}")
    if shape[0] * shape[1] >= 2**26:
        raise ModelError(f"{shape[0]} leaves for {shape[1]} targets are too many")
    fill = {"MIN": np.inf, "MAX": -np.inf}.get(_aggregate(node), 0)
    table = np.full(shape, fill, weight.dtype)
    table[at, target] = 0
    np.add.at(table, (at, target), weight)
    return table


def _ordered(leaf: Array, found: Trees) -> Trees:
    """The same trees with the leaves first."""
    order = np.argsort(~leaf, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    weights = found.weights[order][: int(leaf.sum())]
    return Trees(
        found.feature[order],
        found.test[order],
        found.number[order],
        found.lost[order],
        rank[found.children[order]],
        rank[found.roots],
        weights,
    )


def _aggregate(node: Node) -> str:
    if node.op == "TreeEnsemble":
        number = node.number("aggregate_function", 1)
        name = trees.AGGREGATES[number] if 0 <= number < len(trees.AGGREGATES) else str(number)
    else:
        name = node.text("aggregate_function", "SUM")
    if name not in trees.AGGREGATES:
        raise ModelError(f"{name!r} is no way to put trees together")
    return name


def _scored(node: Node, b: Builder, found: Trees, x: Tensor) -> Tensor:
    """The scores of each row of `x` before they are transformed."""
    rows = reshape(b, x, (1, *x.extents)) if x.rank == 1 else x
    if rows.rank != 2 or found.feature[len(found.weights) :].max(initial=0) >= rows.extents[1]:
        raise ModelError(f"{x} has no feature {found.feature.max()}")
    if found.feature[len(found.weights) :].min(initial=0) < 0:
        raise ModelError(f"there is no feature {found.feature.min()}")
    floats = rows if rows.dtype.is_float else convert(b, rows, f32)
    return trees.scores(b, found, floats, _aggregate(node))


def _base(node: Node, b: Builder, total: Tensor) -> Tensor:
    base = _listed(node, "base_values", "float32")
    if not base.size:
        return total
    if base.size not in (1, total.extents[1]):
        raise ModelError(f"{base.size} base values for {total.extents[1]} targets")
    added = b.constant(base.astype(total.dtype.numpy_name))
    return elementwise(b, "add", build.add, total, added)


def _regressor(node: Node, b: Builder, x: Tensor) -> Tensor:
    targets = node.number("n_targets", 1)
    if targets < 1:
        raise ModelError(f"{targets} targets")
    total = _base(node, b, _scored(node, b, _old(node, "target", targets), x))
    return scores.post_transform(b, convert(b, total, f32), node.text("post_transform", "NONE"))


def _classifier(node: Node, b: Builder, x: Tensor) -> tuple[Tensor, ...]:
    labels = _listed(node, "classlabels_int64s", "int64")
    return labelled(node, b, labels, lambda own: _classes(node, b, x, own))


def _classes(node: Node, b: Builder, x: Tensor, labels: Array) -> tuple[Tensor, Tensor]:
    ids = _listed(node, "class_ids", "int64")
    found, post = _old(node, "class", len(labels)), node.text("post_transform", "NONE")
    total = _scored(node, b, found, x)
    present = np.unique(ids)
    if len(labels) == 2 and len(present) == 1:
        base = _listed(node, "base_values", "float32")
        if present[0] != 0 or base.size > 1:
            raise UnsupportedOp(
                f"scores of class {present[0]} alone with {base.size} base values", op=node.op
            )
        # what is given for the first class is the score of the second
        score = convert(
            b, _base(node, b, take(b, total, [0, 0], [1, 1], [total.extents[0], 1])), f32
        )
        positive = bool((_listed(node, "class_weights", "float32") >= 0).all())
        return scores.two_classes(b, score, labels, post, 0.5 if positive else 0.0, positive)
    total = convert(b, _base(node, b, total), f32)
    absent = np.setdiff1d(np.arange(len(labels)), present)
    return scores.label_of(b, total, labels, absent), scores.post_transform(b, total, post)


def _ensemble(node: Node, b: Builder, x: Tensor) -> Tensor:
    targets = node.number("n_targets", 1)
    number = node.number("post_transform", 0)
    if targets < 1 or not 0 <= number < len(scores.POST):
        raise ModelError(f"{targets} targets, transformed by {number}")
    total = _scored(node, b, _new(node, targets), x)
    return scores.post_transform(b, convert(b, total, x.dtype), scores.POST[number])


def _tensor(node: Node, key: str) -> Array:
    return array_of(node.tensor(key), None).reshape(-1)


def _new(node: Node, targets: int) -> Trees:
    """The trees of a TreeEnsemble, whose branches and leaves are numbered apart."""
    number = _tensor(node, "nodes_splits")
    count = len(number)
    test = _tensor(node, "nodes_modes").astype(np.int64)
    weight, target = _tensor(node, "leaf_weights"), _listed(node, "leaf_targetids", "int64")
    if len(test) != count or len(weight) != len(target) or not len(weight):
        raise ModelError(f"{len(test)} modes of {count} nodes, {len(weight)} weights of leaves")
    if ((test < 0) | (test > _MEMBER)).any():
        raise ModelError(f"{test.max()} is no mode of a node")
    children = np.stack([_side(node, s, count, len(weight)) for s in ("false", "true")], axis=1)
    lost = _listed(node, "nodes_missing_value_tracks_true", "int64", count).astype(bool)
    feature = _listed(node, "nodes_featureids", "int64", count)
    roots = len(weight) + _inside(_listed(node, "tree_roots", "int64"), count, "tree_roots")
    leaf = np.arange(len(weight))
    weights = _weights(node, leaf, target, weight, (len(weight), targets))
    blank = np.zeros_like(leaf)
    # the leaves stand before the branches
    found = Trees(
        np.concatenate([blank, feature]),
        np.concatenate([blank, test]),
        np.concatenate([blank.astype(number.dtype), number]),
        np.concatenate([blank.astype(bool), lost]),
        np.concatenate([np.stack([leaf, leaf], axis=1), children]),
        roots,
        weights,
    )
    return _without_sets(found, _sets(node, int((test == _MEMBER).sum())))


def _side(node: Node, side: str, count: int, leaves: int) -> Array:
    to = _listed(node, f"nodes_{side}nodeids", "int64", count)
    ends = _listed(node, f"nodes_{side}leafs", "int64", count).astype(bool)
    inside = _inside(np.where(ends, 0, to), count, f"nodes_{side}nodeids")
    return np.where(ends, _inside(np.where(ends, to, 0), leaves, "a leaf"), leaves + inside)


def _inside(places: Array, count: int, what: str) -> Array:
    if ((places < 0) | (places >= count)).any():
        raise ModelError(f"{what} names {places.max()}, which is not among {count}")
    return places


def _sets(node: Node, count: int) -> list[Array]:
    """The numbers that each node of mode MEMBER looks for, which NaN separates."""
    if not count:
        return []
    values = _tensor(node, "membership_values")
    ends = np.flatnonzero(np.isnan(values))
    found = [part[~np.isnan(part)] for part in np.split(values, ends)]
    found = found[:-1] if len(ends) and not found[-1].size else found
    if len(found) != count or not all(part.size for part in found):
        raise ModelError(f"{len(found)} sets of numbers for {count} nodes that look for one")
    return found


def _without_sets(found: Trees, sets: list[Array]) -> Trees:
    """The same trees with a node for each number of a set: is it this one? or this? …"""
    feature, test, number = list(found.feature), list(found.test), list(found.number)
    lost, children = list(found.lost), [tuple(c) for c in found.children]
    for place, numbers in zip(np.flatnonzero(found.test == _MEMBER), sets, strict=True):
        missed, hit = children[place]
        at = int(place)
        for n, value in enumerate(numbers):
            last = n == len(numbers) - 1
            test[at], number[at] = _MODES["EQ"], value
            children[at] = (missed if last else len(feature), hit)
            if not last:
                at = len(feature)
                feature.append(feature[place])
                test.append(_MODES["EQ"])
                number.append(value)
                lost.append(lost[place])
                children.append((missed, hit))
    arrays = (np.asarray(feature), np.asarray(test), np.asarray(number, found.number.dtype))
    return Trees(*arrays, np.asarray(lost), np.asarray(children), found.roots, found.weights)


ROWS = (
    Row("TreeEnsembleRegressor", 1, _regressor, domain="ai.onnx.ml"),
    Row("TreeEnsembleClassifier", 1, _classifier, domain="ai.onnx.ml"),
    Row("TreeEnsemble", 5, _ensemble, domain="ai.onnx.ml"),
)
