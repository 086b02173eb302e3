"""Rows of the registry for classical machine learning without trees, domain ai.onnx.ml."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node, given
from workbench.graph.onnx.row import Row
from workbench.graph.onnx.rows_text import labelled, looked_up, strings
from workbench.graph.onnx.types import array_of
from workbench.graph.ops import host, reduce, scores
from workbench.graph.ops.define import Axes, grid
from workbench.graph.ops.define import reduce as reduce_
from workbench.graph.ops.elementwise import convert, elementwise
from workbench.graph.ops.matmul import product
from workbench.graph.ops.shape import concat, gather, reshape, take
from workbench.graph.tensor import text
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import TensorType, f32, i32, i64
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

_DOMAIN = "ai.onnx.ml"


def numbers(node: Node, key: str, kind: str) -> Array:
    """A list attribute as an array; empty when it is not given."""
    try:
        found = np.asarray(node.attributes.get(key, []), kind)
    except (ValueError, TypeError, OverflowError):
        raise ModelError(f"the attribute {key} is no list of numbers") from None
    if found.ndim != 1:
        raise ModelError(f"the attribute {key} is no list of numbers")
    return found


def _rows(x: Tensor) -> int:
    """How many features a row of `x` has."""
    if x.rank == 0:
        raise ModelError(f"{x} has no features")
    return x.extents[-1]


def _each(node: Node, b: Builder, key: str, x: Tensor, kind: str) -> Tensor:
    """One number for all features, or one for each."""
    found = numbers(node, key, kind)
    if found.size not in (1, _rows(x)):
        raise ModelError(f"{found.size} numbers of {key} for {_rows(x)} features of {x}")
    return b.constant(found)


def _scaler(node: Node, b: Builder, x: Tensor) -> Tensor:
    offset, scale = (_each(node, b, key, x, "float32") for key in ("offset", "scale"))

    def scaled(v: Expr, o: Expr, s: Expr) -> Expr:
        return build.mul(build.sub(build.cast(v, f32), o), s)

    return elementwise(b, "scaler", scaled, x, offset, scale)


def _normalizer(node: Node, b: Builder, x: Tensor) -> Tensor:
    _rows(x)
    norm, x = node.text("norm", "MAX"), convert(b, x, f32)
    dims = [x.rank - 1]
    if norm == "MAX":
        total = reduce.reduction(b, "reduce_max", x, dims, True, Reducer.MAX)
    elif norm == "L1":
        total = reduce.reduction(
            b, "reduce_l1", x, dims, True, Reducer.SUM, lambda v: build.call("abs", v)
        )
    elif norm == "L2":
        total = reduce.reduction(
            b,
            "reduce_l2",
            x,
            dims,
            True,
            Reducer.SUM,
            lambda v: build.mul(v, v),
            lambda v: build.call("sqrt", v),
        )
    else:
        raise ModelError(f"{norm!r} is no norm; MAX, L1 and L2 are")

    def over(v: Expr, t: Expr) -> Expr:
        # a row of zeros stays as it is
        return build.select(build.binary(BinaryOp.EQ, t, 0.0), v, build.binary(BinaryOp.DIV, v, t))

    return elementwise(b, "normalizer", over, x, total)


def _binarizer(node: Node, b: Builder, x: Tensor) -> Tensor:
    limit = node.real("threshold", 0.0)

    def above(v: Expr) -> Expr:
        own = v if x.dtype.is_float else build.cast(v, build.f64)
        return build.cast(build.binary(BinaryOp.GT, own, limit), x.dtype)

    return elementwise(b, "binarizer", above, x)


def _imputer(node: Node, b: Builder, x: Tensor) -> Tensor:
    whole = not x.dtype.is_float
    key = "imputed_value_int64s" if whole else "imputed_value_floats"
    new = convert(b, _each(node, b, key, x, "int64" if whole else "float32"), x.dtype)
    old = node.number("replaced_value_int64", 0) if whole else node.real("replaced_value_float", 0)

    def filled(v: Expr, n: Expr) -> Expr:
        lost = build.call("isnan", v) if math.isnan(old) else build.binary(BinaryOp.EQ, v, old)
        return build.select(lost, n, v)

    return elementwise(b, "imputer", filled, x, new)


def _extract(node: Node, b: Builder, x: Tensor, indices: Tensor) -> Tensor:
    del node
    count, known = _rows(x), b.value(indices)
    if known is not None and ((known < 0) | (known >= count)).any():
        raise ModelError(f"features up to {known.max()} of {count} of {x}")
    wide = reshape(b, x, (1, count)) if x.rank == 1 else x
    return gather(b, wide, reshape(b, indices, (indices.size,)), wide.rank - 1)


def _mapped(node: Node, side: str, x: Tensor) -> Array:
    """Keys or values of a LabelEncoder."""
    if node.has("classes_strings"):
        # before version 2: strings to their places, or places to strings
        words = np.asarray(strings(node, "classes_strings"), object)
        return words if (side == "keys") == (x.dtype == text) else np.arange(len(words))
    if node.has(f"{side}_strings"):
        return np.asarray(strings(node, f"{side}_strings"), object)
    if node.has(f"{side}_tensor"):
        return array_of(node.tensor(f"{side}_tensor"), None).reshape(-1)
    if node.has(f"{side}_int64s"):
        return numbers(node, f"{side}_int64s", "int64")
    return numbers(node, f"{side}_floats", "float32")


def _default(node: Node, values: Array) -> Array:
    """What a LabelEncoder gives for other keys, in the type of its values."""
    if node.has("default_tensor"):
        other = array_of(node.tensor("default_tensor"), None).reshape(-1)
    elif values.dtype == object:
        other = np.asarray([node.text("default_string", "_Unused")], object)
    elif values.dtype.kind == "f":
        other = np.asarray([node.real("default_float", -0.0)])
    else:
        other = np.asarray([node.number("default_int64", -1)])
    if other.size != 1:
        raise ModelError(f"{other.size} default values")
    return other.astype(values.dtype)


def _label_encoder(node: Node, b: Builder, x: Tensor) -> Tensor | tuple[Tensor, ...]:
    keys, values = _mapped(node, "keys", x), _mapped(node, "values", x)
    if (keys.dtype == object) != (x.dtype == text):
        raise ModelError(f"keys of {keys.dtype} for {x}")
    if len(keys) != len(values) or not len(keys):
        raise ModelError(f"{len(keys)} keys for {len(values)} values")
    other = _default(node, values)
    if object in (keys.dtype, values.dtype):
        return b.data(partial(looked_up, keys=keys, values=values, other=other), [x])
    # a row behind the last one holds what stands for unknown keys
    table = b.constant(np.append(values, other))
    wanted = b.constant(keys.astype(x.dtype.numpy_name))
    place = {x: x.variable(), wanted: wanted.variable(), table: table.variable()}
    count = len(keys)

    def which(i: Axes, r: Axes) -> Expr:
        own = build.load(place[x], i[: x.rank] or [0])
        key = build.load(place[wanted], [r[0]])
        same = build.binary(BinaryOp.EQ, own, key)
        if x.dtype.is_float:
            lost = build.all_of(build.call("isnan", own), build.call("isnan", key))
            same = build.binary(BinaryOp.OR, same, lost)
        return build.select(same, build.cast(r[0], i32), build.const(count, i32))

    def finish(_: Axes, first: Expr) -> Expr:
        return build.load(place[table], [first])

    kind = TensorType(table.dtype, x.extents or (1,))
    compute = reduce_(
        "label_encoder", list(place.values()), kind, Reducer.MIN, [count], which, finish
    )
    return b.emit(compute, list(place), x.extents)


def _one_hot_encoder(node: Node, b: Builder, x: Tensor) -> Tensor:
    if node.attributes.get("cats_strings"):
        raise UnsupportedOp("categories that are texts are not supported", op=node.op)
    cats = b.constant(numbers(node, "cats_int64s", "int64"))
    if not node.number("zeros", 1):
        # a kernel cannot say that a category is none of these
        x = b.host("check", host.among, [x, cats], [(x.dtype, x.extents)])[0]
    place = {x: x.variable(), cats: cats.variable()}

    def value(i: Axes) -> Expr:
        own = build.cast(build.load(place[x], i[: x.rank] or [0]), i64)
        return build.cast(build.binary(BinaryOp.EQ, own, build.load(place[cats], [i[-1]])), f32)

    kind = TensorType(f32, (*x.extents, cats.size))
    return b.emit(grid("one_hot_encoder", list(place.values()), kind, value), list(place))


def _vectorizer(node: Node, b: Builder, *inputs: Tensor | None) -> Tensor:
    parts = [reshape(b, t, (1, t.size)) if t.rank < 2 else t for t in given(*inputs)]
    counts = numbers(node, "inputdimensions", "int64").tolist() or [p.extents[-1] for p in parts]
    if not parts or len(counts) != len(parts) or any(p.rank != 2 for p in parts):
        raise ModelError(f"{len(counts)} inputdimensions for {', '.join(map(str, parts))}")
    if any(not 0 <= c <= p.extents[1] for c, p in zip(counts, parts, strict=True)):
        raise ModelError(f"inputdimensions {counts} of {', '.join(map(str, parts))}")
    cut = [
        convert(b, take(b, p, [0, 0], [1, 1], (p.extents[0], c)), f32)
        for c, p in zip(counts, parts, strict=True)
    ]
    return concat(b, cut, 1)


def _linear(node: Node, b: Builder, x: Tensor, targets: int) -> Tensor:
    """Coefficients times features, plus the intercepts: [n, targets]."""
    rows = reshape(b, x, (1, *x.extents)) if x.rank == 1 else x
    factors = numbers(node, "coefficients", "float32")
    if rows.rank != 2 or factors.size != targets * rows.extents[1]:
        raise ModelError(f"{factors.size} coefficients for {targets} targets of {x}")
    weights = b.constant(factors.reshape(targets, -1))
    total = product(b, "matmul", convert(b, rows, f32), weights, (False, True))
    added = numbers(node, "intercepts", "float32")
    if not added.size:
        return total
    if added.size not in (1, targets):
        raise ModelError(f"{added.size} intercepts for {targets} targets")
    return elementwise(b, "add", build.add, total, b.constant(added))


def _linear_regressor(node: Node, b: Builder, x: Tensor) -> Tensor:
    targets = node.number("targets", 1)
    if targets < 1:
        raise ModelError(f"{targets} targets")
    return scores.post_transform(
        b, _linear(node, b, x, targets), node.text("post_transform", "NONE")
    )


def _linear_classifier(node: Node, b: Builder, x: Tensor) -> tuple[Tensor, ...]:
    labels = numbers(node, "classlabels_ints", "int64")
    return labelled(node, b, labels, lambda own: _linear_classes(node, b, x, own))


def _linear_classes(node: Node, b: Builder, x: Tensor, labels: Array) -> tuple[Tensor, Tensor]:
    features, factors = _rows(x), numbers(node, "coefficients", "float32")
    targets = factors.size // max(1, features)
    total, post = _linear(node, b, x, max(1, targets)), node.text("post_transform", "NONE")
    if targets == 1 and len(labels) == 2:
        return scores.two_classes(b, total, labels, post, 0.0, share=True)
    if targets != len(labels):
        raise ModelError(f"{targets} rows of coefficients for {len(labels)} labels")
    return scores.label_of(b, total, labels), scores.post_transform(b, total, post)


ROWS = tuple(
    Row(op, 1, lower, domain=_DOMAIN)
    for op, lower in (
        ("Scaler", _scaler),
        ("Normalizer", _normalizer),
        ("Binarizer", _binarizer),
        ("Imputer", _imputer),
        ("ArrayFeatureExtractor", _extract),
        ("LabelEncoder", _label_encoder),
        ("OneHotEncoder", _one_hot_encoder),
        ("FeatureVectorizer", _vectorizer),
        ("LinearRegressor", _linear_regressor),
        ("LinearClassifier", _linear_classifier),
    )
)
